"""What the pages of permissions share: whom to ask, what somebody has in mind, and how a form names a cell."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from aiohttp import web

from ringback.core.book import Book
from ringback.core.grants import Cell, Effect, Level, Subject, Way
from ringback.core.permissions import Action, Asker, may
from ringback.errors import RingbackError
from ringback.flow.granting import SENTENCES, Unfit, Unsuitable, Wanted, have_in_mind
from ringback.flow.overlay import with_changes
from ringback.flow.permits import Permits
from ringback.flow.roster import Roster
from ringback.panel.permissions_words import Say, column_name, row_name
from ringback.panel.shell import VISIT, Shell
from ringback.panel.words import N_
from ringback.ports import Clock
from ringback.ports.grants import Draft, ReadGrants
from ringback.ports.people import People
from ringback.ports.storage import Step, Store, Tx

T = TypeVar("T")
PLACE = "/permissions"
WRONG = 422
CHOSEN: Mapping[str, Effect | None] = {"inherit": None, "allow": Effect.ALLOW, "deny": Effect.DENY}


GONE = N_("Somebody who is gone")


class Unread(RingbackError):
    """A form that makes no sense here."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a page goes by: the book as it holds, and with what whoever asks has in mind."""

    roster: Roster
    drafts: tuple[Draft, ...]
    after: Book

    @property
    def book(self) -> Book:
        return self.roster.book

    def name(self, subject: Subject, say: Say) -> str:
        """Who a subject is, also somebody who cannot act any more."""
        row = self.roster.by_subject.get(subject)
        if row is not None:
            return row_name(row, say)
        found = next((one for one in self.roster.accounts if subject == Subject(Level.USER, one.id)), None)
        return found.called if found else say(GONE)

    def path(self, subject: Subject) -> str:
        """Where the page of a subject is; empty where there is none any more."""
        row = self.roster.by_subject.get(subject)
        return f"{PLACE}/of/{row.public_id}" if row else ""

    def numbers(self, scope: str, say: Say) -> str:
        """Which numbers a scope is."""
        column = self.roster.column_of(scope)
        return column_name(column, say) if column else scope

    def author(self, label: str) -> str:
        """Who did something, by name where it was a user."""
        kind, _, public_id = label.partition(" ")
        if kind != Asker.USER:
            return label
        return next((one.called for one in self.roster.accounts if one.public_id == public_id), label)

    @property
    def changes(self) -> Mapping[Cell, Effect | None]:
        return {draft.cell: draft.effect for draft in self.drafts}


@dataclass(frozen=True, slots=True)
class GrantOffice:
    """The parts behind the pages of permissions."""

    shell: Shell
    permits: Permits
    read: ReadGrants
    people: People
    store: Store
    clock: Clock
    watching: Callable[[], frozenset[int]] = frozenset
    """The accounts that have a live page open."""

    async def roster(self) -> Roster:
        """Everybody, and every number."""
        return Roster(await self.permits.book(), await self.people.everybody(), await self.read.numbers())

    async def scene(self, request: web.Request) -> Scene:
        """What whoever asks sees; only who may change grants has any change in mind."""
        roster, account = await self.roster(), request[VISIT].principal.account
        changing = account is not None and self.may_change(request)
        drafts = tuple(await self.read.drafts(account)) if changing and account is not None else ()
        changes = {draft.cell: draft.effect for draft in drafts}
        return Scene(roster, drafts, with_changes(roster.book, changes))

    def may_change(self, request: web.Request) -> bool:
        return may(request[VISIT].principal, Action.MANAGE_PERMISSIONS)

    def voice(self, request: web.Request) -> Say:
        """Translates into the language of whoever asks."""
        return partial(self.shell.say, request)

    async def commit(self, step: Step[T]) -> T:
        """Carry out a change, and have it hold at once."""
        try:
            return await self.store.commit(step)
        finally:
            self.permits.forget()

    async def keep_in_mind(self, request: web.Request, wanted: Sequence[Wanted]) -> None:
        """Add to what whoever asks has in mind. Raises Unsuitable."""
        account = request[VISIT].principal.account
        if account is None:
            raise web.HTTPForbidden
        await self.store.commit(partial(_keep, account, wanted, self.clock))

    def explain(self, request: web.Request, problem: Unsuitable) -> str:
        """What is wrong, in words of whoever asks."""
        return self.shell.say(request, WORDS[problem.why])


def _keep(account: int, wanted: Sequence[Wanted], clock: Clock, tx: Tx) -> None:
    have_in_mind(account, wanted, clock.now(), tx)


WORDS: Mapping[Unfit, str] = SENTENCES


def read_cell(text: str, roster: Roster) -> Wanted:
    """A change as the matrix names it: `ROW WAY SCOPE CLASS SEEN WANTED`, with `-` for every kind. Raises Unread."""
    try:
        row, way, scope, kind, seen, effect = text.split(" ")
        cell = Cell(read_subject(row, roster), Way(way), scope, "" if kind == "-" else kind)
        return Wanted(cell, CHOSEN[effect], CHOSEN[seen])
    except (ValueError, KeyError) as problem:
        raise Unread(text[:80]) from problem


def read_subject(public_id: str, roster: Roster) -> Subject:
    """Who a public id stands for. Raises KeyError."""
    return roster.by_id[public_id].subject

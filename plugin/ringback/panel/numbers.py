"""The pages of our numbers: what each is called, can do and belongs to, and who sees what comes in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from aiohttp import web

from ringback.core.book import Book
from ringback.core.department_tree import by_id, path_of
from ringback.core.grants import Group, Way
from ringback.core.head_count import Heads
from ringback.core.ids import Kind, kind_of
from ringback.core.permissions import Action
from ringback.flow.numbers import (
    add_group,
    describe_number,
    known_number,
    own_number,
    remove_group,
    rename_group,
    send_from,
)
from ringback.flow.numbers_by_words import somebody
from ringback.flow.owners import members_of, workers
from ringback.flow.refusing import SENTENCES, Because
from ringback.panel.door import WRONG_FORM, Wrong, read_form
from ringback.panel.people_parts import Registry
from ringback.panel.words import N_
from ringback.ports.grants import NumberCard
from ringback.ports.people import Account
from ringback.ports.storage import Tx

MEMBERS_SHOWN = 100
DONE = {
    "described": N_("The number is changed."),
    "owned": N_("The number has another owner or fallback."),
    "outbound": N_("New texts go out from this number where nobody names another."),
    "group-added": N_("The group is added. Put numbers into it on their own pages."),
    "group-renamed": N_("The group has another name."),
    "group-removed": N_("The group is removed. Its numbers stay."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """What the configuration and its carrier say of a number. `replies`: what people write back comes in."""

    carrier: str
    language: str
    segments: int
    receipts: bool
    replies: bool
    answers_stop: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A number as a list shows it; without a line it is not configured any more."""

    card: NumberCard
    line: Line | None
    group: Group | None
    owner: str
    senders: int
    readers: int


class NumberPages:
    """The routes under /numbers."""

    def __init__(self, registry: Registry, lines: Mapping[str, Line]) -> None:
        self._registry = registry
        self._lines = lines
        self._door = registry.door
        self._shell = registry.door.shell
        self._heads = Heads(Book())

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/numbers", self.index),
            web.post("/numbers/groups", self.add_group),
            web.get("/numbers/groups/{id}", self.show_group),
            web.post("/numbers/groups/{id}/name", self.rename_group),
            web.post("/numbers/groups/{id}/remove", self.remove_group),
            web.get("/numbers/{number}", self.show),
            web.post("/numbers/{number}/label", self.describe),
            web.post("/numbers/{number}/owner", self.own),
            web.post("/numbers/{number}/outbound", self.outbound),
        ]

    async def index(self, request: web.Request) -> web.Response:
        """All of them, those that are configured first, and the groups."""
        self._shell.allow(request, Action.READ_NUMBERS)
        return await self._list(request)

    async def show(self, request: web.Request) -> web.Response:
        """One of them."""
        self._shell.allow(request, Action.READ_NUMBERS)
        return await self._one(request)

    async def describe(self, request: web.Request) -> web.Response:
        label, group = await read_form(request, "label", "group")
        return await self._change(request, "described", lambda e164: partial(describe_number, e164, label, group))

    async def own(self, request: web.Request) -> web.Response:
        """Who owns it, and who does when nobody of them is left."""
        owner, fallback = await read_form(request, "owner", "fallback")
        return await self._change(request, "owned", lambda e164: partial(_own, e164, owner, fallback))

    async def outbound(self, request: web.Request) -> web.Response:
        e164 = request.match_info["number"]
        if e164 not in self._lines:
            return await self._one(request, Wrong("number", SENTENCES[Because.FORMER]))
        return await self._change(request, "outbound", lambda number: partial(send_from, number))

    async def add_group(self, request: web.Request) -> web.Response:
        who = self._shell.allow(request, Action.MANAGE_NUMBERS)
        (name,) = await read_form(request, "name")
        try:
            await self._door.change(partial(add_group, name, who.label, self._door.clock.now()))
        except Wrong as wrong:
            return await self._list(request, wrong, name)
        raise web.HTTPSeeOther("/numbers?done=group-added")

    async def show_group(self, request: web.Request) -> web.Response:
        """One group: its numbers, its name, and what goes with it."""
        self._shell.allow(request, Action.READ_NUMBERS)
        return await self._group_page(request)

    async def rename_group(self, request: web.Request) -> web.Response:
        who, group = self._shell.allow(request, Action.MANAGE_NUMBERS), await self._group(request)
        (name,) = await read_form(request, "name")
        try:
            step = partial(rename_group, group.public_id, name, who.label, self._door.clock.now())
            await self._door.change(step)
        except Wrong as wrong:
            return await self._group_page(request, wrong)
        raise web.HTTPSeeOther(f"/numbers/groups/{group.public_id}?done=group-renamed")

    async def remove_group(self, request: web.Request) -> web.Response:
        who, group = self._shell.allow(request, Action.MANAGE_NUMBERS), await self._group(request)
        await self._door.change(partial(remove_group, group.public_id, who.label, self._door.clock.now()))
        raise web.HTTPSeeOther("/numbers?done=group-removed")

    async def _change(
        self, request: web.Request, done: str, make: Callable[[str], Callable[..., object]]
    ) -> web.Response:
        who, card = self._shell.allow(request, Action.MANAGE_NUMBERS), await self._card(request)
        try:
            await self._door.change(partial(make(card.e164), who.label, self._door.clock.now()))
        except Wrong as wrong:
            return await self._one(request, wrong, await read_form(request, "label", "group", "owner", "fallback"))
        raise web.HTTPSeeOther(f"/numbers/{card.e164}?done={done}")

    async def _card(self, request: web.Request) -> NumberCard:
        wanted = request.match_info["number"]
        found = next((card for card in await self._registry.grants.numbers() if card.e164 == wanted), None)
        if found is None:
            raise web.HTTPNotFound
        return found

    async def _group(self, request: web.Request) -> Group:
        groups = (await self._registry.permits.book()).groups.values()
        found = next((group for group in groups if group.public_id == request.match_info["id"]), None)
        if found is None:
            raise web.HTTPNotFound
        return found

    async def _shown(self, cards: list[NumberCard], book: Book) -> list[Shown]:
        if self._heads.version != book.version:
            self._heads = Heads(book)
        owners = await self._owners(cards, book)
        return [
            Shown(
                card,
                self._lines.get(card.e164),
                book.groups.get(card.group) if card.group is not None else None,
                owners.get(card.owner, ""),
                self._heads.allowed(Way.SEND, card.e164),
                self._heads.allowed(Way.RECEIVE, card.e164),
            )
            for card in cards
        ]

    async def _owners(self, cards: list[NumberCard], book: Book) -> Mapping[str, str]:
        """What owners and fallbacks are called, by their public ids."""
        wanted = {one for card in cards for one in (card.owner, card.fallback) if one}
        people = [await self._registry.directory.get(one) for one in wanted if kind_of(one) is Kind.USER]
        named = {person.public_id: person.called for person in people if person}
        departments = [found for one in wanted if (found := by_id(book.departments, one))]
        return named | {one.public_id: path_of(book.departments, one.id) for one in departments}

    async def _list(self, request: web.Request, wrong: Wrong | None = None, typed: str = "") -> web.Response:
        book, cards = await self._registry.permits.book(), await self._registry.grants.numbers()
        shown = await self._shown(cards, book)
        sizes = [sum(card.group == group.id for card in cards) for group in book.groups.values()]
        values = {
            "numbers": [*(one for one in shown if one.line), *(one for one in shown if not one.line)],
            "groups": sorted(zip(book.groups.values(), sizes, strict=True), key=lambda one: one[0].name.casefold()),
            "typed": typed,
            "wrong": wrong,
            "done": DONE.get(request.query.get("done", "")),
        }
        return self._shell.page(request, "numbers", status=WRONG_FORM if wrong else 200, **values)

    async def _one(
        self, request: web.Request, wrong: Wrong | None = None, typed: list[str] | None = None
    ) -> web.Response:
        card, book = await self._card(request), await self._registry.permits.book()
        (shown,) = await self._shown([card], book)
        members = await self._members(card, book)
        group = shown.group.public_id if shown.group else ""
        names = await self._owners([card], book)
        now = [card.label, group, await self._word(card.owner, names), await self._word(card.fallback, names)]
        kept = [was or now_ for was, now_ in zip(typed or ["", "", "", ""], now, strict=True)]
        values = {
            "one": shown,
            "fallback": names.get(card.fallback, ""),
            "typed": dict(zip(("label", "group", "owner", "fallback"), kept, strict=True)),
            "groups": {one.public_id: one.name for one in book.groups.values()},
            "departments": [path_of(book.departments, one) for one in book.departments],
            "members": members[:MEMBERS_SHOWN],
            "many": len(members),
            "wrong": wrong,
            "done": DONE.get(request.query.get("done", "")),
        }
        return self._shell.page(request, "number", status=WRONG_FORM if wrong else 200, **values)

    async def _members(self, card: NumberCard, book: Book) -> tuple[Account, ...]:
        """Who sees what comes in because they own it, or their department does."""
        if kind_of(card.owner) is Kind.USER:
            account = await self._registry.directory.get(card.owner)
            return (account,) if account and workers(book, (account.id,)) else ()
        department = by_id(book.departments, card.owner)
        inside = members_of(book, department.id) if department else ()
        return await self._registry.directory.those(frozenset(inside))

    async def _word(self, owner: str, names: Mapping[str, str]) -> str:
        """How an owner is typed: a department by its path, a user by their login."""
        if kind_of(owner) is Kind.USER:
            account = await self._registry.directory.get(owner)
            return account.login if account else ""
        return names.get(owner, "")

    async def _group_page(self, request: web.Request, wrong: Wrong | None = None) -> web.Response:
        book, group = await self._registry.permits.book(), await self._group(request)
        cards = [card for card in await self._registry.grants.numbers() if card.group == group.id]
        values = {
            "group": group,
            "cards": cards,
            "grants": sum(one.scope == f"group:{group.id}" for one in book.grants),
            "wrong": wrong,
            "done": DONE.get(request.query.get("done", "")),
        }
        return self._shell.page(request, "number_group", status=WRONG_FORM if wrong else 200, **values)


def _own(e164: str, owner: str, fallback: str, by: str, now: datetime, tx: Tx) -> None:
    """Owner and fallback as they are typed; an empty field is nobody."""
    known_number(e164, tx)
    own_number(e164, _typed(owner, tx), _typed(fallback, tx), by, now, tx)


def _typed(words: str, tx: Tx) -> str:
    return somebody(words, tx) if words.strip() else ""

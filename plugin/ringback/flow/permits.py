"""Asking first: whether somebody may do a thing, and what they are told when they may not."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import structlog

from ringback.core import right_words
from ringback.core.book import Book
from ringback.core.grants import ANY_CLASS, Level, Right, Subject, Way
from ringback.core.ids import Kind, kind_of
from ringback.core.permissions import Action, Asker, Principal, may
from ringback.core.reasons import SENTENCES, Reason
from ringback.core.right_words import Told
from ringback.core.rights import MACHINE as WRITTEN_BY_NOBODY
from ringback.core.rights import Rights
from ringback.errors import RingbackError
from ringback.flow.denials import Refusal, note_refused
from ringback.flow.overlay import effective
from ringback.ports import Clock
from ringback.ports.grants import ReadGrants
from ringback.ports.storage import Store, Tx

log = structlog.get_logger("permits")


FAULTS = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What a fault of our own raises where rights are looked up: nobody may anything then. A database that does not answer
is no such fault; there nothing is done at all."""


class Denied(RingbackError):
    """They may not do this, or not like this; `reason` says which. `right` says why not with this `number` of ours, and
    `told` in words; as a string it is those in English."""

    def __init__(
        self, reason: Reason, right: Right | None = None, number: str = "", told: Told | None = None, way: str = ""
    ) -> None:
        super().__init__(told.say(str) if told else SENTENCES[reason])
        self.reason = reason
        self.right = right
        self.number = number
        self.told = told
        self.way = way


class NotThere(RingbackError):
    """There is no such thing, as far as whoever asks may know."""


class Unwritten(RingbackError):
    """What was written cannot be taken as it is; the text says what to do."""


def allow(who: Principal, action: Action) -> None:
    """Raise Denied, and leave a line in the log, unless one of their roles grants it."""
    if not may(who, action):
        log.warning("not permitted", who=who.label, action=str(action))
        raise Denied(Reason.PERMISSION_DENIED)


@contextmanager
def failing_closed() -> Iterator[None]:
    """A look-up of rights that fails denies (S32). Raises Denied."""
    try:
        yield
    except FAULTS as fault:
        log.exception("rights could not be looked up; nothing is allowed")
        raise Denied(Reason.GATE_ERROR) from fault


def rights_in(who: Principal, tx: Tx) -> Rights:
    """What somebody may do as this very transaction sees it, so that what was revoked before it holds."""
    with failing_closed():
        return Rights(who, tx.grants.book())


NOTHING_HERE = "there is no such thing"


def see(who: Principal, number: str, tx: Tx, missing: str = NOTHING_HERE) -> Rights:
    """Raise NotThere unless they may see what this number of ours has to do with; what is not theirs is not there, and
    is told so in the very words of what never was: `missing`.

    Raises Denied for an account that was closed a moment ago.
    """
    rights = rights_in(who, tx)
    right = may_see(rights, number)
    if right.origin.level is Level.CLOSED:
        allow_way(rights, Way.RECEIVE, number)
    if not right.allowed:
        log.warning("not permitted", who=who.label, way=str(Way.RECEIVE), number=number)
        raise NotThere(missing)
    return rights


def may_see(rights: Rights, number: str) -> Right:
    """Whether somebody may see what a number of ours has to do with."""
    with failing_closed():
        return rights.right(Way.RECEIVE, number)


def sees(rights: Rights, number: str) -> bool:
    """The same as a plain yes or no."""
    return may_see(rights, number).allowed


def allow_way(rights: Rights, way: Way, number: str, class_: str = ANY_CLASS) -> None:
    """Raise Denied, with why, unless they may do this with a number they may see."""
    with failing_closed():
        right = rights.right(way, number, class_)
        told = None if right.allowed else right_words.told(right, way, number, rights.book)
    if told is not None:
        log.warning("not permitted", who=rights.who.label, way=str(way), number=number, origin=str(right.origin.level))
        raise Denied(Reason.PERMISSION_DENIED, right, number, told, str(way))


def writers_right(
    account: int | None, way: Way, number: str, class_: str, tx: Tx, by: Asker = Asker.PROGRAM
) -> Right | None:
    """Whether whoever wrote a text may still send it, as this very transaction sees it; None when that cannot be found
    out. What nobody wrote is not a matter of accounts. A person takes a role for it as well; a program has scopes."""
    if account is None:
        return WRITTEN_BY_NOBODY
    try:
        book = tx.grants.book()
        if by is Asker.USER:
            return effective(book, Subject(Level.USER, account), way, number, class_)
        return book.right(account, way, number, class_)
    except FAULTS:
        log.exception("rights could not be looked up; the text is held back")
        return None


def note_denied(who: Principal, denied: Denied, about: str, now: datetime, store: Store) -> None:
    """Leave in the audit who was refused what; whoever is refused does not wait for that."""
    if denied.reason is not Reason.PERMISSION_DENIED:
        return
    note_refused(store, Refusal(who.label, denied.way, about, denied.number, str(denied)), now)


NEVER = float("-inf")
FRESH_S = 1.0
"""How old the book may be that pages go by; whoever changes it in this process calls `forget`."""


class Permits:
    """The one layer that pages, streams, programs and commands ask who may what. Holds the newest book."""

    def __init__(self, read: ReadGrants, clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self._book = Book()
        self._looked_at = NEVER
        self._forgotten = 0
        self._told: list[Callable[[], None]] = []

    def forget(self) -> None:
        """Look again; called after a change."""
        self._looked_at = NEVER
        self._forgotten += 1

    def on_change(self, tell: Callable[[], None]) -> None:
        """Have this called when the book is seen to be another, whoever changed it."""
        self._told.append(tell)

    async def book(self) -> Book:
        """The book as it was a second ago at most."""
        began = self._clock.monotonic()
        return self._book if began - self._looked_at < FRESH_S else await self._look(began)

    async def look(self) -> Book:
        """The book as it is now."""
        return await self._look(self._clock.monotonic())

    async def _look(self, began: float) -> Book:
        while True:
            before, known, mark = self._book, self._looked_at != NEVER, self._forgotten
            version = await self._read.version()
            book = before if known and version == before.version else await self._read.book()
            if mark != self._forgotten:
                continue  # what was read may be older than the change
            if began >= self._looked_at:
                self._book, self._looked_at = book, began
            if before.version not in ("", book.version):
                for tell in self._told:
                    tell()
            return book

    async def of(self, who: Principal) -> Rights:
        """What somebody may do now."""
        return Rights(who, await self.book())


def of_kind(kind: Kind, public_id: str) -> str:
    """Return the id if it is of this kind; raises NotThere."""
    if kind_of(public_id) is not kind:
        raise NotThere(f"{public_id[:40]!r} is the id of nothing here")
    return public_id

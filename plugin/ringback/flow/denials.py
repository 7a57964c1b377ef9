"""What was refused leaves a row in the record: who, what, about what, why. Who is refused does not wait for it.

Somebody who tries again and again leaves one row a minute, with a count, so that they cannot fill the record.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from weakref import WeakKeyDictionary

import structlog

from ringback.core.plurals import count_of
from ringback.errors import StoreBusy
from ringback.logs import REQUEST, SOURCE
from ringback.ports import Clock
from ringback.ports.storage import Store, Tx

log = structlog.get_logger("denials")

NOBODY_KNOWN = "nobody"
"""Who did it where nobody is known: not what was typed, since people type passwords into the wrong field."""
DENIED = "denied"
"""The action of a row about something that whoever asked may not do."""
WRONG_LOGIN = "login_refused"
WRONG_KEY = "key_refused"
FORGED = "forged"
"""A browser was tricked into asking, or a carrier's call back was not signed by the carrier."""

EVERY = timedelta(minutes=1)
MOST = 1_000
"""So many who are refused are told apart; those who are the longest quiet are forgotten first."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Who was refused what. `what` is an action or a way, `number` one of ours, `words` why in a sentence.

    `kind` is the action of the row; `about` is the id of a thing, or what stands for one.
    """

    who: str
    what: str
    about: str = ""
    number: str = ""
    words: str = ""
    kind: str = DENIED
    source: str = ""
    request: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        return self.kind, self.who, self.what, self.number

    @property
    def detail(self) -> str:
        begin = " ".join(word for word in (self.what, self.number) if word)
        return ": ".join(part for part in (begin, self.words) if part)


@dataclass(slots=True)
class _Tried:
    """The last refusal of a kind, when its row was written, and how many came after it."""

    last: Refusal
    since: datetime
    more: int = 0


class Denials:
    """Of one store. `refused` may be called from any task; `run` writes down what was only counted."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tried: dict[tuple[str, ...], _Tried] = {}

    def refused(self, refusal: Refusal, now: datetime) -> None:
        """Leave a row, or count, if there was one in the last minute. Source and request are known by themselves."""
        refusal = replace(refusal, source=refusal.source or SOURCE.get(), request=refusal.request or REQUEST.get())
        tried = self._tried.pop(refusal.key, None)
        if tried is not None and now - tried.since < EVERY:
            self._tried[refusal.key] = replace(tried, last=refusal, more=tried.more + 1)
            return
        self._write(refusal, tried.more if tried else 0, now)
        self._tried[refusal.key] = _Tried(refusal, now)
        if len(self._tried) > MOST:
            self._settle(next(iter(self._tried)), now)

    def settle(self, now: datetime) -> None:
        """Write down what was counted for a minute, and forget who is quiet."""
        for key in [key for key, tried in self._tried.items() if now - tried.since >= EVERY]:
            self._settle(key, now)

    async def run(self, clock: Clock) -> None:
        while True:
            await clock.sleep_until(clock.now() + EVERY)
            self.settle(clock.now())

    def _settle(self, key: tuple[str, ...], now: datetime) -> None:
        tried = self._tried.pop(key)
        if tried.more:
            self._write(tried.last, tried.more - 1, now)

    def _write(self, refusal: Refusal, more: int, now: datetime) -> None:
        try:
            self._store.ride_along([partial(_note, refusal, more, now)])
        except StoreBusy as problem:
            log.warning("a refusal is not in the record", who=refusal.who, what=refusal.what, problem=str(problem))


_OF: "WeakKeyDictionary[Store, Denials]" = WeakKeyDictionary()


def denials_of(store: Store) -> Denials:
    """Those of a store: every door that writes there counts together."""
    found = _OF.get(store)
    if found is None:
        found = _OF[store] = Denials(store)
    return found


def note_refused(store: Store, refusal: Refusal, now: datetime) -> None:
    """Leave a row about a refusal, at most one a minute for the same."""
    denials_of(store).refused(refusal, now)


def _note(refusal: Refusal, more: int, now: datetime, tx: Tx) -> None:
    detail = f"{refusal.detail} ({count_of(more, 'time')} more before this)" if more else refusal.detail
    tx.audit.note(refusal.who, refusal.kind, refusal.about, detail, now, source=refusal.source, request=refusal.request)

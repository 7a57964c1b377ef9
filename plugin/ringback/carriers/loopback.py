"""The carrier that brings texts to handsets in memory instead of a network: for the demo, the lab and the tests.

What arrives is also written to `handset.jsonl`, so that a checker outside the daemon can compare. How the line behaves
is set for all numbers by the option `behaviour`, or for one number by `behave`.

Tried live: it is live nowhere else.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from heapq import heappop, heappush
from itertools import count
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from ringback.carriers.journal import Journal
from ringback.carriers.options import Options
from ringback.core.messages import Outgoing, ReceiptStatus
from ringback.errors import Blocked, Rejected, SendFailed, Throttled, Unconfirmed, Unreachable
from ringback.ports import CarrierContext, CarrierEvent, CarrierRef, Clock, HandsetText, OptionValue, Receipt


class Behaviour(StrEnum):
    """How the line to a handset behaves."""

    DELIVERS = "delivers"
    UNDELIVERS = "undelivers"
    """Takes the text, and says later that the handset could not be reached."""
    LATE = "late"
    """The receipts come after `late_after`."""
    REPEATS = "repeats"
    """The receipts come twice, and in the wrong order."""
    NO_RECEIPTS = "no_receipts"
    REFUSES = "refuses"
    BLOCKS = "blocks"
    THROTTLES = "throttles"
    AWAY = "away"
    SILENT = "silent"
    """Takes the text and never answers."""
    ANSWER_LOST = "answer_lost"
    """Takes the text, the answer is lost, but the receipts come."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of `[carriers.NAME]` with `type = "loopback"`."""

    window: int = 16
    receipt_after: timedelta = timedelta()
    late_after: timedelta = timedelta(minutes=1)
    answer_within: timedelta = timedelta(seconds=10)
    throttle_wait: timedelta = timedelta(seconds=1)
    behaviour: Behaviour = Behaviour.DELIVERS
    texts_per_handset: int = 200
    handsets: int = 10_000


JOURNAL = "handset.jsonl"
LONGEST = timedelta(days=1)
MOST_AT_ONCE = 256
MOST_DUE = 100_000
"""Receipts that may wait for their reader; more texts are turned away until they are read."""


class Answer(StrEnum):
    """What the sender hears of a text that arrived."""

    TAKEN = "taken"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Script:
    """What becomes of a text that is not turned away."""

    answer: Answer = Answer.TAKEN
    receipts: tuple[ReceiptStatus, ...] = ()


_R = ReceiptStatus
_FINAL = (_R.DELIVERED, _R.UNDELIVERED)
_ARRIVES = (_R.SENT, _R.DELIVERED)

TAKES: dict[Behaviour, Script] = {
    Behaviour.DELIVERS: Script(receipts=_ARRIVES),
    Behaviour.UNDELIVERS: Script(receipts=(_R.SENT, _R.UNDELIVERED)),
    Behaviour.LATE: Script(receipts=_ARRIVES),
    Behaviour.REPEATS: Script(receipts=(_R.DELIVERED, _R.SENT, _R.ACCEPTED, _R.DELIVERED, _R.SENT)),
    Behaviour.NO_RECEIPTS: Script(),
    Behaviour.SILENT: Script(answer=Answer.LOST),
    Behaviour.ANSWER_LOST: Script(answer=Answer.LOST, receipts=_ARRIVES),
}
"""A behaviour that is not here turns the text away."""


def _refusal(behaviour: Behaviour, settings: Settings) -> SendFailed:
    match behaviour:
        case Behaviour.BLOCKS:
            return Blocked("the handset's owner opted out at the carrier")
        case Behaviour.THROTTLES:
            return Throttled("too many texts", settings.throttle_wait.total_seconds())
        case Behaviour.AWAY:
            return Unreachable("the line is down")
        case _:
            return Rejected("the line refuses this text")


class _Due(NamedTuple):
    """A receipt that is on its way; `order` breaks ties, so receipts are never compared."""

    at: datetime
    order: int
    to: str
    receipt: Receipt


class Loopback:
    """A `Carrier`, `Listening` and `Handsets`. `journal` gets one JSON line for each text before `send` answers."""

    receipts = True
    max_segments = 10

    def __init__(self, name: str, settings: Settings, clock: Clock, journal: Path) -> None:
        self.name = name
        self.window = settings.window
        self.life = secrets.token_hex(4)
        self._settings = settings
        self._clock = clock
        self._journal = Journal(journal)
        self._behaviours: dict[str, Behaviour] = {}
        self._texts: dict[str, deque[HandsetText]] = {}
        self._bell: asyncio.Event | None = None
        self._versions = count(1)
        self._due: list[_Due] = []
        self._orders = count()
        self._arrived = asyncio.Event()

    def behave(self, number: str, behaviour: Behaviour) -> None:
        """Make the line to one number behave so from now on."""
        self._behaviours[number] = behaviour

    async def send(self, text: Outgoing) -> CarrierRef:
        """Put the text on its handset, or fail the way the line to it behaves."""
        behaviour = self._behaviours.get(text.to, self._settings.behaviour)
        script = TAKES.get(behaviour)
        if script is None:
            raise _refusal(behaviour, self._settings)
        if len(self._due) >= MOST_DUE:
            raise Throttled("too many receipts wait to be read", self._settings.throttle_wait.total_seconds())
        now = self._clock.now()
        version = next(self._versions)
        provider_id = f"lb-{self.life}-{version}"
        arrived = HandsetText(text.attempt, text.message, text.sender, text.to, text.text, now, provider_id, version)
        self._journal.write(arrived)
        self._put(arrived)
        delay = self._settings.late_after if behaviour is Behaviour.LATE else self._settings.receipt_after
        for status in script.receipts:
            self._plan(arrived, status, now + delay)
        if script.answer is Answer.LOST:
            await self._clock.sleep_until(now + self._settings.answer_within)
            raise Unconfirmed("the line took the text and did not answer")
        return CarrierRef(provider_id)

    async def batches(self) -> AsyncIterator[list[CarrierEvent]]:
        """Yield the receipts that are due, to one reader. What that one was not done with comes again to the next."""
        while True:
            while not self._due or self._due[0].at > self._clock.now():
                await self._wait_for_due()
            taken = self._take_due()
            unread = taken
            try:
                yield [due.receipt for due in taken]
                unread = []
            finally:
                for due in unread:
                    heappush(self._due, due)
            for due in taken:
                self._note(due.to, due.receipt)

    def _take_due(self) -> list[_Due]:
        now = self._clock.now()
        taken: list[_Due] = []
        while self._due and self._due[0].at <= now and len(taken) < MOST_AT_ONCE:
            taken.append(heappop(self._due))
        return taken

    def numbers(self) -> tuple[str, ...]:
        """Say which handsets have texts, the last texted first."""
        return tuple(reversed(self._texts))

    def handset(self, number: str) -> tuple[HandsetText, ...]:
        """Return the texts on one handset, oldest first."""
        return tuple(self._texts.get(number, ()))

    async def watch(self, number: str, since: int = 0) -> AsyncGenerator[HandsetText, None]:
        """Yield each text that came or changed after version `since`, in that order, and go on for ever."""
        while True:
            changed = sorted((text for text in self.handset(number) if text.version > since), key=_version)
            for text in changed:
                since = text.version
                yield text
            if not changed:
                await self._any_change()

    def _put(self, text: HandsetText) -> None:
        # taken out and put back, so that the dictionary stays in the order of the last text
        shelf = self._texts.pop(text.to, None)
        if shelf is None:
            shelf = deque(maxlen=self._settings.texts_per_handset)
        self._texts[text.to] = shelf
        shelf.append(text)
        if len(self._texts) > self._settings.handsets:
            del self._texts[next(iter(self._texts))]
        self._ring()

    def _ring(self) -> None:
        bell, self._bell = self._bell, None
        if bell is not None:
            bell.set()

    async def _any_change(self) -> None:
        # one bell for all handsets: it is only made while somebody watches, so a text costs nothing more otherwise
        if self._bell is None:
            self._bell = asyncio.Event()
        await self._bell.wait()

    def _plan(self, text: HandsetText, status: ReceiptStatus, at: datetime) -> None:
        error = "handset not reachable" if status is ReceiptStatus.UNDELIVERED else ""
        receipt = Receipt(text.provider_id, status, at, text.attempt, error)
        heappush(self._due, _Due(at, next(self._orders), text.to, receipt))
        self._arrived.set()

    async def _wait_for_due(self) -> None:
        """Until the next receipt is due, or another one is planned that may be due before it."""
        self._arrived.clear()
        if not self._due:
            await self._arrived.wait()
            return
        race = {
            asyncio.ensure_future(self._clock.sleep_until(self._due[0].at)),
            asyncio.ensure_future(self._arrived.wait()),
        }
        try:
            await asyncio.wait(race, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for runner in race:
                runner.cancel()

    def _note(self, number: str, receipt: Receipt) -> None:
        """Show on the handset what the line reported of a text; newest first, since that is nearly always the one."""
        shelf = self._texts.get(number, deque())
        for place in range(len(shelf) - 1, -1, -1):
            if shelf[place].provider_id == receipt.provider_id:
                if shelf[place].receipt in _FINAL:
                    return
                shelf[place] = replace(shelf[place], receipt=receipt.status, version=next(self._versions))
                self._ring()
                return


_version = attrgetter("version")


def build(name: str, options: Mapping[str, OptionValue], context: CarrierContext) -> Loopback:
    """Make the carrier from its options; the handset file lies in the state folder. Nothing is opened yet."""
    return Loopback(name, read_settings(name, options), context.clock, context.state / JOURNAL)


def read_settings(name: str, table: Mapping[str, OptionValue]) -> Settings:
    """Check the options. Raise ConfigFault with a line for each fault."""
    options = Options(name, table)
    usual = Settings()
    settings = Settings(
        window=options.whole("window", usual.window, 1, 1_000),
        receipt_after=options.duration("receipt_after", usual.receipt_after, LONGEST),
        late_after=options.duration("late_after", usual.late_after, LONGEST),
        answer_within=options.duration("answer_within", usual.answer_within, LONGEST),
        throttle_wait=options.duration("throttle_wait", usual.throttle_wait, LONGEST),
        behaviour=options.choice("behaviour", usual.behaviour),
        texts_per_handset=options.whole("texts_per_handset", usual.texts_per_handset, 1, 10_000),
        handsets=options.whole("handsets", usual.handsets, 1, 100_000),
    )
    options.finish()
    return settings

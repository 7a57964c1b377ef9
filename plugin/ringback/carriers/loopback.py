"""The carrier that brings texts to handsets in memory instead of a network: for the demo, the lab and the tests.

What arrives, and what is written on a handset, is also written to `handset.jsonl`, so that a checker outside the daemon
can compare. How the line behaves is set for all numbers by the option `behaviour`, or for one number by `behave`.

Tried live: it is live nowhere else.
"""

import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from ringback.carriers.journal import Journal
from ringback.carriers.loopback_handsets import Shelves
from ringback.carriers.loopback_line import Line, news_of
from ringback.carriers.loopback_replies import PASSAGES
from ringback.carriers.options import Options
from ringback.core.messages import Outgoing, ReceiptStatus
from ringback.errors import Blocked, Rejected, SendFailed, Throttled, Unconfirmed, Unreachable
from ringback.ports import (
    CarrierContext,
    CarrierEvent,
    CarrierRef,
    Clock,
    Incoming,
    MediaLink,
    OptionValue,
    Receipt,
)
from ringback.ports.handsets import Behaviour, HandsetText, Passage


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
MOST_DUE = 100_000
"""Events that may wait for their reader; more texts are turned away until they are read."""
TOO_MANY = "too much waits to be read"


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


class Loopback:
    """A `Carrier`, `Listening` and `Handsets`. `journal` gets one JSON line a text before anybody is answered."""

    receipts = True
    numeric_ids = False
    max_segments = 10
    answers_commands = False

    def __init__(self, name: str, settings: Settings, clock: Clock, journal: Path) -> None:
        self.name = name
        self.window = settings.window
        self.life = secrets.token_hex(4)
        self._settings = settings
        self._clock = clock
        self._journal = Journal(journal)
        self._behaviours: dict[str, Behaviour] = {}
        self._shelves = Shelves(settings.handsets, settings.texts_per_handset)
        self._line = Line(clock, lambda news: self._shelves.note(*news))

    async def send(self, text: Outgoing) -> CarrierRef:
        """Put the text on its handset, or fail the way the line to it behaves."""
        behaviour = self.behaviour(text.to)
        script = TAKES.get(behaviour)
        if script is None:
            raise _refusal(behaviour, self._settings)
        self._check_room()
        now = self._clock.now()
        version, provider_id = self._next()
        arrived = HandsetText(text.attempt, text.message, text.sender, text.to, text.text, now, provider_id, version)
        self._journal.write(arrived)
        self._shelves.put(arrived)
        delay = self._settings.late_after if behaviour is Behaviour.LATE else self._settings.receipt_after
        for status in script.receipts:
            self._plan(arrived, status, now + delay)
        if script.answer is Answer.LOST:
            await self._clock.sleep_until(now + self._settings.answer_within)
            raise Unconfirmed("the line took the text and did not answer")
        return CarrierRef(provider_id)

    def say(
        self,
        number: str,
        to: str,
        text: str,
        passage: Passage = Passage.WHOLE,
        media: Sequence[MediaLink] = (),
    ) -> str:
        """Write a text on a handset to a number of ours; it comes with the next batch. Returns its id on the handset.

        Raises Throttled when too much waits to be read, Unreachable when the journal cannot be written.
        """
        self._check_room()
        now = self._clock.now()
        version, provider_id = self._next()
        said = HandsetText("", "", number, to, text, now, provider_id, version, mine=True, media=tuple(media))
        self._journal.write(said, passage)
        self._shelves.put(said)
        *before, last = PASSAGES[passage](Incoming(provider_id, number, to, text, now, media=said.media))
        for event in before:
            self._line.plan(event, now)
        self._line.plan(last, now, news_of(said, ReceiptStatus.DELIVERED))
        return provider_id

    def batches(self) -> AsyncGenerator[list[CarrierEvent], None]:
        """Yield the receipts and texts that are due, to one reader."""
        return self._line.batches()

    def behave(self, number: str, behaviour: Behaviour) -> None:
        """Make the line to one number behave so from now on."""
        self._behaviours.pop(number, None)
        self._behaviours[number] = behaviour
        if len(self._behaviours) > self._settings.handsets:
            del self._behaviours[next(iter(self._behaviours))]

    def behaviour(self, number: str) -> Behaviour:
        """Say how the line to one number behaves."""
        return self._behaviours.get(number, self._settings.behaviour)

    def numbers(self) -> tuple[str, ...]:
        """Say which handsets have texts, the last used first."""
        return self._shelves.numbers()

    def handset(self, number: str) -> tuple[HandsetText, ...]:
        """Return the texts on one handset, oldest first."""
        return self._shelves.texts(number)

    def watch(self, number: str, since: int = 0) -> AsyncGenerator[HandsetText, None]:
        """Yield each text that is new or changed after version `since`, in that order, and go on for ever."""
        return self._shelves.watch(number, since)

    def _next(self) -> tuple[int, str]:
        version = self._shelves.next_version()
        return version, f"lb-{self.life}-{version}"

    def _check_room(self) -> None:
        if len(self._line) >= MOST_DUE:
            raise Throttled(TOO_MANY, self._settings.throttle_wait.total_seconds())

    def _plan(self, text: HandsetText, status: ReceiptStatus, at: datetime) -> None:
        error = "handset not reachable" if status is ReceiptStatus.UNDELIVERED else ""
        receipt = Receipt(text.provider_id, status, at, text.attempt, error)
        self._line.plan(receipt, at, news_of(text, status))


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

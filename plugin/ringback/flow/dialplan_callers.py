"""Who is in a call that the dialplan asks about: what the PBX told of it, and what is known of its caller, in memory.

What is known of a caller is read once, when their call begins, for many calls at a time and beside the writer; a
question that comes before that waits a quarter of a second at most.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

import structlog

from ringback.core.calls import Call, CallEnded, CallEvent, CallStarted, Direction, FeedLost, Presentation
from ringback.core.numbers import Number
from ringback.core.policy import CallFacts
from ringback.core.reasons import Reason
from ringback.errors import StoreFault, told
from ringback.flow.dialplan_words import Question, Reach
from ringback.flow.house import House
from ringback.flow.textability import textable_by
from ringback.ports import Clock
from ringback.ports.live_calls import Beside, LiveCalls
from ringback.ports.pairs import PairFacts
from ringback.ports.storage import Tx

log = structlog.get_logger("dialplan")

READ_WITHIN_S = 0.25
FIRST_READ_S = 5.0
FRESH = timedelta(seconds=30)
"""How long what was read of a caller counts; after that it is read again."""
MOST_CALLS = 5_000
AT_ONCE = 100
HEARD_WITHIN_S = 0.25
"""How far Asterisk's events may be behind its dialplan."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a question is about. `facts` are None where they keyed in the number: nobody withholds what they say.

    `doubt` says why nothing is sent in the name of this call; ALLOWED for no doubt.
    """

    pbx: str
    uniqueid: str
    did: str
    number: Number
    facts: CallFacts | None
    doubt: Reason = Reason.ALLOWED

    @property
    def peer(self) -> str:
        return self.number.e164 or self.number.raw


class Pair(NamedTuple):
    """A call, our number, and whoever would be texted."""

    pbx: str
    uniqueid: str
    did: str
    peer: str


@dataclass(frozen=True, slots=True)
class Known:
    pair: PairFacts
    at: datetime


class Callers:
    """Everybody in a call of the PBXs, by name. `run` reads what is asked for, once it is `ready`; without it nobody is
    known."""

    def __init__(self, house: House, pbxs: Mapping[str, LiveCalls], beside: Beside, clock: Clock) -> None:
        self._house = house
        self._pbxs = pbxs
        self._beside = beside
        self._clock = clock
        self._known: dict[tuple[str, str], dict[Pair, Known]] = {}
        self._wanted: dict[Pair, asyncio.Future[PairFacts]] = {}
        self._bell = asyncio.Event()
        self._arrivals: set[asyncio.Event] = set()
        self._runs = False
        self.ready = asyncio.Event()

    # -- who it is

    def pbx_of(self, question: Question) -> str:
        """The PBX that a question came from; empty where several may be meant."""
        if question.pbx or len(self._pbxs) == 1:
            return next((name for name in self._pbxs if question.pbx in ("", name)), "")
        # ids begin with the second of the call, so two may have the same; who is not sure says nothing
        having = [name for name, pbx in self._pbxs.items() if pbx.call(question.uniqueid) is not None]
        return having[0] if len(having) == 1 else ""

    def of(self, question: Question) -> Caller:
        """Put what the dialplan says and what the PBX told together: the stricter one holds."""
        name = self.pbx_of(question)
        pbx = self._pbxs.get(name)
        call = pbx.call(question.uniqueid) if pbx is not None else None
        read = self._house.read
        number = read(name, question.caller or (call.caller if call is not None else ""))
        dialled = question.did or (call.did if call is not None else "")
        did = read(name, dialled).e164 or dialled
        facts = CallFacts(
            _presentation(question.presentation, call),
            call.verstat if call is not None else "",
            call.vetoed if call is not None else False,
        )
        return Caller(name, question.uniqueid, did, number, facts, self._doubt(pbx, call, number))

    def to(self, asked: Caller, keyed: str) -> Caller:
        """The same call with the number of a mobile that the caller keyed in, as people of the house dial it."""
        return replace(asked, number=self._house.read("", keyed), facts=None)

    async def sure(self, question: Question) -> Caller:
        """The same, once the PBX told of the call: its events may be a moment behind its dialplan."""
        asked = self.of(question)
        if asked.doubt is not Reason.CALL_UNKNOWN or asked.pbx not in self._pbxs:
            return asked
        bell = asyncio.Event()
        self._arrivals.add(bell)
        with suppress(TimeoutError):
            async with asyncio.timeout(HEARD_WITHIN_S):
                while asked.doubt is Reason.CALL_UNKNOWN:
                    await bell.wait()
                    bell.clear()
                    asked = self.of(question)
        self._arrivals.discard(bell)
        return asked

    def _doubt(self, pbx: LiveCalls | None, call: Call | None, number: Number) -> Reason:
        if pbx is None or (call is None and pbx.heard):
            return Reason.CALL_UNKNOWN
        if call is None or call.direction is Direction.OUTBOUND:
            return Reason.ALLOWED
        own = self._house.read(pbx.name, call.caller)
        return Reason.ALLOWED if own.e164 in (None, number.e164) else Reason.NOT_THE_CALLER

    # -- what is known of them

    async def textable(self, asked: Caller) -> Reason:
        """Whether texts reach this caller and are wanted, as far as it is known."""
        known = await self.pair(asked)
        if known is None:
            return Reason.GATE_ERROR
        return textable_by(self._house, asked.did, asked.number, asked.facts, known, self._clock.now())

    async def pair(self, asked: Caller) -> PairFacts | None:
        """What is known of the pair; None where that cannot be read in time. A caller without a number is known."""
        if asked.number.e164 is None:
            return NOBODY
        key = Pair(asked.pbx, asked.uniqueid, asked.did, asked.number.e164)
        known = self._known.get(key[:2], {}).get(key)
        # a clock that was set back makes nothing fresh for ever
        if known is not None and abs(self._clock.now() - known.at) < FRESH:
            return known.pair
        if not self._runs:
            return known.pair if known is not None else None
        wanted = self._want(key)
        with suppress(TimeoutError, StoreFault):
            async with asyncio.timeout(READ_WITHIN_S):
                return await asyncio.shield(wanted)
        return known.pair if known is not None else None

    def forget(self, asked: Caller) -> None:
        """What is known of this caller is another now."""
        self._known.pop((asked.pbx, asked.uniqueid), None)

    def heard(self, events: Sequence[CallEvent]) -> None:
        """Follow the calls of a PBX: read of whoever calls in, forget whoever hung up."""
        for event in events:
            match event:
                case CallStarted(call) if call.direction is Direction.INBOUND:
                    self._begins(call)
                case CallEnded(call):
                    self._known.pop((call.pbx, call.uniqueid), None)
                case FeedLost():
                    pass
        for bell in self._arrivals:
            bell.set()

    def _begins(self, call: Call) -> None:
        peer = self._house.read(call.pbx, call.caller).e164
        did = self._house.read(call.pbx, call.did).e164
        if self._runs and peer is not None and did is not None:
            self._want(Pair(call.pbx, call.uniqueid, did, peer))

    def _want(self, key: Pair) -> "asyncio.Future[PairFacts]":
        wanted = self._wanted.get(key)
        if wanted is None:
            wanted = self._wanted[key] = asyncio.get_running_loop().create_future()
            wanted.add_done_callback(_looked_at)
            self._bell.set()
        return wanted

    async def run(self) -> None:
        """Read of whoever is asked about, for ever."""
        for pbx in self._pbxs.values() if not self._runs else ():
            pbx.on_calls(self.heard)
        self._runs = True
        # the first read brings the library along, which a caller should not wait for
        with suppress(StoreFault, TimeoutError):
            async with asyncio.timeout(FIRST_READ_S):
                await self._beside.look(_nothing)
        self.ready.set()
        while True:
            await self._bell.wait()
            self._bell.clear()
            while self._wanted:
                await self._read(list(self._wanted)[:AT_ONCE])

    async def _read(self, keys: Sequence[Pair]) -> None:
        now = self._clock.now()
        try:
            found = await self._beside.look(partial(read_pairs, keys, now))
        except StoreFault as fault:
            log.warning("callers cannot be read", callers=len(keys), problem=told(fault))
            for key in keys:
                self._wanted.pop(key).set_exception(fault)
            return
        for key, pair in zip(keys, found, strict=True):
            self._keep(key, Known(pair, now))
            wanted = self._wanted.pop(key)
            if not wanted.done():
                wanted.set_result(pair)

    def _keep(self, key: Pair, known: Known) -> None:
        while len(self._known) >= MOST_CALLS:
            del self._known[next(iter(self._known))]
        self._known.setdefault(key[:2], {})[key] = known


NOBODY = PairFacts(None, None, False, 0, False, False, 0, 0)
"""What is known of somebody without a number."""


def read_pairs(keys: Sequence[Pair], now: datetime, tx: Tx) -> list[PairFacts]:
    return [tx.pairs.facts(key.did, key.peer, "", "", now) for key in keys]


def _presentation(said: Presentation, call: Call | None) -> Presentation:
    """Whoever of the two says that the number is withheld is believed."""
    heard = call.presentation if call is not None else Presentation.UNKNOWN
    if Presentation.WITHHELD in (said, heard):
        return Presentation.WITHHELD
    return heard if said is Presentation.UNKNOWN else said


def wide_enough(house: House, asked: Caller, question: Question) -> tuple[Caller, Question]:
    """A no to texts from a number that is none of ours, or that nobody told, is one to all: they hear that no more
    come."""
    if asked.did in house.numbers or (house.default_carrier is not None and asked.did.startswith("+")):
        return asked, question
    return replace(asked, did=min(house.numbers, default=asked.did)), replace(question, reach=Reach.ALL)


def _nothing(_tx: Tx) -> None:
    """Read nothing."""


def _looked_at(wanted: "asyncio.Future[PairFacts]") -> None:
    """Nobody may wait for it any more."""
    if not wanted.cancelled():
        wanted.exception()

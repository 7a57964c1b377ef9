"""A small Ringback without Asterisk: scripted calls in, a loopback handset out, everything between them real."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path

from ringback.carriers.loopback import Loopback, Settings
from ringback.core.calls import (
    Call,
    CallAnswered,
    CallEnded,
    CallEvent,
    CallStarted,
    Direction,
    Outcome,
    Presentation,
)
from ringback.core.numbers import NumberFormat, read_number
from ringback.core.permissions import Role
from ringback.core.templates import TextKind, parse
from ringback.core.triggers import Rule
from ringback.flow.arrivals import Arrivals
from ringback.flow.delays import Delays
from ringback.flow.following import Follower
from ringback.flow.house import House
from ringback.flow.sending import Lane, Lanes
from ringback.ports import Incoming
from ringback.ports.storage import Tx
from ringback.ports.stories import Stories
from ringback.store.stories import find
from tests.conftest import NOON
from tests.fakes.grants import let_everyone

_texts = count(1)
DID, OTHER_DID = "+12025550101", "+12025550102"
PAT, SAM = "+15125550123", "+15125550124"
RULE = Rule(
    name="missed",
    when=frozenset({Outcome.MISSED, Outcome.BUSY}),
    text={"en": parse("Sorry we missed you, {{ business }}.", TextKind.CALL_TEXT)},
    version="v1",
    delay=timedelta(),
)
HOUSE = House(
    business="Northlight",
    rules=(RULE,),
    read=lambda _pbx, text: read_number(text, NumberFormat.AS_IS, "US", extension_digits=4),
    numbers=frozenset({DID, OTHER_DID}),
    carrier_of={DID: "main", OTHER_DID: "main"},
    carriers_with_receipts=frozenset({"main"}),
)


def ruled(**change) -> House:
    """The house with its one rule changed."""
    return replace(HOUSE, rules=(replace(RULE, **change),))


def a_call(uniqueid: str, caller: str = PAT, ended: datetime = NOON, **change) -> Call:
    """A finished missed call that rang for twenty seconds."""
    call = Call(
        pbx="main",
        uniqueid=uniqueid,
        linkedid=uniqueid,
        direction=Direction.INBOUND,
        caller=caller,
        did=DID,
        started_at=ended - timedelta(seconds=20),
        ended_at=ended,
        outcome=Outcome.MISSED,
        presentation=Presentation.SHOWN,
        rang=timedelta(seconds=20),
    )
    return replace(call, **change)


def answered(call: Call) -> Call:
    return replace(call, outcome=Outcome.ANSWERED, answered_at=call.started_at)


def life_of(call: Call) -> list[CallEvent]:
    """The events of a call from its first moment to its end."""
    begun = replace(call, ended_at=None, outcome=None, answered_at=None)
    middle: list[CallEvent] = [CallAnswered(replace(call, ended_at=None))] if call.answered_at else []
    return [CallStarted(begun), *middle, CallEnded(call)]


def open_office(now: datetime, tx: Tx) -> None:
    """Two people at the desk, who are the first two accounts, and a house in which everyone may everything."""
    for login in ("desk.anna", "desk.bert"):
        if tx.accounts.add(login, login, frozenset({Role.AGENT}), "x", "en", now) is None:
            return
    let_everyone(now, tx)


class Script:
    """A `CallEventSource` that a test feeds; `quiet` is set when everything fed was asked for."""

    name = "main"

    def __init__(self) -> None:
        self._waiting: list[CallEvent] = []
        self._bell = asyncio.Event()
        self.quiet = asyncio.Event()

    def feed(self, *events: CallEvent) -> None:
        self._waiting += events
        self.quiet.clear()
        self._bell.set()

    async def batches(self) -> AsyncIterator[list[CallEvent]]:
        while True:
            if not self._waiting:
                self.quiet.set()
            await self._bell.wait()
            self._bell.clear()
            taken, self._waiting = self._waiting, []
            if taken:
                yield taken


@dataclass
class World:
    store: object
    clock: object
    folder: Path
    house: House = HOUSE
    options: Settings = field(default_factory=Settings)
    script: Script = field(default_factory=Script)
    begin: Callable[[datetime, Tx], None] = open_office

    def __post_init__(self) -> None:
        self.ground = getattr(self.store, "store", self.store)  # below a store that crashes on purpose
        self.carrier = Loopback("main", self.options, self.clock, self.folder / "handset.jsonl")
        self.lane = Lane(self.carrier, self.house, self.store, self.clock)
        self.lanes = Lanes({"main": self.lane})
        self.delays = Delays(self.house, self.store, self.lanes, self.clock)
        self.arrivals = Arrivals(self.house, self.store, self.lanes, self.clock)
        self.follower = Follower(self.house, self.store, self.lanes, self.delays, self.clock)

    @asynccontextmanager
    async def running(self, *more: Coroutine[object, object, None]) -> AsyncIterator["World"]:
        async with asyncio.TaskGroup() as group:
            parts = [
                group.create_task(part)
                for part in (
                    self.lane.run(),
                    self.arrivals.listen("main", self.carrier),
                    self.arrivals.look_after(),
                    self.delays.run(),
                    self.follower.follow(self.script),
                    *more,
                )
            ]
            await self.ground.commit(partial(self.begin, self.clock.now()))
            await self.settled()
            yield self
            for part in parts:
                part.cancel()

    async def settled(self) -> None:
        """Wait until nothing moves any more: no step for a while of loop turns, and a commit after that."""
        await self.script.quiet.wait()
        for _ in range(6):
            for _ in range(20):
                await asyncio.sleep(0)
            await self.ground.commit(lambda tx: None)

    async def happens(self, *events: CallEvent) -> None:
        self.script.feed(*events)
        await self.settled()

    async def says(self, text: str, sender: str = PAT, to: str = DID, **more) -> None:
        """A text comes in from a handset, by a hook of the carrier's."""
        number = next(_texts)
        came = Incoming(f"in-{number}", sender, to, text, self.clock.now())
        await self.arrivals.take("main", [replace(came, **more)], b"raw")
        await self.settled()

    async def passes(self, span: timedelta) -> None:
        self.clock.move(span)
        await self.settled()

    async def story(self, what: str) -> Stories:
        return await self.ground.read(partial(find, what=what))

    async def decision(self, uniqueid: str) -> tuple[str, str]:
        (call,) = (await self.story(uniqueid)).calls
        return call.decision, call.reason

    async def states(self, uniqueid: str) -> list[str]:
        """The states the call's one text went through."""
        (call,) = (await self.story(uniqueid)).calls
        (text,) = call.texts
        return [step.state for step in text.steps]

    def handset(self, number: str = PAT) -> list[str]:
        return [text.text for text in self.carrier.handset(number)]

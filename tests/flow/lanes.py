"""Lanes over a real store and carriers that answer as a test says, with a clock that a test moves."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from itertools import count

from ringback.core.messages import Basis, MessageClass, Outgoing, State, Urgency, Wanted
from ringback.flow.house import House, Limits
from ringback.flow.outbound import Submitted, submit
from ringback.flow.sending import Lane, Lanes
from ringback.ports import CarrierRef
from tests.flow.world import DID, HOUSE

_ids = count(1)
BUSY = replace(HOUSE, limits=Limits(per_number_per_minute=60_000), read=HOUSE.read)


def peer(number: int) -> str:
    return f"+1512555{number:04}"


@dataclass
class Answering:
    """A carrier that answers as `answer` says: it returns what to raise, or None to take the text."""

    name: str = "main"
    window: int = 16
    receipts: bool = False
    max_segments: int = 10
    numeric_ids: bool = False
    answers_commands: bool = False
    answer: Callable[[Outgoing], Exception | None] = lambda _text: None
    wait: asyncio.Event | None = None
    """While it is there and not set, nothing is answered."""
    got: list[str] = field(default_factory=list)
    """The words of every text, in the order they came."""

    async def send(self, text: Outgoing) -> CarrierRef:
        self.got.append(text.text)
        answer = self.answer(text)
        if self.wait is not None:
            await self.wait.wait()
        if answer is not None:
            raise answer
        return CarrierRef(f"{self.name}-{next(_ids)}")


class Yard:
    """Some carriers, their lanes, and a way to hand texts in."""

    def __init__(self, store, clock, *carriers: Answering, house: House = BUSY) -> None:
        self.store, self.clock, self.house = store, clock, house
        self.carriers = {carrier.name: carrier for carrier in carriers}
        self.lane_of = {carrier.name: Lane(carrier, house, store, clock) for carrier in carriers}
        self.lanes = Lanes(self.lane_of)
        self.lane = next(iter(self.lane_of.values()))

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Yard"]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(lane.run()) for lane in self.lane_of.values()]
            await self.settled()
            yield self
            for task in tasks:
                task.cancel()

    async def settled(self) -> None:
        """Wait until nothing moves any more."""
        still = 0
        while still < 6:
            before = [len(carrier.got) for carrier in self.carriers.values()]
            for _ in range(20):
                await asyncio.sleep(0)
            await self.store.commit(lambda tx: None)
            still = still + 1 if before == [len(carrier.got) for carrier in self.carriers.values()] else 0

    async def passes(self, span: timedelta) -> None:
        self.clock.move(span)
        await self.settled()

    def wanted(self, text: str, to: int = 123, urgency: Urgency = Urgency.TRANSACTIONAL, **more) -> Wanted:
        wish = Wanted(
            did=DID,
            peer=HOUSE.read("", peer(to)),
            text=text,
            language="en",
            class_=MessageClass.TRANSACTIONAL,
            basis=Basis.CONVERSATION,
            cause="test",
            automatic=False,
            expires_at=self.clock.now() + timedelta(hours=4),
            urgency=urgency,
        )
        return replace(wish, **more)

    async def put(self, *wishes: Wanted) -> list[Submitted]:
        """Queue texts without asking for a slot, and tell the lanes."""
        made = await self.store.commit_all(
            [partial(submit, self.house, None, wish, None, self.clock.now()) for wish in wishes]
        )
        for one in made:
            self.lanes.nudge(one.waits_on)
        await self.settled()
        return made

    async def send(self, wish: Wanted) -> Submitted:
        """Hand a text in as the desk does: in flight if there is a slot."""
        slot = self.lanes.reserve(self.house.carrier(wish.did))
        made = await self.store.commit(partial(submit, self.house, slot, wish, None, self.clock.now()))
        self.lanes.settle(slot, made.order)
        self.lanes.nudge(made.waits_on)
        await self.settled()
        return made

    async def row(self, made: Submitted) -> tuple[State, str | None, str, object]:
        """State, reason, carrier and moment of a text."""
        return await self.store.commit(partial(look, made.message))

    async def state(self, made: Submitted) -> State:
        return (await self.row(made))[0]


def look(public_id: str, tx):
    from ringback.store.moments import moment_of
    from ringback.store.sql import Sql

    words = "SELECT state, reason, carrier, not_before FROM message WHERE public_id = {}"
    row = tx.outbox._run.one(Sql(words.format(":id"), words.format("%(id)s")), id=public_id)
    return State(row[0]), row[1], row[2], moment_of(row[3])

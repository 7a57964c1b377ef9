"""What the dialplan talks to, on a small Ringback: a PBX whose calls and queues a test sets by hand, all else real."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

from ringback.core.calls import Call, CallAnswered, CallEnded, CallStarted, Direction, FeedLost, Outcome, Presentation
from ringback.core.offers import OfferKind
from ringback.core.text_queues import Note, Offering, Plan, VoiceName
from ringback.core.voice_queues import VoiceCaller, VoiceQueue
from ringback.flow.dialplan import Dialplan
from ringback.flow.dialplan_callers import Callers
from ringback.flow.dialplan_words import Question
from ringback.flow.offering import Offerings
from ringback.flow.queue_book import QueueBook
from ringback.flow.waits import Waits
from ringback.store.beside import Beside
from tests.conftest import NOON
from tests.flow.world import DID, PAT, World

QUEUE = "support"
NOTES = {
    Note.OPENING: {"en": "{{ business }}: we go on by text.", "es": "{{ business }}: seguimos por texto."},
    Note.WAIT_TEXT: {"en": "{{ business }}: stay on the line."},
    Note.TEXT_BACK: {"en": "{{ business }}: write what you need."},
}


@dataclass
class Pbx:
    """A `LiveCalls` of calls that a test begins and ends."""

    name: str = "main"
    heard: bool = True
    calls: dict = field(default_factory=dict)
    takers: list = field(default_factory=list)

    def call(self, uniqueid):
        return self.calls.get(uniqueid)

    def on_calls(self, take):
        self.takers.append(take)

    def tell(self, *events):
        for take in self.takers:
            take(events)


@dataclass
class Queues:
    """An `Exchange` with one queue, in which callers stand as a test says."""

    name: str = "main"
    heard: bool = True
    callers: list = field(default_factory=list)

    def queue(self, name):
        callers = (VoiceCaller(one, place, NOON) for place, one in enumerate(self.callers, 1))
        return VoiceQueue("main", QUEUE, callers=tuple(callers)) if name == QUEUE else None

    def queues(self):
        return (self.queue(QUEUE),)

    def phone(self, _name):
        return None

    def on_change(self, _tell):
        """Nobody here waits for it."""

    def on_learned(self, _take):
        """Nor for this."""


@dataclass
class Roll:
    """So many agents, whatever is asked."""

    count: int = 1

    def able(self, _queue, _did):
        return self.count


class Watched:
    """Reads that are seen to their end, whoever stops waiting: a database is closed after them."""

    def __init__(self, beside) -> None:
        self._beside = beside
        self.going = set()

    async def look(self, step):
        task = asyncio.ensure_future(self._beside.look(step))
        self.going.add(task)
        return await asyncio.shield(task)


class Switchboard:
    """A world with a dialplan at its door. `dialplan` is what is tested."""

    def __init__(self, world: World, store=None) -> None:
        self.world = world
        self.pbx = Pbx()
        self.exchange = Queues()
        self.roll = Roll()
        self.ground = world.ground
        self.beside = Watched(Beside(world.ground))
        store = store or world.store
        self.waits = Waits({"main": self.exchange}, world.ground, world.clock)
        self.offerings = Offerings(self.waits, {})
        self.callers = Callers(world.house, {"main": self.pbx}, self.beside, world.clock)
        self.book = QueueBook(world.ground, world.ground.changes, world.clock)
        self.dialplan = Dialplan(
            world.house,
            store,
            self.beside,
            world.lanes,
            self.callers,
            self.offerings,
            self.roll,
            self.book,
            world.clock,
        )

    async def set_up(self) -> None:
        """A text queue beside the voice queue, and nobody in that."""
        how = Plan(offering=Offering(), notes=NOTES)
        now = self.world.clock.now()

        def make(tx):
            queue = tx.queues.make("Support", how, now)
            tx.queues.put_voice(queue, [VoiceName("main", QUEUE)], now)
            return tx.queues.all()

        self.book.now = await self.ground.commit(make)

    async def plan(self, **change) -> None:
        """The queue works otherwise from now on."""

        def changed(tx):
            queue = tx.queues.all().named("Support")
            tx.queues.change(queue, replace(queue.plan, **change), self.world.clock.now())
            return tx.queues.all()

        self.book.now = await self.ground.commit(changed)

    async def rings(self, uniqueid="1.1", caller=PAT, **more) -> Call:
        """A call comes in, and is known everywhere."""
        call = replace(
            Call("main", uniqueid, uniqueid, Direction.INBOUND, caller, DID, self.world.clock.now()),
            presentation=Presentation.SHOWN,
        )
        call = self.pbx.calls[uniqueid] = replace(call, **more)
        self.pbx.tell(CallStarted(call))
        await self.world.happens(CallStarted(call))
        return call

    async def hangs_up(self, uniqueid="1.1", **more) -> None:
        call = self.pbx.calls.pop(uniqueid)
        over = replace(call, ended_at=self.world.clock.now() + timedelta(seconds=30), outcome=Outcome.ABANDONED_QUEUE)
        over = replace(over, **more)
        self.pbx.tell(CallEnded(over))
        events = [CallAnswered(over)] if over.answered_at else []
        await self.world.happens(*events, CallEnded(over))

    def lose(self) -> None:
        self.pbx.heard = False
        self.pbx.tell(FeedLost("main", self.world.clock.now()))


def ask(uniqueid="1.1", **more) -> Question:
    """A question about a call from Pat, as the library asks it."""
    known = Question(
        uniqueid,
        caller=PAT,
        did=DID,
        presentation=Presentation.SHOWN,
        queue=QUEUE,
        kind=OfferKind.DEFLECTION,
        prompt="deflect.en.1",
        key="1",
    )
    return replace(known, **more)


@asynccontextmanager
async def running(world: World, **more):
    board = Switchboard(world, **more)
    async with world.running(board.callers.run()):
        await board.set_up()
        yield board
    await asyncio.gather(*board.beside.going, return_exceptions=True)

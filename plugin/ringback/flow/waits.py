"""How long callers in Asterisk's queues wait: a model of each queue that learns as calls end, asked from memory.

Models are written at most once a minute for those that learned something, and read at the start. What was said is
compared with what came true, so that `ringback status` can say how far off the answers are.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog

from ringback.core.expected_wait import Errors, Model, compare, dump, expected, learn, read
from ringback.core.text_queues import VoiceName
from ringback.core.voice_queues import Served, ServedHow, VoiceCaller, VoiceQueue, Waited
from ringback.errors import StoreFault
from ringback.flow.insist import insist_one
from ringback.ports import Clock
from ringback.ports.exchange import Exchange
from ringback.ports.storage import Store, Tx

log = structlog.get_logger("waits")

KEPT_EVERY = timedelta(minutes=1)
CALM = timedelta(seconds=1)
"""The least time between two looks at the queues; one caller of each is answered at a look, to be compared later."""
JUST_CAME = timedelta(seconds=5)
MOST_SAID = 2_000
MOST_QUEUES = 1_000


@dataclass(frozen=True, slots=True)
class Expected:
    """How long somebody waits from now on: `wait` is None where nobody can say. `position` is where they stand, or
    would, `waiting` how many others wait, `asterisk` the queue's own average of the past."""

    wait: timedelta | None = None
    position: int | None = None
    waiting: int = 0
    asterisk: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class _Said:
    """What one caller's wait was said to be, and when."""

    queue: VoiceName
    wait: timedelta
    hold: timedelta
    at: datetime


@dataclass(slots=True)
class Waits:
    """`exchanges` are the PBXs by name. Everything but `load` and `run` is answered from memory, on the loop."""

    exchanges: Mapping[str, Exchange]
    store: Store
    clock: Clock
    _models: dict[VoiceName, Model] = field(default_factory=dict)
    _learned: set[VoiceName] = field(default_factory=set)
    _said: dict[tuple[str, str], _Said] = field(default_factory=dict)
    _true: deque[Waited] = field(default_factory=lambda: deque(maxlen=MOST_SAID))
    _stirred: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        for exchange in self.exchanges.values():
            exchange.on_change(self._stirred.set)
            exchange.on_learned(self.learn)

    def expected(self, pbx: str, queue: str, uniqueid: str = "") -> Expected:
        """How long a call waits in a queue from now on, where it stands, or at its end."""
        exchange = self.exchanges.get(pbx)
        there = exchange.queue(queue) if exchange is not None and exchange.heard else None
        if there is None:
            return Expected()
        place = next((one.position for one in there.callers if one.uniqueid == uniqueid), None) if uniqueid else None
        position = place or len(self.ahead(pbx, queue, uniqueid)) + 1
        model = self._models.get(VoiceName(pbx, queue), Model())
        wait = expected(model, there, position, self.clock.now())
        return Expected(wait, position, len(there.callers) - (place is not None), there.hold)

    def ahead(self, pbx: str, queue: str, uniqueid: str) -> tuple[str, ...]:
        """Who goes before this call: all who wait ahead of it, or who did as it left by a key, or everybody where it
        was never there."""
        exchange = self.exchanges.get(pbx)
        there = exchange.queue(queue) if exchange is not None and exchange.heard else None
        callers = sorted(there.callers, key=lambda one: one.position) if there is not None else []
        waiting = [one.uniqueid for one in callers]
        if uniqueid in waiting:
            return tuple(waiting[: waiting.index(uniqueid)])
        left = there.left.get(uniqueid) if there is not None else None
        return tuple(waiting) if left is None else tuple(one for one in left if one in waiting)

    def stands(self, pbx: str, queue: str, uniqueid: str) -> bool:
        """Whether this call waits there, or left by a key a moment ago: it has a place to lose."""
        exchange = self.exchanges.get(pbx)
        there = exchange.queue(queue) if exchange is not None and exchange.heard else None
        if there is None:
            return False
        return uniqueid in there.left or any(one.uniqueid == uniqueid for one in there.callers)

    def knows(self, pbx: str, queue: str) -> bool:
        """Whether this queue of the PBX can be seen now."""
        exchange = self.exchanges.get(pbx)
        return exchange is not None and exchange.heard and exchange.queue(queue) is not None

    def errors(self) -> Mapping[VoiceName, Errors]:
        """How far the answers were off, for each queue in which some were compared."""
        return {voice: model.errors for voice, model in self._models.items() if model.errors.count}

    # -- learning

    def learn(self, what: Waited | Served) -> None:
        """Take in what became of a caller, or a call that ended; called by the exchanges."""
        voice = VoiceName(what.pbx, what.queue)
        if voice not in self._models and len(self._models) >= MOST_QUEUES:
            return
        model = learn(self._models.get(voice, Model()), what)
        if isinstance(what, Waited):
            model = self._check(model, voice, what)
            self._true.append(what)
        self._models[voice] = model
        self._learned.add(voice)
        self._stirred.set()

    def _check(self, model: Model, voice: VoiceName, what: Waited) -> Model:
        """Compare what was said with what came true, for who was served: how long the others had to go nobody knows."""
        said = self._said.pop((what.pbx, what.uniqueid), None)
        if said is None or said.queue != voice or what.how is not ServedHow.CONNECTED or what.at < said.at:
            return model
        return compare(model, said.wait, said.hold, what.at - said.at)

    def look(self, now: datetime) -> None:
        """Say for the newest caller of each queue how long they will wait, to see later how good that was."""
        for exchange in self.exchanges.values():
            for queue in exchange.queues() if exchange.heard else ():
                newest = max(queue.callers, key=_joined, default=None)
                if newest is not None and now - newest.joined_at <= JUST_CAME:
                    self._say(queue, newest, now)

    def _say(self, queue: VoiceQueue, caller: VoiceCaller, now: datetime) -> None:
        key, voice = (queue.pbx, caller.uniqueid), VoiceName(queue.pbx, queue.name)
        if key in self._said:
            return
        wait = expected(self._models.get(voice, Model()), queue, caller.position, now)
        if wait is None:
            return
        if len(self._said) >= MOST_SAID:
            del self._said[next(iter(self._said))]
        self._said[key] = _Said(voice, wait, queue.hold, now)

    # -- keeping

    async def load(self) -> None:
        """Read what was learned before."""
        kept = await insist_one(self.store, self.clock, lambda tx: tx.queues.models())
        # what was learned meanwhile is known as well
        self._models = {voice: read(words) for voice, words in kept.items()} | self._models

    def tell(self) -> None:
        """Hand over how long callers waited in truth, for those who were offered something."""
        came = list(self._true)
        self._true.clear()
        if came:
            self.store.ride_along([partial(_was_true, came)])

    def keep(self, now: datetime) -> None:
        """Hand over the models that learned something. A crash may take them: the next calls teach the same."""
        models = {voice: dump(self._models[voice]) for voice in self._learned}
        self._learned.clear()
        if models:
            self.store.ride_along([partial(_keep, models, now)])

    async def run(self) -> None:
        """Look at the queues as they change and keep what was learned, for ever."""
        await self.load()
        kept_at = self.clock.now()
        try:
            while True:
                await self._stirred.wait()
                self._stirred.clear()
                now = self.clock.now()
                self.look(now)
                self.tell()
                if now - kept_at >= KEPT_EVERY:
                    self.keep(now)
                    kept_at = now
                await self.clock.sleep_until(now + CALM)
        finally:
            try:
                self.tell()
                self.keep(self.clock.now())
            except StoreFault:
                log.info("what was learned of the queues in the last minute is not kept")


def _joined(caller: VoiceCaller) -> datetime:
    return caller.joined_at


def _was_true(came: Sequence[Waited], tx: Tx) -> None:
    for what in came:
        tx.offers.waited(what.pbx, what.uniqueid, what.waited)


def _keep(models: Mapping[VoiceName, str], now: datetime, tx: Tx) -> None:
    tx.queues.keep_models(models, now)

"""A queue of Asterisk's, played in no time: callers come, wait, give up, are served; the model says how long each will
wait, and so does Asterisk's own average; both beside how long it was."""

import heapq
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import log
from statistics import fmean

from ringback.core import expected_wait
from ringback.core.expected_wait import Model
from ringback.core.voice_queues import DeviceState, Served, ServedHow, VoiceCaller, VoiceMember, VoiceQueue, Waited

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
PBX, NAME = "main", "sales"
Lasts = Callable[[random.Random], float]


def exponential(mean: float) -> Lasts:
    return lambda dice: dice.expovariate(1 / mean)


def lognormal(mean: float, sigma: float) -> Lasts:
    return lambda dice: dice.lognormvariate(log(mean) - sigma * sigma / 2, sigma)


@dataclass(frozen=True, slots=True)
class Shop:
    """A queue to play: `load` is how much of the agents' time the calls would fill if nobody gave up."""

    agents: int
    load: float
    lasts: Lasts
    mean: float
    ring: float = 3.0
    wrap_up: float = 0.0
    patience: float | None = None


@dataclass(slots=True)
class Agent:
    state: DeviceState = DeviceState.NOT_INUSE
    busy_since: float | None = None
    free: bool = True


@dataclass(slots=True)
class Caller:
    uniqueid: str
    joined: float
    said: timedelta | None = None
    hold: int = 0
    rung: bool = False
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """One caller who was served: what was said when they joined, and what was true. Seconds; `at` is when."""

    at: float
    ours: float
    hold: float
    truth: float


@dataclass(slots=True)
class Play:
    """One run. `ask` is whoever answers how long a caller waits."""

    shop: Shop
    dice: random.Random
    model: Model = field(default_factory=Model)
    now: float = 0.0
    hold: int = 0
    talk: int = 0
    completed: int = 0
    agents: list[Agent] = field(default_factory=list)
    waiting: list[Caller] = field(default_factory=list)
    coming: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    count: int = 0
    unknown: int = 0

    def run(self, callers: int) -> "Play":
        """Play until so many callers came."""
        shop = self.shop
        self.agents = [Agent() for _ in range(shop.agents)]
        each = (shop.mean + shop.ring + shop.wrap_up) / (shop.load * shop.agents)
        at = 0.0
        for number in range(callers):
            at += self.dice.expovariate(1 / each)
            self._later(at, lambda number=number: self._join(number))
        while self.coming:
            self.now, _order, happens = heapq.heappop(self.coming)
            happens()
        return self

    def _later(self, at: float, happens: Callable[[], None]) -> None:
        self.count += 1
        heapq.heappush(self.coming, (at, self.count, happens))

    def _join(self, number: int) -> None:
        caller = Caller(f"{number}", self.now, hold=self.hold)
        self.waiting.append(caller)
        caller.said = expected_wait.expected(self.model, self.snapshot(), len(self.waiting), moment(self.now))
        self.unknown += caller.said is None
        if self.shop.patience is not None:
            patience = self.dice.expovariate(1 / self.shop.patience)
            self._later(self.now + patience, lambda: self._give_up(caller))
        self._ring()

    def _give_up(self, caller: Caller) -> None:
        if not caller.gone and not caller.rung:
            self._leave(caller, ServedHow.ABANDONED)

    def _ring(self) -> None:
        """Asterisk with autofill: everybody who is free rings, each for the first who is not rung for yet."""
        for agent in self.agents:
            caller = next((one for one in self.waiting if not one.rung), None)
            if caller is None:
                return
            if agent.free:
                agent.free, agent.state, caller.rung = False, DeviceState.RINGING, True
                self._later(self.now + self.shop.ring, lambda agent=agent, caller=caller: self._connect(agent, caller))

    def _connect(self, agent: Agent, caller: Caller) -> None:
        agent.state, agent.busy_since = DeviceState.INUSE, self.now
        wait = self.now - caller.joined
        if caller.said is not None:
            self.said.append(Said(caller.joined, caller.said.total_seconds(), caller.hold, wait))
        self._leave(caller, ServedHow.CONNECTED)
        # app_queue.c, recalc_holdtime: whole seconds, a quarter of the new one
        self.hold = (self.hold * 3 + int(wait)) >> 2
        lasts = self.shop.lasts(self.dice)
        self._later(self.now + lasts, lambda: self._hang_up(agent, lasts))

    def _leave(self, caller: Caller, how: ServedHow) -> None:
        caller.gone = True
        self.waiting.remove(caller)
        waited = timedelta(seconds=self.now - caller.joined)
        self._learn(Waited(PBX, NAME, caller.uniqueid, how, waited, moment(self.now)))

    def _hang_up(self, agent: Agent, lasts: float) -> None:
        agent.state, agent.busy_since = DeviceState.NOT_INUSE, None
        self.completed += 1
        self.talk = (self.talk * 3 + int(lasts)) >> 2
        self._learn(Served(PBX, NAME, "", timedelta(seconds=lasts), moment(self.now)))
        self._later(self.now + self.shop.wrap_up, lambda: self._free(agent))

    def _free(self, agent: Agent) -> None:
        agent.free = True
        self._ring()

    def _learn(self, what: Waited | Served) -> None:
        self.model = expected_wait.learn(self.model, what)

    def snapshot(self) -> VoiceQueue:
        """The queue as the daemon knows it."""
        return VoiceQueue(
            PBX,
            NAME,
            tuple(
                VoiceCaller(one.uniqueid, place, moment(one.joined)) for place, one in enumerate(self.waiting, start=1)
            ),
            tuple(
                VoiceMember(
                    f"PJSIP/{number}",
                    f"{number}",
                    "",
                    agent.state,
                    in_call=agent.busy_since is not None,
                    busy_since=moment(agent.busy_since) if agent.busy_since is not None else None,
                )
                for number, agent in enumerate(self.agents)
            ),
            timedelta(seconds=self.hold),
            timedelta(seconds=self.talk),
            self.completed,
        )


def moment(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Error:
    """How far answers were off over one run, in seconds, beside the wait itself. `likely` is the error of the best
    single answer for every caller, the mean wait: what knowing the queue's state is worth."""

    callers: int
    wait: float
    ours: float
    bias: float
    hold: float
    likely: float


def error(said: list[Said]) -> Error:
    mean = fmean(one.truth for one in said)
    return Error(
        len(said),
        mean,
        fmean(abs(one.ours - one.truth) for one in said),
        fmean(one.ours - one.truth for one in said),
        fmean(abs(one.hold - one.truth) for one in said),
        fmean(abs(mean - one.truth) for one in said),
    )


SHOPS: dict[str, Shop] = {
    "M/M/1, load 0.8": Shop(1, 0.8, exponential(180), 180),
    "M/M/3, load 0.9": Shop(3, 0.9, exponential(180), 180),
    "M/M/10, load 0.95": Shop(10, 0.95, exponential(240), 240),
    "lognormal, 3 agents, load 0.9": Shop(3, 0.9, lognormal(240, 0.8), 240, wrap_up=10),
    "lognormal, 10 agents, load 0.95": Shop(10, 0.95, lognormal(240, 0.8), 240, wrap_up=10),
    "even calls, 2 agents, load 0.9": Shop(2, 0.9, lognormal(120, 0.2), 120),
    "half give up: 5 agents, load 1.3": Shop(5, 1.3, lognormal(240, 0.8), 240, wrap_up=10, patience=300),
    "M/M/5 who give up, load 1.1": Shop(5, 1.1, exponential(180), 180, patience=240),
}


def table(callers: int, seed: int = 6, warm_up: int = 100) -> Iterator[tuple[str, Error]]:
    """Every shop, once; the first callers only teach."""
    for name, shop in SHOPS.items():
        play = Play(shop, random.Random(f"{seed} {name}")).run(callers)
        yield name, error(play.said[warm_up:])

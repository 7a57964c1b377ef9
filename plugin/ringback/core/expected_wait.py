"""How long a caller in a queue of Asterisk's will wait: a model learned from the queue's own calls, and its answer.

The queue is played forward from what is known of it now: who speaks and since when, who is ahead, who will give up. It
is played a fixed number of times with fixed dice, so the same question has the same answer, a place further back never
waits less, and one more agent never makes it longer. docs/expected-wait.md says how good that is.
"""

import json
import random
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from heapq import heapify, heapreplace
from math import log

from ringback.core.voice_queues import DeviceState, Served, ServedHow, VoiceMember, VoiceQueue, Waited

MOST_CALLS = 200
"""The last calls that count. So many fix a mean to a tenth, and are a day of a small queue."""
MOST_HANDOVERS = 50
FEW = 5
"""With fewer calls of its own than this, Asterisk's average of the queue is taken in as well."""
LONGEST = timedelta(hours=12)
"""A call that seems longer was a line that nobody hung up."""
LONGEST_HANDOVER = timedelta(minutes=2)
"""An agent who takes no call for so long after one is not free."""
HAD_TO_WAIT = timedelta(seconds=5)
"""Of callers who waited less nobody knows whether they would have given up."""
FADE = 0.98
"""What one more caller leaves of the weight of those before: the last fifty count."""
PLAYS = 32
MOST_AHEAD = 64
"""So many callers are played one by one; who stands further back waits in proportion."""
DICE = 257

_GONE = frozenset({DeviceState.UNAVAILABLE, DeviceState.INVALID})


@dataclass(frozen=True, slots=True)
class Errors:
    """How far the answers were off, in seconds: how many were compared, the mean of the differences without their
    sign, and with it (above zero: too long). `hold` is the same for Asterisk's own average hold time."""

    count: int = 0
    off: float = 0.0
    bias: float = 0.0
    hold: float = 0.0


@dataclass(frozen=True, slots=True)
class Model:
    """What was learned of a queue. `talks` are seconds of the last calls with agents, `handovers` the seconds from an
    agent being free, with somebody waiting, to their next call: wrap-up and ringing.

    `given_up` of `weighed` callers who had to wait gave up, the latest weighing most. `freed` are agents whose call
    ended and who were not seen to take another; it is not kept.
    """

    talks: tuple[float, ...] = ()
    handovers: tuple[float, ...] = ()
    given_up: float = 0.0
    weighed: float = 0.0
    errors: Errors = Errors()
    freed: tuple[datetime, ...] = ()

    @property
    def share(self) -> float:
        """What part of those who wait give up before anybody answers."""
        return self.given_up / self.weighed if self.weighed >= 1 else 0.0

    @property
    def handover(self) -> float:
        """Seconds between two calls of an agent while somebody waits."""
        return sorted(self.handovers)[len(self.handovers) // 2] if self.handovers else 0.0


def learn(model: Model, what: Waited | Served) -> Model:
    """Take in one caller who stopped waiting, or one call that ended."""
    return _served(model, what) if isinstance(what, Served) else _waited(model, what)


def _served(model: Model, call: Served) -> Model:
    if not timedelta(0) < call.talk <= LONGEST:
        return model
    talks = (*model.talks, round(call.talk.total_seconds(), 1))[-MOST_CALLS:]
    return replace(model, talks=talks, freed=(*model.freed, call.at)[-MOST_HANDOVERS:])


def _waited(model: Model, caller: Waited) -> Model:
    if caller.how is ServedHow.CONNECTED:
        model = _handed_over(model, caller)
    if caller.waited < HAD_TO_WAIT:
        return model
    gave_up = 1.0 if caller.how is ServedHow.ABANDONED else 0.0
    return replace(model, given_up=model.given_up * FADE + gave_up, weighed=model.weighed * FADE + 1)


def _handed_over(model: Model, caller: Waited) -> Model:
    """The agent who was free longest took them, as far as events can tell; Asterisk names no pair."""
    free = tuple(moment for moment in model.freed if caller.at - LONGEST_HANDOVER <= moment <= caller.at)
    since = max(free[0] if free else caller.at - caller.waited, caller.at - caller.waited)
    if caller.at - since > LONGEST_HANDOVER or not (free or caller.waited < HAD_TO_WAIT):
        return replace(model, freed=free[1:])
    took = round((caller.at - since).total_seconds(), 1)
    return replace(model, handovers=(*model.handovers, took)[-MOST_HANDOVERS:], freed=free[1:])


def compare(model: Model, said: timedelta, hold: timedelta, truth: timedelta) -> Model:
    """Take in how far an answer was off, and how far Asterisk's own average would have been."""
    old, difference = model.errors, (said - truth).total_seconds()
    count = old.count + 1
    # the mean of all at first, of about the last hundred later
    part = 1 / min(count, 100)
    return replace(
        model,
        errors=Errors(
            count,
            old.off + part * (abs(difference) - old.off),
            old.bias + part * (difference - old.bias),
            old.hold + part * (abs((hold - truth).total_seconds()) - old.hold),
        ),
    )


def expected(model: Model, queue: VoiceQueue, position: int, now: datetime) -> timedelta | None:
    """How long whoever stands at `position` (from 1) waits from now on; None where nobody can say.

    Nobody can say where nobody serves the queue, or where no call of it was seen and Asterisk has no average either.
    """
    calls = _calls(model, queue)
    agents = [member for member in queue.members if serves(member)]
    if not calls or not agents:
        return None
    handover = model.handover
    remaining = [_remaining(member, calls, now) for member in agents]
    ahead = max(position - 1, 0)
    played = min(ahead, MOST_AHEAD)
    total = sum(_play(remaining, [_line_up(place, model.share, calls) for place in range(played)], handover))
    each = (sum(calls) / len(calls) + handover) * (1 - model.share) / len(agents)
    seconds = total / PLAYS + handover + (ahead - played) * each
    return min(timedelta(seconds=seconds), LONGEST)


def serves(member: VoiceMember) -> bool:
    """Whether this member takes calls of the queue, now or after the one they have."""
    return not member.paused and member.state not in _GONE


def _calls(model: Model, queue: VoiceQueue) -> Sequence[float]:
    """How long calls last, in ascending order."""
    own = list(model.talks)
    if len(own) < FEW and queue.completed > 0 and queue.talk > timedelta(0):
        mean = queue.talk.total_seconds()
        own += [-log(1 - (step + 0.5) / 10) * mean for step in range(10)]
    return sorted(own)


Draw = Callable[[float], float]


def _remaining(member: VoiceMember, calls: Sequence[float], now: datetime) -> Draw:
    """How long until this agent is free, by a die: of the calls that lasted as long as this one, what they took."""
    if not (member.in_call or member.state.busy):
        return _free
    elapsed = max((now - member.busy_since).total_seconds(), 0.0) if member.busy_since else 0.0
    first = bisect_right(calls, elapsed)
    if first == len(calls):
        # longer than any before: such calls go on for about as long as they lasted
        return lambda die: max(elapsed - calls[0], calls[-1]) * die
    longer = len(calls) - first
    return lambda die: calls[first + int(die * longer)] - elapsed


def _free(_die: float) -> float:
    return 0.0


def _line_up(place: int, share: float, calls: Sequence[float]) -> list[float]:
    """What the call of a caller ahead takes in each play; below zero for one who gives up before it."""
    count = len(calls)
    return [
        -1.0 if stays < share else calls[int(die * count)]
        for die, stays in zip(dice(2 * place + 1), dice(-1 - place), strict=True)
    ]


def _play(remaining: Sequence[Draw], ahead: Sequence[Sequence[float]], handover: float) -> Iterator[float]:
    """Play the queue forward; when the turn of whoever stands behind those ahead comes, in each play."""
    busy = [[draw(die) for die in dice(2 * place)] for place, draw in enumerate(remaining)]
    for index in range(PLAYS):
        agents = [until[index] for until in busy]
        heapify(agents)
        for caller in ahead:
            if caller[index] >= 0:
                heapreplace(agents, agents[0] + handover + caller[index])
        yield agents[0]


def dice(place: int) -> tuple[float, ...]:
    """The fixed dice of one place, one for each play: spread evenly over 0 to 1, in an order of their own."""
    return _dice(place % DICE)


@lru_cache(maxsize=DICE)
def _dice(place: int) -> tuple[float, ...]:
    order = list(range(PLAYS))
    own = random.Random(place)
    own.shuffle(order)
    within = own.random()
    return tuple((step + within) / PLAYS for step in order)


def dump(model: Model) -> str:
    """Write a model as it is stored."""
    off = model.errors
    return json.dumps(
        {
            "v": 1,
            "talks": model.talks,
            "handovers": model.handovers,
            "given_up": [round(model.given_up, 4), round(model.weighed, 4)],
            "errors": [off.count, round(off.off, 2), round(off.bias, 2), round(off.hold, 2)],
        },
        separators=(",", ":"),
    )


def read(words: str) -> Model:
    """Read a stored model; one that makes no sense is as good as none."""
    try:
        kept = json.loads(words)
        given_up, weighed = (max(float(value), 0.0) for value in kept["given_up"])
        count, off, bias, hold = kept["errors"]
        return Model(
            _seconds(kept["talks"], MOST_CALLS),
            _seconds(kept["handovers"], MOST_HANDOVERS),
            min(given_up, weighed),
            weighed,
            Errors(int(count), float(off), float(bias), float(hold)),
        )
    except (ValueError, TypeError, KeyError, OverflowError):
        return Model()


def _seconds(values: Sequence[object], most: int) -> tuple[float, ...]:
    numbers = [float(str(value)) for value in values]
    return tuple(value for value in numbers if 0 <= value <= LONGEST.total_seconds())[-most:]

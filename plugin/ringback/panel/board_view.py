"""The board as it is read, put together: queues with those of Asterisk beside them, agents, and open sessions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ringback.core.assignment import Candidate
from ringback.core.presence import AgentNow, Presence, Present
from ringback.core.sessions import OPEN, SessionState, StartType
from ringback.core.text_queues import Queues, TextQueue, VoiceName
from ringback.core.voice_queues import DeviceState, VoiceQueue
from ringback.ports.exchange import Exchange
from ringback.ports.queues import Agent
from ringback.ports.sessions import AgentCount, Board, QueueCount, SessionRow

STEP = timedelta(seconds=5)
"""An expected wait is shown in steps, so that a board does not change for every second of it."""
SHOWN_STATES = tuple(state for state in SessionState if state in OPEN and state is not SessionState.MENU)
_ORDER = {presence: place for place, presence in enumerate(reversed(Presence))}
_NOBODY = AgentCount(0, "", "", 0, 0, None, None)
_AWAY_PHONES = frozenset({DeviceState.UNAVAILABLE, DeviceState.INVALID})


@dataclass(frozen=True, slots=True)
class VoiceShown:
    """A queue of Asterisk's. `heard` is False while nobody knows it; `first` is when who waits longest came."""

    name: str
    pbx: str
    heard: bool
    callers: int = 0
    first: datetime | None = None
    ready: int = 0
    members: int = 0
    wait: timedelta | None = None


@dataclass(frozen=True, slots=True)
class QueueShown:
    """A text queue with its figures; `states` and `starts` leave out what is nought."""

    public_id: str
    name: str
    main: bool
    waiting: int
    oldest: datetime | None
    states: tuple[tuple[SessionState, int], ...]
    starts: tuple[tuple[StartType, int], ...]
    expired: int
    able: int
    voices: tuple[VoiceShown, ...]


@dataclass(frozen=True, slots=True)
class AgentShown:
    """An agent: what they said and what their phone says, what they carry, and what they did today."""

    public_id: str
    name: str
    phone: str
    presence: Presence
    since: datetime | None
    on_call: bool
    has: int
    carried: int
    capacity: int
    answered: int
    first_answer: timedelta | None
    lasted: timedelta | None
    room: int
    """How many more they can be given now."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The tiles: who waits and since when, what is open, who is free, and texts since midnight."""

    calls: int
    calls_since: datetime | None
    heard: bool
    waiting: int
    waiting_since: datetime | None
    open: int
    free: int
    there: int
    texts_in: int
    texts_out: int
    expired: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A whole board."""

    figures: Figures
    queues: tuple[QueueShown, ...]
    agents: tuple[AgentShown, ...]
    sessions: tuple[SessionRow, ...]


@dataclass(frozen=True, slots=True)
class Sources:
    """What is known without asking the database. `expected` says how long a queue of Asterisk's lasts, if anybody can;
    `able` how many who serve a text queue could take one more session."""

    exchanges: Mapping[str, Exchange]
    present: Callable[[], Present]
    expected: Callable[[str, str], timedelta | None]
    able: Callable[[int], int]


def show(board: Board, queues: Queues, agents: Mapping[int, Agent], sources: Sources) -> Shown:
    """Put it together."""
    counts = {one.queue: one for one in board.queues}
    ordered = sorted(queues.all, key=lambda one: (not one.main, one.name.casefold()))
    rows = tuple(_queue(one, counts.get(one.id), sources) for one in ordered)
    people = _agents(board, agents, sources.present())
    return Shown(_figures(board, rows, people, sources), rows, people, board.sessions)


def _queue(queue: TextQueue, count: QueueCount | None, sources: Sources) -> QueueShown:
    by_state = count.by_state if count else {}
    by_start = count.by_start if count else {}
    return QueueShown(
        queue.public_id,
        queue.name,
        queue.main,
        by_state.get(SessionState.QUEUED, 0) + by_state.get(SessionState.OFFERED, 0),
        count.oldest if count else None,
        tuple((state, by_state[state]) for state in SHOWN_STATES if by_state.get(state)),
        tuple((start, by_start[start]) for start in StartType if by_start.get(start)),
        count.expired_today if count else 0,
        sources.able(queue.id),
        tuple(_voice(one, sources) for one in queue.voice),
    )


def _voice(voice: VoiceName, sources: Sources) -> VoiceShown:
    exchange = sources.exchanges.get(voice.pbx)
    queue = exchange.queue(voice.queue) if exchange is not None and exchange.heard else None
    if queue is None:
        return VoiceShown(voice.queue, voice.pbx, heard=False)
    wait = sources.expected(voice.pbx, voice.queue)
    return VoiceShown(
        voice.queue,
        voice.pbx,
        heard=True,
        callers=len(queue.callers),
        first=min((one.joined_at for one in queue.callers), default=None),
        ready=_ready(queue),
        members=len(queue.members),
        wait=None if wait is None else round(wait / STEP) * STEP,
    )


def _ready(queue: VoiceQueue) -> int:
    """Members who could take a call now."""
    return sum(
        not one.paused and not one.in_call and not one.state.busy and one.state not in _AWAY_PHONES
        for one in queue.members
    )


def _agents(board: Board, agents: Mapping[int, Agent], present: Present) -> tuple[AgentShown, ...]:
    """Whoever can log in, who is there first; those who did something today and are no agents any more are left out."""
    counts = {one.account: one for one in board.agents}
    shown = [
        _agent(agent, present.get(account), counts.get(account, _NOBODY))
        for account, agent in agents.items()
        if not agent.disabled
    ]
    return tuple(sorted(shown, key=lambda one: (_ORDER[one.presence], one.name.casefold(), one.public_id)))


def _agent(agent: Agent, now: AgentNow | None, count: AgentCount) -> AgentShown:
    load = None if now is None else Candidate(now, count.open, agent.capacity, agent.voice_weight)
    return AgentShown(
        agent.public_id,
        agent.name or agent.login,
        agent.phone,
        Presence.LOGGED_OUT if now is None else now.presence,
        None if now is None else now.since,
        now is not None and now.on_call,
        count.open,
        count.open if load is None else load.carried,
        agent.capacity,
        count.answered,
        count.first_answer,
        count.lasted,
        0 if load is None else load.room,
    )


def _figures(board: Board, queues: Sequence[QueueShown], agents: Sequence[AgentShown], sources: Sources) -> Figures:
    heard = [one for one in sources.exchanges.values() if one.heard]
    callers = [caller for one in heard for queue in one.queues() for caller in queue.callers]
    return Figures(
        calls=len(callers),
        calls_since=min((one.joined_at for one in callers), default=None),
        heard=bool(heard),
        waiting=sum(one.waiting for one in queues),
        waiting_since=min((one.oldest for one in queues if one.oldest), default=None),
        open=sum(n for one in queues for _, n in one.states),
        free=sum(one.room > 0 for one in agents),
        there=sum(one.presence is not Presence.LOGGED_OUT for one in agents),
        texts_in=board.texts_in,
        texts_out=board.texts_out,
        expired=sum(one.expired for one in queues),
    )

"""Sessions in memory: reads that answer what a test put in, agents who are where it says, and a desk that notes what it
was asked to do."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from ringback.core.grants import Reach
from ringback.core.offers import Offer
from ringback.core.permissions import Principal
from ringback.core.presence import AgentNow, AtDesk, Presence
from ringback.core.sessions import Session, SessionState, StartType, Why
from ringback.core.text_queues import Plan, Queues, TextQueue
from ringback.ports.queues import Agent
from ringback.ports.sessions import ALL_SESSIONS, Board, Narrowed, SessionRow, SessionStory, StepRow, TransferRow, Work
from tests.fakes.threads import DID, NOON, THREAD, at

ME, BEN = 7, 8
NAMES = {ME: "Ana Kovačević", BEN: "Ben Okafor"}
PEER = "+12025550147"
MAIN = TextQueue(1, f"que_{1:026}", "main", Plan(), main=True, members=(ME, BEN))
SERVICE = TextQueue(2, f"que_{2:026}", "Service desk", Plan(), members=(ME,))
AGENTS = {
    ME: Agent(ME, "usr_01ana", "ana", NAMES[ME], "101"),
    BEN: Agent(BEN, f"usr_{8:026}", "ben", NAMES[BEN], "102"),
}
_S = SessionState


def session(number: int = 1, state: SessionState = _S.QUEUED, agent: int | None = None, **more: object) -> Session:
    more = {"queue": MAIN.id, **more}
    plain = Session(
        id=number,
        public_id=f"ses_{number:026}",
        thread=number,
        did=DID,
        peer=PEER if number == 1 else f"+1202555{number:04}",
        state=state,
        queue=MAIN.id,
        start=StartType.AUTO,
        opened_at=NOON,
        changed_at=NOON,
        agent=agent,
        queued_at=NOON if state is _S.QUEUED else None,
        assigned_at=NOON if agent is not None else None,
    )
    return replace(plain, **more)


def row(number: int = 1, state: SessionState = _S.QUEUED, agent: int | None = None, **more: object) -> SessionRow:
    """A session in a list; what is no field of the row is one of its session, `queue_row` the row of its queue."""
    rows = {"queue": MAIN.name, "last": "hi", "last_at": NOON, "unread": 0, "opted_out": False, "transfer": None}
    given = {name: more.pop(name, value) for name, value in rows.items()}
    held = session(number, state, agent, queue=more.pop("queue_row", MAIN.id), **more)
    thread = THREAD if number == 1 else f"thr_{number:026}"
    return SessionRow(
        held, thread, agent=NAMES.get(agent or 0, ""), offered_to=NAMES.get(held.offered_to or 0, ""), **given
    )


def step(why: Why, state: SessionState, minutes: float = 0, by: str = "", agent: str = "", **more: str) -> StepRow:
    return StepRow(at(minutes), why, state, by, agent, more.get("queue", MAIN.name), more.get("detail", ""))


def asked(
    number: int = 1,
    by: str = NAMES[BEN],
    to: str = NAMES[ME],
    to_me: bool = True,
    note: str = "",
    to_queue: bool = False,
) -> TransferRow:
    return TransferRow(number, f"ses_{number:026}", by, to, to_me, note, NOON, at(2), to_queue)


def _within(reach: Reach, rows: Sequence[SessionRow]) -> tuple[SessionRow, ...]:
    return tuple(row for row in rows if row.session.did in reach)


@dataclass
class FakeSessions:
    """Satisfies `ports.sessions.ReadSessions`, for the agent ME."""

    rows: list[SessionRow] = field(default_factory=list)
    steps: dict[int, list[StepRow]] = field(default_factory=dict)
    handed: list[TransferRow] = field(default_factory=list)
    reads: int = 0
    more: int = 0
    skipped: int = 0

    async def work(self, reach: Reach, account: int, most: int = 100) -> Work:
        self.reads += 1
        shown = _within(reach, self.rows)
        mine = [row for row in shown if row.session.agent == account and row.session.state in (_S.ASSIGNED, _S.WRAP_UP)]
        offered = [row for row in shown if row.session.offered_to == account and row.session.state is _S.OFFERED]
        queued = [row for row in shown if row.session.state is _S.QUEUED]
        aside = [row for row in shown if row.session.state is _S.DISMISSED and row.session.agent == account]
        return Work(tuple(mine), tuple(offered), self._handed(shown), tuple(queued), tuple(aside), self.more)

    def _handed(self, shown: Sequence[SessionRow]) -> tuple[SessionRow, ...]:
        asked = {one.session: one for one in self.handed}
        found = (row for row in shown if row.session.public_id in asked)
        return tuple(replace(row, transfer=asked[row.session.public_id]) for row in found)

    async def story(self, reach: Reach, public_id: str, account: int | None = None) -> SessionStory | None:
        found = (row for row in _within(reach, self.rows) if row.session.public_id == public_id)
        return next((self._story(row) for row in found), None)

    async def of_thread(self, reach: Reach, thread: str, account: int | None = None) -> list[SessionStory]:
        found = [row for row in _within(reach, self.rows) if row.thread == thread]
        return [self._story(row) for row in sorted(found, key=lambda row: -row.session.id)]

    async def board(
        self, reach: Reach, midnight: datetime, most: int = 200, only: Narrowed = ALL_SESSIONS, texts: object = None
    ) -> Board:
        return Board((), (), _within(reach, self.rows), 0, 0)

    async def offers_of_call(self, call: str) -> list[Offer]:
        return []

    def _story(self, row: SessionRow) -> SessionStory:
        return SessionStory(row, tuple(self.steps.get(row.session.id, ())), "", None, self.skipped)


@dataclass
class FakeStaff:
    """Satisfies `ports.queues.ReadQueues`, and knows who is there: `inside` are accounts with a page open."""

    who: dict[int, Agent] = field(default_factory=lambda: dict(AGENTS))
    all: tuple[TextQueue, ...] = (MAIN, SERVICE)
    now: dict[int, AgentNow] = field(default_factory=dict)
    waits: dict[tuple[str, str], str] = field(default_factory=dict)
    inside: list[int] = field(default_factory=list)

    def is_in(self, account: int, presence: Presence, on_call: bool = False) -> None:
        self.now[account] = AgentNow(account, presence, NOON, on_call)

    async def queues(self) -> Queues:
        return Queues(self.all)

    async def agents(self) -> Mapping[int, Agent]:
        return self.who

    def present(self) -> Mapping[int, AgentNow]:
        return self.now

    def waits_in(self, pbx: str, uniqueid: str) -> str:
        return self.waits.get((pbx, uniqueid), "")

    @contextmanager
    def here(self, account: int) -> Iterator[None]:
        self.inside.append(account)
        try:
            yield
        finally:
            self.inside.remove(account)


@dataclass
class FakeSessionDesk:
    """Notes what it is asked to do; `says` is raised."""

    done: list[tuple[object, ...]] = field(default_factory=list)
    says: Exception | None = None

    def _do(self, *what: object) -> None:
        if self.says is not None:
            raise self.says
        self.done.append(what)

    async def transfer(
        self, who: Principal, session: str, *, to_agent: str = "", to_queue: str = "", note: str = ""
    ) -> None:
        self._do("transfer", session, to_agent or to_queue, note)

    async def be(self, who: Principal, at_desk: AtDesk) -> None:
        self._do("be", at_desk)


def _act(name: str) -> object:
    async def act(self: FakeSessionDesk, who: Principal, session: str) -> None:
        self._do(name, session)

    return act


for _name in (
    *("claim", "accept", "decline", "accept_transfer", "decline_transfer", "take_back", "give_back", "dismiss", "end"),
):
    setattr(FakeSessionDesk, _name, _act(_name))

"""A house with agents, a queue beside the main one, and threads: what tests of sessions begin with."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from ringback.core.calls import Call, Direction
from ringback.core.permissions import Role
from ringback.core.sessions import Session, SessionState, StartType, Why
from ringback.core.text_queues import Plan, Strategy, TextQueue
from ringback.ports.pairs import Thread
from ringback.ports.people import Account
from ringback.ports.sessions import Opening, Step
from ringback.ports.storage import Tx
from ringback.store.database import Database
from tests.conftest import NOON

T = TypeVar("T")
DID, OTHER = "+12025550101", "+12025550102"
ANN, BOB = "+15125550123", "+15125550124"
MINUTE = timedelta(minutes=1)


def call_of(uniqueid: str, peer: str = ANN) -> Call:
    """A call from outside that just began."""
    return Call("main", uniqueid, uniqueid, Direction.INBOUND, peer, DID, NOON)


def _add(login: str, tx: Tx) -> Account:
    added = tx.accounts.add(login, login.title(), frozenset({Role.AGENT}), "", "en", NOON)
    assert added is not None
    return added


class Crew:
    """`eve` and `max` are agents by their rows; `sales` is a queue they are in, `main` the one of everything else."""

    def __init__(self, store: Database) -> None:
        self.store = store
        self.people: dict[str, int] = {}

    async def settle(self) -> "Crew":
        for login in ("eve", "max"):
            self.people[login] = (await self.do(partial(_add, login))).id
        self.eve, self.max = self.people["eve"], self.people["max"]
        self.sales = await self.do(self._make_sales)
        self.main = (await self.do(lambda tx: tx.queues.all())).main
        return self

    def _make_sales(self, tx: Tx) -> TextQueue:
        made = tx.queues.make("Sales", Plan(strategy=Strategy.LONGEST_IDLE), NOON)
        tx.queues.put_members(made, (self.eve, self.max), NOON)
        return tx.queues.all().get(made.id)

    async def do(self, step: Callable[[Tx], T]) -> T:
        return await self.store.commit(step)

    async def thread(self, peer: str = ANN, did: str = DID) -> Thread:
        return await self.do(lambda tx: tx.pairs.thread(did, peer, NOON))

    async def call(self, uniqueid: str = "1.1", peer: str = ANN) -> int:
        row = await self.do(lambda tx: tx.calls.begin(call_of(uniqueid, peer), DID, peer))
        assert row is not None
        return row

    async def open(self, peer: str = ANN, state: SessionState = SessionState.QUEUED, **more: object) -> Session:
        """Open a session in Sales."""
        opening = Opening(await self.thread(peer), self.sales.id, StartType.AUTO, Why.NUMBERS_QUEUE, **more)
        return await self.do(lambda tx: tx.sessions.open(opening, state, NOON))

    async def move(
        self,
        session: Session,
        state: SessionState,
        why: Why,
        at: datetime = NOON,
        about: int | None = None,
        **more: object,
    ) -> Session:
        step = Step(at, why, state, "test", agent=about)
        return await self.do(lambda tx: tx.sessions.save(replace(session, state=state, **more), step))

    async def assigned(self, session: Session, account: int, at: datetime = NOON) -> Session:
        return await self.move(
            session, SessionState.ASSIGNED, Why.CLAIMED, at, account, agent=account, assigned_at=at, offered_to=None
        )

    async def offered(self, session: Session, account: int, at: datetime = NOON) -> Session:
        return await self.move(session, SessionState.OFFERED, Why.OFFERED, at, account, offered_to=account)

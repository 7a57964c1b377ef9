"""Requests to take a session. It stays with whoever has it until one is accepted."""

from datetime import datetime

from ringback.core.sessions import Session, TransferState, Why
from ringback.ports.changes import SESSIONS, Touch
from ringback.ports.sessions import Transfer
from ringback.store.moments import micros
from ringback.store.session_rows import TRANSFER, transfer_of
from ringback.store.sql import insert, sql
from ringback.store.tx import Runner

ASK = insert("transfer", "session_id by_agent to_agent to_queue note state asked_at due_at", f"RETURNING {TRANSFER}")
TRANSFER_OF = sql(f"SELECT {TRANSFER} FROM transfer WHERE session_id = :session AND state = 'requested'")
TRANSFERS_TO = sql(f"SELECT {TRANSFER} FROM transfer WHERE to_agent = :account AND state = 'requested' ORDER BY id")
TRANSFERS_INTO = sql(f"SELECT {TRANSFER} FROM transfer WHERE to_queue = :queue AND state = 'requested' ORDER BY id")
DUE_TRANSFERS = sql(
    f"SELECT {TRANSFER} FROM transfer WHERE state = 'requested' AND due_at <= :now ORDER BY due_at, id LIMIT :most"
)
REQUESTS_WENT_BACK = sql(
    """UPDATE transfer SET due_at = due_at - :by, asked_at = asked_at - :by
    WHERE state = 'requested' AND due_at > :now AND asked_at > :now"""
)
CLOSE = sql("UPDATE transfer SET state = :state, why = :why, closed_at = :at WHERE id = :id AND state = 'requested'")
CLOSE_OF = sql(
    """UPDATE transfer SET state = :state, why = :why, closed_at = :at
    WHERE session_id = :session AND state = 'requested'"""
)


class Transfers:
    """The part of `ports.sessions.Sessions` that is about them."""

    def __init__(self, run: Runner) -> None:
        self._run = run

    def ask_transfer(
        self,
        session: Session,
        to_agent: int | None,
        to_queue: int | None,
        note: str,
        due_at: datetime,
        now: datetime,
    ) -> Transfer:
        self.close_transfers(session.id, Why.TRANSFER_ASKED, now)
        row = self._run.one(
            ASK,
            session_id=session.id,
            by_agent=session.agent,
            to_agent=to_agent,
            to_queue=to_queue,
            note=note,
            state=TransferState.REQUESTED,
            asked_at=micros(now),
            due_at=micros(due_at),
        )
        assert row is not None
        self._concerns(session.agent, to_agent)
        return transfer_of(row)

    def transfer_of(self, session: int) -> Transfer | None:
        row = self._run.one(TRANSFER_OF, session=session)
        return transfer_of(row) if row else None

    def transfers_to(self, account: int) -> list[Transfer]:
        return [transfer_of(row) for row in self._run.all(TRANSFERS_TO, account=account)]

    def transfers_into(self, queue: int) -> list[Transfer]:
        return [transfer_of(row) for row in self._run.all(TRANSFERS_INTO, queue=queue)]

    def close_transfer(self, transfer: Transfer, state: TransferState, why: Why, now: datetime) -> None:
        self._run.change(CLOSE, id=transfer.id, state=state, why=why, at=micros(now))
        self._concerns(transfer.by_agent, transfer.to_agent)

    def due_transfers(self, now: datetime, most: int) -> list[Transfer]:
        return [transfer_of(row) for row in self._run.all(DUE_TRANSFERS, now=micros(now), most=most)]

    def close_transfers(self, session: int, why: Why, now: datetime) -> None:
        """Nothing is open any more: whoever asked asks for something else, or the session is over."""
        self._run.change(CLOSE_OF, session=session, state=TransferState.FAILED, why=why, at=micros(now))

    def _concerns(self, *accounts: int | None) -> None:
        touched = {Touch("agent", account) for account in accounts if account is not None}
        self._run.touch(SESSIONS, *touched)

"""Rows of threads, calls and texts as they stand in a database after months of work, put there directly."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import count

from sqlalchemy import Connection, Table, create_engine, insert

from ringback.core.messages import State
from ringback.store import tables
from ringback.store.moments import micros

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
DID = "+12025550101"
ANA = "+12025550147"
MINUTE = 60_000_000


def minute(at: float) -> int:
    return micros(NOON) + int(at * MINUTE)


class Filler:
    """Puts rows into a database. Times are minutes after noon; public ids count up."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._names = count(1)
        self.number(DID)

    def _put(self, table: Table, **values: object) -> int:
        statement = insert(table).values(**values).returning(table.c.id)
        return self._connection.execute(statement).scalar_one()

    def _name(self, kind: str) -> str:
        return f"{kind}_{next(self._names):026}"

    def number(self, e164: str) -> int:
        return self._put(tables.number, e164=e164)

    def thread(self, peer: str = ANA, at: float = 0, number: int = 1, **more: object) -> int:
        moment = minute(at)
        values = {"created_at": moment, "changed_at": moment, "public_id": self._name("thr")} | more
        return self._put(tables.thread, number_id=number, peer=peer, **values)

    def text_in(self, thread: int, body: str = "hi", at: float = 0, **more: object) -> int:
        moment = minute(at)
        values = {"carrier": "main", "received_at": moment, "carrier_at": moment, "state": "whole"} | more
        return self._put(
            tables.incoming, **{"public_id": self._name("inb")} | values, thread_id=thread, at=moment, body=body
        )

    def text_out(self, thread: int, body: str = "sorry", at: float = 0, state: str = State.SENT, **more: object) -> int:
        moment = minute(at)
        times = dict.fromkeys(("not_before", "created_at", "state_at", "expires_at"), moment)
        values = {"carrier": "main", "class_": "c", "basis": "b", "language": "en", "cause": "rule r"} | times | more
        return self._put(
            tables.message, **{"public_id": self._name("msg")} | values, thread_id=thread, body=body, state=state
        )

    def attempt(self, message: int, at: float = 0, **more: object) -> int:
        part = self._put(tables.part, message_id=message, body="", state="sent")
        values = {"carrier": "main", "closed_at": minute(at), "outcome": "accepted", "provider_id": f"SM{part}"} | more
        return self._put(
            tables.attempt,
            **{"public_id": self._name("att")} | values,
            part_id=part,
            message_id=message,
            opened_at=minute(at),
        )

    def receipt(self, attempt: int, status: str, at: float = 0, error: str = "") -> None:
        moment = minute(at)
        self._put(
            tables.receipt,
            attempt_id=attempt,
            carrier="main",
            provider_id=f"SM{attempt}",
            status=status,
            carrier_at=moment,
            received_at=moment,
            error=error,
        )

    def step(self, message: int, state: str, at: float = 0, detail: str = "", reason: str | None = None) -> None:
        self._put(tables.message_event, message_id=message, at=minute(at), state=state, reason=reason, detail=detail)

    def call(self, peer: str = ANA, at: float = 0, did: str = DID, **more: object) -> int:
        name = self._name("call")
        ended = {"outcome": "missed", "ended_at": minute(at + 1)}
        values = {"direction": "inbound", "presentation": "shown", "caller": peer, "public_id": name} | ended | more
        return self._put(
            tables.call, **values, pbx="main", uniqueid=name, linkedid=name, peer=peer, did=did, started_at=minute(at)
        )

    def ledger(
        self, thread: int, kind: str = "opt_out", at: float = 0, method: str = "text", evidence: str = ""
    ) -> None:
        values = {"kind": kind, "method": method, "evidence": evidence}
        self._put(tables.opt_out_event, thread_id=thread, at=minute(at), **values)

    def opted_out(self, thread: int, at: float = 0) -> None:
        self._connection.execute(insert(tables.pair_facts).values(thread_id=thread, opted_out_at=minute(at)))

    def piece(self, incoming: int, seq: int, body: str = "") -> None:
        self._connection.execute(insert(tables.incoming_piece).values(incoming_id=incoming, seq=seq, body=body))

    def media(self, incoming: int, content_type: str, seq: int = 0) -> None:
        url = "https://carrier.example/secret-of-a-photo"
        self._put(tables.media, incoming_id=incoming, seq=seq, url=url, content_type=content_type, state="kept")

    def account(self, name: str) -> int:
        values = {"login": name, "role": "agent", "password": "", "created_at": 0, "changed_at": 0}
        return self._put(tables.account, public_id=self._name("usr"), name=name, **values)

    def many(self, table: Table, rows: Sequence[dict[str, object]]) -> None:
        """Put a lot of rows at once."""
        self._connection.execute(insert(table), rows)


def put(url: str, fill: Callable[[Filler], object]) -> None:
    """Open the database, fill it, close it."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.begin() as connection:
        fill(Filler(connection))
    engine.dispose()

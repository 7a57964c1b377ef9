"""What happens to a text: each move is a row that stays, and is counted with it."""

from datetime import datetime

from ringback.core.messages import State
from ringback.core.reasons import Reason
from ringback.store.moments import micros
from ringback.store.sql import insert, rows
from ringback.store.tx import Runner

EVENT = insert(
    "message_event",
    "message_id at state reason detail",
    "RETURNING (SELECT carrier FROM message WHERE id = message_id)",
)

KNOWN = rows("message_event", "message_id at state reason detail")


def note_move(run: Runner, message: int, state: State, reason: Reason | None, detail: str, now: datetime) -> None:
    row = run.one(EVENT, message_id=message, at=micros(now), state=state, reason=reason, detail=detail)
    run.count("texts", state, row[0] if row else "", reason or "")


def note_known_move(
    run: Runner, message: int, state: State, reason: Reason | None, detail: str, at: int, carrier: str
) -> None:
    """The same where its carrier is known, and where it may be written with others."""
    run.later(KNOWN, (message, at, state.value, reason.value if reason else None, detail))
    run.count("texts", state, carrier, reason or "")

"""What a person wrote and did not reach the handset is left for a person: whoever wrote it thinks it is read."""

from datetime import datetime

from ringback.core.tasks import TaskKind
from ringback.ports.storage import Tx

NEVER_LEFT = "never left us"


def leave_if_written(message: int, why: str, now: datetime, tx: Tx) -> None:
    """A text failed, expired or was not delivered: leave it for a person, if a person wrote it."""
    if tx.doubts.written_by_a_person(message):
        tx.tasks.add(TaskKind.NOT_DELIVERED, now, why, message_id=message)


def reached(message: int, now: datetime, tx: Tx) -> None:
    """It arrived after all."""
    tx.tasks.settle(TaskKind.NOT_DELIVERED, message, now)

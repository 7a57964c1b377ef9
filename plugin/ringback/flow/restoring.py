"""A database that is not the newest: a backup that was put back, or a standby that lost its end.

What it lacks may have been sent. So every carrier is held until a person has seen it and lets it go on.
"""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime

from ringback.flow.holds import RESTORE, hold_anew, holds
from ringback.ports.restored import Known, Unclear
from ringback.ports.storage import Tx

SETTING = "restored"
BACKED_UP = "backup"
WHY = "The database was put back to an earlier moment ({}), so texts that wait may have been sent already."


@dataclass(frozen=True, slots=True)
class PutBack:
    """That a database was put back: why, when that was seen, what it had then. `held` once the carriers are."""

    why: str
    at: datetime
    known: Known
    held: bool


def put_back(why: str, now: datetime, tx: Tx) -> None:
    """Note that the database is not the newest. The next start holds every carrier."""
    _keep(why, tx.restored.known(), "no", now, tx)
    tx.audit.note(RESTORE, "put_back", "database", why, now)


def _keep(why: str, known: Known, held: str, at: datetime, tx: Tx) -> None:
    tx.settings.put(SETTING, json.dumps({"why": why, "held": held, **asdict(known)}), at, RESTORE)


def note_backup(file: str, now: datetime, tx: Tx) -> None:
    """Keep when the last backup was made, and where it went."""
    tx.settings.put(BACKED_UP, file, now, "backup")


def last_backup(tx: Tx) -> datetime | None:
    """When the last backup was made that we know of."""
    kept = tx.settings.get(BACKED_UP)
    return kept[1] if kept else None


def was_put_back(tx: Tx) -> PutBack | None:
    """None for a database that never was, and for a setting that somebody wrote by hand."""
    kept = tx.settings.get(SETTING)
    if kept is None:
        return None
    try:
        words = json.loads(kept[0])
        known = Known(int(words["messages"]), int(words["calls"]), int(words["runs"]))
        return PutBack(str(words["why"]), kept[1], known, words["held"] == "yes")
    except (ValueError, KeyError, TypeError):
        return PutBack("nobody knows why", kept[1], tx.restored.known(), held=False)


def hold_everything(carriers: Collection[str], now: datetime, tx: Tx) -> str:
    """Hold every carrier of a database that was put back; returns why, or nothing when it was not, or was seen to."""
    put = was_put_back(tx)
    if put is None or put.held:
        return ""
    why = WHY.format(put.why)
    before = {held.carrier: held.why for held in holds(tx)}
    for name in carriers:
        earlier = f" It was held back before: {before[name]}" if name in before else ""
        hold_anew(name, f"{why}{earlier}", RESTORE, now, tx)
    _keep(put.why, put.known, "yes", put.at, tx)
    return why


def unclear(carrier: str, after: int, limit: int, tx: Tx) -> list[Unclear]:
    """Texts of a carrier that wait, and may have been sent after the moment the database was put back to."""
    put = was_put_back(tx)
    return tx.restored.unclear(carrier, put.known, after, limit) if put else []

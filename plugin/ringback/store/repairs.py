"""Mends what a check of the doctor's found: folds only, each made anew from the ledger it is the fold of."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import reduce

from ringback.core.consents import Consents
from ringback.core.consents import fold as fold_consents
from ringback.core.messages import PartState, State, fold
from ringback.core.reasons import Reason
from ringback.store.consents import OF_THREAD as SAID
from ringback.store.consents import event_of, write_consents
from ringback.store.moments import micros
from ringback.store.moves import note_move
from ringback.store.sql import Sql, sql
from ringback.store.tx import Row, Runner

PARTS = sql("SELECT p.state FROM part p WHERE p.message_id = :id")
SET_STATE = sql("UPDATE message SET state = :state, state_at = :at WHERE id = :id AND state <> :state")
UNREAD = sql(
    """UPDATE thread SET unread = (SELECT count(*) FROM incoming i
    WHERE i.thread_id = thread.id AND i.read_at IS NULL AND i.state <> 'waiting') WHERE id = :id"""
)
SAID_LAST = sql("SELECT kind, at FROM opt_out_event WHERE thread_id = :id ORDER BY id DESC LIMIT 1")
# SQLite keeps a word where a number belongs, as people write by hand. PostgreSQL does not let them.
_NUMBERS = {"not_before": ":at", "expires_at": ":at", "segments": "1", "tries": "0", "state_at": ":at"}
_WRONG = " OR ".join((*(f"typeof({name}) <> 'integer'" for name in _NUMBERS), "typeof(body) <> 'text'"))
_RIGHT = ", ".join(
    f"{name} = CASE typeof({name}) WHEN 'integer' THEN {name} ELSE {safe} END" for name, safe in _NUMBERS.items()
)
SET_ASIDE = Sql(
    f"""UPDATE message SET state = 'refused', reason = 'gate_error', {_RIGHT},
    body = CASE typeof(body) WHEN 'text' THEN body ELSE hex(body) END
    WHERE carrier = :carrier AND state IN ('queued', 'held') AND ({_WRONG}) RETURNING id, public_id""",
    "SELECT id, public_id FROM message WHERE carrier = %(carrier)s AND id < 0",
)
# SQLite keeps any bytes as a text, and its driver reads UTF-8 only. All that is not plain ASCII is looked at.
ODD_TEXTS = Sql(
    """SELECT m.id, m.public_id, CAST(m.body AS BLOB), CAST(t.peer AS BLOB)
    FROM message m JOIN thread t ON t.id = m.thread_id
    WHERE m.carrier = :carrier AND m.state IN ('queued', 'held')
    AND (m.body || t.peer) GLOB '*[^' || char(1) || '-' || char(127) || ']*'""",
    "SELECT id, public_id, body, body FROM message WHERE carrier = %(carrier)s AND id < 0",
)
REFUSE = sql("UPDATE message SET state = 'refused', reason = 'gate_error', body = :body WHERE id = :id")
BLOCK = sql(
    """INSERT INTO pair_facts (thread_id, opted_out_at) VALUES (:id, :at)
    ON CONFLICT (thread_id) DO UPDATE SET opted_out_at = excluded.opted_out_at"""
)

HOLDS = sql(
    """INSERT INTO pair_facts (thread_id, consents) SELECT t.id, :consents FROM thread t WHERE t.id = :thread
    ON CONFLICT (thread_id) DO UPDATE SET consents = excluded.consents"""
)


def _reads(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


class Repairs:
    """Satisfies `ports.records.Repairs`."""

    def __init__(self, run: Runner) -> None:
        self._run = run
        self._cures: Mapping[str, Callable[[int, datetime], str]] = {
            "message": self._message,
            "unread": self._unread,
            "opt_out": self._opt_out,
            "consents": self._consents,
        }

    def mend(self, cure: str, id_: int, now: datetime) -> str:
        """Make one fold anew; returns what it is now, or nothing for a cure or a row that is not there."""
        made = self._cures.get(cure)
        return made(id_, now) if made else ""

    def set_aside(self, carrier: str, now: datetime) -> list[str]:
        """Refuse waiting texts of a carrier whose columns hold what cannot be read; returns their ids."""
        rows = self._run.all(SET_ASIDE, carrier=carrier, at=micros(now))
        rows += self._refuse_unreadable(carrier)
        for id_, _ in rows:
            note_move(self._run, id_, State.REFUSED, Reason.GATE_ERROR, "its row was changed by hand", now)
        return [str(public_id) for _, public_id in rows]

    def _refuse_unreadable(self, carrier: str) -> list[Row]:
        odd = [
            (id_, public_id, body)
            for id_, public_id, body, peer in self._run.all(ODD_TEXTS, carrier=carrier)
            if not (_reads(body) and _reads(peer))
        ]
        for id_, _, body in odd:
            self._run.change(REFUSE, id=id_, body=body.hex())
        return [(id_, public_id) for id_, public_id, _ in odd]

    def _message(self, id_: int, now: datetime) -> str:
        parts = [row[0] for row in self._run.all(PARTS, id=id_)]
        if not parts or any(part not in set(PartState) for part in parts):
            return ""
        state = fold([PartState(part) for part in parts])
        if self._run.change(SET_STATE, id=id_, state=state, at=micros(now)) == 1:
            note_move(self._run, id_, state, None, "mended by the doctor", now)
        return state

    def _unread(self, id_: int, _now: datetime) -> str:
        return "counted anew" if self._run.change(UNREAD, id=id_) == 1 else ""

    def _opt_out(self, id_: int, _now: datetime) -> str:
        row = self._run.one(SAID_LAST, id=id_)
        if row is None:
            return ""
        kind, at = row
        self._run.change(BLOCK, id=id_, at=at if kind == "opt_out" else None)
        return str(kind)

    def _consents(self, id_: int, _now: datetime) -> str:
        made = write_consents(reduce(fold_consents, map(event_of, self._run.all(SAID, thread=id_)), Consents()))
        return made or "nothing" if self._run.change(HOLDS, thread=id_, consents=made) == 1 else ""

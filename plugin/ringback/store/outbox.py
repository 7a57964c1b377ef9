"""Texts on their way out, as they are looked at: which are due, what waits, what is open."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from ringback.core.messages import Basis, MessageClass, State, Urgency
from ringback.core.reasons import Reason
from ringback.ports.pairs import Thread
from ringback.ports.texts import CallFactsRow, StoredMessage, StuckText, TextStanding, WaitingText, Waits
from ringback.store.moments import maybe_moment_of, micros, moment_of
from ringback.store.putting import Putting
from ringback.store.sql import Sql, sql

_WAITS = "message WHERE carrier = :carrier AND state IN ('queued', 'held')"
_LEVELS = tuple(Urgency)


def _first_of_levels(later: str = "") -> str:
    """Ask each level by its own end of the index: however much waits elsewhere is never walked."""
    question = "(SELECT not_before FROM {} AND urgency = {:d}{} ORDER BY not_before LIMIT 1)"
    return ", ".join(question.format(_WAITS, level, later) for level in _LEVELS)


STANDING = sql(
    """SELECT m.id, m.thread_id, m.state, m.reason, m.created_at, c.pbx, c.uniqueid FROM message m
    LEFT JOIN call c ON c.id = m.call_id WHERE m.public_id = :public_id"""
)
LEVELS = sql(f"SELECT {_first_of_levels()}")
# The oldest due texts of a level, one of each thread at most, so that texts to one person keep their order. A text
# waits for what is on its way, and for an older one that is as urgent and does not wait for a time of its own.
# It is asked by a value and not by EXISTS: PostgreSQL, which never knows how much waits just now, makes a join of that
# and walks through all that waits for each text.
DUE = sql(
    """SELECT ready.id, ready.public_id, ready.state, t.id, t.public_id, n.id, n.e164, t.peer, ready.body,
    ready.segments, ready.automatic, ready.rule, ready.expires_at, ready.tries, p.id, ready.command, ready.account_id,
    ready.class_, ready.urgency, ready.campaign, ready.reason, ready.basis, c.presentation, c.verstat, c.vetoed
    FROM (SELECT m.* FROM message m WHERE m.carrier = :carrier AND m.urgency = :urgency
      AND m.state IN ('queued', 'held') AND m.not_before <= :now
      AND (SELECT 1 FROM message e WHERE e.thread_id = m.thread_id
        AND e.state IN ('queued', 'held', 'submitting') AND (e.state = 'submitting' OR (e.id < m.id
        AND e.urgency <= m.urgency
        AND (coalesce(e.reason, '') NOT IN ('scheduled', 'put_back') OR e.not_before <= :now)))
        LIMIT 1) IS NULL
      ORDER BY m.not_before, m.id LIMIT :limit) AS ready
    JOIN thread t ON t.id = ready.thread_id JOIN number n ON n.id = t.number_id
    JOIN part p ON p.message_id = ready.id LEFT JOIN call c ON c.id = ready.call_id
    ORDER BY ready.not_before, ready.id"""
)
STUCK = sql(
    f"SELECT id, state, segments FROM {_WAITS} AND urgency = :urgency AND not_before <= :now "
    "ORDER BY not_before, id LIMIT :limit"
)
PUT_OFF_BY = sql(
    """SELECT id, state, segments FROM message WHERE carrier = :carrier AND state = 'held' AND reason = 'carrier_hold'
    LIMIT :limit"""
)
RESUME = sql(
    """UPDATE message SET not_before = :now WHERE carrier = :carrier AND state = 'held' AND reason = 'carrier_hold'
    AND not_before > :now"""
)
NEXT_TRY = sql(
    "UPDATE message SET not_before = :until WHERE id = :id AND state || '' = 'held' AND reason = 'carrier_hold'"
)
EXPIRING = sql(
    """SELECT id, state FROM message WHERE state IN ('queued', 'held') AND expires_at <= :before
    ORDER BY expires_at LIMIT :limit"""
)
COUNT_WAITING = sql(f"SELECT count(*) FROM (SELECT 1 FROM {_WAITS} LIMIT :most) AS few")
STILL_WAITING = sql(
    f"""SELECT {_first_of_levels(" AND not_before > :now")}, {_first_of_levels()}, (SELECT expires_at FROM message
    WHERE state IN ('queued', 'held') ORDER BY expires_at LIMIT 1)"""
)
CLOCK_WENT_BACK = sql(
    """UPDATE message SET not_before = not_before - :by WHERE carrier = :carrier AND state IN ('queued', 'held')
    AND coalesce(reason, 'carrier_hold')
      IN ('rate_number', 'rate_campaign', 'rate_carrier', 'rate_destination', 'carrier_hold')
    AND not_before > :now"""
)
# Both go from name to name by an index, however many texts there are.
NEXT_WAITED_FOR = sql("SELECT min(carrier) FROM message WHERE carrier > :after AND state IN ('queued', 'held')")
NEXT_TRIED = sql("SELECT min(carrier) FROM attempt WHERE carrier > :after AND outcome IS NULL")
WAITING_FOR = sql(
    """SELECT m.id, m.state, n.e164 FROM message m
    JOIN thread t ON t.id = m.thread_id JOIN number n ON n.id = t.number_id
    WHERE m.carrier = :carrier AND m.state IN ('queued', 'held') ORDER BY m.id"""
)
TO_PEER = sql(
    """SELECT m.id, m.state, m.call_id FROM thread t JOIN message m ON m.thread_id = t.id
    WHERE t.peer = :peer AND m.state IN ('queued', 'held') AND m.automatic AND m.call_id IS NOT NULL"""
)
IN_THREAD = sql(
    """SELECT id, state, call_id FROM message WHERE thread_id = :thread AND state IN ('queued', 'held')
    AND command <> 'stop'"""
)
OPEN_ATTEMPTS = sql(
    "SELECT id, part_id, message_id, opened_at FROM attempt WHERE outcome IS NULL AND carrier = :carrier"
)


class Outbox(Putting):
    """Satisfies `ports.texts.Outbox`."""

    def standing(self, public_id: str) -> TextStanding | None:
        """How one text stands."""
        row = self._run.one(STANDING, public_id=public_id)
        if row is None:
            return None
        id_, thread, state, reason, created_at, pbx, call = row
        return TextStanding(id_, thread, State(state), reason or "", moment_of(created_at), pbx or "", call or "")

    def levels_due(self, carrier: str, now: datetime) -> list[Urgency]:
        """The levels of which a text is due, the most urgent first."""
        row = self._run.one(LEVELS, carrier=carrier)
        assert row is not None
        return [level for level, first in zip(_LEVELS, row, strict=True) if first is not None and first <= micros(now)]

    def due(self, carrier: str, urgency: Urgency, now: datetime, limit: int) -> list[WaitingText]:
        """Texts of a level that may go now, oldest first, at most one a thread."""
        return [
            WaitingText(
                StoredMessage(row[0], row[1], row[14], row[9]),
                State(row[2]),
                Thread(row[3], row[4], row[5], row[6], row[7]),
                row[8],
                bool(row[10]),
                row[11] or "",
                moment_of(row[12]),
                row[13],
                CallFactsRow(*row[22:]),
                row[15],
                row[16],
                MessageClass(row[17]),
                Urgency(row[18]),
                row[19],
                Reason(row[20]) if row[20] else None,
                Basis(row[21]),
            )
            for row in self._run.all(DUE, carrier=carrier, urgency=urgency, now=micros(now), limit=limit)
        ]

    def still_waiting(self, carrier: str, now: datetime) -> Waits:
        """What waits for a carrier after a claim. `expires` is of all that wait, whatever their carrier."""
        row = self._run.one(STILL_WAITING, carrier=carrier, now=micros(now))
        assert row is not None
        later, firsts, expires = row[: len(_LEVELS)], row[len(_LEVELS) : -1], row[-1]
        upcoming = min((moment for moment in later if moment is not None), default=None)
        blocked = any(moment is not None and moment <= micros(now) for moment in firsts)
        return Waits(maybe_moment_of(upcoming), blocked, maybe_moment_of(expires))

    def stuck(self, carrier: str, urgency: Urgency, now: datetime, limit: int) -> list[StuckText]:
        """Due texts of a level, whatever they wait for."""
        return self._stuck(STUCK, carrier=carrier, urgency=urgency, now=micros(now), limit=limit)

    def put_off_by(self, carrier: str, limit: int) -> list[StuckText]:
        """Texts that a carrier provably did not take, waiting for their next try."""
        return self._stuck(PUT_OFF_BY, carrier=carrier, limit=limit)

    def _stuck(self, statement: Sql, **values: object) -> list[StuckText]:
        return [StuckText(row[0], State(row[1]), row[2]) for row in self._run.all(statement, **values)]

    def expiring(self, before: datetime, limit: int) -> list[tuple[int, State]]:
        """Waiting texts that expire by then, the first of them first, whatever carrier they wait for."""
        rows = self._run.all(EXPIRING, before=micros(before), limit=limit)
        return [(row[0], State(row[1])) for row in rows]

    def count_waiting(self, carrier: str, most: int) -> int:
        """How many texts wait for a carrier; counts no further than `most`."""
        row = self._run.one(COUNT_WAITING, carrier=carrier, most=most)
        return row[0] if row else 0

    def resume(self, carrier: str, now: datetime) -> int:
        """The carrier answers again: what waits for its next try may go now."""
        return self._run.change(RESUME, carrier=carrier, now=micros(now))

    def show_next_try(self, message_id: int, until: datetime) -> None:
        """A text that waits for its carrier goes on waiting; no news."""
        self._run.change(NEXT_TRY, id=message_id, until=micros(until))

    def clock_went_back(self, carrier: str, by: timedelta, now: datetime) -> int:
        """Somebody set the clock back: what we put off ourselves goes as soon as it would have gone."""
        return self._run.change(CLOCK_WENT_BACK, carrier=carrier, by=by // timedelta(microseconds=1), now=micros(now))

    def unsent_to(self, peer: str) -> list[tuple[int, State, int]]:
        """Texts after calls that have not left us yet, from any of our numbers, as (message, state, call)."""
        return [(row[0], State(row[1]), row[2]) for row in self._run.all(TO_PEER, peer=peer)]

    def unsent_in(self, thread_id: int) -> list[tuple[int, State, int | None]]:
        """Texts of a thread that have not left us yet, as (message, state, call); the answer to a STOP is left out."""
        return [(row[0], State(row[1]), row[2]) for row in self._run.all(IN_THREAD, thread=thread_id)]

    def left_open(self, carrier: str) -> list[tuple[int, int, int, datetime]]:
        """Attempts on a carrier without an outcome, as (attempt, part, message, opened at)."""
        return [(*row[:3], moment_of(row[3])) for row in self._run.all(OPEN_ATTEMPTS, carrier=carrier)]

    def carriers_at_work(self) -> set[str]:
        """Carriers that texts wait for or are on their way with."""
        return {name for statement in (NEXT_WAITED_FOR, NEXT_TRIED) for name in self._names(statement)}

    def _names(self, statement: Sql) -> Iterator[str]:
        after = ""
        while (row := self._run.one(statement, after=after)) and row[0] is not None:
            after = row[0]
            yield after

    def waiting_for(self, carrier: str) -> list[tuple[int, State, str]]:
        """Texts that wait for a carrier, as (message, state, our number)."""
        return [(row[0], State(row[1]), row[2]) for row in self._run.all(WAITING_FOR, carrier=carrier)]

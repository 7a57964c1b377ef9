"""Sessions while they are worked on: each change is written with the line that says why."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from ringback.core.ids import Kind
from ringback.core.sessions import OVER, Due, Session, SessionState, Why, may_move
from ringback.ports.changes import Touch
from ringback.ports.sessions import Opening, Step
from ringback.store.moments import maybe_moment_of, micros
from ringback.store.session_rows import NAMES, SESSION, row_of, session_of
from ringback.store.sql import Sql, for_each, insert, sql, sql_each
from ringback.store.transfers import REQUESTS_WENT_BACK, Transfers
from ringback.store.tx import Row, Runner, new_id

_CHANGES = NAMES[5:7] + NAMES[9:]
"""What may become another: who it is with and why it began stay."""


def _by(text: str, **indexes: str) -> Sql:
    """A question about open sessions. SQLite would rather walk through all that are open, or all that ever were."""
    return sql_each(
        sqlite=text.format(**{name: f"INDEXED BY ix_session_{index}" for name, index in indexes.items()}),
        postgres=text.format(**dict.fromkeys(indexes, "")),
    )


OPEN = insert("session", " ".join(NAMES[1:]), "ON CONFLICT DO NOTHING RETURNING id")
SAVE = sql(
    f"UPDATE session SET {', '.join(f'{name} = :{name}' for name in _CHANGES)} WHERE id = :id AND changed_at = :was"
)
NOTE = insert("session_event", "session_id at why state by_ agent_id queue_id detail")
GET = sql(f"SELECT {SESSION} FROM session s WHERE s.public_id = :public_id")
BY_ROW = sql(f"SELECT {SESSION} FROM session s WHERE s.id = :id")
OF_CALL = sql(
    f"SELECT {SESSION} FROM session s WHERE s.call_id = :call AND s.ended_at IS NULL ORDER BY s.id DESC LIMIT 1"
)
WITH_CALLS = _by(
    """SELECT call_id, max(id) FROM session {calls} WHERE call_id IS NOT NULL AND ended_at IS NULL
    GROUP BY call_id""",
    calls="with_call",
)
PROMISED = for_each(
    f"SELECT {SESSION} FROM {{each}} CROSS JOIN session s WHERE s.first_text_id = each.message", message="bigint"
)
LAST_OF = sql(f"SELECT {SESSION} FROM session s WHERE s.thread_id = :thread ORDER BY s.id DESC LIMIT 1")
LAST_AGENT = sql("SELECT agent_id FROM session WHERE peer = :peer AND agent_id IS NOT NULL ORDER BY id DESC LIMIT 1")
DUE = sql(
    f"""SELECT {SESSION} FROM session s WHERE s.due_at IS NOT NULL AND s.due_at <= :now
    ORDER BY s.due_at, s.id LIMIT :most"""
)
NEXT_DUE = sql(
    """SELECT (SELECT min(due_at) FROM session WHERE due_at IS NOT NULL),
    (SELECT min(due_at) FROM transfer WHERE state = 'requested')"""
)
QUEUED = sql(
    f"""SELECT {SESSION} FROM session s WHERE s.state = 'queued' AND s.queue_id = :queue
    ORDER BY s.queued_at, s.id LIMIT :most"""
)
QUEUED_BESIDES = sql_each(
    sqlite=f"""SELECT {SESSION} FROM session s WHERE s.state = 'queued' AND s.queue_id = :queue
    AND s.did NOT IN (SELECT value FROM json_each(:besides)) ORDER BY s.queued_at, s.id LIMIT :most""",
    postgres=f"""SELECT {SESSION} FROM session s WHERE s.state = 'queued' AND s.queue_id = :queue
    AND s.did <> ALL (ARRAY(SELECT json_array_elements_text(CAST(:besides AS json))))
    ORDER BY s.queued_at, s.id LIMIT :most""",
)
UNTOLD = sql(
    f"""SELECT {SESSION} FROM session s WHERE s.state = 'queued' AND s.queue_id = :queue AND s.wait_told_at IS NULL
    AND s.waiting_on <> 'customer' ORDER BY s.queued_at, s.id LIMIT :most"""
)
ALL_QUEUED = sql(f"SELECT {SESSION} FROM session s WHERE s.state = 'queued' ORDER BY s.queued_at, s.id LIMIT :most")
WITH_AGENT = _by(
    f"""SELECT {SESSION} FROM session s {{agents}} WHERE s.agent_id = :account AND s.ended_at IS NULL
    AND s.state IN ('assigned', 'wrap_up') ORDER BY s.assigned_at, s.id""",
    agents="agent",
)
OFFERED_TO = sql(f"SELECT {SESSION} FROM session s WHERE s.offered_to = :account AND s.ended_at IS NULL ORDER BY s.id")
LOADS = _by(
    """SELECT who, sum(n) FROM
    (SELECT agent_id AS who, count(*) AS n FROM session {agents} WHERE agent_id IS NOT NULL AND ended_at IS NULL
       AND state IN ('assigned', 'wrap_up') GROUP BY agent_id
     UNION ALL SELECT offered_to, count(*) FROM session {offers} WHERE offered_to IS NOT NULL AND ended_at IS NULL
       GROUP BY offered_to) AS few GROUP BY who""",
    agents="agent",
    offers="offered_to",
)
WENT_BACK = sql(
    """UPDATE session SET due_at = due_at - :by, changed_at = changed_at - :by,
    queued_at = CASE WHEN queued_at > :now THEN queued_at - :by ELSE queued_at END
    WHERE due_at IS NOT NULL AND changed_at > :now"""
)
OF_QUEUE = sql(f"SELECT {SESSION} FROM session s WHERE s.queue_id = :queue AND s.ended_at IS NULL ORDER BY s.id")
SHOWN = sql(
    """SELECT agent_id, why FROM session_event WHERE session_id = :session AND at >= :since AND agent_id IS NOT NULL
    AND why IN ('offered', 'accepted', 'claimed', 'given_back', 'agent_idle') ORDER BY id"""
)
TOOK = frozenset({Why.ACCEPTED, Why.CLAIMED})
_TICK = timedelta(microseconds=1)


class Sessions(Transfers):
    """Satisfies `ports.sessions.Sessions`. What a transaction has read or written of sessions it knows."""

    tables: frozenset[str] = frozenset()
    """Nobody else writes them while a step runs."""

    def __init__(self, run: Runner) -> None:
        super().__init__(run)
        self._seen: dict[int, Session] = {}
        self._of_calls: dict[int, int] | None = None
        run.remember(self)

    def forget(self) -> None:
        if self._seen:
            self._seen = {}
        self._of_calls = None

    def read_ahead(self) -> None:
        """Learn which calls have a session, for a batch: those without one are not asked about then."""
        self._of_calls = dict(map(tuple, self._run.all(WITH_CALLS)))

    def open(self, opening: Opening, state: SessionState, now: datetime) -> Session:
        thread = opening.thread
        session = Session(
            0,
            new_id(Kind.SESSION, now),
            thread.id,
            thread.did,
            thread.peer,
            state,
            opening.queue,
            opening.start,
            now,
            now,
            opening.origin,
            call=opening.call,
            queued_at=now if state is SessionState.QUEUED else None,
            language=opening.language,
            ivr_path=opening.ivr_path,
            caller_name=opening.caller_name,
            waiting_on=opening.waiting_on,
            due=opening.due,
            due_at=opening.due_at,
        )
        values = row_of(session)
        del values["id"]
        row = self._run.one(OPEN, **values)
        if row is None:
            raise LookupError("a session of this thread is open")
        session = replace(session, id=row[0])
        self._knows(session)
        self._tell(session, None)
        self.note(session, Step(now, opening.why, state, opening.by, queue=opening.queue, detail=opening.detail))
        self._run.count("sessions", opening.start, opening.origin)
        return session

    def get(self, public_id: str) -> Session | None:
        return self._one(self._run.one(GET, public_id=public_id))

    def by_row(self, row: int) -> Session | None:
        return self._one(self._run.one(BY_ROW, id=row))

    def of_thread(self, thread: int) -> Session | None:
        # while one is open no other begins, so it is the last
        last = self.last_of(thread)
        return last if last is not None and last.open else None

    def of_call(self, call: int) -> Session | None:
        if self._of_calls is None:
            return self._one(self._run.one(OF_CALL, call=call))
        row = self._of_calls.get(call)
        found = self.by_row(row) if row is not None else None
        return found if found is not None and found.open and found.call == call else None

    def promised(self, messages: Collection[int]) -> list[Session]:
        found = self._all(self._run.all(PROMISED, each=json.dumps([[message] for message in messages])))
        return [session for session in found if session.open]

    def last_of(self, thread: int) -> Session | None:
        return self._one(self._run.one(LAST_OF, thread=thread))

    def last_agent(self, peer: str) -> int | None:
        row = self._run.one(LAST_AGENT, peer=peer)
        return row[0] if row else None

    def save(self, session: Session, step: Step) -> Session:
        old = self._seen.get(session.id) or self.by_row(session.id)
        if old is None or old.changed_at != session.changed_at:
            raise LookupError(f"{session.public_id} changed since it was read")
        if not may_move(old.state, session.state) and not (old.open and old.state is session.state):
            raise ValueError(f"{session.public_id} cannot go from {old.state} to {session.state}")
        new = _settled(session, step.at)
        # whoever saves twice at one moment changes it twice
        new = replace(new, changed_at=max(step.at, old.changed_at + _TICK))
        values = row_of(new)
        row: dict[str, object] = {name: values[name] for name in _CHANGES}
        if self._run.change(SAVE, id=new.id, was=micros(old.changed_at), **row) != 1:
            raise LookupError(f"{session.public_id} changed since it was read")
        self._knows(new)
        self._tell(new, old)
        self.note(new, step)
        if not new.open:
            self.close_transfers(new.id, step.why, step.at)
            self._run.count("sessions_over", new.state, step.why)
        return new

    def note(self, session: Session, step: Step) -> None:
        self._run.touch(Touch("session", session.id), Touch("thread", session.thread))
        self._run.change(
            NOTE,
            session_id=session.id,
            at=micros(step.at),
            why=step.why,
            state=step.state,
            by_=step.by,
            agent_id=step.agent,
            queue_id=step.queue,
            detail=step.detail,
        )

    def due(self, now: datetime, most: int) -> list[Session]:
        return self._all(self._run.all(DUE, now=micros(now), most=most))

    def next_due(self) -> datetime | None:
        """Of a session, or of a request to take one."""
        moments = [moment for moment in self._run.one(NEXT_DUE) or () if moment is not None]
        return maybe_moment_of(min(moments, default=None))

    def clock_went_back(self, by: timedelta, now: datetime) -> int:
        self.forget()
        back, at = by // _TICK, micros(now)
        return self._run.change(WENT_BACK, by=back, now=at) + self._run.change(REQUESTS_WENT_BACK, by=back, now=at)

    def queued(self, queue: int | None = None, most: int = 500, besides: Collection[str] = ()) -> list[Session]:
        if queue is None:
            return self._all(self._run.all(ALL_QUEUED, most=most))
        if besides:
            return self._all(self._run.all(QUEUED_BESIDES, queue=queue, most=most, besides=json.dumps(sorted(besides))))
        return self._all(self._run.all(QUEUED, queue=queue, most=most))

    def untold(self, queue: int, most: int) -> list[Session]:
        return self._all(self._run.all(UNTOLD, queue=queue, most=most))

    def with_agent(self, account: int) -> list[Session]:
        mine = self._run.all(WITH_AGENT, account=account)
        return self._all([*mine, *self._run.all(OFFERED_TO, account=account)])

    def loads(self) -> Mapping[int, int]:
        return {account: int(sessions) for account, sessions in self._run.all(LOADS)}

    def of_queue(self, queue: int) -> list[Session]:
        return self._all(self._run.all(OF_QUEUE, queue=queue))

    def declined(self, session: int, since: datetime) -> frozenset[int]:
        shown: dict[int, str] = dict(map(tuple, self._run.all(SHOWN, session=session, since=micros(since))))
        now = self._seen.get(session) or self.by_row(session)
        taken = {account for account, why in shown.items() if why in TOOK}
        return frozenset(shown) - taken - {now.offered_to if now else None}

    def _one(self, row: Row | None) -> Session | None:
        return self._knows(session_of(row)) if row else None

    def _all(self, rows: Iterable[Row]) -> list[Session]:
        return [self._knows(session_of(row)) for row in rows]

    def _knows(self, session: Session) -> Session:
        self._seen[session.id] = session
        if self._of_calls is not None and session.call is not None:
            if session.open:
                self._of_calls[session.call] = session.id
            elif self._of_calls.get(session.call) == session.id:
                del self._of_calls[session.call]
        return session

    def _tell(self, new: Session, old: Session | None) -> None:
        self._concerns(new.agent, new.offered_to, *((old.agent, old.offered_to) if old else ()))


def _settled(session: Session, now: datetime) -> Session:
    """What is over has an end, waits for nothing and is offered to nobody."""
    if session.state not in OVER:
        return session
    return replace(session, ended_at=session.ended_at or now, due=Due.NONE, due_at=None, offered_to=None)

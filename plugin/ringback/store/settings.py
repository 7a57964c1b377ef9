"""Small facts the owner sets while running: pauses, and what the daemon must remember of itself."""

from datetime import datetime

from ringback.core.ids import Kind
from ringback.core.tasks import TaskKind
from ringback.ports.changes import TASKS
from ringback.store.moments import maybe_micros, micros, moment_of
from ringback.store.sql import insert, sql
from ringback.store.tx import Runner, new_id

PUT = insert(
    "setting",
    "key value changed_at changed_by",
    """ON CONFLICT (key) DO UPDATE
    SET value = excluded.value, changed_at = excluded.changed_at, changed_by = excluded.changed_by""",
)
DROP = sql("DELETE FROM setting WHERE key = :key")
GET = sql("SELECT value, changed_at FROM setting WHERE key = :key")
PAUSES = sql("SELECT key, changed_at, changed_by FROM setting WHERE key >= 'pause:' AND key < 'pause;' ORDER BY key")
BEGINNING = sql(
    "SELECT key, value, changed_at, changed_by FROM setting WHERE key >= :first AND key < :beyond ORDER BY key"
)
_OF_THREAD = "JOIN number n ON n.id = t.number_id WHERE"
TASK = sql(
    f"""INSERT INTO task (public_id, key, kind, at, call_id, message_id, thread_id, incoming_id, due_at, detail, did)
    VALUES (:public_id, :key, :kind, :at, :call_id, :message_id, :thread_id, :incoming_id, :due_at, :detail, coalesce(
      (SELECT n.e164 FROM thread t {_OF_THREAD} t.id = :thread_id),
      (SELECT n.e164 FROM message m JOIN thread t ON t.id = m.thread_id {_OF_THREAD} m.id = :message_id),
      (SELECT n.e164 FROM incoming i JOIN thread t ON t.id = i.thread_id {_OF_THREAD} i.id = :incoming_id),
      (SELECT c.did FROM call c WHERE c.id = :call_id), ''))
    ON CONFLICT (key) DO NOTHING"""
)
# what is open is few; these go by the name of the task, whatever is known of how many there are
SETTLE = sql("UPDATE task SET done_at = :at, done_by = :by WHERE key = :key AND coalesce(done_at, 0) = 0")
ABOUT = sql("SELECT kind, did FROM task WHERE public_id = :public_id")
CLOSE = sql("UPDATE task SET done_at = :at, done_by = :by WHERE public_id = :public_id AND coalesce(done_at, 0) = 0")
REOPEN = sql("UPDATE task SET done_at = NULL, done_by = '' WHERE public_id = :public_id AND done_at IS NOT NULL")
OPEN_TASKS = sql("SELECT kind, did, count(*) FROM task WHERE done_at IS NULL AND at >= 0 GROUP BY kind, did")


class Settings:
    def __init__(self, run: Runner) -> None:
        self._run = run

    def put(self, key: str, value: str, now: datetime, by: str) -> None:
        self._run.change(PUT, key=key, value=value, changed_at=micros(now), changed_by=by)

    def drop(self, key: str) -> bool:
        return self._run.change(DROP, key=key) == 1

    def get(self, key: str) -> tuple[str, datetime] | None:
        row = self._run.one(GET, key=key)
        return (row[0], moment_of(row[1])) if row else None

    def pauses(self) -> list[tuple[str, datetime, str]]:
        """What is paused, since when and by whom; keys are `pause:all`, `pause:number:+1...`, `pause:rule:NAME`."""
        return [(key, moment_of(at), by) for key, at, by in self._run.all(PAUSES)]

    def beginning_with(self, prefix: str) -> list[tuple[str, str, datetime, str]]:
        """Settings whose key begins so, as (key, value, changed at, by whom), in the order of their keys."""
        beyond = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        rows = self._run.all(BEGINNING, first=prefix, beyond=beyond)
        return [(key, value, moment_of(at), by) for key, value, at, by in rows]

    def next_epoch(self, now: datetime) -> int:
        """Count up the starts of this database's daemon; attempts carry it, so a fenced-off one is known."""
        known = self.get("epoch")
        epoch = int(known[0]) + 1 if known else 1
        self.put("epoch", str(epoch), now, "daemon")
        return epoch


class Tasks:
    def __init__(self, run: Runner) -> None:
        self._run = run

    def open(self) -> dict[TaskKind, dict[str, int]]:
        """How many things of each kind wait for a person, by the number of ours that they are about, empty for none."""
        found: dict[TaskKind, dict[str, int]] = {}
        for kind, did, count in self._run.all(OPEN_TASKS):
            found.setdefault(TaskKind(kind), {})[did] = count
        return found

    def add(
        self,
        task: TaskKind,
        now: datetime,
        detail: str,
        call_id: int | None = None,
        message_id: int | None = None,
        thread_id: int | None = None,
        incoming_id: int | None = None,
        due_at: datetime | None = None,
        about: int | str | None = None,
    ) -> None:
        """Leave something for a person. The same thing is not left twice, and of a storm there is one a minute."""
        about = call_id or message_id or incoming_id or about or micros(now) // 60_000_000
        self._run.touch(TASKS)
        left = self._run.change(
            TASK,
            public_id=new_id(Kind.TASK, now),
            key=f"{task}:{about}",
            kind=task,
            at=micros(now),
            call_id=call_id,
            message_id=message_id,
            thread_id=thread_id,
            incoming_id=incoming_id,
            due_at=maybe_micros(due_at),
            detail=detail,
        )
        if left == 1:
            self._run.count("tasks", task)

    def settle(self, task: TaskKind, about: int, now: datetime, by: str = "") -> None:
        """What a task about this call or text asked for has happened; nobody need look any more."""
        self._run.touch(TASKS)
        self._run.change(SETTLE, key=f"{task}:{about}", at=micros(now), by=by)

    def about(self, public_id: str) -> tuple[str, str] | None:
        """The kind of a task, and the number of ours that it has to do with; None when there is no such task."""
        row = self._run.one(ABOUT, public_id=public_id)
        return (row[0], row[1]) if row else None

    def close(self, public_id: str, by: str, now: datetime) -> bool:
        """Somebody did it; False when it was done before, or never there."""
        self._run.touch(TASKS)
        return self._run.change(CLOSE, public_id=public_id, by=by, at=micros(now)) == 1

    def reopen(self, public_id: str) -> bool:
        self._run.touch(TASKS)
        return self._run.change(REOPEN, public_id=public_id) == 1

"""What only a person can settle, as the page of tasks shows it: with the text or the call that it is about."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ringback.core.grants import Reach


@dataclass(frozen=True, slots=True)
class TaskText:
    """The text of ours that a task is about."""

    public_id: str
    body: str
    state: str
    state_at: datetime
    carrier: str


@dataclass(frozen=True, slots=True)
class TaskCall:
    """The call that a task is about."""

    public_id: str
    caller: str
    did: str
    peer: str | None
    started_at: datetime
    outcome: str | None


@dataclass(frozen=True, slots=True)
class TaskThread:
    """Whom a task is about, and which number of ours."""

    public_id: str
    did: str
    peer: str
    opted_out: bool


@dataclass(frozen=True, slots=True)
class TaskIncoming:
    """The text of theirs that a task is about."""

    public_id: str
    body: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One task. `kind` is as stored, and `detail` depends on it; `done_by` is a label, `done_name` a person's name."""

    public_id: str
    kind: str
    at: datetime
    due_at: datetime | None
    detail: str
    done_at: datetime | None = None
    done_by: str = ""
    done_name: str = ""
    thread: TaskThread | None = None
    text: TaskText | None = None
    call: TaskCall | None = None
    incoming: TaskIncoming | None = None


@dataclass(frozen=True, slots=True)
class TasksPage:
    """Some tasks, and whether there are more: `more` is then the last one here, to ask on from."""

    tasks: tuple[TaskLine, ...]
    more: str | None = None


class Worklist(Protocol):
    """Reads tasks for the pages. A task that is about no number of ours is within every reach."""

    async def open(self, reach: Reach, after: str | None = None) -> TasksPage:
        """Return what waits: what is due at a time first, by that time; then the rest, oldest first."""

    async def done(self, reach: Reach, before: str | None = None) -> TasksPage:
        """Return what was settled, the latest first."""

    async def task(self, reach: Reach, public_id: str) -> TaskLine | None:
        """Return one task, open or done."""

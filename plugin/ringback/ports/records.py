"""What is kept beside the texts: keys of requests, settings, things for a person."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from ringback.core.tasks import TaskKind


class Idempotency(Protocol):
    """What was asked with a key of the asker's own."""

    def asked(self, principal: str, key: str) -> tuple[str, str] | None:
        """Return what was asked with this key, and the answer; None when it is new."""

    def read_ahead(self, keys: Collection[tuple[str, str]]) -> None:
        """Read what was asked with many keys, each with its principal, for a batch."""

    def keep(self, principal: str, key: str, asked: str, answer: str, now: datetime) -> None: ...

    def forget_old(self, before: datetime, limit: int) -> int: ...


class Settings(Protocol):
    def put(self, key: str, value: str, now: datetime, by: str) -> None: ...
    def drop(self, key: str) -> bool: ...
    def get(self, key: str) -> tuple[str, datetime] | None: ...
    def pauses(self) -> list[tuple[str, datetime, str]]: ...
    def beginning_with(self, prefix: str) -> list[tuple[str, str, datetime, str]]:
        """Settings whose key begins so, as (key, value, changed at, by whom)."""

    def next_epoch(self, now: datetime) -> int: ...


class Tasks(Protocol):
    def open(self) -> dict[TaskKind, dict[str, int]]:
        """How many things of each kind wait for a person, by the number of ours that they are about, empty for none."""

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
        """Leave something for a person; `about` is the row, or another name, of what has no field of its own."""

    def settle(self, task: TaskKind, about: int, now: datetime, by: str = "") -> None: ...
    def about(self, public_id: str) -> tuple[str, str] | None:
        """The kind of a task, and the number of ours that it has to do with, empty for none; None when there is no such
        task."""

    def close(self, public_id: str, by: str, now: datetime) -> bool: ...
    def reopen(self, public_id: str) -> bool: ...


class Repairs(Protocol):
    def mend(self, cure: str, id_: int, now: datetime) -> str:
        """Make one fold anew from what it is the fold of; returns what it is now, or nothing when it cannot be."""

    def set_aside(self, carrier: str, now: datetime) -> list[str]:
        """Refuse waiting texts of a carrier whose columns hold what cannot be read; returns their ids."""

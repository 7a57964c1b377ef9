"""What is kept beside the texts: keys of requests, settings, things for a person."""

from datetime import datetime
from typing import Protocol

from ringback.core.tasks import TaskKind


class Idempotency(Protocol):
    """What was asked with a key of the asker's own."""

    def asked(self, principal: str, key: str) -> tuple[str, str] | None:
        """Return what was asked with this key, and the answer; None when it is new."""

    def keep(self, principal: str, key: str, asked: str, answer: str, now: datetime) -> None: ...

    def forget_old(self, before: datetime) -> None: ...


class Settings(Protocol):
    def put(self, key: str, value: str, now: datetime, by: str) -> None: ...
    def drop(self, key: str) -> bool: ...
    def get(self, key: str) -> tuple[str, datetime] | None: ...
    def pauses(self) -> list[tuple[str, datetime, str]]: ...
    def next_epoch(self, now: datetime) -> int: ...


class Tasks(Protocol):
    def open(self) -> dict[TaskKind, int]: ...
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
        about: int | None = None,
    ) -> None:
        """Leave something for a person; `about` is the row of what has no field of its own."""

    def settle(self, task: TaskKind, about: int, now: datetime, by: str = "") -> None: ...
    def close(self, public_id: str, by: str, now: datetime) -> bool: ...
    def reopen(self, public_id: str) -> bool: ...

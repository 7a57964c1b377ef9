"""Calls as the store keeps them while they are followed."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ringback.core.calls import Call
from ringback.core.triggers import CallDecision


@dataclass(frozen=True, slots=True)
class StoredCall:
    """An open call as the store knows it."""

    id: int
    direction: str
    did: str
    peer: str | None
    answered_at: datetime | None


class Calls(Protocol):
    def begin(self, call: Call, did: str, peer: str | None) -> int | None: ...
    def answered(self, pbx: str, uniqueid: str, at: datetime) -> None: ...
    def ending(self, call: Call, did: str, peer: str | None) -> int | None: ...
    def finish(self, call_id: int, call: Call, did: str, peer: str | None, decision: CallDecision) -> None: ...
    def redecided(self, call_id: int, decision: CallDecision) -> None: ...
    def open_before(self, pbx: str, at: datetime, live: Collection[str]) -> list[StoredCall]: ...
    def close_unseen(self, call_id: int, at: datetime, outcome: str | None, reason: str) -> None: ...
    def lose_sight(self, pbx: str, at: datetime) -> None: ...
    def see_again(self, pbx: str, at: datetime, calls: int) -> None: ...

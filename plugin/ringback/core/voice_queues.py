"""Asterisk's queues as they are now: who waits, who serves, and what state each phone is in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class DeviceState(StrEnum):
    """Asterisk's device states."""

    UNKNOWN = "unknown"
    NOT_INUSE = "not_inuse"
    INUSE = "inuse"
    BUSY = "busy"
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"
    RINGING = "ringing"
    RINGINUSE = "ringinuse"
    ONHOLD = "onhold"

    @property
    def busy(self) -> bool:
        """Whether somebody speaks on it."""
        return self in (DeviceState.INUSE, DeviceState.BUSY, DeviceState.RINGINUSE, DeviceState.ONHOLD)


@dataclass(frozen=True, slots=True)
class VoiceCaller:
    """Somebody who waits in a queue of Asterisk's; `position` counts from 1."""

    uniqueid: str
    position: int
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class VoiceMember:
    """Somebody who serves it: `interface` is what is dialled, `phone` the phone's name alone (`122`)."""

    interface: str
    phone: str
    name: str
    state: DeviceState
    paused: bool = False
    in_call: bool = False
    busy_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class VoiceQueue:
    """A queue of Asterisk's. `hold` and `talk` are Asterisk's own running averages, whole seconds.

    `left` has the last callers who left it, each with who stood before them then: one who left by a key may come back.
    """

    pbx: str
    name: str
    callers: tuple[VoiceCaller, ...] = ()
    members: tuple[VoiceMember, ...] = ()
    hold: timedelta = timedelta(0)
    talk: timedelta = timedelta(0)
    completed: int = 0
    abandoned: int = 0
    strategy: str = ""
    left: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)


class ServedHow(StrEnum):
    """What became of one caller of a voice queue."""

    CONNECTED = "connected"
    ABANDONED = "abandoned"
    LEFT = "left"
    """By a key, by a time-out of the queue, or in a way we did not see."""


@dataclass(frozen=True, slots=True)
class Waited:
    """One caller of a voice queue stopped waiting: what the model of its waits learns from."""

    pbx: str
    queue: str
    uniqueid: str
    how: ServedHow
    waited: timedelta
    at: datetime


@dataclass(frozen=True, slots=True)
class Served:
    """One call of a voice queue came to its end with an agent after `talk`."""

    pbx: str
    queue: str
    interface: str
    talk: timedelta
    at: datetime

"""Whether an agent can take a text now: what they said at the panel, and what their PBX says of their phone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ringback.core.voice_queues import DeviceState


class Presence(StrEnum):
    """From the one that says least to the one that says most; the first that holds is shown."""

    LOGGED_OUT = "logged_out"
    AWAY = "away"
    UNREGISTERED = "unregistered"
    DND = "dnd"
    PAUSED = "paused"
    ON_CALL = "on_call"
    READY = "ready"


TAKES = frozenset({Presence.READY, Presence.ON_CALL})
"""New sessions may be given to them; on a call they carry less."""
GONE = frozenset({Presence.LOGGED_OUT, Presence.UNREGISTERED})
"""Their sessions go back to the queue after a while."""


class AtDesk(StrEnum):
    """What an agent said at the panel, or by command."""

    READY = "ready"
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class Phone:
    """What the PBX says of an agent's phone. `paused`: in every queue they are in; `dnd`: do not disturb."""

    state: DeviceState
    paused: bool = False
    dnd: bool = False


@dataclass(frozen=True, slots=True)
class AgentNow:
    """An agent at this moment. `on_call` may hold beside any presence.

    `awaited`: Ringback was started a moment ago and no page of theirs is open again yet. Until their time is over they
    are shown as if one were, and are given nothing.
    """

    account: int
    presence: Presence
    since: datetime
    on_call: bool = False
    awaited: bool = False


Present = Mapping[int, AgentNow]
"""Everybody who is an agent, by the row of their account."""


def presence_of(desk: AtDesk, here: bool, phone: Phone | None) -> Presence:
    """Name the presence: `here` says that a page of theirs is open; None is an agent without a phone that we see."""
    if not here:
        return Presence.LOGGED_OUT
    if desk is AtDesk.AWAY:
        return Presence.AWAY
    if phone is None:
        return Presence.READY
    if phone.state in (DeviceState.UNAVAILABLE, DeviceState.INVALID):
        return Presence.UNREGISTERED
    if phone.dnd:
        return Presence.DND
    if phone.paused:
        return Presence.PAUSED
    return Presence.ON_CALL if phone.state.busy else Presence.READY

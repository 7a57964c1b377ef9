"""What state each phone of a PBX is in, by its name alone, and who does not want to be disturbed."""

from collections.abc import Iterable

from ringback.asterisk.codec import Event
from ringback.asterisk.plain import plain
from ringback.core.voice_queues import DeviceState

MOST_DEVICES = 20_000
"""A PBX that tells of more than this is heard no further."""
DND = ("Custom:DND", "Custom:DEVDND")
"""What FreePBX turns on with *78, and what anybody's dialplan may: `Set(DEVICE_STATE(Custom:DND122)=BUSY)`."""
NOT_DND = frozenset({DeviceState.NOT_INUSE, DeviceState.UNKNOWN, DeviceState.INVALID, DeviceState.UNAVAILABLE})
BY_NUMBER = (
    *(DeviceState.UNKNOWN, DeviceState.NOT_INUSE, DeviceState.INUSE, DeviceState.BUSY, DeviceState.INVALID),
    *(DeviceState.UNAVAILABLE, DeviceState.RINGING, DeviceState.RINGINUSE, DeviceState.ONHOLD),
)
"""`Status` of a member of a queue."""
_STATES = {state.value.upper(): state for state in DeviceState}
# One name at two technologies is one person's: whoever speaks on either speaks, and one that is there is enough.
_SAYS_MOST = (
    *(DeviceState.RINGINUSE, DeviceState.INUSE, DeviceState.ONHOLD, DeviceState.BUSY, DeviceState.RINGING),
    *(DeviceState.NOT_INUSE, DeviceState.UNKNOWN, DeviceState.UNAVAILABLE, DeviceState.INVALID),
)
_RANK = {state: place for place, state in enumerate(_SAYS_MOST)}


def phone_of(interface: str) -> str:
    """The name of a phone alone: `PJSIP/122`, `SIP/122` and FreePBX's `Local/122@from-queue/n` are all `122`."""
    kind, slash, name = interface.partition("/")
    if not slash:
        return plain(interface)
    return plain(name.partition("@")[0].partition("/")[0] if kind == "Local" else name)


def state_of(number: str) -> DeviceState:
    """The state that a queue writes as a number."""
    return BY_NUMBER[int(number)] if len(number) == 1 and number in "012345678" else DeviceState.UNKNOWN


class Devices:
    """The phones of one PBX. Memory is bounded, whatever Asterisk sends."""

    def __init__(self) -> None:
        self._states: dict[str, dict[str, DeviceState]] = {}
        self._dnd: dict[str, set[str]] = {}
        self._known = 0

    def reset(self, lines: Iterable[Event]) -> None:
        """Begin anew with a fresh list."""
        self._states, self._dnd, self._known = {}, {}, 0
        for line in lines:
            self.receive(line)

    def receive(self, event: Event) -> None:
        """Take one state in."""
        device, state = event.get("Device"), _STATES.get(event.get("State"))
        if state is None:
            return
        for prefix in DND:
            if device.startswith(prefix):
                self._disturb(plain(device.removeprefix(prefix)), prefix, state)
        kind, slash, name = device.partition("/")
        if slash and ":" not in kind and kind != "Local":
            self._put(plain(name), plain(kind), state)

    def _put(self, name: str, kind: str, state: DeviceState) -> None:
        kinds = self._states.get(name, {})
        if kind not in kinds:
            if self._known >= MOST_DEVICES:
                return
            self._known += 1
        self._states.setdefault(name, kinds)[kind] = state

    def _disturb(self, name: str, how: str, state: DeviceState) -> None:
        if state in NOT_DND:
            self._dnd.get(name, set()).discard(how)
            if not self._dnd.get(name, {how}):
                del self._dnd[name]
        elif name in self._dnd or len(self._dnd) < MOST_DEVICES:
            self._dnd.setdefault(name, set()).add(how)

    def state(self, name: str) -> DeviceState | None:
        """How the phone is; None for one that was never heard of."""
        kinds = self._states.get(name)
        return None if kinds is None else min(kinds.values(), key=_RANK.__getitem__)

    def dnd(self, name: str) -> bool:
        return name in self._dnd

    def differs(self, other: "Devices") -> bool:
        """Whether any phone that both know is in another state there."""
        return any(name in other._states and other._states[name] != kinds for name, kinds in self._states.items())

    def remembered(self) -> int:
        """How many states are held."""
        return self._known + len(self._dnd)

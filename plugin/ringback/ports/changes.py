"""What just changed in the database, so that whoever shows it can look again."""

from collections.abc import Collection
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol


class Touch(NamedTuple):
    """One thing a flush changed: (`thread`, row id), (`message`, row id), (`peer`, E.164) for calls, (`tasks`, 0)."""

    what: str
    which: int | str


ANY_THREAD = Touch("threads", 0)
"""Some thread or text changed; lists listen for it."""
ANY_CALL = Touch("calls", 0)
TASKS = Touch("tasks", 0)
BULKS = Touch("bulks", 0)
"""Some run to many people began, or was paused, resumed or called off."""
GRANTS = Touch("grants", 0)
"""Who may what is another now: a grant, a department, a role, who owns a number."""
SESSIONS = Touch("sessions", 0)
"""Some session moved; Touch("agent", account row) is rung for the agents it concerns beside it."""
QUEUES = Touch("queues", 0)
"""A text queue, its members, or what an agent carries is another now."""
VOICE = Touch("voice", 0)
"""A queue of Asterisk's is another now: a caller came or went, or somebody who serves it; told without a flush."""
PRESENCE = Touch("presence", 0)
"""Some agent came, went, or took a call; told without a flush."""


class Counted(NamedTuple):
    """One thing of which a transaction did one, for the figures: what, and its labels in their order."""

    what: str
    labels: tuple[str, ...]


class Watch(Protocol):
    """One reader that waits for changes of some things. Changes between two waits are not lost."""

    def of(self, touches: Collection[Touch]) -> None:
        """Say what to listen for from now on."""

    async def wait(self) -> None:
        """Return when one of them changed since the last wait."""


class Changes(Protocol):
    """Tells readers of changes after they are on disk."""

    def watch(self) -> AbstractContextManager[Watch]: ...

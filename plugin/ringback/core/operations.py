"""Every operation on every surface has a row that says what it asks: whether one may at all, of what, and which way.

The rows stand beside their surface (panel/operations.py, api, cli/operations.py). A route, stream or command without a
row does not start, and the tests of the permission matrix are made from the rows.
"""

from dataclasses import dataclass
from enum import StrEnum

from ringback.core.grants import Way
from ringback.core.permissions import Action


class Surface(StrEnum):
    """Where it is asked for."""

    PAGE = "page"
    STREAM = "stream"
    PROGRAM = "program"
    COMMAND = "command"


class Free(StrEnum):
    """What asks for no action: who may come in all the same."""

    ANYBODY = "anybody"
    """Anybody, also somebody who is not logged in."""
    LOGGED_IN = "logged_in"
    """Whoever is logged in."""
    MACHINE = "machine"
    """Whoever sits at this machine: the handsets of the loopback carrier, commands."""


class About(StrEnum):
    """What an operation is about, and so how far it reaches."""

    HOUSE = "house"
    """The same for everybody who may."""
    OWN = "own"
    """Whoever asks."""
    PERSON = "person"
    """Another user, or a department."""
    KEY = "key"
    CARRIER = "carrier"
    LIST = "list"
    """Things of many numbers, of which only those within reach are shown."""
    THREAD = "thread"
    TEXT = "text"
    CALL = "call"
    TASK = "task"
    RUN = "run"
    NUMBER = "number"
    SESSION = "session"
    QUEUE = "queue"
    """A text queue."""


OF_A_NUMBER = frozenset({About.THREAD, About.TEXT, About.CALL, About.TASK, About.RUN, About.SESSION})
"""What belongs to one of our numbers: whoever may not see that number is told that there is no such thing."""


@dataclass(frozen=True, slots=True)
class Operation:
    """`method` and `path` as the router has them, or a command's name as the path. `way` is what it takes with the
    number it is about, beside being allowed to see it."""

    surface: Surface
    method: str
    path: str
    needs: Action | Free
    about: About = About.HOUSE
    way: Way | None = None
    body: int = 0
    """Bytes that may be sent; 0 for what a form of words needs. Whoever brings a file brings more."""

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}".strip()

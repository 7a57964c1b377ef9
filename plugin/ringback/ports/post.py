"""Mail that we send: a link for a password, a word to somebody who must know."""

from dataclasses import dataclass
from typing import Protocol

from ringback.errors import RingbackError


class PostFault(RingbackError):
    """The letter was not taken; the text says why."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to one person."""

    to: str
    subject: str
    text: str


class Post(Protocol):
    """The server that takes our mail."""

    async def send(self, letter: Letter) -> None:
        """Hand it over. Raises PostFault."""
        ...

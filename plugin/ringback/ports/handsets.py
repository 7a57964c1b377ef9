"""The handsets of a loopback carrier, as the page that shows them needs them."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from ringback.core.messages import ReceiptStatus
from ringback.ports import MediaLink


class Behaviour(StrEnum):
    """How the line to a handset behaves."""

    DELIVERS = "delivers"
    UNDELIVERS = "undelivers"
    """Takes the text, and says later that the handset could not be reached."""
    LATE = "late"
    """The receipts come after `late_after`."""
    REPEATS = "repeats"
    """The receipts come twice, and in the wrong order."""
    NO_RECEIPTS = "no_receipts"
    REFUSES = "refuses"
    BLOCKS = "blocks"
    THROTTLES = "throttles"
    AWAY = "away"
    SILENT = "silent"
    """Takes the text and never answers."""
    ANSWER_LOST = "answer_lost"
    """Takes the text, the answer is lost, but the receipts come."""


class Passage(StrEnum):
    """How what is written on a handset comes to us."""

    WHOLE = "whole"
    IN_PARTS = "in_parts"
    """Cut as on the air; a text of one part is cut in two, so that joining can be seen with any."""
    MIXED_UP = "mixed_up"
    """In parts, the last one first."""
    PART_MISSING = "part_missing"
    """In parts, and the last one never comes."""
    TWICE = "twice"
    """A second time with the same id."""
    WITHOUT_ID = "without_id"


@dataclass(frozen=True, slots=True)
class HandsetText:
    """A text on a handset that exists only here. `version` grows with each change on any handset of the carrier.

    `mine` was written on the handset: `sender` is the handset then, `to` a number of ours, and nothing of ours has
    `attempt` or `message`. Its `receipt` is DELIVERED once it has been read from the line.
    """

    attempt: str
    message: str
    sender: str
    to: str
    text: str
    at: datetime
    provider_id: str
    version: int
    receipt: ReceiptStatus | None = None
    mine: bool = False
    media: tuple[MediaLink, ...] = ()

    @property
    def handset(self) -> str:
        """The number of the handset it lies on."""
        return self.sender if self.mine else self.to

    @property
    def ours(self) -> str:
        """Our number at the other end."""
        return self.to if self.mine else self.sender


class Handsets(Protocol):
    """What can be seen and done on the handsets."""

    life: str
    """Changes with each start: versions of another life mean nothing."""

    def numbers(self) -> tuple[str, ...]:
        """Say which handsets have texts, the last used first."""

    def handset(self, number: str) -> tuple[HandsetText, ...]:
        """Return the texts on one handset, oldest first."""

    def watch(self, number: str, since: int = 0) -> AsyncGenerator[HandsetText, None]:
        """Yield each text that is new or changed after version `since`, in that order, and go on for ever."""

    def say(
        self,
        number: str,
        to: str,
        text: str,
        passage: Passage = Passage.WHOLE,
        media: Sequence[MediaLink] = (),
    ) -> str:
        """Write a text on a handset to a number of ours. Returns its id on the handset.

        Raises SendFailed when the line cannot take it now; nothing is said then.
        """

    def behave(self, number: str, behaviour: Behaviour) -> None:
        """Make the line to one number behave so from now on."""

    def behaviour(self, number: str) -> Behaviour:
        """Say how the line to one number behaves."""

"""Everything that is known of one person, as it is written out for whoever asks for it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ringback.ports.lists import Entry as Listed
from ringback.ports.record import Entry
from ringback.ports.stories import Stories


@dataclass(frozen=True, slots=True)
class Waits:
    """A place in a run to many people, from which no text was made yet. `words` fill in its text."""

    run: str
    words: str


@dataclass(frozen=True, slots=True)
class Quiet:
    """Until when a rule leaves somebody alone after a text."""

    rule: str
    did: str
    until: datetime


@dataclass(frozen=True, slots=True)
class NotTextable:
    """That texts to this number were found not to arrive, and until when that is believed."""

    reason: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """What there is. `record` are the rows of the record about the person's threads, texts, calls and tasks."""

    number: str
    stories: Stories
    listed: tuple[Listed, ...]
    waits: tuple[Waits, ...]
    quiet: tuple[Quiet, ...]
    not_textable: tuple[NotTextable, ...]
    record: tuple[Entry, ...]

    def __bool__(self) -> bool:
        return bool(self.stories) or any((self.listed, self.waits, self.quiet, self.not_textable, self.record))


class ReadPerson(Protocol):
    """Looks a person up in all places."""

    async def known(self, number: str) -> Known: ...

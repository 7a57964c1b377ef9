"""The calls as a list: what the page of all calls shows of each, newest first."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from ringback.core.grants import Reach
from ringback.ports.stories import CallStory


class Group(StrEnum):
    """Which calls: all of them; those that ended without a person; of these, with a text asked for, and without."""

    ALL = "all"
    UNANSWERED = "unanswered"
    WITH_TEXT = "with_text"
    WITHOUT_TEXT = "without_text"


@dataclass(frozen=True, slots=True)
class CallFilter:
    """What to look for: calls that began from `since` on and before `until`, of the person with this E.164 number."""

    group: Group = Group.ALL
    since: datetime | None = None
    until: datetime | None = None
    peer: str | None = None


@dataclass(frozen=True, slots=True)
class CallLine:
    """One call. Codes are as they are stored: a newer Ringback may have written some that this one does not know.

    `thread` is the public id of the thread of this pair; `text` the state of the text that the rule sent, `text_reason`
    what holds it; `waits_until` is when a text is due that waits out its rule's delay.
    """

    public_id: str
    direction: str
    caller: str
    did: str
    peer: str | None
    presentation: str
    started_at: datetime
    ended_at: datetime | None
    rang: timedelta | None
    waited: timedelta | None
    outcome: str | None
    decision: str | None
    reason: str | None
    rule: str | None
    until_at: datetime | None
    thread: str | None
    text: str | None
    text_reason: str | None
    waits_until: datetime | None


@dataclass(frozen=True, slots=True)
class CallsPage:
    """Some calls, and whether there are older ones: `older` is then the last one here, to ask on from."""

    calls: tuple[CallLine, ...]
    older: str | None = None


class Callbook(Protocol):
    """Reads calls for the pages. A call to outside is of no number of ours, so only whoever may see everything sees
    it by itself."""

    async def page(self, reach: Reach, wanted: CallFilter, before: str | None = None) -> CallsPage:
        """Return calls, newest first; `before` is the public id of the last one seen."""

    async def story(self, reach: Reach, public_id: str) -> CallStory | None:
        """Return all that is known of one call."""

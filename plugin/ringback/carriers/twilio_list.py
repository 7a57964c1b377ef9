"""The rows of Twilio's list of texts: www.twilio.com/docs/messaging/api/message-resource, "read multiple"."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

SID = re.compile(r"[A-Z]{2}[0-9a-fA-F]{32}")
"""An id: two letters for its kind, SM and MM for texts."""


@dataclass(frozen=True, slots=True)
class Row:
    """A text as the list has it."""

    sid: str
    direction: str
    sender: str
    to: str
    text: str
    status: str
    error: str
    at: datetime
    changed_at: datetime
    media: str


def read_row(row: object) -> Row | None:
    """Read one row of the list; None for what has neither id nor date."""
    if not isinstance(row, dict):
        return None
    words = {name: str(value) for name, value in row.items() if isinstance(value, str | int)}
    sid = words.get("sid", "")
    at = _moment(words.get("date_sent")) or _moment(words.get("date_created"))
    if not SID.fullmatch(sid) or at is None:
        return None
    places = row.get("subresource_uris")
    media = str(places.get("media", "")) if isinstance(places, dict) and words.get("num_media", "0") != "0" else ""
    return Row(
        sid=sid,
        direction=words.get("direction", ""),
        sender=words.get("from", ""),
        to=words.get("to", ""),
        text=words.get("body", ""),
        status=words.get("status", ""),
        error=words.get("error_code", ""),
        at=at,
        changed_at=_moment(words.get("date_updated")) or at,
        media=media if media.startswith("/2010-04-01/") else "",
    )


def _moment(words: str | None) -> datetime | None:
    """Read an RFC 2822 date, as in `Fri, 20 Nov 2026 15:00:00 +0000`."""
    try:
        read = parsedate_to_datetime(words or "")
        return read.replace(tzinfo=read.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None

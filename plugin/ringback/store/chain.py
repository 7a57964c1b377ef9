"""The chain of the record: each row is sealed with the one before it, so that a change made by hand shows.

Histories of texts are too many to be chained one by one; now and then a digest of the newest enters the record.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ringback.store.tx import Row

DIGEST = "digest"
"""The action of a row whose detail is the digest of the events its `about` names."""

_SPAN = re.compile(r"message_event (\d+)-(\d+) \((\d+)\)")


def link(before: str, at: int, who: str, action: str, about: str, detail: str) -> str:
    """The seal of a row, from the seal of the row before it and its own words."""
    words = json.dumps([before, at, who, action, about, detail], separators=(",", ":"))
    return hashlib.sha256(words.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Fault:
    row: int
    what: str


def first_fault(rows: Iterable[Row], dropped: int) -> Fault | None:
    """The first row, in order, that does not fit the one before it; rows of before there was a chain have no seal.

    Rows up to `dropped` went when their time was over, so the seal of the first one that is left stands for itself.
    """
    before = ""
    for number, (id_, at, who, action, about, detail, chained) in enumerate(rows):
        if not before and not chained:
            continue
        if (number or not dropped) and chained != link(before, at, who, action, about, detail):
            return Fault(id_, "was changed, or a row before it was changed, taken out or put in")
        before = chained
    return None


@dataclass(frozen=True, slots=True)
class Span:
    """Events from one row to another, and how many there were."""

    first: int
    last: int
    count: int

    def __str__(self) -> str:
        return f"message_event {self.first}-{self.last} ({self.count})"


def span_of(about: str) -> Span | None:
    found = _SPAN.fullmatch(about)
    return Span(*map(int, found.groups())) if found else None


def digest(events: Sequence[Row]) -> str:
    """Of rows as (id, message_id, at, state, reason). Their words are not sealed: an erasure takes them out."""
    return hashlib.sha256(json.dumps(list(map(list, events)), separators=(",", ":")).encode()).hexdigest()

"""The record of who did what, read a second time: a chain from its first row on, with sums of the steps of texts."""

import json
from collections.abc import Iterator, Sequence
from hashlib import sha256
from operator import itemgetter

from tests.crash.ledgers import Row

SEALED = ("at", "who", "action", "about", "detail")
STEP = ("id", "message_id", "at", "state", "reason")


def faults(audit: Sequence[Row], steps: Sequence[Row]) -> Iterator[tuple[str, Row]]:
    """What does not fit, with the row that shows it. Nothing of a run is old enough to be gone from the record."""
    before: object = ""
    for row in sorted(audit, key=itemgetter("id")):
        if row["chain"] != total([before, *(row[name] for name in SEALED)]):
            yield "the record does not go on from the row before", row
        before = row["chain"]
        if row["action"] == "digest" and row["detail"] != sealed(str(row["about"]), steps):
            yield f"not as it was sealed: {row['about']}", row


def sealed(about: str, steps: Sequence[Row]) -> str:
    """The sum of the steps that `message_event 1-20 (20)` names."""
    first, last = map(int, about.split()[1].split("-"))
    named = (row for row in sorted(steps, key=itemgetter("id")) if first <= int(str(row["id"])) <= last)
    return total([[row[name] for name in STEP] for row in named])


def total(what: object) -> str:
    return sha256(json.dumps(what, separators=(",", ":")).encode()).hexdigest()

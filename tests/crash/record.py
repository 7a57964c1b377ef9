"""The record of who did what, read a second time: a chain from its first row on, with sums of the steps of texts."""

import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from operator import itemgetter

from tests.crash.ledgers import Row

SEALED = ("at", "who", "action", "about", "detail")
MORE = ("source", "request", "before", "after")
STEP = ("id", "message_id", "at", "state", "reason")
Keys = Mapping[str, bytes]


def faults(audit: Sequence[Row], steps: Sequence[Row], keys: Keys) -> Iterator[tuple[str, Row]]:
    """What does not fit, with the row that shows it. Nothing of a run is old enough to be gone from the record."""
    before: object = ""
    last = 0
    for row in sorted(audit, key=itemgetter("id")):
        form, _, rest = str(row["chain"]).partition(":")
        if rest and row["id"] != last + 1:
            yield "a row of the record is missing before this one", row
        if row["chain"] != (with_key(before, row, keys, rest.partition(":")[0]) if rest else plain(before, row)):
            yield f"the record does not go on from the row before (form {form if rest else 1})", row
        before, last = row["chain"], int(str(row["id"]))
        if row["action"] == "digest" and row["detail"] != sealed(str(row["about"]), steps):
            yield f"not as it was sealed: {row['about']}", row


def plain(before: object, row: Row) -> str:
    """Form 1, of before there was a key."""
    return total([before, *(row[name] for name in SEALED)])


def with_key(before: object, row: Row, keys: Keys, key: str) -> str:
    """Form 2, which only whoever has the key can make."""
    words = [before, row["id"], *(row[name] for name in (*SEALED, *MORE))]
    data = json.dumps(words, separators=(",", ":")).encode()
    return f"2:{key}:{hmac.new(keys.get(key, b''), data, sha256).hexdigest()}"


def sealed(about: str, steps: Sequence[Row]) -> str:
    """The sum of the steps that `message_event 1-20 (20)` names."""
    first, last = map(int, about.split()[1].split("-"))
    named = (row for row in sorted(steps, key=itemgetter("id")) if first <= int(str(row["id"])) <= last)
    return total([[row[name] for name in STEP] for row in named])


def total(what: object) -> str:
    return sha256(json.dumps(what, separators=(",", ":")).encode()).hexdigest()

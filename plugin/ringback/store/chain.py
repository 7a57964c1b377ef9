"""The chain of the record: each row is sealed with the one before it, so that a change made by hand shows.

Form 2 is an HMAC with a key that is not in the database: `2:KEY:HEX`. Rows of before there was a key have form 1, a
plain SHA-256, and those of before there was a chain have none. In form 2 a row knows its number, and numbers have no
gaps, so that what is missing has a name.

Histories of texts are too many to be chained one by one; now and then a digest of the newest enters the record.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ringback.keyfile import Key
from ringback.ports.record import Fault, Head
from ringback.store.anchors import Anchor
from ringback.store.moments import micros
from ringback.store.tx import Row

DIGEST = "digest"
"""The action of a row whose detail is the digest of the events its `about` names."""
AGED = "forget_record"
"""The action of a row that says up to which row the record was dropped for its age; `before` has that row's seal."""
PUT_BACK = "put_back"
"""The action of a row that says that the database was put back: what was anchored before it may be gone."""

SEALED = "id at who action about detail source request before after chain"
"""The columns of a row as `walk` takes them."""
FORM_2 = "2"

_SPAN = re.compile(r"message_event (\d+)-(\d+) \((\d+)\)")
_ROWS = re.compile(r"rows? (\d+)(?:-(\d+))?")


@dataclass(frozen=True, slots=True)
class Words:
    """What a row says, all of which is sealed."""

    at: int
    who: str
    action: str
    about: str
    detail: str
    source: str = ""
    request: str = ""
    before: str = ""
    after: str = ""

    @property
    def plain(self) -> list[object]:
        return [self.at, self.who, self.action, self.about, self.detail]

    @property
    def more(self) -> list[str]:
        return [self.source, self.request, self.before, self.after]


def link(before: str, words: Words) -> str:
    """The seal of form 1, which anybody can make: from the seal of the row before it and its own words."""
    # rows of before had no more than five words, and none of the others is there without being sealed
    more = words.more if any(words.more) else []
    return hashlib.sha256(_as_bytes([before, *words.plain, *more])).hexdigest()


def seal(key: Key, before: str, row: int, words: Words) -> str:
    """The seal of form 2."""
    mac = hmac.digest(key.secret, _as_bytes([before, row, *words.plain, *words.more]), "sha256").hex()
    return f"{FORM_2}:{key.id}:{mac}"


def _as_bytes(what: object) -> bytes:
    return json.dumps(what, separators=(",", ":")).encode()


def has_key(sealed: str) -> bool:
    """Whether it is a seal of form 2."""
    return sealed.startswith(f"{FORM_2}:")


def rows_words(first: int, last: int) -> str:
    return f"row {first}" if first == last else f"rows {first}-{last}"


def last_of(about: str) -> int:
    """The last row that words such as `rows 1-200` name; 0 for other words."""
    found = _ROWS.fullmatch(about)
    return int(found[2] or found[1]) if found else 0


@dataclass(frozen=True, slots=True)
class Begin:
    """Where the record begins, after rows whose time was over: the last of those, and its seal if a row says it."""

    dropped: int = 0
    seal: str | None = None


NOTHING = Head(0, "")
WHOLE = Begin()


@dataclass(slots=True)
class Walk:
    """One look through the record. `keys` are None where nobody has them: then seals of form 2 are not proven."""

    keys: Mapping[str, Key] | None
    begin: Begin = WHOLE
    anchors: Sequence[Anchor] = ()
    rows: int = 0
    head: Head = NOTHING
    notes: list[str] = field(default_factory=list)
    _put_back: int = 0
    _keyed: bool = False
    _unproven: int = 0
    _bare: int = 0
    """The first row that has no key's seal although there was a key: the first anchor was dropped before it."""
    _at_anchors: dict[int, str] = field(default_factory=dict)

    def through(self, rows: Iterable[Row]) -> Fault | None:
        """Give the first row, in order, that is wrong. Those behind it cannot be judged."""
        wanted = {anchor.row for anchor in self.anchors}
        self.head = Head(self.begin.dropped if self.begin.seal is not None else 0, self.begin.seal or "")
        for number, (id_, *columns, sealed) in enumerate(rows):
            words = Words(*columns)
            if what := self._wrong(number, id_, words, sealed):
                return what
            self.rows, self.head = number + 1, Head(id_, sealed)
            if not self._bare and self.anchors and id_ > self.anchors[0].row and not has_key(sealed):
                self._bare = id_
            if id_ in wanted:
                self._at_anchors[id_] = sealed
            if words.action == PUT_BACK and has_key(sealed):
                self._put_back = words.at
        if self._unproven:
            self.notes.append(f"{self._unproven} rows are sealed with a key that is not here, so they are not proven")
        if self._bare and self._put_back < micros(self.anchors[0].at):
            return Fault(self._bare, "was sealed without the key")
        return self._off_its_anchor()

    def _wrong(self, number: int, id_: int, words: Words, sealed: str) -> Fault | None:
        if has_key(sealed):
            return self._wrong_with_key(number, id_, words, sealed)
        if self._keyed:
            return Fault(id_, "has no seal" if not sealed else "was sealed without the key")
        if not sealed and not self.head.seal:
            return None
        first = number == 0 and self.begin.dropped and self.begin.seal is None
        if not first and sealed != link(self.head.seal, words):
            return Fault(id_, "was changed, or a row before it was changed, taken out or put in")
        return None

    def _wrong_with_key(self, number: int, id_: int, words: Words, sealed: str) -> Fault | None:
        self._keyed = True
        expected = self.head.row + 1
        if id_ > expected and (number or self.begin.seal is not None or not self.begin.dropped):
            some = id_ - expected > 1
            return Fault(expected, f"to row {id_ - 1} were taken out" if some else "was taken out")
        _, key_id, _ = sealed.split(":", 2) if sealed.count(":") > 1 else ("", "", "")
        key = None if self.keys is None else self.keys.get(key_id)
        if self.keys is None:
            self._unproven += 1
        elif key is None:
            return Fault(id_, f"was sealed with a key that is not ours ({key_id or 'none'})")
        elif not hmac.compare_digest(sealed, seal(key, self.head.seal, id_, words)):
            return Fault(id_, "was changed or put in, or another row stands in its place")
        return None

    def _off_its_anchor(self) -> Fault | None:
        for anchor in self.anchors:
            there = self._at_anchors.get(anchor.row)
            if there == anchor.seal or anchor.row <= max(self.begin.dropped, 0):
                continue
            if self._put_back >= micros(anchor.at):
                self.notes.append(f"row {anchor.row} as it was at {anchor.at:%Y-%m-%d %H:%M} went with a restore")
                continue
            if there is None and anchor.row > self.head.row:
                return Fault(
                    self.head.row + 1, f"to row {anchor.row} were cut off: at {anchor.at:%Y-%m-%d %H:%M} they were here"
                )
            return Fault(anchor.row, f"is not what it was at {anchor.at:%Y-%m-%d %H:%M}, when it was anchored")
        return None


def first_fault(rows: Iterable[Row], dropped: int) -> Fault | None:
    """The first row that is wrong, as far as it shows without a key. `dropped` is the last that went for its age."""
    return Walk(None, Begin(dropped)).through(rows)


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

"""What a batch knows of attempts: read once for all, and kept true while their outcomes and receipts are stored."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ringback.core.messages import PartState, State
from ringback.store.sql import for_each
from ringback.store.tx import Question, Row, Runner, Values

# CROSS JOIN has SQLite go from what is asked for, and not through the table.
_OPENED = """SELECT a.id, a.part_id, a.message_id, a.carrier, a.outcome IS NULL, a.cause, a.provider_key,
    m.state, p.state, m.carrier FROM {{each}} CROSS JOIN attempt a
    JOIN message m ON m.id = a.message_id JOIN part p ON p.id = a.part_id WHERE {} AND
    (SELECT o.id FROM part o WHERE o.message_id = a.message_id AND o.id <> a.part_id LIMIT 1) IS NULL ORDER BY a.id"""
BY_ID = for_each(_OPENED.format("a.id = each.id"), id="bigint")
BY_KEY = for_each(_OPENED.format("a.carrier = :carrier AND a.provider_key = each.name"), name="text")
BY_PUBLIC_ID = for_each(_OPENED.format("a.public_id = each.name"), name="text")
RECEIVED = for_each(
    """SELECT r.provider_id, r.status, r.carrier_at FROM {each} CROSS JOIN receipt r
    WHERE r.carrier = :carrier AND r.provider_id = each.name""",
    name="text",
)
PARKED_KEYS = for_each(
    """SELECT r.provider_key FROM {each} CROSS JOIN receipt_parked r
    WHERE r.carrier = :carrier AND r.provider_key = each.name""",
    name="text",
)


@dataclass(slots=True)
class Text:
    """A text of one part, as it stands by now."""

    state: State
    part: PartState
    carrier: str


@dataclass(slots=True)
class Opened:
    """An attempt, as it stands by now."""

    id: int
    part: int
    message: int
    carrier: str
    open: bool
    cause: str
    text: Text


class Attempts:
    """A memory of the writer's transaction. It leaves out texts of several parts."""

    tables = frozenset({"attempt", "part", "message", "receipt"})

    def __init__(self, run: Runner) -> None:
        self._run = run
        self._by_id: dict[int, Opened] = {}
        self._by_key: dict[tuple[str, str], Opened | None] = {}
        self._texts: dict[int, Text] = {}
        self._received: dict[tuple[str, str], set[tuple[str, int]]] = {}
        self._parked: dict[tuple[str, str], bool] = {}
        run.remember(self)

    def forget(self) -> None:
        if self._by_id or self._by_key or self._parked:
            for memory in (self._by_id, self._by_key, self._texts, self._received, self._parked):
                memory.clear()

    def read(self, carrier: str, ids: Iterable[int], keys: Iterable[str]) -> None:
        """Read attempts, and which of the texts of these names have receipts that came before them."""
        self._parked |= dict.fromkeys(((carrier, key) for key in keys), False)
        names = [key for of, key in self._parked if of == carrier]
        parked: Question = (PARKED_KEYS, {"carrier": carrier, "each": _each(names)})
        found, early = self._run.ask((BY_ID, {"each": _each(ids)}), parked)
        for row in found:
            self._remember(row)
        self._parked |= {(carrier, key): True for (key,) in early}

    def read_received(self, carrier: str, keys: Collection[str], public_ids: Collection[str]) -> None:
        """Read the attempts that receipts speak of, and the receipts that came before."""
        self._by_key |= {(carrier, key): None for key in keys}
        named: Values = {"carrier": carrier, "each": _each(keys)}
        found, found_by_ours, received = self._run.ask(
            (BY_KEY, named), (BY_PUBLIC_ID, {"each": _each(public_ids)}), (RECEIVED, named)
        )
        for row in found:
            self._by_key[carrier, row[6]] = self._remember(row)  # the newest comes last
        for row in found_by_ours:
            self._remember(row)
        for name in keys:
            self._received[carrier, name] = set()
        for name, status, at in received:
            self._received[carrier, name].add((status, at))

    def _remember(self, row: Row) -> Opened:
        known = self._by_id.get(row[0])
        if known is None:
            text = self._texts.setdefault(row[2], Text(State(row[7]), PartState(row[8]), row[9]))
            known = self._by_id[row[0]] = Opened(row[0], row[1], row[2], row[3], bool(row[4]), row[5] or "", text)
        return known

    def of(self, attempt: int) -> Opened | None:
        return self._by_id.get(attempt)

    def by_key(self, carrier: str, key: str) -> Opened | None:
        return self._by_key.get((carrier, key))

    def named(self, carrier: str, key: str) -> None:
        """An attempt got this name: which one it stands for now is to be looked up."""
        self._by_key.pop((carrier, key), None)

    def has_parked(self, carrier: str, key: str) -> bool:
        """Whether receipts may wait for this name; only False is certain."""
        return self._parked.get((carrier, key), True)

    def parked(self, carrier: str, key: str) -> None:
        self._parked.pop((carrier, key), None)

    def received(self, carrier: str, name: str) -> set[tuple[str, int]] | None:
        """Receipts of this name that are kept by now; None where nothing was read ahead."""
        return self._received.get((carrier, name))

    def text(self, message: int) -> Text | None:
        return self._texts.get(message)


def _each(values: Iterable[int] | Iterable[str]) -> str:
    return json.dumps([[value] for value in values])

"""The ledgers of a run: files of JSON lines that each witness writes by itself, and the database read by plain SQL.

A witness writes a line before it goes on, past every buffer of its own, so that what stands there has happened
whoever was killed.
Nothing here knows anything of Ringback but the names of its tables.
"""

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import psycopg
from psycopg.rows import dict_row

SPARE = "spare"
"""The folder of a second carrier's ledgers."""
Row = Mapping[str, object]
TABLES = [
    "number",
    "thread",
    "pair_facts",
    "opt_out_event",
    "message",
    "part",
    "attempt",
    "receipt",
    "receipt_parked",
    "message_event",
    "incoming",
    "inbound_raw",
    "call",
    "pbx_gap",
    "pending_text",
    "task",
    "audit",
]


class Book:
    """Appends lines to a ledger."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def write(self, kind: str, **what: object) -> None:
        """Write one line."""
        self.write_all([{"kind": kind, "at": time.time_ns() // 1000, **what}])

    def write_all(self, records: Iterable[Row]) -> None:
        data = "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records).encode()
        assert os.write(self._file, data) == len(data)

    def close(self) -> None:
        os.close(self._file)


def lines(path: Path) -> list[dict[str, object]]:
    """Read a ledger; what is not there yet is empty. Half a line at the end was never written."""
    if not path.exists():
        return []
    whole = path.read_bytes().rpartition(b"\n")[0]
    return [json.loads(line) for line in whole.splitlines()]


class Count:
    """How many lines a ledger has that grows: what was counted once is not read again."""

    def __init__(self, path: Path) -> None:
        self._path, self._read, self._lines = path, 0, 0

    def __call__(self) -> int:
        size = self._path.stat().st_size if self._path.exists() else 0
        if size < self._read:
            self._read = self._lines = 0
        if size > self._read:
            with self._path.open("rb") as file:
                file.seek(self._read)
                more = file.read()
            self._read += len(more)
            self._lines += more.count(b"\n")
        return self._lines


def ask(url: str, query: str) -> list[dict[str, object]]:
    """Rows of a query, by the drivers alone."""
    if url.startswith("sqlite:///"):
        path = url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(query)]
    with psycopg.connect(url, row_factory=dict_row) as database:
        return list(database.execute(query))  # type: ignore[arg-type]


@dataclass
class Ledgers:
    """Everything known of a run, from those who saw it.

    `told`: what clients and carriers were answered. `carrier`: what the carrier got. `pbx`: what the PBX said.
    `faults`: what was done to the daemon, and when. `url`: the database, read once for each table. `state`: the folder
    with the key of the record.
    """

    url: str
    told: list[dict[str, object]] = field(default_factory=list)
    carrier: list[dict[str, object]] = field(default_factory=list)
    pbx: list[dict[str, object]] = field(default_factory=list)
    faults: list[dict[str, object]] = field(default_factory=list)
    state: Path | None = None

    @cached_property
    def keys(self) -> Mapping[str, bytes]:
        """What seals the record, by the first letters of its sum; a run that never began has none."""
        file = self.state / "audit.key" if self.state else None
        secrets = [bytes.fromhex(line) for line in file.read_text().split()] if file and file.exists() else []
        return {sha256(b"ringback key " + secret).hexdigest()[:8]: secret for secret in secrets}

    @cached_property
    def tables(self) -> dict[str, list[dict[str, object]]]:
        return {table: ask(self.url, f'SELECT * FROM "{table}"') for table in TABLES}

    def rows(self, table: str) -> list[dict[str, object]]:
        return self.tables[table]

    @cached_property
    def message_of(self) -> dict[object, dict[str, object]]:
        return {row["id"]: row for row in self.rows("message")}

    @cached_property
    def attempt_of(self) -> dict[object, dict[str, object]]:
        """Attempts by the id that carriers see."""
        return {row["public_id"]: row for row in self.rows("attempt")}

    @cached_property
    def pair_of(self) -> dict[object, tuple[object, object]]:
        """(our number, theirs) of each thread."""
        numbers = {row["id"]: row["e164"] for row in self.rows("number")}
        return {row["id"]: (numbers[row["number_id"]], row["peer"]) for row in self.rows("thread")}

    @cached_property
    def accepted(self) -> list[dict[str, object]]:
        """Texts the carrier really took, in the order it took them."""
        return [line for line in self.carrier if line["kind"] == "text"]

    @cached_property
    def taken(self) -> dict[object, list[dict[str, object]]]:
        """Those texts by our message, as our own table of attempts says."""
        found: dict[object, list[dict[str, object]]] = {}
        for line in self.accepted:
            if attempt := self.attempt_of.get(line["attempt"]):
                found.setdefault(attempt["message_id"], []).append(line)
        return found


def open_ledgers(folder: Path, url: str) -> Ledgers:
    """The ledgers of a run's folder. The loopback's own file is a carrier's ledger too."""
    loop = [{**line, "from": line.get("sender")} for line in lines(folder / "state" / "handset.jsonl")]
    return Ledgers(
        url,
        told=lines(folder / "told.jsonl") + lines(folder / SPARE / "told.jsonl") + lines(folder / "asked.jsonl"),
        carrier=lines(folder / "carrier.jsonl")
        + lines(folder / SPARE / "carrier.jsonl")
        + [line for line in loop if line["kind"] == "text"],
        pbx=lines(folder / "pbx.jsonl"),
        faults=lines(folder / "faults.jsonl"),
        state=folder / "state",
    )

"""The ledgers of a run: files of JSON lines that each witness writes by itself, and the database read by plain SQL.

A witness writes a line before it goes on, straight to the disk, so that what stands there has happened whoever died.
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
from pathlib import Path

import psycopg
from psycopg.rows import dict_row

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

    def __init__(self, path: Path, safe: bool = True) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | (os.O_DSYNC if safe else 0)
        self._file = os.open(path, flags, 0o600)

    def write(self, kind: str, **what: object) -> None:
        """Write one line; on disk when this returns."""
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


def count(path: Path) -> int:
    """How many lines a ledger has."""
    return path.read_bytes().count(b"\n") if path.exists() else 0


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
    `faults`: what was done to the daemon, and when. `url`: the database, read once for each table.
    """

    url: str
    told: list[dict[str, object]] = field(default_factory=list)
    carrier: list[dict[str, object]] = field(default_factory=list)
    pbx: list[dict[str, object]] = field(default_factory=list)
    faults: list[dict[str, object]] = field(default_factory=list)

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
        told=lines(folder / "told.jsonl") + lines(folder / "asked.jsonl"),
        carrier=[line for line in lines(folder / "carrier.jsonl") if line["kind"] != "inbound"]
        + [line for line in loop if line["kind"] == "text"],
        pbx=lines(folder / "pbx.jsonl"),
        faults=lines(folder / "faults.jsonl"),
    )

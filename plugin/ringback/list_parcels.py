"""What a command hands over to the running daemon and is too long for its socket: the people of an import, as a file
in the state folder that the daemon reads and the command removes."""

import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from ringback.core.list_rows import Row
from ringback.core.plurals import count_of
from ringback.entropy import entropy
from ringback.errors import RingbackError
from ringback.flow.list_imports import Imported
from ringback.ports.lists import ListName

_NAME = re.compile(r"list-import-[0-9a-f]{32}\.jsonl")


class NoParcel(RingbackError):
    """There is no such file, or it is none of ours; the text says so."""


@contextmanager
def packed(state: Path, list_: ListName, rows: Sequence[Row], source: str) -> Iterator[str]:
    """Write them down; gives the name of the file, which is gone afterwards. Whoever owns the folder may read it."""
    path = state / f"list-import-{entropy(16).hex()}.jsonl"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            if os.geteuid() == 0:
                owner = state.stat()
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            file.write(json.dumps([list_, source]) + "\n")
            file.writelines(_line(row) for row in rows)
        yield path.name
    finally:
        path.unlink(missing_ok=True)


def unpack(state: Path, name: str) -> tuple[ListName, list[Row], str]:
    """Read them again. Raises NoParcel."""
    if not _NAME.fullmatch(name):
        raise NoParcel("this is no import of this Ringback; is the daemon older than the command?")
    try:
        with (state / name).open(encoding="utf-8") as file:
            list_, source = json.loads(next(file))
            return ListName(list_), [_row(line) for line in file], source
    except (OSError, ValueError, TypeError, StopIteration) as problem:
        raise NoParcel(f"the import cannot be read: {problem}") from problem


def told_of(list_: ListName, done: Imported) -> str:
    """What an import did, in a line."""
    return f"{count_of(done.put, 'number')} put on the list {list_}, {done.known} there already"


def _line(row: Row) -> str:
    at = row.at.isoformat() if row.at else ""
    return json.dumps([row.line, row.number, at, row.reason, row.source]) + "\n"


def _row(line: str) -> Row:
    place, number, at, reason, source = json.loads(line)
    return Row(place, number, datetime.fromisoformat(at) if at else None, reason, source)

"""One statement for many rows: how PostgreSQL does at once what it is told to do to each of them.

A statement costs the server more than a row, and a message to it more than both. SQLite has neither cost, so statements
are written for one row, and this makes them into those for many.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

_PLACE = re.compile(r"%\((\w+)\)s")
_UPDATE = re.compile(r"(UPDATE \w+ SET (?:(?! WHERE |SELECT ).)+)( WHERE (?!.* RETURNING ).+)")
_INSERT = re.compile(r"(INSERT INTO \w+ \([^()]+\)) VALUES \((.+?)\)( ON CONFLICT (?!.* RETURNING ).+| ?)")
_ROWS = "FROM (SELECT {named} FROM json_to_recordset(CAST(%(each)s AS json)) AS given({kinds})) AS each"


def places(text: str) -> tuple[str, ...]:
    """The names of what a statement is given, each once."""
    return tuple(dict.fromkeys(_PLACE.findall(text)))


def numbered(text: str) -> str:
    """The same with its places as the server itself writes them."""
    order = {name: place for place, name in enumerate(places(text), 1)}
    return _PLACE.sub(lambda found: f"${order[found[1]]}", text).replace("%%", "%")


def together(text: str, kinds: Mapping[str, str]) -> str | None:
    """The statement that does this to each row of `%(each)s`, a list as JSON; None where it is not of a kind we know.

    `kinds` are the types of its places.
    """
    update, new = _UPDATE.fullmatch(text), _INSERT.fullmatch(text)
    if not kinds or (update or new) is None:
        return None
    rows = _ROWS.format(
        named=", ".join(f"{name} AS new_{name}" for name in kinds),
        kinds=", ".join(f"{name} {kind}" for name, kind in kinds.items()),
    )
    whole = f"{update[1]} {rows}{update[2]}" if update else f"{new[1]} SELECT {new[2]} {rows}{new[3]}" if new else ""
    return _PLACE.sub(lambda found: found[0] if found[1] == "each" else f"new_{found[1]}", whole)


def insert_all(table: str, columns: tuple[str, ...]) -> str:
    """The statement that inserts the rows of `%(each)s`, a list as JSON."""
    names = ", ".join(columns)
    rows = f"json_populate_recordset(NULL::{table}, CAST(%(each)s AS json))"
    return f"INSERT INTO {table} ({names}) SELECT {names} FROM {rows}"


def rounds(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """One statement changes a row once: what changes it again comes with the next one."""
    taken: list[list[dict[str, Any]]] = []
    seen: Counter[object] = Counter()
    for place, row in enumerate(rows):
        name = row.get("id", (place,))
        if seen[name] == len(taken):
            taken.append([])
        taken[seen[name]].append(row)
        seen[name] += 1
    return taken

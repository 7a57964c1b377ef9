"""Statements of the hot path: written once as SQL that both databases speak, sent straight to the driver.

SQLAlchemy would compile them anew for every row (a hundred times the cost of the insert itself), so it describes the
schema only. A test explains every statement registered here on both databases.
"""

import re
from dataclasses import dataclass, field

_NAME = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")
_WRITES = re.compile(r"(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)")
REGISTRY: "list[Sql]" = []


@dataclass(frozen=True, slots=True)
class Sql:
    """One statement, with `:name` places as SQLite wants them and `%(name)s` as psycopg does.

    `writes` is the table it changes, empty for one that only reads; `kind` is that and whether it makes new rows.
    """

    sqlite: str
    postgres: str
    writes: str = field(init=False, default="")
    kind: tuple[str, bool] = field(init=False, default=("", False))

    def __post_init__(self) -> None:
        found = _WRITES.match(self.sqlite)
        object.__setattr__(self, "writes", found[1] if found else "")
        object.__setattr__(self, "kind", (self.writes, self.sqlite.startswith("INSERT")))


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a table that are put in many at a time, each with a value for every column."""

    writes: str
    columns: tuple[str, ...]

    @property
    def kind(self) -> tuple[str, bool]:
        return self.writes, True


def sql(text: str) -> Sql:
    """Register a statement; places are written `:name`."""
    plain = " ".join(text.split())
    return _register(plain, plain)


def for_each(text: str, **columns: str) -> Sql:
    """Register a question about many things: `FROM {each}` stands for the rows of `:each`, a list as JSON.

    `columns` are the names and types of what is in each row. PostgreSQL is asked for one row after the other: it never
    knows how much there is just now, and joins to whole tables where it takes them for empty.
    """
    lite, post = [], []
    for place, (name, kind) in enumerate(columns.items()):
        lite.append(f"json_extract(value, '$[{place}]') AS {name}")
        post.append(f"CAST(value ->> {place} AS {kind}) AS {name}")
    plain = " ".join(text.split())
    rows = f"(SELECT {', '.join(post)} FROM json_array_elements(CAST(:each AS json))) AS each"
    alone = plain.replace("{each}", "(SELECT 1) AS one")
    return _register(
        plain.replace("{each}", f"(SELECT {', '.join(lite)} FROM json_each(:each)) AS each"),
        f"SELECT found.* FROM {rows} CROSS JOIN LATERAL ({alone} OFFSET 0) AS found",
    )


def sql_each(sqlite: str, postgres: str) -> Sql:
    """Register a statement for which each database has words of its own."""
    return _register(" ".join(sqlite.split()), " ".join(postgres.split()))


def _register(sqlite: str, postgres: str) -> Sql:
    statement = Sql(sqlite, _NAME.sub(r"%(\1)s", postgres.replace("%", "%%")))
    REGISTRY.append(statement)
    return statement


def insert(table: str, columns: str, extra: str = "") -> Sql:
    """Register an insert of the columns named, `extra` behind it (`ON CONFLICT ...`, `RETURNING id`)."""
    names = columns.split()
    places = ", ".join(f":{name}" for name in names)
    return sql(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places}) {extra}")


def rows(table: str, columns: str) -> Rows:
    """Rows of a table with the columns named."""
    return Rows(table, tuple(columns.split()))


def values(what: Rows, **row: object) -> tuple[object, ...]:
    """A row in the order of its columns."""
    return tuple(map(row.__getitem__, what.columns))

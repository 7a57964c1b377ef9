"""Whether a schema is ours: made in an empty database, brought up in an old one, refused when it is newer."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ringback.errors import StoreAway, StoreFault
from ringback.store.addresses import ANSWERS_WITHIN_S, plain, sqlite_path
from ringback.store.checking import check_file, locked

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0007"
"""The schema this program speaks; a test compares it with the newest migration."""
SCHEMAS = Path(__file__).parent
"""Where the scripts are that make an empty database; `python -m tools.schema` writes them."""

UNICODE = "UTF8"
MAKE_UNICODE = "make one with `createdb --encoding=UTF8 --template=template0`"


def schema_version(url: str) -> str | None:
    """Which migration the database is at, None when it is empty. Raises StoreFault when it cannot be read.

    Needs no SQLAlchemy, so the daemon starts fast.
    """
    path = sqlite_path(url)
    return _postgres_version(url) if path is None else _sqlite_version(path) if path.exists() else None


def _sqlite_version(path: Path) -> str | None:
    import sqlite3

    try:
        with closing(sqlite3.connect(path, timeout=5)) as connection:
            known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if known else None
    except sqlite3.Error as problem:
        kind = StoreAway if locked(problem) else StoreFault
        raise kind(f"the database {path} cannot be read: {problem}") from problem
    return cast(str, row[0]) if row else None


def _postgres_version(url: str) -> str | None:
    import psycopg

    try:
        with psycopg.connect(plain(url), connect_timeout=ANSWERS_WITHIN_S) as database:
            encoding = database.info.parameter_status("server_encoding")
            known = database.execute("SELECT to_regclass('alembic_version')").fetchone()
            row = database.execute("SELECT version_num FROM alembic_version").fetchone() if known and known[0] else None
    except psycopg.Error as problem:
        why = str(problem).strip().partition("\n")[0]
        raise StoreAway(f"the database cannot be reached: {why}") from problem
    if encoding != UNICODE:
        raise StoreFault(f"the database keeps its text as {encoding}, which lacks characters; {MAKE_UNICODE}")
    return cast(str, row[0]) if row else None


def alembic_config(url: str) -> "Config":
    """How Alembic finds our migrations and this database."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "ringback:store/migrations")
    address = url.replace("postgresql://", "postgresql+psycopg://", 1)
    config.set_main_option("sqlalchemy.url", address.replace("%", "%%"))
    return config


def make(url: str) -> None:
    """Make the schema in an empty database: one transaction, and no need of SQLAlchemy."""
    path = sqlite_path(url)
    if path is None:
        _make_in_postgres(url)
    else:
        _make_in_sqlite(path)


def _make_in_sqlite(path: Path) -> None:
    import sqlite3

    try:
        with closing(sqlite3.connect(path, timeout=5)) as connection:
            connection.executescript((SCHEMAS / "schema.sqlite.sql").read_text())
    except sqlite3.Error as problem:
        raise StoreFault(f"the database {path} cannot be made: {problem}") from problem


def _make_in_postgres(url: str) -> None:
    import psycopg

    try:
        with psycopg.connect(plain(url), autocommit=True) as database:
            database.execute((SCHEMAS / "schema.postgresql.sql").read_bytes())
    except psycopg.Error as problem:
        raise StoreFault(f"the database cannot be made: {str(problem).strip()}") from problem


def migrate(url: str) -> None:
    """Bring the schema to HEAD, a migration after the other. The caller holds the state folder."""
    from alembic import command

    command.upgrade(alembic_config(url), "head")


def prepare(url: str, state: Path | None = None) -> None:
    """Make sure the schema is ours: make or upgrade it; refuse a newer one than this program knows.

    With the state folder, see first that the file is whole, and is the one that was there.
    """
    path = sqlite_path(url)
    if state is not None and path is not None:
        check_file(path, state)
    version = schema_version(url)
    if version == HEAD:
        return
    if version is not None and version > HEAD:
        raise StoreFault(f"the database is at schema {version}, newer than this Ringback ({HEAD}); upgrade Ringback")
    if version is None:
        make(url)
    else:
        migrate(url)

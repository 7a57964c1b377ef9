"""Backup and restore of a PostgreSQL database, by pg_dump and pg_restore of one and the same snapshot."""

import os
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ringback.errors import StoreFault
from ringback.store.addresses import plain
from ringback.store.backups import DATA, Manifest, manifest_of, pack, unpack
from ringback.store.halves import room_beside
from ringback.store.search import INDEXES
from ringback.store.tables import metadata
from ringback.store.tables.record import GUARDED
from ringback.store.tx import Row

OURS = (*sorted(metadata.tables), *INDEXES, "alembic_version")
"""Others' tables may live in the same database; they are left alone."""
FUNCTION = GUARDED["postgresql"][0]


def program(name: str) -> str:
    """Where one of PostgreSQL's programs is. Raises StoreFault."""
    found = shutil.which(name)
    if found is None:
        raise StoreFault(f"{name} is missing: install PostgreSQL's client programs (postgresql-client)")
    return found


def _run(words: list[str], url: str, what: str) -> None:
    """The password goes by the environment, since anybody may read the command line."""
    password = _secret(url)
    environment = {**os.environ, "PGPASSWORD": password} if password else dict(os.environ)
    ran = subprocess.run(  # noqa: S603  # PostgreSQL's own programs, and no shell
        words, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if ran.returncode != 0:
        said = ran.stderr.strip().splitlines() or ["it does not say why"]
        raise StoreFault(f"{what}: {said[-1]}")


def _secret(url: str) -> str:
    return str(conninfo_to_dict(plain(url)).get("password") or "")


def _address(url: str) -> str:
    parts = conninfo_to_dict(plain(url))
    parts.pop("password", None)
    return make_conninfo("", **parts)


def backup(url: str, target: Path, now: datetime) -> Manifest:
    """Dump a database that may be in use. Raises StoreFault."""
    pg_dump = program("pg_dump")
    try:
        with room_beside(target) as room, psycopg.connect(plain(url), connect_timeout=5) as connection:
            dump = room / DATA
            os.close(os.open(dump, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            snapshot = connection.execute("SELECT pg_export_snapshot()").fetchone()
            assert snapshot is not None
            manifest = manifest_of("postgresql", lambda words: _one(connection, words), now)
            words = [pg_dump, "--format=custom", "--no-owner", "--no-privileges", "--no-password"]
            words += [f"--table=public.{name}" for name in OURS]
            words += [f"--snapshot={snapshot[0]}", f"--file={dump}", f"--dbname={_address(url)}"]
            _run(words, url, "pg_dump failed")
            connection.rollback()
            return pack(manifest, dump, target)
    except psycopg.Error as problem:
        raise StoreFault(f"the database cannot be read: {str(problem).strip().partition(chr(10))[0]}") from problem
    except OSError as problem:
        raise StoreFault(f"{problem.filename or target} cannot be written: {problem.strerror}") from problem


def _one(connection: "psycopg.Connection[tuple[object, ...]]", words: str) -> Row | None:
    return connection.execute(words.encode()).fetchone()


def restore(file: Path, url: str, folder: Path) -> Manifest:
    """Put a dump in the place of our tables: all of it or nothing. Raises StoreFault."""
    pg_restore, psql = program("pg_restore"), program("psql")
    dump, script = folder / "restoring.dump", folder / "restoring.sql"
    try:
        manifest = unpack(file, dump)
        os.close(os.open(script, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        words = [pg_restore, "--no-owner", "--no-privileges", f"--file={script}", str(dump)]
        _run(words, url, f"{file} is damaged")
        words = [psql, "--no-psqlrc", "--quiet", "--no-password", "--single-transaction", "--set=ON_ERROR_STOP=1"]
        words += [f"--dbname={_address(url)}", f"--command={_drop_ours()}", f"--file={script}", "--output=/dev/null"]
        _run(words, url, "the database was left as it was")
        return manifest
    finally:
        for name in (dump, script):
            name.unlink(missing_ok=True)


def _drop_ours() -> str:
    names = ", ".join(f'public."{name}"' for name in OURS)
    # a dump of tables lacks the function that their triggers call
    return f"DROP TABLE IF EXISTS {names} CASCADE; {FUNCTION}"

"""Backup and restore of a SQLite database. The copy is read from a snapshot beside the writer, which goes on."""

import itertools
import os
import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from ringback.errors import StoreFault
from ringback.store.backups import DATA, Manifest, NoBackup, counts_of, flush_folder, manifest_of, pack, unpack
from ringback.store.checking import beside, faults_of
from ringback.store.halves import room_beside
from ringback.store.sqlite import LOOKING

PAGES_AT_ONCE = 2048
NOT_FOR_ALL = 0o660
"""The rights of a database, but for those of everybody."""


def backup(database: Path, target: Path, now: datetime) -> Manifest:
    """Copy a database that may be in use. Raises StoreFault."""
    try:
        with room_beside(target) as room, closing(sqlite3.connect(database, isolation_level=None, timeout=5)) as source:
            copy = room / DATA
            for pragma in LOOKING:
                source.execute(pragma)
            # within one read, so that the copy is of one moment and does not begin anew with each write
            source.execute("BEGIN")
            manifest = manifest_of("sqlite", lambda words: source.execute(words).fetchone(), now)
            os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
            _copy(source, copy)
            source.rollback()
            return pack(manifest, copy, target)
    except sqlite3.Error as problem:
        raise StoreFault(f"the database {database} cannot be copied: {problem}") from problem
    except OSError as problem:
        raise StoreFault(f"{problem.filename or target} cannot be written: {problem.strerror}") from problem


def _copy(source: sqlite3.Connection, copy: Path) -> None:
    with closing(sqlite3.connect(copy, isolation_level=None)) as target:
        target.execute("PRAGMA synchronous = OFF")  # it is flushed when it is packed
        source.backup(target, pages=PAGES_AT_ONCE)
        target.execute("PRAGMA journal_mode = DELETE")
        if found := faults_of(target, "quick_check"):
            raise StoreFault(f"the database is damaged, so no backup was made: {found[0]}")


def take_out(file: Path, copy: Path) -> Manifest:
    """Unpack a backup to `copy` and look whether it is whole. Raises NoBackup."""
    manifest = unpack(file, copy)
    try:
        with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            faults = faults_of(connection, "integrity_check")
            counts = counts_of(lambda words: connection.execute(words).fetchone())
    except sqlite3.Error as problem:
        raise NoBackup(f"{file} is damaged: {problem}") from problem
    if faults or counts != manifest.counts:
        raise NoBackup(f"{file} is damaged: {faults[0] if faults else 'rows are missing'}")
    return manifest


def put_in_place(copy: Path, database: Path, stamp: str) -> Path | None:
    """Swap the restored copy for the database, which is kept under another name; returns that name.

    At each moment the name of the database is a whole one: a stop between two lines leaves the old one or the new one.
    """
    aside = None
    if database.exists():
        _make_alike(copy, database)
        aside = _free(database.with_name(f"{database.name}.before-restore-{stamp}"))
        for old, new in zip((database, *beside(database)[:1]), (aside, *beside(aside)[:1]), strict=True):
            if old.exists():
                os.link(old, new)
                new.chmod(old.stat().st_mode & NOT_FOR_ALL)
        flush_folder(database.parent)
        _empty_log(database)
    # the old one's log must never meet the new file
    for name in beside(database):
        name.unlink(missing_ok=True)
    copy.replace(database)
    flush_folder(database.parent)
    return aside


def _make_alike(copy: Path, database: Path) -> None:
    """So that whoever could use the old one can use the new one, and nobody else."""
    old = database.stat()
    with suppress(PermissionError):  # it is ours then, and only the superuser may give it away
        os.chown(copy, old.st_uid, old.st_gid)
    copy.chmod(old.st_mode & NOT_FOR_ALL)


def _empty_log(database: Path) -> None:
    """So that the old one is whole without its log. One that is damaged stays as it is: it lies aside."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(database, isolation_level=None, timeout=5)) as old:
        old.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _free(name: Path) -> Path:
    """The name, or with a number behind it where that is taken."""
    names = (name if n == 1 else name.with_name(f"{name.name}-{n}") for n in itertools.count(1))
    return next(path for path in names if not path.exists())

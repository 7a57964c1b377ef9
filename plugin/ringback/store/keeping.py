"""Backups of whichever database there is: make one, put one back, keep the newest of many."""

import asyncio
from collections.abc import Collection
from pathlib import Path

from ringback.errors import StoreFault
from ringback.flow.put_back import put_back
from ringback.flow.restoring import hold_everything
from ringback.keyfile import open_keys
from ringback.ports import Clock
from ringback.ports.storage import Step, Tx
from ringback.store import backup_sqlite
from ringback.store.addresses import plain, sqlite_path
from ringback.store.audit import RECORD
from ringback.store.backups import Manifest, NoBackup, read_manifest
from ringback.store.checking import beside
from ringback.store.database import Database
from ringback.store.marks import forget
from ringback.store.schema import HEAD, prepare, schema_version

ENDING = ".backup"


def backup(url: str, target: Path, clock: Clock) -> Manifest:
    """Back up a database that may be in use. Raises StoreFault."""
    if schema_version(url) is None:
        raise StoreFault("there is no database to back up yet")
    path = sqlite_path(url)
    if path is not None:
        return backup_sqlite.backup(path, target, clock.now())
    from ringback.store import backup_postgres

    return backup_postgres.backup(url, target, clock.now())


def name_for(clock: Clock) -> str:
    """The name of a backup in a folder of many; they sort by age."""
    return f"ringback-{clock.now():%Y%m%dT%H%M%SZ}{ENDING}"


def drop_old(folder: Path, keep: int) -> list[Path]:
    """Delete all but the newest backups of a folder; returns those."""
    old = sorted(folder.glob(f"ringback-*{ENDING}"), reverse=True)[keep:]
    for path in old:
        path.unlink()
    return old


def check(file: Path, url: str) -> Manifest:
    """Look whether a backup may be put in the place of this database. Raises NoBackup."""
    manifest = read_manifest(file)
    kind = "sqlite" if sqlite_path(url) else "postgresql"
    if manifest.kind != kind:
        raise NoBackup(f"{file} is a backup of {manifest.kind}, and database.url names {kind}")
    if manifest.schema > HEAD:
        raise NoBackup(f"{file} is at schema {manifest.schema}, newer than this Ringback ({HEAD}); upgrade Ringback")
    return manifest


def restore(file: Path, url: str, state: Path, carriers: Collection[str], clock: Clock) -> tuple[Manifest, str]:
    """Put a backup in the place of the database, migrate it, and hold every carrier; whoever calls holds the folder.

    Returns what was in it, and where the old database is now.
    """
    check(file, url)
    stamp = f"{clock.now():%Y%m%dT%H%M%SZ}"
    path = sqlite_path(url)
    if path is None:
        return _restore_postgres(file, url, state, carriers, clock, stamp)
    copy = path.with_name(f"{path.name}.restoring")
    try:
        manifest = backup_sqlite.take_out(file, copy)
        _settle(f"sqlite:///{copy}", state, manifest, carriers, clock)
        aside = backup_sqlite.put_in_place(copy, path, stamp)
    except OSError as problem:
        raise StoreFault(f"{problem.filename or path} cannot be written: {problem.strerror}") from problem
    finally:
        for name in (copy, *beside(copy)):
            name.unlink(missing_ok=True)
    forget(state)
    return manifest, str(aside or "")


def _restore_postgres(
    file: Path, url: str, state: Path, carriers: Collection[str], clock: Clock, stamp: str
) -> tuple[Manifest, str]:
    from ringback.store import backup_postgres
    from ringback.store.postgres import PostgresConnection

    aside = ""
    if schema_version(url) is not None:
        kept = state / f"before-restore-{stamp}{ENDING}"
        backup_postgres.backup(url, kept, clock.now())
        aside = str(kept)
    alone = PostgresConnection(plain(url))
    try:
        manifest = backup_postgres.restore(file, url, state)
    finally:
        alone.close()
    _settle(url, state, manifest, carriers, clock)
    forget(state)
    return manifest, aside


def _settle(url: str, state: Path, manifest: Manifest, carriers: Collection[str], clock: Clock) -> None:
    """Bring it to this version, and see that it sends nothing until somebody lets it."""
    prepare(url)

    def step(tx: Tx) -> None:
        put_back(f"backup of {manifest.at}", clock.now(), tx)
        hold_everything(carriers, clock.now(), tx)

    asyncio.run(_commit(url, state, clock, step))


async def _commit(url: str, state: Path, clock: Clock, step: Step[None]) -> None:
    database = Database(url, clock, key=open_keys(state, RECORD).current)
    await database.open()
    try:
        await database.commit(step)
    finally:
        await database.close()

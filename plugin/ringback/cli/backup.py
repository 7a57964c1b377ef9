"""`ringback backup`: copies the database while it is in use. `ringback restore`: puts a copy back."""

import asyncio
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ringback import control
from ringback.cli.shared import ConfigOption, write_alone
from ringback.clock import SystemClock
from ringback.config import Settings, load
from ringback.control import ControlRefused
from ringback.core.plurals import count_of
from ringback.errors import Locked, StoreFault
from ringback.flow.restoring import note_backup
from ringback.store.backups import Manifest, read_manifest
from ringback.store.holding import hold
from ringback.store.keeping import backup, drop_old, name_for, restore
from ringback.store.schema import HEAD, schema_version


def backup_command(
    file: Annotated[Path, typer.Argument(help="Where it goes: a file, or a folder of many.")],
    keep: Annotated[int, typer.Option(help="In a folder: delete all but so many of the newest.", min=0)] = 0,
    config: ConfigOption = None,
) -> None:
    """Copy the database into one file. A running daemon goes on."""
    settings, clock = load(config), SystemClock()
    folder = file.is_dir()
    if keep and not folder:
        raise typer.BadParameter("--keep wants a folder")
    target = file / name_for(clock) if folder else file
    if not target.parent.is_dir():
        raise StoreFault(f"there is no folder {target.parent}")
    print(f"{target}: {told(backup(settings.database.url, target, clock))}")
    _note(settings, target)
    for old in drop_old(file, keep) if keep else ():
        print(f"deleted {old}")


def _note(settings: Settings, target: Path) -> None:
    """So that `ringback status` can say when it was. The copy is good without it."""
    file = str(target.absolute())
    with suppress(ControlRefused, Locked, StoreFault):
        if asyncio.run(control.ask(settings.paths.state, "backup", file=file)) is not None:
            return
        # an older database stays as it is: a backup is what people make before they upgrade
        if schema_version(settings.database.url) == HEAD:
            write_alone(settings, lambda clock: partial(note_backup, file, clock.now()))


def told(manifest: Manifest) -> str:
    counts = manifest.counts
    texts, calls = count_of(counts["message"], "text"), count_of(counts["call"], "call")
    return f"{texts}, {counts['incoming']} that came in, {calls}, schema {manifest.schema}, of {manifest.at}"


def restore_command(
    file: Annotated[Path, typer.Argument(help="A file that `ringback backup` made.")],
    force: Annotated[bool, typer.Option("--force", help="Although there is a database; it is kept aside.")] = False,
    config: ConfigOption = None,
) -> None:
    """Put a backup in the place of the database. Every carrier is held until you let it go on."""
    settings = load(config)
    with hold(settings.paths.state):
        if not force and _there(settings):
            raise StoreFault(
                f"there is a database already; --force puts the backup of {read_manifest(file).at} in its place, "
                "and keeps the old one aside"
            )
        manifest, aside = restore(
            file, settings.database.url, settings.paths.state, tuple(settings.carriers), SystemClock()
        )
    print(f"restored: {told(manifest)}")
    if aside:
        print(f"the database that was here is {aside}")
    print("Every carrier is held: texts that wait may have been sent after the backup was made. Start Ringback, see by")
    print("`ringback carrier list` what it found in their lists, then:")
    for name in settings.carriers:
        print(f"  ringback carrier release {name}")


def _there(settings: Settings) -> bool:
    try:
        return schema_version(settings.database.url) is not None
    except StoreFault:
        return True

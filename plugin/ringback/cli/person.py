"""`ringback person`: write everything that is known of a number into one file."""

import asyncio
import os
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ringback import control
from ringback.assembly import make_reader
from ringback.cli.shared import ConfigOption, check_schema, visible, who, write_alone
from ringback.clock import SystemClock
from ringback.config import Settings, load
from ringback.core.permissions import at_the_shell
from ringback.errors import ConfigFault, StoreFault


def person_command(
    number: Annotated[str, typer.Argument(help="The person's number, in any form.")],
    out: Annotated[Path, typer.Option(help="The zip to write; it must not be there yet.")],
    config: ConfigOption = None,
) -> None:
    """Write out all that is known of a person: calls, texts, STOPs, lists, tasks, the record about them, with proof."""
    settings = load(config)
    e164 = make_reader(settings)("", number).e164
    if e164 is None:
        raise ConfigFault([f"{visible(number)!r} is no phone number"])
    check_schema(settings)
    file, anything = _make(settings, e164)
    if not anything:
        typer.echo(f"nothing is known of {e164}", err=True)
        raise typer.Exit(1)
    _note(settings, e164, len(file))
    _write(out, file)
    print(f"{visible(str(out))}: {len(file)} bytes")


def _make(settings: Settings, e164: str) -> tuple[bytes, bool]:
    # brings SQLAlchemy along, for which `ringback run` should not wait
    from ringback.flow.dispute import Made, make_file
    from ringback.store.database import reader
    from ringback.store.read_person import known
    from ringback.store.verifying import verify

    now = SystemClock().now()
    checked = verify(settings.database.url, settings.paths.state, now)
    engine = reader(settings.database.url)
    try:
        with engine.connect() as connection:
            found = known(connection, e164)
    finally:
        engine.dispose()
    made = Made(at_the_shell(who()).label, now, settings.business.name, checked)
    return make_file(found, made), bool(found)


def _note(settings: Settings, e164: str, size: int) -> None:
    """In the record before it is in the file."""
    from ringback.flow.dispute import note

    asked = control.ask(settings.paths.state, "wrote-out", number=e164, size=str(size), by=who())
    if asyncio.run(asked) is None:
        asker = at_the_shell(who())
        write_alone(settings, lambda clock: partial(note, asker, e164, size, clock.now()))


def _write(out: Path, file: bytes) -> None:
    """For its owner's eyes; what is there already is left alone."""
    try:
        handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as opened:
            opened.write(file)
    except OSError as problem:
        raise StoreFault(f"{out}: cannot be written: {problem.strerror}") from problem

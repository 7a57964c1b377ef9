"""`ringback audit`: the record of who did what: whether it is whole, what is in it, and all of it as a file."""

import asyncio
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ringback import control
from ringback.cli.shared import ConfigOption, check_schema, visible, who, write_alone
from ringback.clock import SystemClock
from ringback.config import Settings, load
from ringback.core.permissions import at_the_shell
from ringback.errors import StoreFault
from ringback.flow.recordkeeping import note_export
from ringback.keyfile import read_keys
from ringback.ports.record import Checked, Entry, Wanted

audit_commands = typer.Typer(no_args_is_help=True, help="The record of who did what.")

ByOption = Annotated[str, typer.Option("--who", help="Only rows of this one, as in 'user usr_...' or 'shell root'.")]
ActionOption = Annotated[str, typer.Option("--action", help="Only rows of this action, as in opt_out.")]
AboutOption = Annotated[str, typer.Option("--about", help="Only rows about this id.")]
SinceOption = Annotated[str, typer.Option("--from", help="From this day or moment on, in UTC.")]
UntilOption = Annotated[str, typer.Option("--to", help="Up to this day, which counts, or before this moment.")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of lines.")]


class Form(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


@audit_commands.command("verify")
def verify_command(
    key: Annotated[Path | None, typer.Option(help="The key file, where it is not in the state folder.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Look through the whole record. Exit code 1, and the first row that is wrong, when somebody changed it by hand."""
    from ringback.store.verifying import verify

    settings = load(config)
    check_schema(settings)
    keys = read_keys(key) if key is not None else None
    if key is not None and keys is None:
        raise StoreFault(f"{key}: is not there")
    checked = verify(settings.database.url, settings.paths.state, SystemClock().now(), keys)
    print(_as_json(checked) if as_json else "\n".join(_told(checked)))
    if checked.fault is not None:
        raise typer.Exit(1)


def _as_json(checked: Checked) -> str:
    words = asdict(checked) | {"whole": checked.fault is None, "at": checked.at.isoformat()}
    return json.dumps(words)


def _told(checked: Checked) -> Iterator[str]:
    if checked.fault is not None:
        yield f"the record was changed by hand: {checked.fault}"
    else:
        head = checked.head
        yield f"the record is whole: {checked.rows} rows, the last is row {head.row}, {head.seal or '-'}"
    yield from checked.notes


@audit_commands.command("list")
def list_command(
    by: ByOption = "",
    action: ActionOption = "",
    about: AboutOption = "",
    since: SinceOption = "",
    until: UntilOption = "",
    most: Annotated[int, typer.Option("--most", min=1, help="How many.")] = 50,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Print the newest rows, the newest first."""
    from ringback.store.database import reader
    from ringback.store.read_record import newest

    settings = load(config)
    check_schema(settings)
    wanted = _wanted(by, action, about, since, until)
    engine = reader(settings.database.url)
    try:
        with engine.connect() as connection:
            entries = newest(connection, wanted, None, most)
    finally:
        engine.dispose()
    for entry in entries:
        print(_json_line(entry) if as_json else _line(entry))


@audit_commands.command("export")
def export_command(
    by: ByOption = "",
    action: ActionOption = "",
    about: AboutOption = "",
    since: SinceOption = "",
    until: UntilOption = "",
    form: Annotated[Form, typer.Option("--format", help="A table, or a JSON object a line.")] = Form.CSV,
    config: ConfigOption = None,
) -> None:
    """Write rows to standard output, the oldest first. That this was done is a row itself."""
    settings = load(config)
    check_schema(settings)
    wanted = _wanted(by, action, about, since, until)
    given = (("who", by), ("action", action), ("about", about), ("from", since), ("to", until))
    _note(settings, " ".join(f"{name}={value}" for name, value in given if value))
    for part in _exported(settings, wanted, form):
        sys.stdout.buffer.write(part)
    sys.stdout.buffer.flush()


def _exported(settings: Settings, wanted: Wanted, form: Form) -> Iterator[bytes]:
    from ringback.sheets import write_csv

    entries = _every(settings, wanted)
    if form is Form.JSONL:
        return (f"{_json_line(entry)}\n".encode() for entry in entries)
    return write_csv(_rows(entries))


def _rows(entries: Iterator[Entry]) -> Iterator[list[str]]:
    names = list(Entry.__dataclass_fields__)
    yield ["row", *names[1:]]
    for entry in entries:
        yield [str(value) for value in _plain(entry).values()]


def _every(settings: Settings, wanted: Wanted) -> Iterator[Entry]:
    from ringback.store.database import reader
    from ringback.store.read_record import oldest

    engine, after = reader(settings.database.url), 0
    try:
        with engine.connect() as connection:
            while page := oldest(connection, wanted, after):
                yield from page
                after = page[-1].id
    finally:
        engine.dispose()


def _note(settings: Settings, detail: str) -> None:
    if asyncio.run(control.ask(settings.paths.state, "exported", what="audit", detail=detail, by=who())) is None:
        asker = at_the_shell(who())
        write_alone(settings, lambda clock: partial(note_export, asker, "audit", detail, clock.now()))


def _wanted(by: str, action: str, about: str, since: str, until: str) -> Wanted:
    return Wanted(by, action, about, _moment(since, "--from"), _moment(until, "--to", timedelta(days=1)))


def _moment(text: str, option: str, more: timedelta = timedelta()) -> datetime | None:
    """A day, or a moment; to a day that ends a span, `more` is added."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as problem:
        raise typer.BadParameter("write it as 2026-11-22 or 2026-11-22T14:30", param_hint=option) from problem
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return found + more if len(text) == len("2026-11-22") else found


def _line(entry: Entry) -> str:
    said = [f"{entry.at:%Y-%m-%d %H:%M:%S}", entry.who, entry.action, entry.about, entry.detail]
    if entry.before or entry.after:
        said.append(f"[{entry.before} -> {entry.after}]")
    if entry.source:
        said.append(f"from {entry.source}")
    return f"{entry.id:>6}  " + "  ".join(visible(word) for word in said if word)


def _plain(entry: Entry) -> dict[str, object]:
    return asdict(entry) | {"at": entry.at.isoformat()}


def _json_line(entry: Entry) -> str:
    return json.dumps(_plain(entry), ensure_ascii=False)

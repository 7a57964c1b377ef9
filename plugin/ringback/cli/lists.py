"""`ringback list` and `ringback staging`: whom we never text."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ringback import control
from ringback.cli.shared import ConfigOption, check_schema, visible, who, write_alone
from ringback.clock import SystemClock
from ringback.config import Settings, load
from ringback.core.list_rows import Listing, Reading, Row
from ringback.core.numbers import NumberFormat, read_number
from ringback.core.permissions import at_the_shell
from ringback.core.plurals import count_of
from ringback.errors import ConfigFault
from ringback.flow.list_files import read_file, source_of
from ringback.flow.list_imports import import_all
from ringback.flow.lists import Turn, change_by_words
from ringback.list_parcels import packed, told_of
from ringback.ports.lists import Entry, ListName
from ringback.ports.storage import Tx
from ringback.store.database import peek

list_commands = typer.Typer(no_args_is_help=True, help="Whom we never text: the lists never, only and stopped.")

Name = Annotated[ListName, typer.Argument(help="never, only or stopped.", show_choices=False)]
Number = Annotated[str, typer.Argument(help="A phone number, in any form that is written in your country.")]
PAGE = 1000


@list_commands.command("add")
def add_command(
    name: Name,
    number: Number,
    why: Annotated[str, typer.Option(help="Why, or how they said it; whoever looks for them reads it.")] = "",
    config: ConfigOption = None,
) -> None:
    """Put a number on a list. It holds at once, also for texts that wait."""
    settings = load(config)
    change(settings, change="add", list=name, number=known(settings, number), why=why)


@list_commands.command("remove")
def remove_command(
    name: Name,
    number: Number,
    why: Annotated[str, typer.Option(help="Why; for stopped, how they asked for texts again.")] = "",
    config: ConfigOption = None,
) -> None:
    """Take a number off a list."""
    settings = load(config)
    change(settings, change="remove", list=name, number=known(settings, number), why=why)


@list_commands.command("show")
def show_command(
    what: Annotated[str, typer.Argument(help="A list, or a number; for a number, every list it is on.")],
    config: ConfigOption = None,
) -> None:
    """Print who is on a list, the newest first, or where a number stands: since when, why, and who listed it."""
    settings = load(config)
    check_schema(settings)
    name = next((name for name in ListName if name == what), None)
    if name is not None:
        peek(settings.database.url, partial(print_all, name))
        return
    number = known(settings, what)
    entries = peek(settings.database.url, lambda tx: tx.lists.of(number))
    for entry in entries:
        print(line_of(entry))
    if not entries:
        typer.echo(f"{number} is on no list", err=True)
        raise typer.Exit(1)


@list_commands.command("import")
def import_command(
    name: Name,
    file: Annotated[Path, typer.Argument(help="CSV or XLSX; the first line names the columns.", dir_okay=False)],
    apply: Annotated[bool, typer.Option("--apply", help="Carry it out; else only say what it would do.")] = False,
    config: ConfigOption = None,
) -> None:
    """Put everybody of a file on a list: all of them, or nobody. Columns: number, date, reason, source."""
    settings = load(config)
    check_schema(settings)
    listing = read(settings, file)
    for trouble in listing.troubles:
        typer.echo(visible(str(trouble)), err=True)
    print(told(settings, name, listing))
    if listing.troubles or not listing.rows:
        raise typer.Exit(1)
    if apply:
        print(bring_in(settings, name, listing.rows, source_of(file.name)))
    else:
        print("nothing is stored yet; --apply does it")


def staging_command(
    way: Annotated[Turn, typer.Argument(help="on or off.", show_choices=False)], config: ConfigOption = None
) -> None:
    """Text only the numbers on the list only, or everybody again. What is refused meanwhile stays refused."""
    change(load(config), change="staging", way=way)


def change(settings: Settings, **words: str) -> None:
    """Have a change made, and print what it did."""
    by = who()
    answer = asyncio.run(control.ask(settings.paths.state, "list", by=by, **words))
    if answer is not None:
        print(answer["said"])
        return
    print(write_alone(settings, lambda clock: partial(change_by_words, words, at_the_shell(by), clock.now())))


def bring_in(settings: Settings, name: ListName, rows: tuple[Row, ...], source: str) -> str:
    """Have the people put on the list; says what that did."""
    by, state = who(), settings.paths.state
    if state.is_dir():
        with packed(state, name, rows, source) as file:
            answer = asyncio.run(control.ask(state, "list", by=by, change="import", file=file))
        if answer is not None:
            return answer["said"]
    done = write_alone(settings, lambda clock: partial(import_all, at_the_shell(by), name, rows, source, clock.now()))
    return told_of(name, done)


def read(settings: Settings, file: Path) -> Listing:
    """Read the file. Raises ConfigFault where there is none, and BadSheet."""
    try:
        data = file.read_bytes()
    except OSError as problem:
        raise ConfigFault([f"{file}: {problem.strerror or problem}"]) from problem
    country = settings.business.default_country
    typed = partial(read_number, fmt=NumberFormat.AS_IS, country=country)
    return read_file(data, Reading(typed, settings.business.zone, SystemClock().now()))


def told(settings: Settings, name: ListName, listing: Listing) -> str:
    """What an import would do, in a line."""
    rows = listing.rows
    on_it = peek(settings.database.url, lambda tx: tx.lists.known(name, [row.number for row in rows]))
    now = SystemClock().now()
    same = sum(1 for row in rows if row.number in on_it and (row.at or now) <= on_it[row.number])
    wrong = f", {count_of(len(listing.troubles), 'fault')}: nothing is imported" if listing.troubles else ""
    return (
        f"{count_of(listing.lines, 'line')}: {len(rows) - same} new on the list {name}, {same} there already, "
        f"{listing.twice} said twice{wrong}"
    )


def known(settings: Settings, number: str) -> str:
    """A number as somebody types it, in E.164. Raises ConfigFault."""
    read = read_number(number, NumberFormat.AS_IS, settings.business.default_country)
    if read.e164 is None:
        raise ConfigFault([f"{number!r} is no phone number"])
    return read.e164


def print_all(name: ListName, tx: Tx) -> None:
    page = tx.lists.page(name, None, PAGE)
    while True:
        for entry in page.entries:
            print(line_of(entry))
        if page.older is None:
            return
        page = tx.lists.page(name, page.older, PAGE)


def line_of(entry: Entry) -> str:
    words = "  ".join(word for word in (entry.reason, entry.source) if word)
    by = visible(entry.name or entry.by)
    at = f"{entry.at:%Y-%m-%d %H:%M} UTC"
    return f"{entry.number or 'erased':16}  {entry.list:7}  since {at}  by {by}  {visible(words)}".rstrip()

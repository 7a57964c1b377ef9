"""`ringback user import` and `export`: people from a file or from Asterisk, and people as a file."""

import asyncio
import secrets
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ringback import control
from ringback.assembly import make_account
from ringback.asterisk.checks import line_to
from ringback.asterisk.people import ask_people
from ringback.cli.shared import ConfigOption, check_schema, who, write_alone
from ringback.clock import SystemClock
from ringback.config import Settings, load
from ringback.core.department_tree import path_of
from ringback.core.people_rows import Column, Sheet, read_rows
from ringback.errors import ConfigFault
from ringback.flow.importing_people import import_people
from ringback.flow.imports import in_lines, origin_of_pbx, pack, readable, sheet_of_pbx
from ringback.flow.planning_people import Origin, plan_people, row_of
from ringback.ports.directory import Asked
from ringback.ports.storage import Tx
from ringback.sheets import Table, read_sheet, write_csv, write_xlsx
from ringback.staffing import file_origin, known_people
from ringback.store.database import peek

PART = 10_000
"""Characters of a table that one line of the control socket carries: as JSON each may take six bytes."""
REACH_WITHIN_S = 8.0

Apply = Annotated[bool, typer.Option("--apply", help="Store it; without this, say what would change.")]


def import_command(
    source: Annotated[str, typer.Argument(help="A CSV or XLSX file, or `asterisk`.")],
    apply: Apply = False,
    pbx: Annotated[str, typer.Option(help="The name of the [[asterisk]]; needed where there are several.")] = "",
    config: ConfigOption = None,
) -> None:
    """Bring people in: all of them or none. Without --apply it says, line by line, what would change."""
    settings = load(config)
    words = {"change": "import", "apply": "yes" if apply else "", "by": f"shell {who()}"}
    if source == "asterisk":
        print(asyncio.run(_from_pbx(settings, _pbx(settings, pbx), words)))
        return
    try:
        table = read_sheet(Path(source).read_bytes())
    except OSError as problem:
        raise typer.BadParameter(f"{source}: {problem.strerror or problem}") from problem
    said = asyncio.run(_tell_file(settings, table, words))
    print(said if said is not None else _alone(settings, read_rows(table), file_origin(settings), words, None))


async def _tell_file(settings: Settings, table: Table, words: dict[str, str]) -> str | None:
    """Have the daemon do it; None when none runs."""
    token = secrets.token_hex(8)
    for part in _parts(pack(table)):
        if await control.ask(settings.paths.state, "people", change="part", token=token, text=part) is None:
            return None
    answer = await control.ask(settings.paths.state, "people", token=token, **words)
    return None if answer is None else answer["said"]


def _parts(text: str) -> Iterator[str]:
    for start in range(0, len(text), PART):
        yield text[start : start + PART]


async def _from_pbx(settings: Settings, pbx: str, words: dict[str, str]) -> str:
    answer = await control.ask(settings.paths.state, "people", pbx=pbx, **words)
    if answer is not None:
        return answer["said"]
    account = next(make_account(one) for one in settings.asterisk if one.name == pbx)
    async with line_to(account, SystemClock()) as ami:
        await ami.settled(REACH_WITHIN_S)
        asked = readable(await ask_people(ami))
    origin = origin_of_pbx(pbx, settings.business.default_country)
    return await asyncio.to_thread(_alone, settings, sheet_of_pbx(asked), origin, words, asked)


def _pbx(settings: Settings, name: str) -> str:
    names = [one.name for one in settings.asterisk]
    if name in names or (not name and len(names) == 1):
        return name or names[0]
    raise ConfigFault([f"say which PBX with --pbx: {', '.join(names) or 'none is configured'}"])


def _alone(settings: Settings, sheet: Sheet, origin: Origin, words: dict[str, str], notes: Asked | None) -> str:
    if words["apply"]:
        plan = write_alone(settings, lambda clock: partial(import_people, sheet, origin, words["by"], clock.now()))
    else:
        check_schema(settings)
        plan = plan_people(sheet, origin, peek(settings.database.url, known_people))
    return in_lines(plan, notes, stored=words["apply"])


def export_command(
    file: Annotated[Path, typer.Argument(help="Where to; a name that ends in .xlsx makes that, any other CSV.")],
    config: ConfigOption = None,
) -> None:
    """Write everybody to a file, in the columns that an import reads."""
    settings = load(config)
    check_schema(settings)
    rows = peek(settings.database.url, _rows)
    body = write_xlsx(rows, "people") if file.suffix.lower() == ".xlsx" else b"".join(write_csv(rows))
    try:
        file.write_bytes(body)
    except OSError as problem:
        raise typer.BadParameter(f"{file}: {problem.strerror or problem}") from problem
    typer.echo(f"{len(rows) - 1} people in {file}", err=True)


def _rows(tx: Tx) -> Table:
    book, people = tx.grants.book(), sorted(tx.accounts.all(), key=lambda one: one.login)
    rows = [row_of(one, [path_of(book.departments, part) for part in book.members.get(one.id, ())]) for one in people]
    return [[str(column) for column in Column], *rows]

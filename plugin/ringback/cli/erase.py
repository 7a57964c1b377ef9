"""`ringback erase`: take a person out of everything that is kept. Their STOP holds on."""

import asyncio
from functools import partial
from typing import Annotated

import typer

from ringback import control
from ringback.assembly import make_reader
from ringback.cli.shared import ConfigOption, use_alone, visible, who
from ringback.config import Settings, load
from ringback.core.permissions import at_the_shell
from ringback.core.plurals import count_of
from ringback.errors import ConfigFault
from ringback.flow.retention import Erased, take_out, wipe_all
from ringback.ports import Clock
from ringback.store.database import Database

SURE = "Erase every text and call of {number}? This cannot be undone"
LATER = "somebody reads the database just now; the daemon cleans up within the hour"


def erase_command(
    number: Annotated[str, typer.Argument(help="The person's number, in any form.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: ConfigOption = None,
) -> None:
    """Erase a person: words, numbers, provider ids. What counts stays, without them; so does their STOP."""
    settings = load(config)
    e164 = make_reader(settings)("", number).e164
    if e164 is None:
        raise ConfigFault([f"{visible(number)!r} is no phone number"])
    if not yes:
        typer.confirm(SURE.format(number=e164), abort=True)
    said = asyncio.run(control.ask(settings.paths.state, "erase", number=e164, by=who())) or _alone(settings, e164)
    print(f"erased: {count_of(said['texts'], 'text')}, {count_of(said['calls'], 'call')}")
    if said["stopped"]:
        print("they had said STOP; that holds, under a hash of their number")


def _alone(settings: Settings, e164: str) -> control.Words:
    """No daemon runs: do it in its place."""
    erased, clean = use_alone(settings, partial(_erase, e164))
    if not clean:
        typer.echo(LATER, err=True)
    return {"texts": str(erased.texts), "calls": str(erased.calls), "stopped": "yes" if erased.stopped else ""}


async def _erase(e164: str, database: Database, clock: Clock) -> tuple[Erased, bool]:
    erased = await take_out(database, e164, at_the_shell(who()), clock.now())
    await database.commit(wipe_all)
    return erased, await database.scrub()

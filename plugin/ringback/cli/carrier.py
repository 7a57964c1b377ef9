"""`ringback carrier`: which carriers there are, holding one back, and letting it go on."""

import asyncio
from functools import partial
from typing import Annotated

import typer

from ringback import control
from ringback.cli.shared import ConfigOption, check_schema, visible, who, write_alone
from ringback.config import Settings, load
from ringback.core.permissions import at_the_shell
from ringback.flow.holds import change_by_words, holds, known_carrier, tell
from ringback.ports.holds import Held
from ringback.store.database import peek
from ringback.store.schema import schema_version

carrier_commands = typer.Typer(no_args_is_help=True, help="Hold a carrier back, or let it go on.")

Name = Annotated[str, typer.Argument(help="The carrier, as in [carriers.NAME].")]


@carrier_commands.command("list")
def list_command(config: ConfigOption = None) -> None:
    """Print every carrier, and which are held back, since when, by whom and why."""
    settings = load(config)
    held: tuple[Held, ...] = ()
    if schema_version(settings.database.url) is not None:
        check_schema(settings)
        held = peek(settings.database.url, holds)
    for line in tell(settings.carriers, held):
        print(visible(line))


@carrier_commands.command("hold")
def hold_command(
    name: Name,
    why: Annotated[str, typer.Option(help="Why; whoever lets it go on reads it.")],
    config: ConfigOption = None,
) -> None:
    """Let nothing leave by a carrier from now on. Texts wait, and expire when their time is over."""
    settings = load(config)
    known_carrier(settings.carriers, name)
    change(settings, change="hold", name=name, why=why)


@carrier_commands.command("release")
def release_command(
    name: Name,
    everything: Annotated[
        bool, typer.Option("--all", help="After a restore: also what may have been sent already.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Let a carrier go on. What waits and is still valid leaves now."""
    change(load(config), change="release", name=name, **({"all": "yes"} if everything else {}))


def change(settings: Settings, **words: str) -> None:
    """Have a change made, and print what it did."""
    by = who()
    answer = asyncio.run(control.ask(settings.paths.state, "carrier", by=by, **words))
    if answer is not None:
        print(answer["said"])
        return
    print(write_alone(settings, lambda clock: partial(change_by_words, words, at_the_shell(by), clock.now())))

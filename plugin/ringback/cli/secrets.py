"""`ringback secrets`: the key that secrets in the database are sealed with."""

import asyncio

import typer

from ringback import control
from ringback.cli.shared import ConfigOption, use_alone, who
from ringback.clock import SystemClock
from ringback.config import load
from ringback.entrance import make_sealer, told
from ringback.flow.factors import rotate

secrets_commands = typer.Typer(no_args_is_help=True, help="The key that secrets in the database are sealed with.")


@secrets_commands.callback()
def _named() -> None:
    """The key that secrets in the database are sealed with."""


@secrets_commands.command("rotate")
def rotate_command(config: ConfigOption = None) -> None:
    """Seal every secret with a new key, and drop the old one. Everything goes on meanwhile."""
    settings, by = load(config), f"shell {who()}"
    answer = asyncio.run(control.ask(settings.paths.state, "secrets", by=by))
    if answer is not None:
        print(answer["said"])
        return
    sealer = make_sealer(settings)
    count = use_alone(settings, lambda database, _: rotate(sealer, database, by, SystemClock().now()))
    print(told(count, sealer))

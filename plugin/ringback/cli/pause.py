"""`ringback pause`: the kill switch for everything automatic, one number or one rule."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Annotated

import typer

from ringback import control
from ringback.assembly import known_pause, make_reader, names_to_pause
from ringback.cli.shared import ConfigOption, who, write_alone
from ringback.config import Settings, load
from ringback.core.permissions import at_the_shell
from ringback.flow.pauses import Pause, Scope, Turn, turn


def pause_command(
    number: Annotated[str | None, typer.Option(help="Only texts from this number of ours.")] = None,
    rule: Annotated[str | None, typer.Option(help="Only texts of this rule.")] = None,
    off: Annotated[bool, typer.Option("--off", help="Go on again.")] = False,
    config: ConfigOption = None,
) -> None:
    """Hold back automatic texts from now on. Calls are still followed, and each says why it got no text."""
    settings = load(config)
    if number is not None and rule is not None:
        raise typer.BadParameter("give --number or --rule, not both")
    if number is not None:
        number = make_reader(settings)("", number).e164 or number
    scope = Scope.NUMBER if number is not None else Scope.RULE if rule is not None else Scope.ALL
    words = {"scope": str(scope), "name": number or rule or "", "by": who()}
    if off:
        words["off"] = "yes"
    what = known_pause(names_to_pause(settings), words)
    answer = asyncio.run(control.ask(settings.paths.state, "pause", **words))
    paused = answer["paused"] if answer is not None else _alone(settings, what, words)
    print(f"paused now: {paused.replace(chr(10), ', ')}" if paused else "nothing is paused")


def _alone(settings: Settings, what: Pause, words: Mapping[str, str]) -> str:
    """No daemon runs: write it down for the next start."""
    way = Turn.RESUME if words.get("off") else Turn.PAUSE
    in_force = write_alone(settings, lambda clock: partial(turn, what, way, at_the_shell(words["by"]), clock.now()))
    return "\n".join(str(paused.pause) for paused in in_force)

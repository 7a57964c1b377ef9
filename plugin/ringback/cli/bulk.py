"""`ringback bulk`: runs to many people: which there are, how far one is, and how to stop it."""

import asyncio
from datetime import datetime
from functools import partial
from typing import Annotated

import typer

from ringback import control
from ringback.assembly import make_house
from ringback.cli.shared import ConfigOption, check_schema, visible, who, write_alone
from ringback.clock import SystemClock
from ringback.config import Settings, load
from ringback.core.grants import EVERYTHING
from ringback.core.permissions import at_the_shell
from ringback.core.plurals import count_of
from ringback.core.reasons import SENTENCES
from ringback.flow.bulks import NoRun, call_off_whole, outlook, say_off
from ringback.ports.bulks import Run, Tallied
from ringback.store.database import peek

bulk_commands = typer.Typer(no_args_is_help=True, help="Texts to many people at once.")

Id = Annotated[str, typer.Argument(help="The id of the run, as in blk_...")]
LATEST = 50


@bulk_commands.command("list")
def list_command(config: ConfigOption = None) -> None:
    """Print the latest runs, the newest first."""
    settings = load(config)
    check_schema(settings)
    for run in peek(settings.database.url, lambda tx: tx.bulks.latest(EVERYTHING, LATEST)):
        print(_line(run))


@bulk_commands.command("show")
def show_command(run: Id, config: ConfigOption = None) -> None:
    """Print how far a run is, what waits and when it ends."""
    settings = load(config)
    check_schema(settings)
    told = peek(settings.database.url, lambda tx: tx.bulks.tallied(run))
    if told is None:
        raise NoRun(f"there is no run {visible(run)}; `ringback bulk list` shows what there is")
    print("\n".join(_lines(told, settings)))


@bulk_commands.command("cancel")
def cancel_command(run: Id, config: ConfigOption = None) -> None:
    """Stop a run: who has no text yet gets none, and texts that wait are cancelled."""
    settings = load(config)
    answer = asyncio.run(control.ask(settings.paths.state, "bulk", cancel=run, by=who()))
    print(answer["said"] if answer is not None else _alone(settings, run))


def _alone(settings: Settings, run: str) -> str:
    """No daemon runs: write it down for the next start."""
    asker = at_the_shell(who())
    off = write_alone(settings, lambda clock: partial(call_off_whole, asker, run, clock.now()))
    return say_off(run, off)


def _line(run: Run) -> str:
    made = f"{run.made} of {run.total}"
    return f"{run.public_id}  {_at(run.created_at)}  {run.state:10}  {made:>17}  {visible(run.plan.name)}".rstrip()


def _lines(told: Tallied, settings: Settings) -> list[str]:
    run = told.run
    ahead = outlook(told, make_house(settings).limits.per_number_per_minute, SystemClock().now())
    segments = count_of(ahead.segments_left, "segment")
    lines = [
        _line(run),
        f"from {run.plan.did}, asked by {visible(run.plan.asked_by)}: {visible(run.plan.body)}",
        f"{ahead.left} left, about {segments}; {run.dropped} dropped, {run.rejected} rejected",
        *(f"  {state:12} {texts}" for state, texts in sorted(told.states.items())),
    ]
    if told.stopped is not None:
        lines.append(f"no texts are made: {SENTENCES[told.stopped]}")
    for reason, texts, until in told.held:
        when = f" until {_at(until)}" if until else ""
        lines.append(f"{count_of(texts, 'text')} held{when}: {SENTENCES[reason] if reason else ''}".rstrip(": "))
    if ahead.ends_at is not None:
        late = "" if ahead.in_time else f", but it may go only until {_at(run.plan.expires_at)}"
        lines.append(f"ends about {_at(ahead.ends_at)}{late}")
    return lines


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"

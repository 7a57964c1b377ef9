"""`ringback doctor`: looks at the whole database and says what is wrong; `--fix` mends what can be made anew."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated

import typer

from ringback import control
from ringback.cli.shared import ConfigOption, visible, who, write_alone
from ringback.clock import SystemClock
from ringback.config import Settings, load
from ringback.flow.mending import NOT_MENDED, mend_by_words
from ringback.ports import Clock
from ringback.ports.storage import Step
from ringback.store.ailments import Ailment
from ringback.store.doctor import MOST, Doctor, as_json

AT_ONCE = 100


def doctor_command(
    as_object: Annotated[bool, typer.Option("--json", help="One JSON list of what is wrong.")] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="Make wrong folds anew; each leaves a line in the record.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Check the database: file, references, states, folds, deadlines, record. Exits 1 when something is wrong."""
    settings = load(config)
    found: list[Ailment] = []
    for name, ailments in Doctor(settings.database.url, SystemClock().now(), settings.paths.state).look():
        found += ailments
        if not as_object:
            _print(name, ailments)
    if as_object:
        print(as_json(found))
    elif found:
        print(f"{len(found)} wrong")
    else:
        print("all well")
    left = _fix(settings, found) if fix else len(found)
    raise typer.Exit(1 if left else 0)


def _print(name: str, ailments: Sequence[Ailment]) -> None:
    if not ailments:
        print(f"ok   {name}")
    for ailment in ailments[:MOST]:
        print(f"BAD  {name}: {visible(f'{ailment.where} {ailment.what}')}{' (--fix mends it)' if ailment.cure else ''}")
    if len(ailments) > MOST:
        print(f"BAD  {name}: and {len(ailments) - MOST} more")


def _mending(words: Mapping[str, str], clock: Clock) -> Step[str]:
    return partial(mend_by_words, words, clock.now())


def _fix(settings: Settings, found: Sequence[Ailment]) -> int:
    """Have the daemon mend, or do it alone; returns how many are left."""
    left = sum(not one.cure for one in found)
    curable = list(dict.fromkeys((one.cure, one.id, one.where) for one in found if one.cure))
    for start in range(0, len(curable), AT_ONCE):
        words = {"cures": json.dumps(curable[start : start + AT_ONCE]), "by": f"shell {who()}"}
        answer = asyncio.run(control.ask(settings.paths.state, "mend", **words))
        said = write_alone(settings, partial(_mending, words)) if answer is None else answer["said"]
        print(said)
        left += said.count(NOT_MENDED)
    return left

"""`ringback grant` and `ringback allowance`: who may do what with which number, and how much in a month.

A running daemon does it, so that it holds at once; without one the database is told.
"""

import asyncio
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Annotated

import typer

from ringback import control
from ringback.assembly import make_reader
from ringback.cli.shared import ConfigOption, check_schema, visible, who, write_alone
from ringback.clock import SystemClock
from ringback.config import Settings, load
from ringback.core.allowances import NUMBER, Limit, key_of
from ringback.core.grants import ANY_CLASS, Way
from ringback.flow.allowances import called, used_now
from ringback.flow.grants_by_words import (
    Unclear,
    allowance_by_words,
    grant_by_words,
    holder_of,
    in_words,
)
from ringback.ports.storage import Tx
from ringback.store.database import peek


class Say(StrEnum):
    """What a grant is to say."""

    ALLOW = "allow"
    DENY = "deny"
    INHERIT = "inherit"


class Class(StrEnum):
    """The class of texts a grant is about."""

    CONVERSATIONAL = "conversational"
    TRANSACTIONAL = "transactional"
    PROMOTIONAL = "promotional"


ClassOption = Annotated[Class | None, typer.Option("--class", help="Only texts of this class.")]


def grant_command(
    subject: Annotated[str, typer.Argument(help="A login, an extension, a department, or `everyone`.")],
    way: Annotated[Way, typer.Argument(help="What it is about.")],
    number: Annotated[str, typer.Argument(help="One of our numbers, a group of them, or `all`.")],
    effect: Annotated[Say, typer.Argument(help="What it says; `inherit` takes it away.")],
    class_: ClassOption = None,
    note: Annotated[str, typer.Option(help="Why, for whoever reads the history.")] = "",
    config: ConfigOption = None,
) -> None:
    """Say who may do what with a number of ours."""
    settings = load(config)
    words = {
        "subject": subject,
        "way": way,
        "number": read(settings, number),
        "effect": effect,
        "class": class_ or ANY_CLASS,
        "note": note,
    }
    tell(settings, "grant", words)


def allowance_command(
    subject: Annotated[str, typer.Argument(help="A login, an extension, a department, a number, or `everyone`.")] = "",
    soft: Annotated[str, typer.Argument(help="Segments a month from which on it warns; 0 for none.")] = "",
    hard: Annotated[str, typer.Argument(help="Segments a month after which texts are refused; 0 for none.")] = "",
    config: ConfigOption = None,
) -> None:
    """Show what is used of the month's allowances, or set one."""
    settings = load(config)
    if soft:
        if not hard:
            raise Unclear("say both: the soft limit, then the hard one; 0 is no limit")
        tell(settings, "allowance", {"subject": read(settings, subject), "soft": soft, "hard": hard})
        return
    check_schema(settings)
    lines = peek(settings.database.url, partial(used, settings, read(settings, subject) if subject else ""))
    print("\n".join(map(visible, lines)))


def read(settings: Settings, text: str) -> str:
    """A number in the form in which we keep it; anything else as it stands."""
    return make_reader(settings)("", text).e164 or text if text.strip()[:1] in ("+", "(") else text


def tell(settings: Settings, command: str, words: dict[str, str]) -> None:
    """Have a change made, and print what it did."""
    words["by"] = f"shell {who()}"
    answer = asyncio.run(control.ask(settings.paths.state, command, **words))
    if answer is None:
        print(write_alone(settings, lambda clock: partial(change_alone, settings, command, words, clock.now())))
    else:
        print(answer["said"])


def change_alone(settings: Settings, command: str, words: dict[str, str], now: datetime, tx: Tx) -> str:
    """The change itself, also before the first `ringback run` has seen what our numbers are."""
    tx.numbers.know(settings.numbers, now)
    return {"grant": grant_by_words, "allowance": allowance_by_words}[command](words, now, tx)


def used(settings: Settings, subject: str, tx: Tx) -> list[str]:
    """What is used this month of all allowances, or of one, a line each."""
    now = SystemClock().now()
    limits, spent = tx.grants.book().limits, used_now(settings.business.zone, now, tx)
    if not subject:
        return [_line(called(key, tx), limit, spent.get(key, 0)) for key, limit in sorted(limits.items())] or [
            "there are no allowances; `ringback allowance SUBJECT SOFT HARD` sets one"
        ]
    level, row, name = holder_of(subject, tx)
    key = key_of(level, name if level == NUMBER else row)
    if key not in limits:
        return [f"{name}: no allowance"]
    return [_line(name, limits[key], spent.get(key, 0))]


def _line(name: str, limit: Limit, spent: int) -> str:
    return f"{name}: {spent} segments sent this month; {in_words(*limit)}"

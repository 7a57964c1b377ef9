"""What several commands need: the option for the configuration, and a running daemon or the database itself."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from ringback.clock import SystemClock
from ringback.config import Settings
from ringback.errors import StoreFault
from ringback.keyfile import open_keys
from ringback.logs import SOURCE
from ringback.ports import Clock
from ringback.ports.storage import Step
from ringback.store.audit import RECORD
from ringback.store.database import Database
from ringback.store.holding import hold
from ringback.store.schema import HEAD, prepare, schema_version

T = TypeVar("T")

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="The configuration; else $RINGBACK_CONFIG, ./ringback.toml, /etc/...")
]


def who() -> str:
    """Who gives this command, for the record."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody without a name"


def visible(text: str) -> str:
    """The text in one line of letters: what would move the cursor or begin a line is written as its code."""
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)


def check_schema(settings: Settings) -> None:
    """Raise StoreFault unless the database is there and speaks as this program does."""
    version = schema_version(settings.database.url)
    if version is None:
        raise StoreFault("the database is not there yet; `ringback run` or `ringback migrate` makes it")
    if version != HEAD:
        raise StoreFault(f"the database is at schema {version}, wanted {HEAD}: use the Ringback that made it")


def write_alone(settings: Settings, make: Callable[[Clock], Step[T]]) -> T:
    """Run one step on the database of a Ringback that does not run; raises Locked if it does after all."""
    return use_alone(settings, lambda database, clock: database.commit(make(clock)))


def use_alone(settings: Settings, use: Callable[[Database, Clock], Awaitable[T]]) -> T:
    """The same for what is more than a step."""
    return asyncio.run(_use(settings, use))


async def _use(settings: Settings, use: Callable[[Database, Clock], Awaitable[T]]) -> T:
    clock, url = SystemClock(), settings.database.url
    SOURCE.set("shell")
    with hold(settings.paths.state):
        # a file that is gone or damaged is not made anew by a command either
        prepare(url, settings.paths.state)
        database = Database(url, clock, key=open_keys(settings.paths.state, RECORD).current)
        await database.open()
        try:
            return await use(database, clock)
        finally:
            await database.close()

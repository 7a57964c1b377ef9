"""`ringback key`: which programs may ask over the API. A running daemon does it; without one the database is told."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated

import typer

from ringback import control
from ringback.cli.shared import ConfigOption, check_schema, visible, who, write_alone
from ringback.clock import SystemClock
from ringback.config import Settings, load
from ringback.config.values import read_duration
from ringback.core.permissions import Scope
from ringback.flow.keys import change_by_words, listed, new_token, read_name
from ringback.ports.keys import Key
from ringback.ports.storage import Tx
from ringback.store.database import peek
from ringback.store.schema import schema_version

key_commands = typer.Typer(no_args_is_help=True, help="Which programs may ask over the API.")

Name = Annotated[str, typer.Argument(help="What the key is called: the program that uses it.")]


def read_span(text: str) -> timedelta:
    """How long a key holds."""
    try:
        return read_duration(text)
    except ValueError as problem:
        raise typer.BadParameter(f"it {problem}", param_hint="--expires") from problem


@key_commands.command("add")
def add_command(
    name: Name,
    scope: Annotated[list[Scope], typer.Option(help="What it may do; give the option once for each.")],
    expires: Annotated[str, typer.Option(help="For how long it holds, as in 90d; without it, until revoked.")] = "",
    acts_for: Annotated[
        str, typer.Option("--for", help="The user it acts for, by login or extension: it may do what both may.")
    ] = "",
    number: Annotated[
        list[str] | None, typer.Option(help="A number of ours it is held to; give the option once for each.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Make a key and print it. This is the only time that anybody sees it."""
    settings = load(config)
    now = SystemClock().now()
    token = new_token(now)
    said = tell(
        settings,
        change="add",
        name=read_name(name),
        public_id=token.public_id,
        hashed=token.hashed,
        scopes=" ".join(scope),
        expires_at=(now + read_span(expires)).isoformat() if expires else "",
        acts_for=acts_for,
        numbers=" ".join(number or ()),
    )
    # what is said goes elsewhere, so that a script gets the key alone
    typer.echo(said, err=True)
    print(token.token)


@key_commands.command("list")
def list_command(config: ConfigOption = None) -> None:
    """Print every key there ever was, never the keys themselves."""
    now = SystemClock().now()
    for one in keys(load(config)):
        seen = f"last used {one.seen_at:%Y-%m-%d %H:%M} UTC" if one.seen_at else "never used"
        over = one.expires_at is not None and one.expires_at <= now and not one.revoked_at
        state = "has run out" if over else _state(one)
        print(f"{one.public_id}  {listed(one.scopes):14}  {state:33}  {seen:31}  {visible(one.name)}{_held(one)}")


@key_commands.command("revoke")
def revoke_command(
    name: Annotated[str, typer.Argument(help="The name or the id of the key.")], config: ConfigOption = None
) -> None:
    """Keep a program out from now on. The texts it asked for stay."""
    print(tell(load(config), change="revoke", name=name))


def _held(key: Key) -> str:
    """For whom it acts, and with which numbers."""
    acting = f", for {visible(key.acts_for.called)}" if key.acts_for else ""
    off = ", who is disabled" if key.acts_for and key.acts_for.disabled else ""
    numbers = f", with {' '.join(sorted(key.numbers))}" if key.numbers else ""
    return f"{acting}{off}{numbers}"


def _state(key: Key) -> str:
    if key.revoked_at is not None:
        return f"revoked {key.revoked_at:%Y-%m-%d %H:%M} UTC"
    return "holds" if key.expires_at is None else f"holds until {key.expires_at:%Y-%m-%d %H:%M} UTC"


def tell(settings: Settings, **words: str) -> str:
    """Have a change made; returns what it did."""
    words["by"] = f"shell {who()}"
    answer = asyncio.run(control.ask(settings.paths.state, "key", **words))
    if answer is None:
        return write_alone(settings, lambda clock: partial(_change, words, settings, clock.now()))
    return answer["said"]


def _change(words: Mapping[str, str], settings: Settings, now: datetime, tx: Tx) -> str:
    """The daemon knows our numbers since its start; without one they are told first."""
    tx.numbers.know(settings.numbers, now)
    return change_by_words(words, now, tx)


def keys(settings: Settings) -> list[Key]:
    """Every key; none while there is no database."""
    if schema_version(settings.database.url) is None:
        return []
    check_schema(settings)
    return peek(settings.database.url, lambda tx: tx.keys.all())

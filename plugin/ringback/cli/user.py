"""`ringback user`: who may log in to the panel. A running daemon does it; without one the database is told."""

import asyncio
import sys
from collections.abc import Callable
from functools import partial
from typing import Annotated

import typer

from ringback import control
from ringback.cli.shared import ConfigOption, check_schema, visible, who, write_alone
from ringback.config import Settings, load
from ringback.core.permissions import Role
from ringback.errors import RingbackError
from ringback.flow.people import change_by_words, read_login, read_name
from ringback.ports.people import Account
from ringback.store.database import peek
from ringback.store.schema import schema_version

user_commands = typer.Typer(no_args_is_help=True, help="Who may log in to the panel.")

Login = Annotated[str, typer.Argument(help="What they type to log in.")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input, one line.")]


class BadPassword(RingbackError):
    """The password is not taken; the text says why."""


@user_commands.command("add")
def add_command(
    login: Login,
    name: Annotated[str, typer.Option(help="The name that others see.")] = "",
    role: Annotated[Role | None, typer.Option(help="What they may do; the first user is an administrator.")] = None,
    language: Annotated[str, typer.Option(help="The language of their pages; else as their browser asks.")] = "",
    password_stdin: FromStdin = False,
    config: ConfigOption = None,
) -> None:
    """Let somebody log in."""
    settings = load(config)
    login, name = read_login(login), read_name(name)
    check_language(language)
    first = not accounts(settings)
    chosen = role or (Role.ADMINISTRATOR if first else Role.AGENT)
    hashed = new_hash(login, settings, line if password_stdin else ask)
    tell(settings, change="add", login=login, name=name, role=chosen, language=language, password=hashed)


@user_commands.command("list")
def list_command(config: ConfigOption = None) -> None:
    """Print everybody."""
    for one in accounts(load(config)):
        state = f"disabled since {one.disabled_at:%Y-%m-%d %H:%M} UTC" if one.disabled_at else "may log in"
        print(f"{visible(one.login):20}  {one.role:13}  {state:37}  {visible(one.name)}".rstrip())


@user_commands.command("password")
def password_command(login: Login, password_stdin: FromStdin = False, config: ConfigOption = None) -> None:
    """Set a new password. They are logged out everywhere."""
    settings = load(config)
    login = read_login(login)
    tell(settings, change="password", login=login, password=new_hash(login, settings, line if password_stdin else ask))


@user_commands.command("disable")
def disable_command(login: Login, config: ConfigOption = None) -> None:
    """Keep somebody out from now on. What they wrote stays."""
    tell(load(config), change="disable", login=login)


@user_commands.command("enable")
def enable_command(login: Login, config: ConfigOption = None) -> None:
    """Let somebody in again."""
    tell(load(config), change="enable", login=login)


@user_commands.command("logout")
def logout_command(login: Login, config: ConfigOption = None) -> None:
    """Log somebody out of every browser."""
    tell(load(config), change="logout", login=login)


def tell(settings: Settings, **words: str) -> None:
    """Have a change made, and print what it did."""
    words["by"] = f"shell {who()}"
    answer = asyncio.run(control.ask(settings.paths.state, "user", **words))
    if answer is None:
        print(write_alone(settings, lambda clock: partial(change_by_words, words, clock.now())))
    else:
        print(answer["said"])


def accounts(settings: Settings) -> list[Account]:
    """Everybody; nobody while there is no database."""
    if schema_version(settings.database.url) is None:
        return []
    check_schema(settings)
    return peek(settings.database.url, lambda tx: tx.accounts.all())


def check_language(code: str) -> None:
    """Raise for a language the panel does not have."""
    from ringback.panel.languages import languages_in
    from ringback.resources import shipped

    known = languages_in(shipped("web/locale"))
    if code and code not in known:
        raise typer.BadParameter(f"the panel does not speak {code!r}; it speaks {', '.join(known)}")


def new_hash(login: str, settings: Settings, read: Callable[[], str]) -> str:
    """Hash a new password. Raises BadPassword for one that is easy to guess."""
    from ringback.panel.passwords import Hasher, weakness

    password = read()
    if why := weakness(password, login, settings.business.name):
        raise BadPassword(why)
    return asyncio.run(Hasher().hash(password))


def line() -> str:
    """A password that a program gives."""
    return sys.stdin.readline().rstrip("\r\n")


def ask() -> str:
    """A password that a person types, twice."""
    if not sys.stdin.isatty():
        raise typer.BadParameter("there is nobody to ask for a password; give --password-stdin")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt="The same again"))

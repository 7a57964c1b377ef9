"""`ringback user`: who works here. A running daemon does it; without one the database is told."""

import asyncio
import sys
from collections.abc import Callable
from functools import partial
from typing import Annotated

import typer

from ringback import control
from ringback.cli.shared import ConfigOption, check_schema, visible, who, write_alone
from ringback.config import Settings, load
from ringback.core.book import Book
from ringback.core.department_tree import below, by_words
from ringback.core.folding import fold
from ringback.core.permissions import Role
from ringback.errors import RingbackError
from ringback.flow.people import in_words, read_login, read_name
from ringback.flow.people_by_words import change_by_words
from ringback.ports.people import Account
from ringback.ports.storage import Tx
from ringback.store.database import peek
from ringback.store.schema import schema_version

user_commands = typer.Typer(no_args_is_help=True, help="Who works here, and may log in to the panel.")

Login = Annotated[str, typer.Argument(help="What they type to log in.")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input, one line.")]
Name = Annotated[str | None, typer.Option(help="The name that others see.")]
Extension = Annotated[str | None, typer.Option(help="Their extension; empty for none.")]
Endpoint = Annotated[str | None, typer.Option(help="Their device at the PBX, as in PJSIP/101; empty for none.")]
Mail = Annotated[str | None, typer.Option(help="Their mail address; empty for none.")]
Mobile = Annotated[str | None, typer.Option(help="Their mobile, with + and its country; empty for none.")]
Language = Annotated[str | None, typer.Option(help="The language of their pages; empty for what their browser asks.")]


class BadPassword(RingbackError):
    """The password is not taken; the text says why."""


@user_commands.command("add")
def add_command(
    login: Login,
    name: Name = None,
    role: Annotated[
        list[Role] | None,
        typer.Option(help="What they work as; give the option once for each. The first user is an administrator."),
    ] = None,
    language: Language = None,
    extension: Extension = None,
    endpoint: Endpoint = None,
    mail: Mail = None,
    mobile: Mobile = None,
    password_stdin: FromStdin = False,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="Without one they cannot log in, until it is set.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Add somebody."""
    settings = load(config)
    login, called = read_login(login), read_name(name or "")
    check_language(language or "")
    first = not accounts(settings)
    chosen = frozenset(role or [Role.ADMINISTRATOR if first else Role.AGENT])
    hashed = "" if no_password else new_hash(login, settings, line if password_stdin else ask)
    more = _given(extension=extension, endpoint=endpoint, mail=mail, mobile=mobile)
    said = {"name": called, "role": in_words(chosen), "language": language or "", "password": hashed, **more}
    tell(settings, change="add", login=login, **said)


@user_commands.command("edit")
def edit_command(
    login: Login,
    name: Name = None,
    extension: Extension = None,
    endpoint: Endpoint = None,
    mail: Mail = None,
    mobile: Mobile = None,
    language: Language = None,
    config: ConfigOption = None,
) -> None:
    """Change what is said of somebody. What is not named stays."""
    check_language(language or "")
    given = _given(name=name, extension=extension, endpoint=endpoint, mail=mail, mobile=mobile, language=language)
    tell(load(config), change="edit", login=login, **given)


@user_commands.command("role")
def role_command(
    login: Login,
    roles: Annotated[list[Role], typer.Argument(help="All that they work as from now on.")],
    config: ConfigOption = None,
) -> None:
    """Give somebody other roles. They log in again."""
    tell(load(config), change="role", login=login, role=in_words(frozenset(roles)))


@user_commands.command("list")
def list_command(
    find: Annotated[str, typer.Option(help="Words in name, login, extension or mail.")] = "",
    department: Annotated[str, typer.Option(help="In this department, or in one that is part of it.")] = "",
    role: Annotated[Role | None, typer.Option(help="With this role.")] = None,
    source: Annotated[str, typer.Option(help="Brought in from there, as in asterisk:main.")] = "",
    after: Annotated[str, typer.Option(help="Go on behind this login.")] = "",
    most: Annotated[int, typer.Option(min=1, help="How many at most.")] = 200,
    config: ConfigOption = None,
) -> None:
    """Print everybody, or those who fit, by login."""
    everybody, book = _everybody(load(config))
    inside = _inside(book, department)
    fitting = [
        one
        for one in sorted(everybody, key=lambda one: one.login)
        if one.login > after
        and _fits(one, find)
        and (role is None or role in one.roles)
        and (not source or one.source == source)
        and (inside is None or inside.intersection(book.members.get(one.id, ())))
    ]
    for one in fitting[:most]:
        print(_line_of(one))
    if len(fitting) > most:
        typer.echo(f"and {len(fitting) - most} more: --after {visible(fitting[most - 1].login)}", err=True)


def _line_of(one: Account) -> str:
    state = f"disabled since {one.disabled_at:%Y-%m-%d %H:%M} UTC" if one.disabled_at else "may log in"
    called = visible(one.name)
    return (
        f"{visible(one.login):20}  {in_words(one.roles):13}  {state:37}  {visible(one.extension):8}  {called}".rstrip()
    )


def _fits(one: Account, find: str) -> bool:
    said = fold(f"{one.name} {one.extension} {one.mail} {one.login}")
    return all(word in said for word in fold(find).split())


def _inside(book: Book, department: str) -> frozenset[int] | None:
    if not department:
        return None
    found = by_words(book.departments, department)
    if found is None:
        raise typer.BadParameter(f"there is no department {department!r}", param_hint="--department")
    return below(book.departments, found.id)


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


def _given(**words: str | None) -> dict[str, str]:
    return {name: value for name, value in words.items() if value is not None}


def tell(settings: Settings, **words: str) -> None:
    """Have a change made, and print what it did."""
    words["by"] = f"shell {who()}"
    country = settings.business.default_country
    answer = asyncio.run(control.ask(settings.paths.state, "user", **words))
    if answer is None:
        print(write_alone(settings, lambda clock: partial(change_by_words, words, country, clock.now())))
    else:
        print(answer["said"])


def accounts(settings: Settings) -> list[Account]:
    """Everybody; nobody while there is no database."""
    return _everybody(settings)[0]


def _everybody(settings: Settings) -> tuple[list[Account], Book]:
    if schema_version(settings.database.url) is None:
        return [], Book()
    check_schema(settings)
    return peek(settings.database.url, _all_of)


def _all_of(tx: Tx) -> tuple[list[Account], Book]:
    return tx.accounts.all(), tx.grants.book()


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

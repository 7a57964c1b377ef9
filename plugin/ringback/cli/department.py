"""`ringback department`: the tree of departments, and who is in it."""

import asyncio
from functools import partial
from typing import Annotated

import typer

from ringback import control
from ringback.cli.shared import ConfigOption, check_schema, visible, who, write_alone
from ringback.config import Settings, load
from ringback.core.book import Book
from ringback.core.department_tree import branches, by_words, people_in
from ringback.core.plurals import count_of
from ringback.flow.departments import what_goes
from ringback.flow.departments_by_words import change_departments_by_words, told_of
from ringback.flow.refusing import Because, Refused
from ringback.ports.storage import Tx
from ringback.store.database import peek
from ringback.store.schema import schema_version

department_commands = typer.Typer(no_args_is_help=True, help="The tree of departments, and who is in it.")

Department = Annotated[str, typer.Argument(help="Its name or path, as in Sales/East.")]
Login = Annotated[str, typer.Argument(help="Their login or extension.")]
Inside = Annotated[str, typer.Option("--in", help="The department it stands in; without it, at the top.")]


@department_commands.command("list")
def list_command(config: ConfigOption = None) -> None:
    """Print the tree, with how many people are in each part of it."""
    book = _book(load(config))
    for branch in branches(book.departments):
        many = count_of(len(people_in(book, branch.department.id)), "person", "people")
        print(f"{'  ' * branch.depth}{visible(branch.department.name)}  ({many})")


@department_commands.command("add")
def add_command(name: Department, inside: Inside = "", config: ConfigOption = None) -> None:
    """Make a department."""
    _tell(load(config), change="add", department=name, parent=inside)


@department_commands.command("rename")
def rename_command(
    department: Department, name: Annotated[str, typer.Argument(help="Its new name.")], config: ConfigOption = None
) -> None:
    """Call it something else."""
    _tell(load(config), change="rename", department=department, name=name)


@department_commands.command("move")
def move_command(department: Department, inside: Inside = "", config: ConfigOption = None) -> None:
    """Have it stand in another, with all that is in it."""
    _tell(load(config), change="move", department=department, parent=inside)


@department_commands.command("remove")
def remove_command(
    department: Department,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this, say what goes with it.")] = False,
    config: ConfigOption = None,
) -> None:
    """Take it away with its grants. Its members and what is in it move up."""
    settings = load(config)
    if yes:
        _tell(settings, change="remove", department=department)
        return
    check_schema(settings)
    for line in peek(settings.database.url, partial(_what_goes, department)):
        print(line)
    print("Nothing is removed yet: add --yes.")


def _what_goes(department: str, tx: Tx) -> list[str]:
    found = by_words(tx.grants.book().departments, department)
    if found is None:
        raise Refused(Because.NO_DEPARTMENT)
    return told_of(what_goes(found.public_id, tx))


@department_commands.command("join")
def join_command(
    login: Login,
    department: Department,
    main: Annotated[bool, typer.Option("--main", help="It is the one they stand under.")] = False,
    config: ConfigOption = None,
) -> None:
    """Put somebody into a department."""
    _tell(load(config), change="join", login=login, department=department, main="main" if main else "")


@department_commands.command("leave")
def leave_command(login: Login, department: Department, config: ConfigOption = None) -> None:
    """Take somebody out of a department."""
    _tell(load(config), change="leave", login=login, department=department)


def _tell(settings: Settings, **words: str) -> None:
    words["by"] = f"shell {who()}"
    answer = asyncio.run(control.ask(settings.paths.state, "department", **words))
    if answer is None:
        print(write_alone(settings, lambda clock: partial(change_departments_by_words, words, clock.now())))
    else:
        print(answer["said"])


def _book(settings: Settings) -> Book:
    if schema_version(settings.database.url) is None:
        return Book()
    check_schema(settings)
    return peek(settings.database.url, lambda tx: tx.grants.book())

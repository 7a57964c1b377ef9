"""Every route, stream and command has its row: what has none would be nobody's to decide."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import typer
from aiohttp import web

from ringback.cli.commands import cli
from ringback.cli.operations import COMMANDS
from ringback.core.operations import OF_A_NUMBER
from ringback.core.permissions import Action
from ringback.panel.operations import OPERATIONS, without_row
from tests.matrix.oracle import roles_for, scopes_for
from tests.matrix.test_matrix_of_programs import OPERATIONS as PROGRAMMED


def commands_of(group: Any, before: str = "") -> Iterator[str]:
    """Every command with the groups it is in."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands_of(command, f"{before}{name} ")
        else:
            yield f"{before}{name}"


def test_every_command_has_its_row_in_the_matrix():
    assert sorted(commands_of(typer.main.get_command(cli))) == sorted(row.path for row in COMMANDS)


def test_no_row_of_the_matrix_stands_twice():
    every = [(row.surface, row.name) for row in (*OPERATIONS, *PROGRAMMED, *COMMANDS)]
    assert [name for name, count in Counter(every).items() if count > 1] == []


def test_the_oracle_of_the_matrix_has_an_answer_for_every_row():
    for row in OPERATIONS:
        roles_for(row.name)
    for row in PROGRAMMED:
        scopes_for(row.name)


def test_what_belongs_to_a_number_says_which_way_it_takes():
    rows = (*OPERATIONS, *PROGRAMMED)
    assert [row.name for row in rows if row.about in OF_A_NUMBER and row.way is None] == []


def test_every_action_is_asked_for_somewhere():
    asked = {row.needs for row in (*OPERATIONS, *PROGRAMMED)}
    assert set(Action) - asked == set()


def test_a_route_without_a_row_of_the_matrix_is_named():
    app = web.Application()
    app.router.add_get("/threads", _nothing)
    app.router.add_post("/threads/{thread}/burn", _nothing)
    assert without_row(app) == ["POST /threads/{thread}/burn"]


async def _nothing(_: web.Request) -> web.Response:
    return web.Response()

"""Looks one person up in all places, however much that is."""

from collections.abc import Iterator
from dataclasses import asdict

from sqlalchemy import Connection, text

from ringback.core.ids import kind_of
from ringback.ports.person import Known, NotTextable, Quiet, Waits
from ringback.ports.stories import Stories
from ringback.store.database import Database
from ringback.store.ghosts import Ghosts
from ringback.store.lists import Lists
from ringback.store.moments import moment_of
from ringback.store.read_record import about_any
from ringback.store.reading import reading
from ringback.store.stories import find

ALL = 1_000_000
"""More than anybody has; a person is written out whole."""
WAITS = text("SELECT b.public_id, i.words FROM bulk_item i JOIN bulk b ON b.id = i.bulk_id WHERE i.peer = :peer")
QUIET = text(
    """SELECT c.group_, n.e164, c.until_at FROM cool_down c JOIN number n ON n.id = c.number_id WHERE c.peer = :peer"""
)
NOT_TEXTABLE = text("SELECT reason, since_at, until_at FROM not_textable WHERE peer = :peer")


class StoredPerson:
    """Satisfies `ports.person.ReadPerson`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def known(self, number: str) -> Known:
        return await self._database.read(lambda connection: known(connection, number))


def known(connection: Connection, number: str) -> Known:
    """Everything about a number in E.164."""
    run = reading(connection)
    ghosts = Ghosts(run)
    stories = find(connection, number, ALL)
    return Known(
        number,
        stories,
        Lists(run, ghosts).of(number),
        tuple(Waits(row[0], row[1]) for row in connection.execute(WAITS, {"peer": number})),
        tuple(Quiet(row[0], row[1], moment_of(row[2])) for row in connection.execute(QUIET, {"peer": number})),
        tuple(
            NotTextable(row[0], moment_of(row[1]), moment_of(row[2]))
            for row in connection.execute(NOT_TEXTABLE, {"peer": number})
        ),
        tuple(about_any(connection, {*ids_in(stories), ghosts.of(number)})),
    )


def ids_in(stories: Stories) -> set[str]:
    """Every public id that stands anywhere in the stories."""
    return {value for value in _values(asdict(stories)) if kind_of(value) is not None}


def _values(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _values(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _values(inner)

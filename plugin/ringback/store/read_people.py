"""Everybody who works here, a page at a time. Accounts are some thousands at most, so words are looked for one by one,
folded as people type them, which no database does alike."""

import json
from typing import TYPE_CHECKING

from ringback.core.folding import fold
from ringback.ports.directory import PeoplePage, Sought
from ringback.ports.people import Account
from ringback.store.account_rows import ACCOUNT, account_of
from ringback.store.reading import reading
from ringback.store.sql import sql, sql_each
from ringback.store.tx import Row

if TYPE_CHECKING:
    from sqlalchemy import Connection as Reading

    from ringback.store.database import Database

_HELD = """(:source = '' OR account.source = :source) AND (:role = '' OR account.role LIKE :role)
    AND (:disabled = '' OR (account.disabled_at IS NULL) = (:disabled = 'no'))"""
AFTER = sql(f"SELECT {ACCOUNT} FROM account WHERE login > :after AND {_HELD} ORDER BY login LIMIT :most")
_WITHIN = f"SELECT {ACCOUNT} FROM account WHERE login > :after AND {_HELD} AND EXISTS (SELECT 1 FROM member"
AFTER_WITHIN = sql_each(
    f"""{_WITHIN} WHERE account_id = account.id AND department_id IN (SELECT value FROM json_each(:departments)))
    ORDER BY login LIMIT :most""",
    f"""{_WITHIN} WHERE account_id = account.id AND department_id IN
    (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST(:departments AS json))))
    ORDER BY login LIMIT :most""",
)
THOSE = sql_each(
    f"SELECT {ACCOUNT} FROM account WHERE id IN (SELECT value FROM json_each(:ids)) ORDER BY name, login",
    f"""SELECT {ACCOUNT} FROM account WHERE id IN
    (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST(:ids AS json))) ORDER BY name, login""",
)
GET = sql(f"SELECT {ACCOUNT} FROM account WHERE public_id = :public_id")
SOURCES = sql("SELECT DISTINCT source FROM account WHERE source <> '' ORDER BY source")
AT_A_TIME = 500
_LOGIN, _NAME, _EXTENSION, _MAIL = 2, 3, 9, 11
"""Where these stand in a row."""


class StoredPeople:
    """Satisfies `ports.directory.Directory`."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def page(self, sought: Sought, after: str, most: int) -> PeoplePage:
        return await self._database.read(lambda connection: read_page(connection, sought, after, most))

    async def get(self, public_id: str) -> Account | None:
        row = await self._database.read(lambda connection: reading(connection).one(GET, public_id=public_id))
        return None if row is None else account_of(row)

    async def those(self, accounts: frozenset[int]) -> tuple[Account, ...]:
        ids = json.dumps(sorted(accounts))
        rows = await self._database.read(lambda connection: reading(connection).all(THOSE, ids=ids))
        return tuple(account_of(row) for row in rows)

    async def sources(self) -> tuple[str, ...]:
        rows = await self._database.read(lambda connection: reading(connection).all(SOURCES))
        return tuple(row[0] for row in rows)


def read_page(connection: "Reading", sought: Sought, after: str, most: int) -> PeoplePage:
    """People whose login comes after this one, until the page is full."""
    words = fold(sought.words).split()
    found: list[Row] = []
    while True:
        rows = _some(connection, sought, after, most + 1 if not words else AT_A_TIME)
        found += [row for row in rows if _holds(row, words)]
        if len(found) > most or not rows or (len(rows) < AT_A_TIME and words) or not words:
            break
        after = rows[-1][_LOGIN]
    people = tuple(account_of(row) for row in found[:most])
    return PeoplePage(people, people[-1].login if len(found) > most else "")


def _some(connection: "Reading", sought: Sought, after: str, most: int) -> list[Row]:
    held = {
        "after": after,
        "most": most,
        "source": sought.source,
        "role": f"%{sought.role}%" if sought.role else "",
        "disabled": sought.disabled,
    }
    if sought.departments:
        return reading(connection).all(AFTER_WITHIN, departments=json.dumps(sorted(sought.departments)), **held)
    return reading(connection).all(AFTER, **held)


def _holds(row: Row, words: list[str]) -> bool:
    """Whether every word begins one of theirs, or stands in their login."""
    if not words:
        return True
    said = fold(f"{row[_NAME]} {row[_EXTENSION]} {row[_MAIL]} {row[_LOGIN]}")
    return all(word in said for word in words)

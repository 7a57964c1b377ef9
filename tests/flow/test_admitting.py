"""Letting in people of a directory: what their groups change here is in the record, and leaves no number alone."""

from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import text as sql

from ringback.core.permissions import Role
from ringback.flow.admitting import admit
from ringback.flow.departments import add_department
from ringback.flow.people import NewUser, add_user
from ringback.ports.directories import Admission, Person
from ringback.store.database import Database
from tests.conftest import NOON

OURS = "+12025550101"
SALES = Admission("ldap", "Directory", departments={"Sales": frozenset({"sales"})})
IN = Person("ldap:uid=ana", "ana", "Ana", "ana@example.com", frozenset({"sales"}))
OUT = Person("ldap:uid=ana", "ana", "Ana", "ana@example.com", frozenset())


@pytest.fixture
async def sales(store: Database):
    """A department, and an administrator so that somebody may come from a directory."""
    root = NewUser("root", "Root", frozenset({Role.ADMINISTRATOR}), "hash")
    await store.commit(lambda tx: add_user(root, "shell test", NOON, tx))
    return await store.commit(partial(add_department, "Sales", "", "shell test", NOON))


async def rows(store: Database) -> list[tuple[str, str, str]]:
    asked = sql("SELECT who, action, detail FROM audit WHERE who = 'ldap' ORDER BY id")
    return [tuple(row) for row in await store.read(lambda db: db.execute(asked).fetchall())]


async def come(store: Database, person: Person):
    return await store.commit(partial(admit, person, SALES, NOON))


async def departments_of(store: Database, account: int) -> tuple[int, ...]:
    return await store.commit(lambda tx: tx.grants.book().members.get(account, ()))


async def test_what_a_directory_says_of_somebody_is_in_the_record(store: Database, sales):
    ana = await come(store, IN)
    assert await departments_of(store, ana.id) == (sales.id,)
    await come(store, OUT)
    assert await departments_of(store, ana.id) == ()
    assert await rows(store) == [
        ("ldap", "user_add", "ana, agent"),
        ("ldap", "user_describe", "ana: mail"),
        ("ldap", "department_join", "ana: Sales"),
        ("ldap", "department_leave", "ana: Sales"),
    ]


async def test_nobody_is_taken_out_of_a_department_whose_number_they_alone_serve(store: Database, sales):
    ana = await come(store, IN)
    await store.commit(lambda tx: tx.numbers.know({OURS}, NOON))
    (card,) = await store.commit(lambda tx: tx.numbers.all())
    await store.commit(lambda tx: tx.numbers.own(card.id, sales.public_id, "", NOON))
    assert (await come(store, OUT)).id == ana.id
    assert await departments_of(store, ana.id) == (sales.id,)
    assert (await rows(store))[-1] == ("ldap", "department_leave", "kept in Sales: nobody else is left for its numbers")


async def test_whoever_alone_serves_a_number_keeps_the_role_for_it(store: Database, sales):
    roles = {Role.AGENT: frozenset({"sales"}), Role.AUDITOR: frozenset({"looks"})}
    admission = replace(SALES, roles=roles, departments={})
    ana = await store.commit(partial(admit, IN, admission, NOON))
    await store.commit(lambda tx: tx.numbers.know({OURS}, NOON))
    (card,) = await store.commit(lambda tx: tx.numbers.all())
    await store.commit(lambda tx: tx.numbers.own(card.id, ana.public_id, "", NOON))
    changed = replace(IN, groups=frozenset({"looks"}))
    assert (await store.commit(partial(admit, changed, admission, NOON))).roles == {Role.AGENT}
    assert (await rows(store))[-1] == ("ldap", "user_role", "kept agent")

"""People and their logins, on SQLite and on PostgreSQL alike."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from ringback.core.permissions import Role
from ringback.store.accounts import Readers
from ringback.store.database import Database
from tests.conftest import NOON

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def add(login: str = "ana", role: Role = Role.ADMINISTRATOR, name: str = "Ana"):
    return lambda tx: tx.accounts.add(login, name, frozenset({Role(role)}), "$argon2id$x", "es", NOON)


def begin(account, token: str = "t1", lasts: timedelta = HOUR, at=NOON):
    return lambda tx: tx.accounts.begin(account.id, token, at + lasts, "192.0.2.7", "Firefox", at)


async def test_an_account_is_found_by_login_and_by_id(store: Database):
    made = await store.commit(add())
    assert (made.login, made.name, made.roles, made.language) == ("ana", "Ana", {Role.ADMINISTRATOR}, "es")
    assert (made.created_at, made.disabled_at) == (NOON, None)
    assert made.public_id.startswith("usr_")
    assert await store.commit(lambda tx: (tx.accounts.find("ana"), tx.accounts.get(made.public_id))) == (made, made)
    assert await store.commit(lambda tx: (tx.accounts.find("bob"), tx.accounts.get("usr_x"))) == (None, None)


async def test_a_login_is_taken_once(store: Database):
    first = await store.commit(add())
    assert await store.commit(add(name="Another Ana")) is None
    assert await store.commit(lambda tx: tx.accounts.all()) == [first]
    assert await store.commit(lambda tx: tx.accounts.count()) == 1


async def test_a_browser_is_logged_in_until_it_is_ended(store: Database):
    ana = await store.commit(add())
    number = await store.commit(begin(ana))
    login = await store.commit(lambda tx: tx.accounts.of_token("t1"))
    assert (login.id, login.account, login.created_at, login.seen_at) == (number, ana, NOON, NOON)
    assert (login.expires_at, login.ended_at) == (NOON + HOUR, None)
    assert (login.address, login.browser) == ("192.0.2.7", "Firefox")
    await store.commit(lambda tx: tx.accounts.end(number, NOON + MINUTE))
    await store.commit(lambda tx: tx.accounts.end(number, NOON + HOUR))
    assert (await store.commit(lambda tx: tx.accounts.of_token("t1"))).ended_at == NOON + MINUTE


async def test_a_token_nobody_has_is_nobody(store: Database):
    assert await store.commit(lambda tx: tx.accounts.of_token("t1")) is None


async def test_being_seen_moves_only_forward(store: Database):
    number = await store.commit(begin(await store.commit(add())))
    for at in (NOON + HOUR, NOON + MINUTE):
        await store.commit(lambda tx, at=at: tx.accounts.seen(number, at))
    assert (await store.commit(lambda tx: tx.accounts.of_token("t1"))).seen_at == NOON + HOUR


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(
            lambda tx, who: tx.accounts.change_password(who, "$argon2id$y", NOON + MINUTE), id="a new password"
        ),
        pytest.param(
            lambda tx, who: tx.accounts.change_roles(who, frozenset({Role.AGENT}), NOON + MINUTE), id="another role"
        ),
        pytest.param(lambda tx, who: tx.accounts.disable(who, NOON + MINUTE), id="an account that is disabled"),
        pytest.param(lambda tx, who: tx.accounts.end_all(who, NOON + MINUTE), id="logging out everywhere"),
    ],
)
async def test_what_ends_every_login_of_one_account(store: Database, change):
    ana, bob = await store.commit(add()), await store.commit(add("bob"))
    for token, who in (("t1", ana), ("t2", ana), ("t3", bob)):
        await store.commit(begin(who, token))
    await store.commit(lambda tx: change(tx, ana.id))
    ended = [(await store.commit(lambda tx, t=t: tx.accounts.of_token(t))).ended_at for t in ("t1", "t2", "t3")]
    assert ended == [NOON + MINUTE, NOON + MINUTE, None]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda tx, who: tx.accounts.renew_hash(who, "$argon2id$y", NOON + MINUTE), id="a newer hash"),
        pytest.param(lambda tx, who: tx.accounts.set_language(who, "en", NOON + MINUTE), id="another language"),
        pytest.param(lambda tx, who: tx.accounts.enable(who, NOON + MINUTE), id="being enabled"),
    ],
)
async def test_what_leaves_logins_alone(store: Database, change):
    ana = await store.commit(add())
    await store.commit(begin(ana))
    await store.commit(lambda tx: change(tx, ana.id))
    assert (await store.commit(lambda tx: tx.accounts.of_token("t1"))).ended_at is None


async def test_what_is_changed_is_read_back(store: Database):
    ana = await store.commit(add())

    def change(tx):
        tx.accounts.change_password(ana.id, "$argon2id$y", NOON)
        tx.accounts.set_language(ana.id, "en", NOON)
        tx.accounts.change_roles(ana.id, frozenset({Role.AGENT}), NOON)
        tx.accounts.disable(ana.id, NOON + HOUR)
        return tx.accounts.find("ana")

    now = await store.commit(change)
    assert (now.password, now.language, now.roles) == ("$argon2id$y", "en", {Role.AGENT})
    assert now.disabled_at == NOON + HOUR
    await store.commit(lambda tx: tx.accounts.enable(ana.id, NOON))
    assert (await store.commit(lambda tx: tx.accounts.find("ana"))).disabled_at is None


async def test_only_administrators_who_can_log_in_count(store: Database):
    people = [await store.commit(add(login, role)) for login, role in (("a", "administrator"), ("b", "administrator"))]
    await store.commit(add("c", Role.AGENT))
    assert await store.commit(lambda tx: tx.accounts.administrators()) == 2
    await store.commit(lambda tx: tx.accounts.disable(people[0].id, NOON))
    assert await store.commit(lambda tx: tx.accounts.administrators()) == 1


async def test_old_logins_are_forgotten(store: Database):
    ana = await store.commit(add())
    await store.commit(begin(ana, "old", HOUR))
    await store.commit(begin(ana, "new", 3 * HOUR))
    await store.commit(lambda tx: tx.accounts.forget_old(NOON + 2 * HOUR))
    assert await store.commit(lambda tx: tx.accounts.of_token("old")) is None
    assert await store.commit(lambda tx: tx.accounts.of_token("new")) is not None


async def test_the_panel_reads_the_same_beside_the_writer(store: Database):
    ana, bob = await store.commit(add()), await store.commit(add("bob", Role.AGENT))
    first = await store.commit(begin(ana, "t1"))
    second = await store.commit(begin(ana, "t2", at=NOON + MINUTE))
    ended = await store.commit(begin(ana, "t3"))
    await store.commit(lambda tx: tx.accounts.end(ended, NOON))
    people = Readers(store)
    assert (await people.of_token("t1")).account == ana
    assert await people.of_token("t9") is None
    assert (await people.find("bob"), await people.find("eve")) == (bob, None)
    assert await people.everybody() == [ana, bob]
    assert [login.id for login in await people.of_account(ana.id)] == [second, first]


async def test_the_audit_keeps_what_is_noted(store: Database):
    await store.commit(lambda tx: tx.audit.note("user usr_1", "log_in", "usr_1", "from 192.0.2.7", NOON))
    rows = await store.read(lambda db: db.execute(text("SELECT who, action, about, detail FROM audit")).fetchall())
    assert [tuple(row) for row in rows] == [("user usr_1", "log_in", "usr_1", "from 192.0.2.7")]


async def test_nobody_is_called_by_a_name_with_a_nul(store):
    assert await store.commit(lambda tx: tx.accounts.named("ana\0")) == []

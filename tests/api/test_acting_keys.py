"""Keys that act for a user, or are held to some numbers: both the scopes and the user's rights must allow it."""

from dataclasses import replace

import pytest

from ringback.core.grants import ALL_NUMBERS, Cell, Effect, Level, Subject, Way
from ringback.core.permissions import Role, Scope
from ringback.flow.keys import Because, KeyRefused, NewKey, add_key, new_token
from ringback.flow.people import NewUser, add_user
from ringback.ports.people import Account, Contact
from tests.api.conftest import Api, Program
from tests.flow.world import DID, OTHER_DID


@pytest.fixture
async def ana(api: Api) -> Account:
    new = NewUser("ana", "Ana", frozenset({Role.ADMINISTRATOR}), "hash")
    await api.store.commit(lambda tx: tx.numbers.know([DID, OTHER_DID], api.clock.now()))
    return await api.store.commit(lambda tx: add_user(new, "test", api.clock.now(), tx))


@pytest.fixture
async def ben(api: Api, ana: Account) -> Account:
    contact = Contact(extension="101")
    new = NewUser("ben", "Ben", frozenset({Role.AGENT}), "hash", contact=contact)
    return await api.store.commit(lambda tx: add_user(new, "test", api.clock.now(), tx))


async def let(api: Api, who: Account, effect: Effect, *ways: Way, scope: str = ALL_NUMBERS) -> None:
    def put(tx) -> None:
        for way in ways:
            cell = Cell(Subject(Level.USER, who.id), way, scope)
            tx.grants.put(cell, effect, "", "chg_test", "test", api.clock.now())

    await api.store.commit(put)


async def program(api: Api, *scopes: Scope, acts_for: str = "", numbers: frozenset[str] = frozenset()) -> Program:
    token = new_token(api.clock.now())
    new = NewKey(token.public_id, token.hashed, token.public_id[4:], frozenset(scopes), None, acts_for, numbers)
    key = await api.store.commit(lambda tx: add_key(new, "shell test", api.clock.now(), tx))
    api.door.forget()
    return Program(api.session, token.token, key)


async def states(one: Program) -> tuple[int, int]:
    """What comes of a text from each of our numbers."""
    return (await one.send()).status, (await one.send(**{"from": OTHER_DID})).status


@pytest.mark.parametrize("name", ["ben", "101", "usr"])
async def test_a_key_may_what_its_user_may(api: Api, ben: Account, name: str):
    acting = await program(api, Scope.SEND, acts_for=ben.public_id if name == "usr" else name)
    principal = acting.key.principal
    assert (principal.account, principal.roles, principal.numbers) == (ben.id, frozenset(), frozenset())
    assert [status == 201 for status in await states(acting)] == [True, True]
    await let(api, ben, Effect.DENY, Way.SEND, scope=OTHER_DID)
    assert [status == 201 for status in await states(acting)] == [True, False]
    await let(api, ben, Effect.DENY, Way.SEND)
    assert [status == 201 for status in await states(acting)] == [False, False]


async def test_a_user_who_may_more_gives_no_scope(api: Api, ana: Account):
    reading = await program(api, Scope.READ, acts_for="ana")
    assert (await reading.send()).status == 403


async def test_a_key_is_held_to_its_numbers(api: Api, ana: Account):
    held = await program(api, Scope.SEND, numbers=frozenset({DID}))
    assert [status == 201 for status in await states(held)] == [True, False]
    both = await program(api, Scope.SEND, acts_for="ana", numbers=frozenset({OTHER_DID}))
    assert [status == 201 for status in await states(both)] == [False, True]


async def test_a_key_of_somebody_who_is_disabled_is_turned_away_until_they_may_log_in(api: Api, ben: Account):
    await let(api, ben, Effect.ALLOW, Way.SEND, Way.RECEIVE)
    acting = await program(api, Scope.SEND, acts_for="ben")
    assert (await acting.send()).status == 201
    now = api.clock.now()
    await api.store.commit(lambda tx: tx.accounts.disable(ben.id, now))
    api.door.forget()
    assert (await acting.send()).status == 401
    await api.store.commit(lambda tx: tx.accounts.enable(ben.id, now))
    api.door.forget()
    assert (await acting.send()).status == 201


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param({"acts_for": "nobody"}, Because.NOBODY, id="nobody"),
        pytest.param({"acts_for": "zoe"}, Because.NOBODY, id="somebody who is disabled"),
        pytest.param({"acts_for": "101"}, Because.SEVERAL, id="an extension that two have"),
        pytest.param({"numbers": frozenset({"+12025550199"})}, Because.NOT_OURS, id="a number of somebody else"),
        pytest.param({"numbers": frozenset({DID, "x"})}, Because.NOT_OURS, id="what is no number"),
    ],
)
async def test_what_cannot_be_is_refused(api: Api, ben: Account, change: dict[str, object], why: Because):
    def others(tx) -> None:
        now = api.clock.now()
        twin = add_user(NewUser("twin", "", frozenset({Role.AGENT}), "hash"), "test", now, tx)
        tx.accounts.describe(twin.id, "", Contact(extension="101"), now)
        zoe = add_user(NewUser("zoe", "", frozenset({Role.AGENT}), "hash"), "test", now, tx)
        tx.accounts.disable(zoe.id, now)

    await api.store.commit(others)
    new = replace(NewKey("key_1", "hash", "shop", frozenset({Scope.SEND})), **change)
    with pytest.raises(KeyRefused) as refused:
        await api.store.commit(lambda tx: add_key(new, "test", api.clock.now(), tx))
    assert refused.value.why is why

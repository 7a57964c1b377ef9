"""What a program may do with which number: its scopes, its numbers and the person it acts for, all together."""

from dataclasses import replace

import pytest

from ringback.core.grants import ALL_NUMBERS, EVERYONE, Cell, Effect, Level, Subject, Way
from ringback.core.permissions import Scope
from ringback.flow.desk import Denied
from ringback.flow.keys import NewKey, add_key, new_token
from tests.api.conftest import Program
from tests.conftest import NOON
from tests.flow.office import ANNA, begin, column, desk_of, rows
from tests.flow.world import DID, OTHER_DID

ME = Subject(Level.USER, ANNA.account)


async def program(api, *scopes, **held) -> Program:
    """A program with a key that is held to something."""
    token = new_token(NOON)
    new = replace(NewKey(token.public_id, token.hashed, "held", frozenset(scopes), None), **held)
    key = await api.store.commit(lambda tx: add_key(new, "shell test", NOON, tx))
    api.door.forget()
    return Program(api.session, token.token, key)


async def say(api, effect, way=Way.SEND, subject=ME, scope=ALL_NUMBERS) -> None:
    await api.store.commit(lambda tx: tx.grants.put(Cell(subject, way, scope), effect, "", "chg_1", "root", NOON))


async def its_user(api) -> str:
    return (await column(api.world, "SELECT public_id FROM account ORDER BY id LIMIT 1"))[0]


async def test_panel_and_api_refuse_with_the_same_reason_and_the_audit_shows_both(api):
    await say(api, Effect.DENY)
    held = await program(api, Scope.SEND, acts_for=await its_user(api))
    answer = await held.send()
    with pytest.raises(Denied) as by_hand:
        await desk_of(api.world).reply(ANNA, await begin(api.world), "We open at 9.", "k")
    assert (answer.status, answer.code) == (403, by_hand.value.reason)
    assert answer.json["detail"] == str(by_hand.value)
    assert answer.json["detail"] == (
        f"You may not send from {DID}. A grant to the user alone denies it for all numbers."
    )
    await api.world.settled()
    found = await rows(api.world, "SELECT who, detail FROM audit WHERE action = 'denied' ORDER BY id")
    assert [who for who, _detail in found] == [held.label, "user usr_anna"]
    assert {detail for _who, detail in found} == {f"send {DID}: {by_hand.value}"}
    assert await api.count("message") == 0


@pytest.mark.parametrize(
    ("numbers", "status"),
    [
        pytest.param(frozenset({DID}), 201, id="its own number"),
        pytest.param(frozenset({OTHER_DID}), 403, id="another"),
        pytest.param(frozenset(), 201, id="held to none"),
    ],
)
async def test_a_key_is_held_to_its_numbers(api, numbers, status):
    await api.store.commit(lambda tx: tx.numbers.know([DID, OTHER_DID], NOON))
    held = await program(api, Scope.SEND, numbers=numbers)
    answer = await held.send()
    assert answer.status == status
    if status == 403:
        assert answer.json["detail"] == f"You may not send from {DID}. The key is held to other numbers."


async def test_a_right_that_is_taken_away_holds_for_the_next_request(api):
    held = await program(api, Scope.SEND, acts_for=await its_user(api))
    assert (await held.send()).status == 201
    await say(api, Effect.DENY, subject=EVERYONE)
    assert (await held.send()).status == 403
    await say(api, Effect.ALLOW)
    assert (await held.send()).status == 201


async def test_the_same_key_of_a_request_gets_its_answer_after_the_right_is_gone(api):
    held = await program(api, Scope.SEND, acts_for=await its_user(api))
    first = await held.send(key="order-1")
    await say(api, Effect.DENY)
    again = await held.send(key="order-1")
    assert (again.status, again.json) == (200, first.json)


async def test_an_allowance_that_is_used_up_refuses_without_a_time_to_ask_again(api):
    await api.store.commit(lambda tx: tx.grants.allow_segments("user", ANNA.account, 0, 1, "root", NOON))
    held = await program(api, Scope.SEND, acts_for=await its_user(api))
    assert (await held.send()).status == 201
    answer = await held.send()
    assert (answer.status, answer.code, "Retry-After" in answer.headers) == (429, "quota_exceeded", False)
    assert await rows(api.world, f"SELECT state, reason FROM message WHERE public_id = '{answer.json['message']}'") == [
        ("refused", "quota_exceeded")
    ]

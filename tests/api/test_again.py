"""Asking twice with one key does it once, whatever happened in between."""

import asyncio
import json
from datetime import timedelta

import pytest

from ringback.core.permissions import Scope
from ringback.flow.wishes import Wish


async def test_the_second_time_gets_the_first_answer(api, shop):
    first = await shop.send(key="order-1")
    again = await shop.send(key="order-1")
    assert (first.status, again.status, again.body) == (201, 200, first.body)
    assert "Idempotent-Replay" not in first.headers
    assert again.headers["Idempotent-Replay"] == "true"
    assert await api.count("message") == 1


async def test_a_deferred_text_is_told_the_same_way_again(shop):
    first = await shop.send(key="later", not_before="2026-11-20T18:00:00Z")
    again = await shop.send(key="later", not_before="2026-11-20T18:00:00Z")
    assert (first.json["status"], again.body) == ("deferred", first.body)


@pytest.mark.parametrize(
    "change",
    [{"text": "Another"}, {"to": "+15125550124"}, {"reference": "x"}, {"validity": 600}, {"class": "promotional"}],
    ids=lambda change: next(iter(change)),
)
async def test_another_body_is_refused(api, shop, change):
    await shop.send(key="order-1")
    answer = await shop.send(key="order-1", **change)
    assert (answer.status, answer.code) == (422, "idempotency_mismatch")
    assert await api.count("message") == 1


async def test_blanks_and_the_order_of_fields_do_not_make_another_body(api, shop):
    await shop.post(b'{"from":"+12025550101","to":"+15125550123","text":"x"}', Idempotency_Key="k")
    again = await shop.post(b'{"text": "x", "to": "+15125550123",\n "from": "+12025550101"}', Idempotency_Key="k")
    assert again.status == 200
    assert await api.count("message") == 1


async def test_a_key_belongs_to_one_program(api, shop):
    other = await api.program(Scope.SEND)
    assert [(await shop.send(key="1")).status, (await other.send(key="1")).status] == [201, 201]
    assert await api.count("message") == 2


async def test_sixty_four_at_once_are_one_text(api, shop):
    answers = await asyncio.gather(*(shop.send(key="race") for _ in range(64)))
    assert sorted(answer.status for answer in answers) == [200] * 63 + [201]
    assert len({answer.body for answer in answers}) == 1
    assert await api.count("message") == 1
    await api.world.settled()
    assert api.world.handset() == ["Your order is ready."]


async def test_of_two_bodies_at_once_one_wins(api, shop):
    answers = await asyncio.gather(*(shop.send(key="race", text=f"text {n % 2}") for n in range(32)))
    assert sorted(answer.status for answer in answers) == [200] * 15 + [201] + [422] * 16
    assert await api.count("message") == 1


async def test_a_key_is_forgotten_with_time(api, shop):
    await shop.send(key="order-1")
    before = api.clock.now() + timedelta(seconds=1)
    await api.store.commit(lambda tx: tx.idempotency.forget_old(before, 100))
    assert (await shop.send(key="order-1")).status == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "caf\u00e9", "a\tb"], ids=["empty", "too long", "not ascii", "a tab"])
async def test_a_key_that_cannot_be_kept_is_refused(api, shop, key):
    answer = await shop.post(json.dumps({}).encode(), Idempotency_Key=key)
    assert (answer.status, answer.code) == (400, "bad_header")


async def test_a_longest_key_is_taken(shop):
    assert (await shop.send(key="x" * 255)).status == 201


async def test_a_lost_answer_is_found_again_after_a_restart(api, shop):
    """The answer lives in the database, so another daemon gives it too."""
    first = await shop.send(key="order-1")
    peer = api.world.house.read("", "+15125550123")
    asked = Wish("+12025550101", peer, "unseen", api.clock.now() + timedelta(hours=1), asked="other")
    with pytest.raises(Exception, match="sent before"):
        await api.asking.send(shop.key.principal, asked, "order-1")
    assert (await shop.send(key="order-1")).body == first.body


async def test_a_key_finds_its_answer_also_when_the_text_could_not_be_asked_for_any_more(api, shop):
    """The answer was lost and the text has expired since: it went, so nobody may be told that it cannot."""
    ends = (api.clock.now() + timedelta(minutes=5)).isoformat()
    first = await shop.send(key="soon", expires_at=ends)
    api.clock.move(timedelta(hours=1))
    again = await shop.send(key="soon", expires_at=ends)
    assert (first.status, again.status, again.body) == (201, 200, first.body)
    assert again.headers["Idempotent-Replay"] == "true"
    other = await shop.send(key="soon", expires_at=ends, text="Another")
    assert (other.status, other.fields) == (422, ["expires_at"])
    assert (await shop.send(key="new", expires_at=ends)).fields == ["expires_at"]
    assert await api.count("message") == 1

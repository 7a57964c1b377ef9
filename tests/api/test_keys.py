"""Keys: who gets in, for what, how often, and how fast a key that is revoked is turned away."""

import asyncio
import re
from datetime import timedelta

import pytest

from ringback.api.door import BURST_S, FREE_TRIES
from ringback.core.permissions import Scope
from ringback.flow.keys import Because, KeyRefused, NewKey, add_key, change_by_words, new_token, read_name, revoke_key
from tests.api.conftest import HOUR, TEXT
from tests.conftest import NOON


def rows(table: str, columns: str):
    return lambda c: [tuple(row) for row in c.exec_driver_sql(f"SELECT {columns} FROM {table} ORDER BY id").all()]


def test_a_key_has_256_random_bits_behind_its_id():
    token = new_token(NOON)
    assert re.fullmatch(r"rb_[0-9a-z]{26}_[A-Za-z0-9_-]{43}", token.token)
    assert token.public_id == "key_" + token.token[3:29]
    assert new_token(NOON).token != token.token


async def test_only_a_hash_of_a_key_is_stored(api, shop):
    secret = shop.token[-43:]
    assert await shop.get("/v1/messages")
    await api.store.commit(lambda tx: None)
    (row,) = await api.store.read(rows("api_key", "*"))
    assert secret not in str(row)
    assert shop.key.token_hash in row


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(None, id="no key"),
        pytest.param("", id="an empty header"),
        pytest.param("Bearer", id="only the scheme"),
        pytest.param("Bearer ", id="an empty key"),
        pytest.param("Bearer {token}x", id="a letter too many"),
        pytest.param("Bearer {short}", id="a letter too few"),
        pytest.param("Bearer {upper}", id="in capital letters"),
        pytest.param("Basic {token}", id="another scheme"),
        pytest.param("{token}", id="no scheme"),
        pytest.param("Bearer {hash}", id="the hash instead of the key"),
        pytest.param("Bearer {id}", id="the id instead of the key"),
        pytest.param("Bearer \udcff\udcfe", id="no letters at all"),
        pytest.param("Bearer " + "x" * 4000, id="a very long key"),
    ],
)
async def test_whoever_has_no_good_key_stays_outside(api, shop, header):
    words = {"token": shop.token, "short": shop.token[:-1], "upper": shop.token.upper()}
    words |= {"hash": shop.key.token_hash, "id": shop.key.public_id}
    given = {} if header is None else {"Authorization": header.format(**words)}
    bodies = set()
    for method, path in (("POST", "/v1/messages"), ("GET", "/v1/messages"), ("GET", "/v1/messages/x")):
        async with api.session.request(method, path, headers=given, json=TEXT) as answer:
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            bodies.add(await answer.text())
    assert len(bodies) == 1, "the answer tells nothing"
    assert await api.count("message") == 0


async def test_the_scheme_is_read_in_any_letters(api, shop):
    async with api.session.get("/v1/messages", headers={"Authorization": f"BEARER {shop.token}"}) as answer:
        assert answer.status == 200


async def test_a_key_in_the_address_is_none(api, shop):
    async with api.session.get(f"/v1/messages?key={shop.token}&access_token={shop.token}") as answer:
        assert answer.status == 401


async def test_a_revoked_key_holds_no_longer_than_two_seconds(api, shop):
    """Also where nobody told the door, as when another process revoked it."""
    assert (await shop.get("/v1/messages")).status == 200
    await api.revoke(shop)
    api.clock.move(timedelta(seconds=2))
    assert (await shop.get("/v1/messages")).status == 401


async def test_a_key_that_was_revoked_here_is_out_at_once(api, shop):
    assert (await shop.get("/v1/messages")).status == 200
    await api.revoke(shop)
    api.door.forget()
    assert (await shop.get("/v1/messages")).status == 401


async def test_many_at_once_find_the_keys_changed(api, shop):
    """While one request looks again the others go on with what is known, for a second at most."""
    await shop.get("/v1/messages")
    api.clock.move(timedelta(seconds=1.5))
    assert {answer.status for answer in await asyncio.gather(*(shop.get("/v1/messages") for _ in range(16)))} == {200}
    await api.revoke(shop)
    api.clock.move(timedelta(seconds=2))
    assert {answer.status for answer in await asyncio.gather(*(shop.get("/v1/messages") for _ in range(16)))} == {401}


async def test_a_key_runs_out(api):
    short = await api.program(Scope.READ, expires_at=NOON + HOUR)
    assert (await short.get("/v1/messages")).status == 200
    api.clock.move(HOUR)
    assert (await short.get("/v1/messages")).status == 401


@pytest.mark.parametrize(
    ("scopes", "statuses"),
    [
        pytest.param([Scope.SEND], (201, 200, 422), id="send reads its own"),
        pytest.param([Scope.READ], (403, 404, 200), id="read sends nothing"),
        pytest.param([Scope.BULK], (403, 404, 422), id="bulk sends none one by one"),
        pytest.param([Scope.SEND, Scope.READ], (201, 200, 200), id="both"),
    ],
)
async def test_what_a_scope_lets_a_program_do(api, scopes, statuses):
    program = await api.program(*scopes)
    sent = await program.send()
    path = sent.json.get("links", {"self": "/v1/messages/msg_" + "0" * 26})["self"]
    assert (sent.status, (await program.get(path)).status, (await program.get("/v1/messages")).status) == statuses


async def test_who_tries_wrong_keys_is_told_to_wait_and_nobody_else_is(api, shop):
    async def wrong():
        async with api.session.get("/v1/messages", headers={"Authorization": "Bearer rb_guess"}) as answer:
            assert answer.status == 401
            return answer.headers.get("Retry-After")

    waits = [await wrong() for _ in range(FREE_TRIES + 4)]
    assert waits[: FREE_TRIES - 1] == [None] * (FREE_TRIES - 1)
    assert int(waits[-1]) > 0
    assert (await shop.get("/v1/messages")).status == 200, "the right key, from the same address"


@pytest.mark.parametrize("per_minute", [60])
async def test_a_key_that_asks_too_often_is_told_when_to_come_back(api, shop):
    other = await api.program(Scope.READ)
    answers = [await shop.get("/v1/messages") for _ in range(int(BURST_S) + 1)]
    assert [answer.status for answer in answers] == [200] * int(BURST_S) + [429]
    assert (answers[-1].code, answers[-1].headers["Retry-After"]) == ("quota_exceeded", "2")
    assert (await other.get("/v1/messages")).status == 200, "the quota is each key's own"
    api.clock.move(timedelta(seconds=1))
    assert [(await shop.get("/v1/messages")).status for _ in range(2)] == [200, 429]


async def test_it_is_noted_when_a_key_was_used_and_not_each_time(api, shop):
    async def seen():
        await api.store.commit(lambda tx: None)
        return (await api.store.read(rows("api_key", "seen_at")))[0][0]

    await shop.get("/v1/messages")
    first = await seen()
    assert first == int(NOON.timestamp()) * 1_000_000
    api.clock.move(timedelta(seconds=30))
    await shop.get("/v1/messages")
    assert await seen() == first
    api.clock.move(timedelta(seconds=31))
    await shop.get("/v1/messages")
    assert await seen() == first + 61_000_000


async def test_each_change_has_its_line_in_the_audit(api, shop):
    await api.revoke(shop)
    assert await api.store.read(rows("audit", "who, action, about, detail")) == [
        ("shell test", "key_add", shop.key.public_id, "shop: send read"),
        ("shell test", "key_revoke", shop.key.public_id, "shop"),
    ]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param({"name": "shop"}, Because.TAKEN, id="a name that is taken"),
        pytest.param({"scopes": frozenset()}, Because.NO_SCOPE, id="no scope"),
        pytest.param({"expires_at": NOON}, Because.OVER, id="over already"),
    ],
)
async def test_a_key_that_cannot_be_made(api, shop, change, why):
    token = new_token(NOON)
    words = {"public_id": token.public_id, "hashed": token.hashed, "name": "other", "scopes": frozenset({Scope.SEND})}
    with pytest.raises(KeyRefused) as refused:
        await api.store.commit(lambda tx: add_key(NewKey(**{**words, **change}), "shell test", NOON, tx))
    assert refused.value.why is why
    assert await api.count("api_key") == 1


@pytest.mark.parametrize("name", ["", " ", "x" * 61, "a\nb", "key_x"])
def test_a_name_that_is_none(name):
    with pytest.raises(KeyRefused):
        read_name(name)


async def test_a_name_is_free_again_when_its_key_is_revoked(api, shop):
    await api.revoke(shop)
    assert (await (await api.program(Scope.READ, name="shop")).get("/v1/messages")).status == 200


@pytest.mark.parametrize("name", ["nobody", "key_" + "0" * 26])
async def test_a_key_there_is_none_of_cannot_be_revoked(api, name):
    with pytest.raises(KeyRefused) as refused:
        await api.store.commit(lambda tx: revoke_key(name, "shell test", NOON, tx))
    assert refused.value.why is Because.UNKNOWN


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"change": "add", "name": "x", "by": "y"},
        {"change": "add", "name": "x", "by": "y", "public_id": "z", "hashed": "h", "scopes": "fly"},
        {"change": "rename", "name": "x", "by": "y"},
    ],
    ids=str,
)
async def test_words_that_are_no_change_are_refused(api, words):
    with pytest.raises(KeyRefused) as refused:
        await api.store.commit(lambda tx: change_by_words(words, NOON, tx))
    assert refused.value.why is Because.STRANGE

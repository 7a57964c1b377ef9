"""`ringback key`: programs are let in and kept out, with a daemon and without one."""

import asyncio
import re
import sqlite3

import pytest

from ringback import control
from ringback.core.permissions import Scope
from ringback.flow.keys import hash_of
from ringback.store.database import peek
from ringback.store.holding import hold


def keys(place):
    return peek(place.url, lambda tx: tx.keys.all())


def test_a_key_is_printed_once_and_only_its_hash_is_kept(place, ringback):
    ran = ringback("key", "add", "shop", "--scope", "send", "--scope", "read")
    (key,) = keys(place)
    assert ran.code == 0
    assert re.fullmatch(r"rb_[0-9a-z]{26}_[A-Za-z0-9_-]{43}\n", ran.out.splitlines(keepends=True)[-1])
    token = ran.out.splitlines()[-1]
    assert (key.name, key.scopes, key.expires_at) == ("shop", {Scope.SEND, Scope.READ}, None)
    assert key.token_hash == hash_of(token)
    assert token[-43:] not in (place.state / "ringback.db").read_bytes().decode("latin-1")


def test_the_list_says_which_hold(place, ringback):
    assert ringback("key", "list").out == ""
    ringback("key", "add", "shop", "--scope", "send", "--expires", "90d")
    ringback("key", "add", "desk", "--scope", "read")
    assert ringback("key", "revoke", "desk").out.startswith("revoked desk, key_")
    shop, desk = ringback("key", "list").out.splitlines()
    assert re.fullmatch(r"key_\w{26}  send +holds until .* UTC +never used +shop", shop)
    assert re.fullmatch(r"key_\w{26}  read +revoked .* UTC +never used +desk", desk)


def test_a_key_is_revoked_by_its_id_too(place, ringback):
    ringback("key", "add", "shop", "--scope", "bulk")
    (key,) = keys(place)
    assert ringback("key", "revoke", key.public_id).code == 0
    assert keys(place)[0].revoked_at is not None


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param(["add", "shop", "--scope", "send"], 1, "There is a key of this name already", id="taken"),
        pytest.param(["add", "x", "--scope", "fly"], 2, "fly", id="no such scope"),
        pytest.param(["add", "x"], 2, "--scope", id="no scope"),
        pytest.param(["add", "x" * 61, "--scope", "send"], 1, "sixty characters", id="a name too long"),
        pytest.param(["add", "x", "--scope", "send", "--expires", "soon"], 2, "not a duration", id="no span"),
        pytest.param(["revoke", "nobody"], 1, "no such key", id="nobody"),
    ],
)
def test_what_cannot_be_done_is_said(place, ringback, words, code, said):
    ringback("key", "add", "shop", "--scope", "send")
    ran = ringback("key", *words)
    assert ran.code == code
    assert said in " ".join((ran.out + ran.err).split())
    assert len(keys(place)) == 1


async def test_a_running_daemon_is_told_and_never_sees_the_key(place, ringback):
    heard = []

    async def key(words):
        heard.append(dict(words))
        return {"said": "added shop, key_1"}

    with hold(place.state):
        serving = asyncio.ensure_future(control.serve(place.state, {"key": key}))
        while not (place.state / control.SOCKET).exists():
            await asyncio.sleep(0)
        ran = await asyncio.to_thread(ringback, "key", "add", "shop", "--scope", "send")
        serving.cancel()
    (words,) = heard
    token = ran.out.splitlines()[-1]
    assert (words["change"], words["name"], words["scopes"]) == ("add", "shop", "send")
    assert words["hashed"] == hash_of(token)
    assert token not in str(words)


def test_each_change_is_in_the_audit(place, ringback):
    ringback("key", "add", "shop", "--scope", "send")
    ringback("key", "revoke", "shop")
    with sqlite3.connect(place.state / "ringback.db") as database:
        assert [row[0] for row in database.execute("SELECT action FROM audit ORDER BY id")] == [
            "key_add",
            "key_revoke",
        ]

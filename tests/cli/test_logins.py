"""`ringback user reset`, `user totp-off`, `secrets rotate`, `key add --for`: help with getting in, from the shell."""

import io
import re
import sqlite3
import sys

import pytest

from ringback.config import load
from ringback.entrance import make_sealer
from ringback.flow import factors, resets
from ringback.sealing import FILE
from ringback.store.database import peek
from tests.conftest import NOON

PASSWORD = "correct horse battery"


@pytest.fixture
def ana(place, ringback, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    assert ringback("user", "add", "ana", "--password-stdin").code == 0
    return people(place)[0]


def people(place):
    return peek(place.url, lambda tx: tx.accounts.all())


def change(place, *steps) -> None:
    from ringback.cli.shared import write_alone

    for step in steps:
        write_alone(load(place.file), lambda _, step=step: step)


def actions(place) -> list[str]:
    with sqlite3.connect(place.state / "ringback.db") as database:
        return [row[0] for row in database.execute("SELECT action FROM audit ORDER BY id")]


def test_a_link_is_printed_and_only_its_hash_is_kept(place, ringback, ana):
    ran = ringback("user", "reset", "ana")
    said, link = ran.out.splitlines()
    assert (ran.code, said) == (0, "a link for ana holds for 24 hours")
    token = re.fullmatch(r"http://127\.0\.0\.1:\d+/reset\?token=([A-Za-z0-9_-]{43})", link)[1]
    found = peek(place.url, lambda tx: tx.proofs.reset_of(resets.hash_of(token)))
    assert found.account.login == "ana"
    assert token not in (place.state / "ringback.db").read_bytes().decode("latin-1")
    assert actions(place) == ["user_add", "user_reset"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["reset", "nobody"], "There is no such user", id="nobody"),
        pytest.param(["reset", "ana", "--mail"], "there is no mail server", id="no mail server"),
        pytest.param(["totp-off", "ana"], "They have no second factor", id="no second factor"),
    ],
)
def test_what_cannot_be_done_is_said(place, ringback, ana, words: list[str], said: str):
    ran = ringback("user", *words)
    assert ran.code == 1
    assert said in ran.err


def test_who_has_no_address_gets_no_mail_and_no_link(place, ringback, ana):
    with place.file.open("a", encoding="utf-8") as file:
        file.write('[mail]\nhost = "localhost"\nsender = "texts@example.com"\n')
    ran = ringback("user", "reset", "ana", "--mail")
    assert (ran.code, "has no mail address" in ran.err) == (1, True)
    assert actions(place) == ["user_add"]


def test_a_second_factor_is_taken_off_and_secrets_are_sealed_anew(place, ringback, ana):
    sealer, secret = make_sealer(load(place.file)), factors.new_secret()
    from pyotp import TOTP

    code = TOTP(secret).at(NOON)
    change(
        place,
        lambda tx: factors.begin(ana, sealer, secret, "test", NOON, tx),
        lambda tx: factors.confirm(ana, sealer, code, factors.new_codes(), "test", NOON, tx),
    )
    before = (place.state / FILE).read_text()
    ran = ringback("secrets", "rotate")
    after = (place.state / FILE).read_text()
    assert (ran.code, ran.out) == (0, f"1 secret sealed with the key {after.split()[0]}\n")
    assert before != after
    (kept,) = people(place)
    assert make_sealer(load(place.file)).open(kept.totp, factors.about(kept)) == secret
    assert after.split()[1] not in ran.out + ran.err
    assert (
        ringback("user", "totp-off", "ana").out == "ana has no second factor any more, and is logged out everywhere\n"
    )
    assert people(place)[0].totp == ""


def test_a_key_acts_for_a_user_and_is_held_to_numbers(place, ringback, ana):
    ran = ringback("key", "add", "shop", "--scope", "send", "--for", "ana", "--number", "+12025550102")
    assert ran.code == 0, ran.err
    (key,) = peek(place.url, lambda tx: tx.keys.all())
    assert (key.acts_for.account, key.numbers) == (ana.id, {"+12025550102"})
    assert ringback("key", "list").out.rstrip().endswith("shop, for ana, with +12025550102")
    assert "numbers of ours only" in ringback("key", "add", "x", "--scope", "send", "--number", "+12025550199").err
    assert "no such user" in ringback("key", "add", "x", "--scope", "send", "--for", "eve").err

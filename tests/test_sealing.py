"""Secrets at rest: sealed with a key in a file of its own, and sealed anew while everything goes on."""

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.core.permissions import Role
from ringback.flow import factors
from ringback.flow.people import NewUser, add_user
from ringback.ports.sealing import SealFault
from ringback.sealing import FILE, Sealer
from ringback.store.database import Database
from tests.fakes.hand_clock import HandClock

PLACE = "totp usr_1"


@pytest.fixture
def sealer(tmp_path: Path) -> Sealer:
    return Sealer(tmp_path, {})


def keys(folder: Path) -> list[str]:
    return (folder / FILE).read_text().splitlines()


def test_the_key_is_made_with_the_first_secret_and_for_its_owner_alone(sealer: Sealer, tmp_path: Path):
    assert not (tmp_path / FILE).exists()
    sealed = sealer.seal("a secret", PLACE)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    (line,) = keys(tmp_path)
    assert sealed.split(".")[:2] == ["v1", line.split()[0]]
    assert Sealer(tmp_path, {}).open(sealed, PLACE) == "a secret"


@given(st.text(), st.text())
def test_whatever_is_sealed_opens_again(tmp_path_factory: pytest.TempPathFactory, value: str, about: str):
    text = value.encode("utf-8", "replace").decode()
    place = about.encode("utf-8", "replace").decode()
    sealer = Sealer(tmp_path_factory.getbasetemp(), {})
    assert sealer.open(sealer.seal(text, place), place) == text


def test_the_same_secret_never_looks_the_same(sealer: Sealer):
    assert len({sealer.seal("a secret", PLACE) for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda sealed: sealed[:-4] + "AAA=", id="its end changed"),
        pytest.param(lambda sealed: sealed.replace("v1", "v2"), id="another form"),
        pytest.param(lambda sealed: "v1.00000000." + sealed.split(".")[2], id="another key"),
        pytest.param(lambda sealed: sealed.rsplit(".", 1)[0] + ".", id="nothing in it"),
        pytest.param(lambda sealed: sealed.rsplit(".", 1)[0] + ".é", id="what is no base64"),
        pytest.param(lambda sealed: "", id="nothing"),
    ],
)
def test_what_was_changed_does_not_open_and_is_not_quoted(sealer: Sealer, spoil):
    sealed = sealer.seal("canary-secret", PLACE)
    with pytest.raises(SealFault) as problem:
        sealer.open(spoil(sealed), PLACE)
    assert "canary" not in str(problem.value)


def test_a_secret_of_one_place_does_not_open_at_another(sealer: Sealer):
    with pytest.raises(SealFault):
        sealer.open(sealer.seal("a secret", PLACE), "totp usr_2")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, sealer: Sealer, mode: int):
    sealed = sealer.seal("a secret", PLACE)
    (tmp_path / FILE).chmod(mode)
    with pytest.raises(SealFault, match="chmod 0600"):
        Sealer(tmp_path, {}).open(sealed, PLACE)


@pytest.mark.parametrize("text", ["no key at all\n", "abcd AAAA\n", "é\n"])
def test_a_file_that_holds_no_key_is_refused_unquoted(tmp_path: Path, text: str):
    (tmp_path / FILE).write_text(text, "utf-8")
    (tmp_path / FILE).chmod(0o600)
    with pytest.raises(SealFault) as problem:
        Sealer(tmp_path, {}).seal("a secret", PLACE)
    assert "AAAA" not in str(problem.value)


def test_systemd_gives_the_key_and_the_state_folder_gets_none(tmp_path: Path):
    state, given_ = tmp_path / "state", tmp_path / "credentials"
    state.mkdir()
    given_.mkdir()
    Sealer(given_, {}).seal("x", PLACE)
    (given_ / FILE).chmod(0o440)
    sealer = Sealer(state, {"CREDENTIALS_DIRECTORY": str(given_)})
    assert sealer.open(sealer.seal("a secret", PLACE), PLACE) == "a secret"
    assert not (state / FILE).exists()
    assert not sealer.ours


def test_a_rotation_seals_with_a_new_key_and_opens_with_both_until_it_ends(sealer: Sealer, tmp_path: Path):
    before = sealer.seal("a secret", PLACE)
    (old,) = keys(tmp_path)
    new = sealer.begin_rotation()
    assert [line.split()[0] for line in keys(tmp_path)] == [new, old.split()[0]]
    after = sealer.seal("a secret", PLACE)
    assert [sealer.open(one, PLACE) for one in (before, after)] == ["a secret"] * 2
    sealer.end_rotation()
    assert [line.split()[0] for line in keys(tmp_path)] == [new]
    assert Sealer(tmp_path, {}).open(after, PLACE) == "a secret"
    with pytest.raises(SealFault):
        Sealer(tmp_path, {}).open(before, PLACE)


def test_two_that_begin_at_once_have_one_key(tmp_path: Path):
    one, other = Sealer(tmp_path, {}), Sealer(tmp_path, {})
    assert other.open(one.seal("a secret", PLACE), PLACE) == "a secret"
    assert one.open(other.seal("a secret", PLACE), PLACE) == "a secret"


async def test_every_secret_is_sealed_anew_while_others_are_made(store: Database, clock: HandClock, tmp_path: Path):
    sealer, now = Sealer(tmp_path, {}), clock.now()
    people = [
        await store.commit(
            lambda tx, n=n: add_user(NewUser(f"p{n}", "", frozenset({Role.ADMINISTRATOR}), "x"), "test", now, tx)
        )
        for n in range(12)
    ]
    secrets_ = {one.public_id: factors.new_secret() for one in people}

    async def begin(one) -> None:
        secret = secrets_[one.public_id]
        await store.commit(lambda tx: factors.begin(one, sealer, secret, "test", now, tx))

    await asyncio.gather(*(begin(one) for one in people[:6]))
    first = sealer.current
    *_, count = await asyncio.gather(
        *(begin(one) for one in people[6:]), factors.rotate(sealer, store, "shell test", now)
    )
    assert count >= 6
    rows = await store.commit(lambda tx: tx.proofs.sealed())
    fresh = Sealer(tmp_path, {})
    assert {public_id: fresh.open(sealed, f"totp {public_id}") for _, public_id, sealed in rows} == secrets_
    assert {sealer.key_of(sealed) for _, _, sealed in rows} == {sealer.current} != {first}
    assert not os.path.exists(tmp_path / f"{FILE}.new")

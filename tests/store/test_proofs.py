"""Second factors and links for passwords, as both databases keep them."""

from datetime import timedelta

import pytest
from sqlalchemy import text as sql

from ringback.core.permissions import Role
from ringback.flow import factors, resets
from ringback.flow.people import NewUser, add_user, disable_user, set_password
from ringback.flow.refusing import Because, Refused
from ringback.sealing import Sealer
from ringback.store.database import Database
from ringback.store.proofs import ProofReads
from tests.fakes.hand_clock import HandClock


@pytest.fixture
async def ana(store: Database, clock: HandClock):
    new = NewUser("ana", "Ana", frozenset({Role.ADMINISTRATOR}), "hash")
    return await store.commit(lambda tx: add_user(new, "test", clock.now(), tx))


@pytest.fixture
async def ben(store: Database, clock: HandClock, ana):
    new = NewUser("ben", "Ben", frozenset({Role.AGENT}), "hash")
    return await store.commit(lambda tx: add_user(new, "test", clock.now(), tx))


async def latest(store: Database, one):
    return await store.commit(lambda tx: tx.accounts.get(one.public_id))


async def record(store: Database) -> list[tuple[str, str, str]]:
    rows = await store.read(lambda db: db.execute(sql("SELECT who, action, about FROM audit ORDER BY id")).fetchall())
    return [tuple(row) for row in rows]


async def test_a_step_counts_once_and_none_before_it(store: Database, clock: HandClock, ana):
    await store.commit(lambda tx: tx.proofs.begin_totp(ana.id, "sealed", clock.now()))
    assert await store.commit(lambda tx: tx.proofs.confirm_totp(ana.id, 100, "a b", clock.now()))
    used = [await store.commit(lambda tx, step=step: tx.proofs.use_step(ana.id, step)) for step in (100, 99, 101, 101)]
    assert used == [False, False, True, False]
    found = await latest(store, ana)
    assert (found.totp, found.totp_at, found.totp_step, found.codes) == ("sealed", clock.now(), 101, "a b")


async def test_one_that_counts_is_not_gone_over(store: Database, clock: HandClock, ana):
    await store.commit(lambda tx: tx.proofs.begin_totp(ana.id, "sealed", clock.now()))
    assert await store.commit(lambda tx: tx.proofs.confirm_totp(ana.id, 1, "", clock.now()))
    await store.commit(lambda tx: tx.proofs.begin_totp(ana.id, "another", clock.now()))
    assert not await store.commit(lambda tx: tx.proofs.confirm_totp(ana.id, 2, "", clock.now()))
    assert (await latest(store, ana)).totp == "sealed"


async def test_nothing_is_confirmed_that_was_not_begun(store: Database, clock: HandClock, ana):
    assert not await store.commit(lambda tx: tx.proofs.confirm_totp(ana.id, 1, "", clock.now()))


async def test_codes_are_changed_by_one_of_two(store: Database, ana):
    changed = [await store.commit(lambda tx: tx.proofs.change_codes(ana.id, "", "a b")) for _ in range(2)]
    assert changed == [True, False]


async def test_a_code_on_paper_counts_once(store: Database, clock: HandClock, ana, tmp_path):
    seal, secret, codes = Sealer(tmp_path, {}), factors.new_secret(), factors.new_codes()
    from pyotp import TOTP

    code = TOTP(secret).at(clock.now())
    await store.commit(lambda tx: factors.begin(ana, seal, secret, "user ana", clock.now(), tx))
    await store.commit(lambda tx: factors.confirm(ana, seal, code, codes, "user ana", clock.now(), tx))
    typed = codes.shown[3].upper().replace("-", " ")
    assert await store.commit(lambda tx: factors.use(ana, seal, typed, clock.now(), tx)) == "code"
    for again in (typed, code, "", "000000", "é" * 6, codes.shown[3][:-1]):
        with pytest.raises(factors.FactorRefused):
            await store.commit(lambda tx, again=again: factors.use(ana, seal, again, clock.now(), tx))
    assert len((await latest(store, ana)).codes.split()) == 9
    assert codes.shown[4] not in (await latest(store, ana)).codes
    assert [row[1] for row in await record(store)] == ["user_add", "totp_begin", "totp_on", "totp_code"]


@pytest.mark.parametrize("steps", [-2, -1, 0, 1, 2])
async def test_a_clock_may_be_one_step_off(store: Database, clock: HandClock, steps: int):
    from pyotp import TOTP

    secret, now = factors.new_secret(), clock.now()
    code = TOTP(secret).at(now + timedelta(seconds=30 * steps))
    assert bool(factors.step_of(secret, code, now)) is (abs(steps) <= 1)


async def test_a_link_sets_the_password_once(store: Database, clock: HandClock, ana):
    link, now = resets.new_link(), clock.now()
    await store.commit(lambda tx: tx.accounts.begin(ana.id, "token", now + timedelta(hours=12), "", "", now))
    await store.commit(lambda tx: resets.offer(ana.public_id, link.hashed, "user ben", now, tx))
    found = await ProofReads(store).reset_of(link.hashed)
    assert (found.account.id, found.expires_at, found.holds(now)) == (ana.id, now + timedelta(hours=24), True)
    assert (await store.commit(lambda tx: resets.redeem(link.hashed, "new", now, tx))).id == ana.id
    assert await store.commit(lambda tx: resets.redeem(link.hashed, "newer", now, tx)) is None
    assert (await latest(store, ana)).password == "new"
    assert (await store.commit(lambda tx: tx.accounts.of_token("token"))).ended_at == now
    assert [row[1] for row in await record(store)] == ["user_add", "user_reset", "user_reset_used"]
    kept = await store.read(lambda db: db.execute(sql("SELECT token_hash, created_by FROM reset")).fetchall())
    assert [tuple(row) for row in kept] == [(link.hashed, "user ben")]
    assert link.token not in str(kept)


@pytest.mark.parametrize("why", ["a later one", "a day", "another password", "disabled"])
async def test_a_link_works_no_more_after(store: Database, clock: HandClock, ana, ben, why: str):
    link, later = resets.new_link(), resets.new_link()
    now = clock.now()
    await store.commit(lambda tx: resets.offer(ben.public_id, link.hashed, "user ana", now, tx))
    if why == "a later one":
        await store.commit(lambda tx: resets.offer(ben.public_id, later.hashed, "user ana", now, tx))
    elif why == "a day":
        now += timedelta(hours=24)
    elif why == "another password":
        await store.commit(lambda tx: set_password(ben.public_id, "other", "user ana", now, tx))
    else:
        await store.commit(lambda tx: disable_user(ben.public_id, "user ana", now, tx))
    assert await store.commit(lambda tx: resets.redeem(link.hashed, "new", now, tx)) is None
    assert (await latest(store, ben)).password != "new"


async def test_nobody_gets_a_link_who_cannot_use_it(store: Database, clock: HandClock, ana, ben):
    now = clock.now()
    await store.commit(lambda tx: disable_user(ben.public_id, "user ana", now, tx))
    await store.commit(lambda tx: tx.accounts.bring_in(ana.id, "ldap", "ldap:uid=ana", now))
    for public_id, why in (
        (ben.public_id, Because.DISABLED),
        (ana.public_id, Because.ELSEWHERE),
        ("usr_", Because.UNKNOWN),
    ):
        with pytest.raises(Refused) as refused:
            await store.commit(lambda tx, who=public_id: resets.offer(who, "hash", "user ana", now, tx))
        assert refused.value.why is why

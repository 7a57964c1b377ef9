"""Allowances of the month: counted when an attempt opens, taken back when nothing was sent, and never for commands."""

from datetime import timedelta
from functools import partial

import pytest

from ringback.core.permissions import at_the_shell
from ringback.core.policy import Refuse
from ringback.core.reasons import Reason
from ringback.errors import Rejected, StoreBusy, Unconfirmed, Unreachable
from ringback.flow import allowances
from ringback.flow.claiming import claim
from ringback.flow.desk import Resolution
from ringback.flow.governor import Room
from ringback.flow.replies import Reply, answer
from ringback.flow.settling import resolve
from ringback.ports.handsets import Behaviour
from ringback.store.pairs import Pairs
from tests.conftest import NOON
from tests.flow.office import ANNA, BERT, begin, column, desk_of, rows, states
from tests.flow.world import DID, HOUSE, OTHER_DID, PAT, SAM, World, a_call, life_of

TEXT = "We open at 9."
MONTH = 2026 * 12 + 11


@pytest.fixture
async def world(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        yield world


async def let(world, level="user", subject=ANNA.account, soft=0, hard=0) -> None:
    await world.ground.commit(lambda tx: tx.grants.allow_segments(level, subject, soft, hard, "root", NOON))


async def number_row(world, did=DID) -> int:
    await begin(world, did)
    return (await column(world, f"SELECT id FROM number WHERE e164 = '{did}'"))[0]


async def used(world) -> dict[str, int]:
    found = await rows(world, "SELECT key, slot, n FROM meter WHERE substr(key, 1, 5) = 'used:'")
    assert {slot for _key, slot, _n in found} <= {MONTH}
    return {key: n for key, _slot, n in found}


async def warned(world) -> list[str]:
    return await column(world, "SELECT detail FROM task WHERE kind = 'allowance' ORDER BY id")


async def send(world, key="k", text=TEXT, who=ANNA, did=DID, peer=PAT):
    replied = await desk_of(world).reply(who, await begin(world, did, peer), text, key)
    await world.settled()
    return replied


async def test_without_an_allowance_nothing_is_counted(world):
    await send(world)
    assert await used(world) == {}


async def test_a_text_counts_in_segments_for_all_whom_it_concerns(world):
    sales = await world.store.commit(lambda tx: tx.departments.add("Sales", None, NOON))
    north = await world.store.commit(lambda tx: tx.departments.add("North", sales.id, NOON))
    await world.store.commit(lambda tx: tx.departments.join(ANNA.account, north.id, NOON))
    for level, subject in (
        ("user", ANNA.account),
        ("department", sales.id),
        ("department", north.id),
        ("number", await number_row(world)),
        ("everyone", 0),
    ):
        await let(world, level, subject, soft=1000)
    await send(world, text="a" * 200)
    await send(world, "k2", who=BERT)
    await send(world, "k3", who=BERT, did=OTHER_DID)
    assert await used(world) == {
        "used:user:1": 2,
        f"used:department:{sales.id}": 2,
        f"used:department:{north.id}": 2,
        f"used:number:{DID}": 3,
        "used:everyone:0": 4,
    }


@pytest.mark.parametrize(
    ("level", "subject", "whose"),
    [
        pytest.param("user", ANNA.account, "desk.anna", id="their own"),
        pytest.param("everyone", 0, "the business", id="the business's"),
    ],
)
async def test_a_hard_limit_refuses_what_would_pass_it_and_nobody_else(world, level, subject, whose):
    await let(world, level, subject, hard=2)
    assert (await send(world, "a")).verdict is None
    assert (await send(world, "b", "a" * 200)).verdict == Refuse(Reason.QUOTA_EXCEEDED)
    assert (await send(world, "c")).verdict is None
    last = await send(world, "d")
    assert last.verdict == Refuse(Reason.QUOTA_EXCEEDED)
    assert await states(world, last.message) == ["refused"]
    assert set((await used(world)).values()) == {2}
    assert world.handset() == [TEXT, TEXT]
    assert (await send(world, "e", who=BERT)).verdict == (None if level == "user" else last.verdict)
    assert f"{whose} has sent 1 of the 2 segments of this month; what would pass that is refused" in await warned(world)
    advice = await desk_of(world).advise(ANNA, await begin(world), TEXT)
    assert advice.verdict == Refuse(Reason.QUOTA_EXCEEDED)


async def test_a_soft_limit_lets_texts_go_on_and_says_so_once_a_month(world):
    await let(world, soft=5)
    for n in range(8):
        assert (await send(world, f"k{n}")).verdict is None
    assert await warned(world) == [
        "desk.anna has sent 4 of the 5 segments of this month: four fifths are used",
        "desk.anna has sent 6 segments this month, and 5 are free; texts go on",
    ]
    assert len(world.handset()) == 8
    world.clock.move(timedelta(days=20))
    for n in range(5):
        await send(world, f"m{n}")
    assert len(await warned(world)) == 3, "and again in the next month"


async def test_a_text_that_waits_is_refused_when_the_month_is_used_up_meanwhile(world):
    await let(world, hard=1)
    world.carrier.behave(SAM, Behaviour.AWAY)
    waits = await send(world, "a", peer=SAM)
    assert await used(world) == {"used:user:1": 0}, "it did not leave"
    assert (await send(world, "b")).verdict is None
    world.carrier.behave(SAM, Behaviour.DELIVERS)
    await world.passes(timedelta(seconds=10))
    ((state, reason, detail),) = await rows(
        world,
        f"""SELECT e.state, e.reason, e.detail FROM message_event e JOIN message m ON m.id = e.message_id
        WHERE m.public_id = '{waits.message}' ORDER BY e.id DESC LIMIT 1""",
    )
    assert (state, reason) == ("refused", "quota_exceeded")
    assert detail == "desk.anna has sent 1 of the 1 segments of this month; what would pass that is refused"
    assert world.handset(SAM) == []


@pytest.mark.parametrize(
    ("answer", "counts"),
    [
        pytest.param(Unreachable("no route"), False, id="provably not sent"),
        pytest.param(Rejected("no"), False, id="turned down"),
        pytest.param(Unconfirmed("silence"), True, id="nobody knows"),
    ],
)
async def test_only_what_was_definitely_not_sent_is_taken_back(world, monkeypatch, answer, counts):
    await let(world, hard=10)

    async def send_it(_text):
        raise answer

    monkeypatch.setattr(world.carrier, "send", send_it)
    await send(world)
    assert await used(world) == {"used:user:1": int(counts)}


async def test_a_text_that_is_tried_until_it_goes_counts_once(world):
    await let(world, soft=10)
    world.carrier.behave(PAT, Behaviour.AWAY)
    await send(world)
    for _ in range(3):
        await world.passes(timedelta(minutes=1))
    world.carrier.behave(PAT, Behaviour.DELIVERS)
    await world.passes(timedelta(minutes=10))
    assert world.handset() == [TEXT]
    assert await column(world, "SELECT count(*) > 1 FROM attempt") in ([1], [True])
    assert await used(world) == {"used:user:1": 1}


async def test_a_persons_word_is_no_proof(world):
    await let(world, soft=10)
    world.carrier.behave(PAT, Behaviour.SILENT)
    replied = await send(world)
    await world.passes(timedelta(seconds=11))
    await world.store.commit(partial(resolve, at_the_shell("root"), replied.message, Resolution.NOT_SENT, NOON))
    assert await used(world) == {"used:user:1": 1}


async def test_answers_to_commands_count_for_nobody_and_are_never_held(world):
    await let(world, "everyone", 0, hard=1)
    assert (await send(world)).verdict is None
    await world.says("STOP")
    await world.says("START")
    await world.says("HELP")
    assert len(world.handset()) == 4
    assert await used(world) == {"used:everyone:0": 1}


async def test_a_rules_text_counts_for_its_number_and_is_refused_when_that_is_used_up(world):
    await let(world, "number", await number_row(world), hard=1)
    await world.happens(*life_of(a_call("1")))
    await world.happens(*life_of(a_call("2", SAM)))
    assert await used(world) == {f"used:number:{DID}": 1}
    assert await world.decision("2") == ("suppress", "quota_exceeded")
    assert world.handset(SAM) == []


@pytest.mark.parametrize("moment", ["before the flush", "after it"])
async def test_a_crash_counts_a_text_exactly_when_its_attempt_is_on_disk(world, monkeypatch, moment):
    await let(world, soft=10)

    def step(tx):
        orders = claim(HOUSE, "main", Room(8, 8), NOON, tx).orders
        if moment == "before the flush":
            raise StoreBusy("killed")
        return orders

    world.lanes.reserve("main")
    thread = await begin(world)
    monkeypatch.setattr(world.lane, "nudge", lambda: None)
    where = await world.store.commit(lambda tx: tx.pairs.find(thread))
    await world.store.commit(partial(answer, HOUSE, None, Reply(ANNA, where, TEXT, "k"), NOON))
    assert await used(world) == {}
    try:
        orders = await world.store.commit(step)
    except StoreBusy:
        orders = ()
    attempts = await column(world, "SELECT count(*) FROM attempt")
    assert [len(orders)] == attempts
    assert sum((await used(world)).values()) == attempts[0]


async def test_the_counters_of_a_batch_are_read_in_one_look(world, monkeypatch):
    for level, subject in (("user", ANNA.account), ("user", BERT.account), ("everyone", 0)):
        await let(world, level, subject, soft=100)
    world.carrier.behave(PAT, Behaviour.AWAY)
    looks = []
    read, one = Pairs.read_counters, Pairs._metered
    monkeypatch.setattr(Pairs, "read_counters", lambda self, them: looks.append(len(them)) or read(self, them))

    def metered(self, key, slot):
        assert not key.startswith("used:") or (key, slot) in self._meters, "read one by one"
        return one(self, key, slot)

    def step(tx):
        senders = [(who.account, DID) for who in (ANNA, BERT) for _ in range(20)]
        allowances.read_ahead(HOUSE, senders, NOON, tx)
        assert looks == [3]
        monkeypatch.setattr(Pairs, "_metered", metered)
        for account, did in senders:
            counted = allowances.uses_of(HOUSE, account, did, "", NOON, tx)
            assert allowances.over(counted, 1, tx) is False
            allowances.count(counted, 1, NOON, tx)

    await world.store.commit(step)
    monkeypatch.undo()
    assert await used(world) == {"used:user:1": 20, "used:user:2": 20, "used:everyone:0": 40}


async def test_the_counters_outlive_the_sweep_of_minutes_for_two_years(world):
    await let(world, soft=10)
    await send(world)
    for later, left in ((timedelta(days=40), 1), (timedelta(days=700), 1), (timedelta(days=800), 0)):
        await world.store.commit(lambda tx, at=NOON + later: tx.pairs.forget_old(at))
        assert len(await column(world, "SELECT n FROM meter WHERE substr(key, 1, 5) = 'used:'")) == left


@pytest.mark.parametrize("broken", ["uses", "is_over"])
async def test_a_fault_in_the_look_up_refuses(world, monkeypatch, broken):
    await let(world, soft=10)

    def fails(*_args):
        raise ZeroDivisionError

    monkeypatch.setattr(allowances, broken, fails)
    assert (await send(world)).verdict == Refuse(Reason.GATE_ERROR)
    assert world.handset() == []


async def test_an_allowance_that_is_taken_away_holds_nobody(world):
    await let(world, hard=1)
    await send(world, "a")
    assert (await send(world, "b")).verdict == Refuse(Reason.QUOTA_EXCEEDED)
    await let(world)
    assert (await send(world, "c")).verdict is None

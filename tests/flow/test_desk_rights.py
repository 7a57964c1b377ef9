"""Every door that writes asks who may: the desk, programs, runs, and the gate once more when a text leaves."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from ringback.core.book import Book
from ringback.core.grants import ALL_NUMBERS, EVERYONE, Cell, Department, Effect, Level, Subject, Way
from ringback.core.messages import Basis, MessageClass
from ringback.core.permissions import Asker, Principal, Role, Scope, at_the_shell
from ringback.core.policy import Refuse
from ringback.core.reasons import Reason
from ringback.core.rights import Rights
from ringback.core.tasks import TaskKind
from ringback.flow.asking import Asking
from ringback.flow.bulks import Runs, Turn
from ringback.flow.claiming import claim
from ringback.flow.desk import Denied, NotThere, Resolution
from ringback.flow.feeding import Feeder, waits_for
from ringback.flow.governor import Room
from ringback.flow.permits import allow_way, see
from ringback.flow.settling import resolve
from ringback.flow.wishes import Wish
from ringback.ports.bulks import Item, Plan, RunState
from ringback.ports.handsets import Behaviour
from ringback.store import grants as kept
from tests.conftest import NOON
from tests.flow.office import ANNA, BERT, begin, column, desk_of, everything, rows, states
from tests.flow.world import DID, HOUSE, OTHER_DID, PAT, SAM, World

TEXT = "We open at 9."
ALLOW, DENY = Effect.ALLOW, Effect.DENY
ME = Subject(Level.USER, ANNA.account)
SHOP = Principal(
    Asker.PROGRAM, "key_shop", "shop", frozenset(), account=ANNA.account, scopes=frozenset({Scope.SEND, Scope.BULK})
)


@pytest.fixture
async def world(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        yield world


@pytest.fixture
def desk(world):
    return desk_of(world)


async def say(world, effect, way=Way.SEND, subject=ME, scope=ALL_NUMBERS, class_="") -> None:
    cell = Cell(subject, way, scope, class_)
    await world.ground.commit(lambda tx: tx.grants.put(cell, effect, "for this test", "chg_2", "user usr_boss", NOON))


async def unchanged(world) -> dict:
    """All there is but the audit."""
    found = await everything(world)
    return {table: found[table] for table in found if table != "audit"}


async def denied(world) -> list[tuple]:
    return await rows(world, "SELECT who, about, detail FROM audit WHERE action = 'denied' ORDER BY id")


# A person who may read and not write


@pytest.mark.parametrize(
    ("subject", "scope", "class_", "words"),
    [
        pytest.param(ME, DID, "", "A grant to the user alone denies it for this number.", id="this number"),
        pytest.param(ME, "*", "", "A grant to the user alone denies it for all numbers.", id="all numbers"),
        pytest.param(
            ME,
            DID,
            "conversational",
            "A grant to the user alone denies it for this number. The grant is about answers to people.",
            id="answers only",
        ),
        pytest.param(EVERYONE, DID, "", "It is denied to everyone for this number.", id="everyone"),
    ],
)
async def test_who_may_not_send_is_told_why_and_nothing_is_stored(world, desk, subject, scope, class_, words):
    await say(world, DENY, subject=subject, scope=scope, class_=class_)
    thread = await begin(world)
    before = await unchanged(world)
    with pytest.raises(Denied) as caught:
        await desk.reply(ANNA, thread, TEXT, "k")
    assert caught.value.reason is Reason.PERMISSION_DENIED
    assert str(caught.value) == f"You may not send from {DID}. {words}"
    assert caught.value.right.origin.level is subject.level
    advice = await desk.advise(ANNA, thread, TEXT)
    assert advice.verdict == Refuse(Reason.PERMISSION_DENIED)
    assert advice.told.say(str) == str(caught.value)
    await world.settled()
    assert await unchanged(world) == before
    assert await denied(world) == [("user usr_anna", thread, f"send {DID}: You may not send from {DID}. {words}")]
    assert world.lane.in_flight == 0


async def test_who_is_denied_another_class_may_answer(world, desk):
    await say(world, DENY, class_="promotional")
    assert (await desk.advise(ANNA, await begin(world), TEXT)).told is None
    assert (await desk.reply(ANNA, await begin(world), TEXT, "k")).verdict is None


async def test_a_key_that_was_answered_gets_its_answer_after_the_right_is_gone(world, desk):
    thread = await begin(world)
    first = await desk.reply(ANNA, thread, TEXT, "k")
    await say(world, DENY)
    assert await desk.reply(ANNA, thread, TEXT, "k") == replace(first, again=True)


# A person who may not even see


async def doubtful(world) -> str:
    world.carrier.behave(PAT, Behaviour.SILENT)
    replied = await desk_of(world).reply(BERT, await begin(world), TEXT, "k")
    await world.passes(timedelta(seconds=11))
    assert (await states(world, replied.message))[-1] == "unconfirmed"
    return replied.message


THREAD_ACTS = {
    "advise": lambda desk, thread: desk.advise(ANNA, thread, TEXT),
    "reply": lambda desk, thread: desk.reply(ANNA, thread, TEXT, "k2"),
    "read": lambda desk, thread: desk.mark_read(ANNA, thread),
    "no answer needed": lambda desk, thread: desk.mark_answered(ANNA, thread),
    "opt out": lambda desk, thread: desk.opt_out(ANNA, thread, "by phone"),
    "opt in": lambda desk, thread: desk.opt_in(ANNA, thread, "by phone"),
}
TEXT_ACTS = {
    "say it was sent": lambda desk, text: desk.resolve(ANNA, text, Resolution.SENT),
    "take it back": lambda desk, text: desk.undo(ANNA, text),
    "ask the carrier": lambda desk, text: desk.check_again(ANNA, text),
}
TASK_ACTS = {
    "close": lambda desk, task: desk.close_task(ANNA, task),
    "reopen": lambda desk, task: desk.reopen_task(ANNA, task),
}
NEVER = "00000000000000000000000000"


@pytest.mark.parametrize(
    ("kind", "act"),
    [
        pytest.param(kind, act, id=name)
        for kind, acts in (("thr", THREAD_ACTS), ("msg", TEXT_ACTS), ("task", TASK_ACTS))
        for name, act in acts.items()
    ],
)
async def test_what_they_may_not_see_is_not_there_in_the_very_words_of_what_never_was(world, desk, kind, act):
    message = await doubtful(world)
    (task,) = await column(world, "SELECT public_id FROM task")
    theirs = {"thr": await begin(world), "msg": message, "task": task}[kind]
    await say(world, DENY, Way.RECEIVE, scope=DID)
    before = await unchanged(world)
    said = []
    for wanted in (theirs, f"{kind}_{NEVER}"):
        with pytest.raises(NotThere) as caught:
            await act(desk, wanted)
        said.append(str(caught.value).replace(wanted, "ID"))
    await world.settled()
    assert said[0] == said[1]
    assert await unchanged(world) == before


async def test_another_number_of_ours_is_still_theirs(world, desk):
    await say(world, DENY, Way.RECEIVE, scope=DID)
    assert (await desk.reply(ANNA, await begin(world, OTHER_DID), TEXT, "k")).verdict is None


async def test_a_task_that_has_to_do_with_no_number_is_for_whoever_has_the_action(world, desk):
    await say(world, DENY, Way.RECEIVE)
    await world.store.commit(lambda tx: tx.tasks.add(TaskKind.STORM, NOON, "too many"))
    (task,) = await column(world, "SELECT public_id FROM task")
    assert await desk.close_task(ANNA, task)


async def test_a_task_about_permissions_is_for_whoever_decides_those(world, desk):
    await world.store.commit(lambda tx: tx.tasks.add(TaskKind.ALLOWANCE, NOON, "nearly used up", about="used:user:1"))
    (task,) = await column(world, "SELECT public_id FROM task")
    with pytest.raises(NotThere):
        await desk.close_task(ANNA, task)
    assert await desk.close_task(replace(ANNA, roles=frozenset({Role.ADMINISTRATOR})), task)


async def test_the_shell_may_everything(world):
    message = await doubtful(world)
    await say(world, DENY, Way.RECEIVE, EVERYONE)
    await world.store.commit(lambda tx: see(at_the_shell("root"), DID, tx))
    await world.store.commit(partial(resolve, at_the_shell("root"), message, Resolution.SENT, NOON))


# The gate asks again when the text leaves


REVOKED = [
    pytest.param(ME, "A grant to the user alone denies it for all numbers.", id="from the user"),
    pytest.param(EVERYONE, "It is denied to everyone for all numbers.", id="from everyone"),
]


@pytest.mark.parametrize(("subject", "words"), REVOKED)
async def test_what_waits_is_refused_when_the_right_to_send_it_is_gone(world, desk, subject, words):
    world.carrier.behave(PAT, Behaviour.AWAY)
    replied = await desk.reply(ANNA, await begin(world), TEXT, "k")
    await world.settled()
    await say(world, DENY, subject=subject)
    world.carrier.behave(PAT, Behaviour.DELIVERS)
    await world.passes(timedelta(seconds=10))
    assert world.handset() == []
    ((state, reason, detail),) = await rows(
        world, "SELECT state, reason, detail FROM message_event ORDER BY id DESC LIMIT 1"
    )
    assert (state, reason) == ("refused", "permission_denied")
    assert detail == f"Its writer may not send from {DID}. {words}"
    assert (await states(world, replied.message))[-1] == "refused"


async def test_what_waits_goes_when_another_right_is_gone(world, desk):
    world.carrier.behave(PAT, Behaviour.AWAY)
    await desk.reply(ANNA, await begin(world), TEXT, "k")
    await world.settled()
    for way in (Way.RECEIVE, Way.BULK, Way.EXPORT):
        await say(world, DENY, way)
    await say(world, DENY, scope=OTHER_DID)
    await say(world, DENY, class_="promotional")
    world.carrier.behave(PAT, Behaviour.DELIVERS)
    await world.passes(timedelta(seconds=10))
    assert world.handset() == [TEXT]


async def test_what_waits_is_refused_when_its_writer_has_another_role(world, desk):
    world.carrier.behave(PAT, Behaviour.AWAY)
    await desk.reply(ANNA, await begin(world), TEXT, "k")
    await world.settled()
    roles = frozenset({Role.AUDITOR})
    await world.ground.commit(lambda tx: tx.accounts.change_roles(ANNA.account, roles, NOON))
    world.carrier.behave(PAT, Behaviour.DELIVERS)
    await world.passes(timedelta(seconds=10))
    assert world.handset() == []
    ((detail,),) = await rows(world, "SELECT detail FROM message_event ORDER BY id DESC LIMIT 1")
    assert detail == f"Its writer may not send from {DID}. No role of theirs includes it."


@pytest.mark.parametrize("undone", [False, True], ids=["it stands", "it is rolled back"])
@pytest.mark.parametrize("together", ["many texts", "one text"])
async def test_a_revocation_in_the_same_batch_as_a_claim(world, desk, undone, together):
    """Steps of one transaction: what came before holds, and what was rolled back does not."""
    world.carrier.behave(PAT, Behaviour.AWAY)
    await desk.reply(ANNA, await begin(world), TEXT, "k")
    if together == "many texts":  # more than one text, so that the batch reads ahead
        world.carrier.behave(SAM, Behaviour.AWAY)
        await desk.reply(ANNA, await begin(world, peer=SAM), TEXT, "k2")
    await world.settled()
    world.lane.hold("for this test")
    now = world.clock.now() + timedelta(minutes=5)

    def warm(tx):
        return claim(HOUSE, "main", Room(0, 0), now, tx), tx.grants.book().version

    def revoke(tx):
        tx.grants.put(Cell(ME, Way.SEND, ALL_NUMBERS), DENY, "", "chg_5", "root", NOON)
        if undone:
            tx.grants.book()
            raise ValueError("undone")

    outcomes = await world.ground.commit_all([warm, revoke, partial(claim, HOUSE, "main", Room(9, 9), now)])
    opened = outcomes[2].orders
    waited = 2 if together == "many texts" else 1
    assert len(opened) == (waited if undone else 0)
    refused = await rows(world, "SELECT id FROM message WHERE state = 'refused' AND reason = 'permission_denied'")
    assert len(refused) == (0 if undone else waited)


# Programs


def wish(peer=PAT, did=DID, class_=MessageClass.TRANSACTIONAL) -> Wish:
    return Wish(did, World.house.read("", peer), TEXT, NOON + timedelta(hours=1), class_=class_)


@pytest.fixture
async def asking(world):
    asking = Asking(world.house, world.store, world.lanes, world.clock)
    task = asyncio.create_task(asking.run())
    await asyncio.sleep(0)
    yield asking
    task.cancel()


async def test_a_program_is_refused_with_the_words_of_the_person_it_acts_for(world, asking, desk):
    await say(world, DENY)
    with pytest.raises(Denied) as by_program:
        await asking.send(SHOP, wish(), "key-1")
    with pytest.raises(Denied) as by_hand:
        await desk.reply(ANNA, await begin(world), TEXT, "k")
    assert str(by_program.value) == str(by_hand.value)
    assert by_program.value.reason is by_hand.value.reason is Reason.PERMISSION_DENIED
    await world.settled()
    assert await column(world, "SELECT count(*) FROM message") == [0]
    assert [who for who, _about, _detail in await denied(world)] == ["program key_shop", "user usr_anna"]


async def test_a_program_writes_for_the_person_it_acts_for(world, asking):
    asked = await asking.send(SHOP, wish())
    assert await rows(world, "SELECT public_id, account_id, cause FROM message") == [
        (asked.message, ANNA.account, "program key_shop")
    ]


async def test_one_of_many_that_may_not_stops_none_of_the_others(world, asking):
    await say(world, DENY, scope=OTHER_DID)
    peers = [f"+1512555{n:04}" for n in range(130, 140)]
    wishes = [wish(peer, OTHER_DID if n % 2 else DID) for n, peer in enumerate(peers)]
    got = await asyncio.gather(*(asking.send(SHOP, one) for one in wishes), return_exceptions=True)
    assert [isinstance(one, Denied) for one in got] == [False, True] * 5
    assert await column(world, "SELECT count(*) FROM message") == [5]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"numbers": frozenset({OTHER_DID})}, "The key is held to other numbers.", id="another number"),
        pytest.param({"account": 77}, "The account is disabled.", id="somebody who is gone"),
    ],
)
async def test_a_key_is_held_to_its_numbers_and_its_person(world, asking, change, words):
    with pytest.raises(Denied) as caught:
        await asking.send(replace(SHOP, **change), wish())
    assert str(caught.value) == f"You may not send from {DID}. {words}"


async def test_a_text_is_called_off_only_by_who_may_send_it(world, asking):
    world.carrier.behave(PAT, Behaviour.SILENT)
    await asking.send(SHOP, wish())
    waits = await asking.send(SHOP, wish())
    await say(world, DENY)
    with pytest.raises(Denied):
        await asking.call_off(SHOP, waits.message)
    await say(world, DENY, Way.RECEIVE)
    with pytest.raises(NotThere):
        await asking.call_off(SHOP, waits.message)
    await say(world, None)
    await say(world, None, Way.RECEIVE)
    assert await asking.call_off(SHOP, waits.message) == "cancelled"


# Runs to many


PLAN = Plan(
    asked_by=SHOP.label,
    did=DID,
    body="Hello {{ name }}.",
    class_=MessageClass.PROMOTIONAL,
    basis=Basis.CONSENT,
    language="en",
    not_before=NOON,
    expires_at=NOON + timedelta(days=1),
    account=ANNA.account,
)


async def start(world, runs, people=(PAT, SAM)) -> str:
    coming = await runs.begin(SHOP, PLAN)
    await coming.add([Item(n, peer, '{"name": "Pat"}') for n, peer in enumerate(people, 1)])
    await coming.open(len(people), 0, None, "")
    return coming.public_id


@pytest.mark.parametrize(
    ("way", "class_", "words"),
    [
        pytest.param(Way.BULK, "", "A grant to the user alone denies it for all numbers.", id="no runs"),
        pytest.param(
            Way.SEND,
            "",
            "It takes the right to send as well. A grant to the user alone denies it for all numbers.",
            id="no texts at all",
        ),
        pytest.param(
            Way.SEND,
            "promotional",
            "It takes the right to send as well. A grant to the user alone denies it for all numbers. "
            "The grant is about advertising.",
            id="none of this class",
        ),
    ],
)
async def test_a_run_takes_the_right_to_send_to_many(world, way, class_, words):
    runs = Runs(world.store, world.clock)
    await say(world, DENY, way, class_=class_)
    with pytest.raises(Denied) as caught:
        await runs.begin(SHOP, PLAN)
    assert str(caught.value) == f"You may not send to many at once from {DID}. {words}"
    await world.settled()
    assert await column(world, "SELECT count(*) FROM bulk") == [0]
    assert [about for _who, about, _detail in await denied(world)] == [DID]


async def test_a_run_stands_still_while_its_right_is_gone_and_what_it_made_is_refused(world):
    runs = Runs(world.store, world.clock)
    feeder = Feeder(world.house, world.store, world.lanes, world.clock, world.store.changes, {"main": 10}, runs.coming)
    world.carrier.behave(PAT, Behaviour.AWAY)
    task = asyncio.create_task(feeder.run())
    try:
        first = await start(world, runs, (PAT,))
        await world.settled()
        await say(world, DENY, Way.BULK)
        second = await start_as_shell(world, runs)
        await world.passes(timedelta(seconds=10))
        told = await world.store.commit(lambda tx: (tx.bulks.tallied(first), tx.bulks.tallied(second)))
        assert [(one.run.made, one.states, one.stopped) for one in told] == [
            (1, {"refused": 1}, None),
            (0, {}, Reason.PERMISSION_DENIED),
        ]
        await say(world, None, Way.BULK)
        await world.passes(timedelta(seconds=10))
        assert world.handset(SAM) == ["Hello Sam."]
    finally:
        task.cancel()


async def start_as_shell(world, runs) -> str:
    """A run for the same person that somebody else may begin."""
    coming = await runs.begin(at_the_shell("root"), PLAN)
    await coming.add([Item(1, SAM, '{"name": "Sam"}')])
    await coming.open(1, 0, None, "")
    return coming.public_id


async def test_a_run_is_stopped_only_by_who_may_send_to_many_and_seen_only_by_who_sees_its_number(world):
    runs = Runs(world.store, world.clock)
    run = await start(world, runs)
    boss = replace(ANNA, roles=frozenset({Role.SUPERVISOR}))
    await say(world, DENY, Way.BULK)
    for act in (partial(runs.turn, boss, run, Turn.PAUSE), partial(runs.call_off, boss, run)):
        with pytest.raises(Denied):
            await act()
    await say(world, DENY, Way.RECEIVE)
    assert await runs.turn(boss, run, Turn.PAUSE) is None
    assert await runs.call_off(boss, run) is None
    await say(world, None, Way.BULK)
    await say(world, None, Way.RECEIVE)
    assert (await runs.turn(boss, run, Turn.PAUSE)).state is RunState.PAUSED


# A look-up that fails allows nothing (S32)


def broken(*_args, **_more):
    raise RuntimeError("the book is upside down")


async def test_a_fault_in_the_rights_refuses_everywhere(world, desk, asking, monkeypatch):
    world.carrier.behave(PAT, Behaviour.AWAY)
    waiting = await desk.reply(ANNA, await begin(world), TEXT, "k")
    await world.settled()
    world.carrier.behave(PAT, Behaviour.DELIVERS)
    runs = Runs(world.store, world.clock)
    run = await start(world, runs)
    thread = await begin(world, peer=SAM)
    monkeypatch.setattr(Book, "right", broken)
    for act in (
        partial(desk.reply, ANNA, thread, TEXT, "k2"),
        partial(desk.advise, ANNA, thread, TEXT),
        partial(desk.opt_out, ANNA, thread, ""),
        partial(asking.send, SHOP, wish(SAM)),
        partial(runs.begin, SHOP, PLAN),
    ):
        with pytest.raises(Denied) as caught:
            await act()
        assert caught.value.reason is Reason.GATE_ERROR
    stored = await world.store.commit(lambda tx: tx.bulks.find(run))
    assert await world.store.commit(lambda tx: waits_for(world.house, stored, tx)) is Reason.GATE_ERROR
    await world.passes(timedelta(seconds=10))
    assert await rows(world, f"SELECT state, reason FROM message WHERE public_id = '{waiting.message}'") == [
        ("refused", "gate_error")
    ]
    assert world.handset() == world.handset(SAM) == []


# What the book costs


async def test_the_book_is_looked_at_once_a_transaction_and_again_when_it_may_have_changed(world, monkeypatch):
    looks = []
    version = kept.version
    monkeypatch.setattr(kept, "version", lambda run: looks.append(1) or version(run))

    def step(tx):
        for _ in range(50):
            tx.grants.book()
        assert len(looks) == 1
        tx.grants.put(Cell(ME, Way.SEND, DID), DENY, "", "chg_3", "root", NOON)
        assert not tx.grants.book().right(ANNA.account, Way.SEND, DID).allowed
        assert len(looks) == 2
        raise ValueError("undone")

    with pytest.raises(ValueError, match="undone"):
        await world.store.commit(step)
    assert await world.store.commit(lambda tx: tx.grants.book().right(ANNA.account, Way.SEND, DID).allowed)


async def test_a_change_of_the_same_transaction_holds_at_once(world):
    def step(tx):
        tx.grants.put(Cell(ME, Way.SEND, ALL_NUMBERS), DENY, "", "chg_4", "root", NOON)
        allow_way(Rights(ANNA, tx.grants.book()), Way.SEND, DID)

    with pytest.raises(Denied):
        await world.store.commit(step)


async def test_a_department_that_is_denied_holds_for_its_members(world, desk):
    made: Department = await world.store.commit(lambda tx: tx.departments.add("Sales", None, NOON))
    await world.store.commit(lambda tx: tx.departments.join(ANNA.account, made.id, NOON))
    await say(world, DENY, subject=Subject(Level.DEPARTMENT, made.id), scope=DID)
    with pytest.raises(Denied, match="The department Sales denies it for this number"):
        await desk.reply(ANNA, await begin(world), TEXT, "k")
    assert (await desk.reply(BERT, await begin(world), TEXT, "k")).verdict is None

"""Text queues and agents as rows, on both databases: there is always a main one, and each change is seen at once."""

from datetime import timedelta
from functools import partial

import pytest

from ringback.core.presence import AtDesk
from ringback.core.text_queues import Note, Plan, Strategy, VoiceName
from ringback.ports.changes import PRESENCE, QUEUES, Touch
from ringback.ports.people import Contact
from ringback.store.late import read_queues
from tests.conftest import NOON
from tests.store.serving import DID, MINUTE, OTHER, Crew


@pytest.fixture
async def crew(store) -> Crew:
    return await Crew(store).settle()


async def test_there_is_a_main_queue_from_the_beginning(store):
    queues = await store.commit(lambda tx: tx.queues.all())
    assert [(queue.name, queue.main, queue.plan) for queue in queues.all] == [("main", True, Plan())]
    assert queues.of_number(DID) == queues.of_number(OTHER) == queues.main == queues.get(99)
    with pytest.raises(ValueError, match="main queue stays"):
        await store.commit(lambda tx: tx.queues.remove(queues.main, NOON))


async def test_a_queue_is_made_changed_and_removed(crew):
    plan = Plan(Strategy.ROUND_ROBIN, timedelta(seconds=9), notes={Note.WAIT: {"en": "soon ✓"}})

    def change(tx):
        tx.queues.change(crew.sales, plan, NOON)
        tx.queues.rename(crew.sales, "Selling", NOON)
        tx.queues.put_voice(crew.sales, [VoiceName("main", "sales"), VoiceName("main", "vip")], NOON)
        tx.queues.put_numbers(crew.sales, [DID, OTHER], NOON)
        tx.queues.put_members(crew.sales, [crew.max, crew.eve, crew.max], NOON)
        return tx.queues.all()

    queues = await crew.do(change)
    sales = queues.named("Selling")
    assert (sales.plan, sales.public_id, sales.members) == (plan, crew.sales.public_id, (crew.max, crew.eve))
    assert queues.of_voice("main", "vip") == queues.of_number(DID) == queues.get(sales.id) == sales
    assert queues.of_voice("main", "other") is None
    await crew.do(lambda tx: tx.queues.remove(sales, NOON))
    left = await crew.do(lambda tx: tx.queues.all())
    assert [queue.name for queue in left.all] == ["main"]
    assert left.of_voice("main", "vip") is None and left.of_number(DID).main and left.get(sales.id).main
    again = await crew.do(lambda tx: tx.queues.make("Selling", Plan(), NOON))
    assert again.id != sales.id


async def test_names_are_taken_once(crew):
    with pytest.raises(LookupError, match="is called Sales"):
        await crew.do(lambda tx: tx.queues.make("Sales", Plan(), NOON))
    other = await crew.do(lambda tx: tx.queues.make("Support", Plan(), NOON))
    with pytest.raises(LookupError, match="is called Sales"):
        await crew.do(lambda tx: tx.queues.rename(other, "Sales", NOON))
    await crew.do(lambda tx: tx.queues.rename(other, "Support", NOON))


async def test_what_belonged_to_another_queue_comes_over(crew):
    other = await crew.do(lambda tx: tx.queues.make("Support", Plan(), NOON))
    voice = VoiceName("main", "help")

    def both(tx):
        for queue in (crew.sales, other):
            tx.queues.put_voice(queue, [voice], NOON)
            tx.queues.put_numbers(queue, [DID], NOON)
        return tx.queues.all()

    queues = await crew.do(both)
    assert queues.of_voice(*("main", "help")).id == queues.of_number(DID).id == other.id
    await crew.do(lambda tx: tx.queues.put_voice(other, [], NOON))
    assert (await crew.do(lambda tx: tx.queues.all())).of_voice("main", "help") is None


async def test_the_version_turns_with_each_change_and_only_then(crew):
    async def version():
        return (await crew.do(lambda tx: tx.queues.all())).version

    seen = [await version()]
    changes = [
        lambda tx: tx.queues.make("Support", Plan(), NOON),
        lambda tx: tx.queues.change(crew.sales, Plan(at_once=True), NOON),
        lambda tx: tx.queues.rename(crew.sales, "Selling", NOON),
        lambda tx: tx.queues.put_members(crew.sales, [crew.eve], NOON),
        lambda tx: tx.queues.put_voice(crew.sales, [VoiceName("main", "sales")], NOON),
        lambda tx: tx.queues.put_numbers(crew.sales, [DID], NOON),
        lambda tx: tx.queues.set_up(crew.eve, 2, 1, False, NOON),
        lambda tx: tx.queues.remove(crew.sales, NOON),
    ]
    for change in changes:
        await crew.do(change)
        seen.append(await version())
    assert len(set(seen)) == len(seen)
    await crew.do(lambda tx: tx.queues.took_turn(crew.eve, NOON))
    assert await version() == seen[-1]


async def test_a_change_that_was_undone_is_not_remembered(crew):
    def fails(tx):
        tx.queues.rename(crew.sales, "Nobody", NOON)
        assert tx.queues.all().named("Nobody")
        raise RuntimeError("undone")

    failed, queues = await crew.store.commit_all([fails, lambda tx: tx.queues.all()])
    assert isinstance(failed, RuntimeError) and queues.named("Nobody") is None and queues.named("Sales")


async def test_agents_are_members_and_whoever_was_set_up(crew):
    ann = (await crew.do(lambda tx: tx.accounts.add("ann", "Ann", frozenset(), "", "en", NOON))).id
    agents = await crew.do(lambda tx: tx.queues.agents())
    assert {agent.login for agent in agents.values()} == {"eve", "max"}
    assert (agents[crew.eve].capacity, agents[crew.eve].follows_phone, agents[crew.eve].desk) == (3, True, AtDesk.READY)

    def set_up(tx):
        tx.queues.set_up(ann, 5, 2, False, NOON)
        tx.queues.at_desk(ann, AtDesk.AWAY, NOON + MINUTE)
        tx.queues.took_turn(ann, NOON + 2 * MINUTE)
        tx.queues.at_desk(crew.max, AtDesk.AWAY, NOON)
        tx.accounts.disable(crew.eve, NOON)
        return tx.queues.agents()

    agents = await crew.do(set_up)
    ann = agents[ann]
    assert (ann.capacity, ann.voice_weight, ann.follows_phone) == (5, 2, False)
    assert (ann.desk, ann.desk_since, ann.turn) == (AtDesk.AWAY, NOON + MINUTE, NOON + 2 * MINUTE)
    assert (agents[crew.max].desk, agents[crew.max].capacity, agents[crew.max].follows_phone) == (AtDesk.AWAY, 3, True)
    assert agents[crew.eve].disabled
    assert await crew.do(lambda tx: tx.queues.agent(99)) is None


@pytest.mark.parametrize(
    ("endpoint", "extension", "phone"),
    [
        pytest.param("PJSIP/122", "101", "122", id="the endpoint"),
        pytest.param("", "101", "101", id="the extension"),
        pytest.param("", "", "", id="none"),
    ],
)
async def test_an_agents_phone_is_known(crew, endpoint, extension, phone):
    contact = Contact(extension=extension, endpoint=endpoint)
    await crew.do(lambda tx: tx.accounts.describe(crew.eve, "Eve", contact, NOON))
    assert (await crew.do(lambda tx: tx.queues.agent(crew.eve))).phone == phone


async def test_those_who_show_queues_are_told(crew):
    changes = {
        QUEUES: lambda tx: tx.queues.change(crew.sales, Plan(at_once=True), NOON),
        PRESENCE: lambda tx: tx.queues.at_desk(crew.eve, AtDesk.AWAY, NOON),
        Touch("agent", crew.eve): lambda tx: tx.queues.set_up(crew.eve, 1, 1, True, NOON),
    }
    with crew.store.changes.watch() as watch:
        for touch, change in changes.items():
            watch.of({touch})
            await crew.do(change)
            await watch.wait()


async def test_what_was_learned_of_waits_is_kept(crew):
    one, two = VoiceName("main", "sales"), VoiceName("main", "help")
    await crew.do(lambda tx: tx.queues.keep_models({one: "{}", two: "[1]"}, NOON))
    await crew.do(lambda tx: tx.queues.keep_models({one: "[2]"}, NOON + MINUTE))
    assert await crew.do(lambda tx: tx.queues.models()) == {one: "[2]", two: "[1]"}
    assert await read_queues(crew.store).models() == {one: "[2]", two: "[1]"}


@pytest.mark.parametrize("readers", ["nobody read before", "somebody did"])
async def test_beside_the_writer_the_same_is_seen(crew, readers):
    await crew.do(partial(_put, crew))
    if readers == "somebody did":
        await crew.store.read(lambda connection: None)
    reader = read_queues(crew.store)
    assert await reader.queues() == await crew.do(lambda tx: tx.queues.all())
    assert await reader.agents() == await crew.do(lambda tx: tx.queues.agents())
    assert crew.store.read_before is (readers == "somebody did")


def _put(crew, tx):
    tx.queues.put_numbers(crew.sales, [DID], NOON)
    tx.queues.set_up(crew.eve, 2, 2, True, NOON)

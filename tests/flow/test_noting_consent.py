"""What an agent was told of which texts somebody wants: written into the ledger, with who wrote it down."""

import pytest

from ringback.core.consents import ANY_SCOPE, ConsentKind, Method
from ringback.core.messages import MessageClass
from ringback.core.reasons import Reason
from ringback.core.textless import BELIEVED
from ringback.flow.desk import Denied, NotThere, Unwritten
from ringback.flow.noting_consent import Told
from tests.flow.office import ANNA, NOBODY, audited, begin, desk_of
from tests.flow.world import PAT, World

NEWS, ADS = MessageClass.TRANSACTIONAL, MessageClass.PROMOTIONAL
YES, NO = ConsentKind.GIVEN, ConsentKind.WITHDRAWN


@pytest.fixture
async def world(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        yield world


async def note(world, told, who=ANNA):
    thread = await begin(world)
    await desk_of(world).note_consent(who, thread, told)


async def holds(world, class_):
    now = world.clock.now()
    step = lambda tx: tx.consents.holds(tx.pairs.find(thread).id)  # noqa: E731
    thread = await begin(world)
    return (await world.ground.commit(step)).holds(class_, ANY_SCOPE, now)


async def test_a_yes_and_then_a_no(world):
    await note(world, Told(YES, NEWS, Method.AGENT, "wants news\nof the order"))
    assert await holds(world, NEWS)
    assert not await holds(world, ADS)
    await note(world, Told(NO, NEWS, Method.REPLY, "no more of that"))
    assert not await holds(world, NEWS)
    thread = await begin(world)
    lines = await world.ground.commit(lambda tx: tx.consents.of_thread(tx.pairs.find(thread).id))
    assert [(one.kind, one.scope, one.method, one.evidence, one.by) for one in lines] == [
        (YES, ANY_SCOPE, Method.AGENT, "wants news of the order", ANNA.label),
        (NO, ANY_SCOPE, Method.REPLY, "no more of that", ANNA.label),
    ]
    assert [row[1] for row in await audited(world)][-2:] == ["consent", "consent"]


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(Told(YES, NEWS, Method.AGENT, " \n"), id="nothing written"),
        pytest.param(Told(YES, ADS, Method.AGENT, "said so"), id="a yes to advertising on the phone"),
        pytest.param(Told(YES, NEWS, Method.KEY_PRESS, "said so"), id="a key that nobody here saw"),
        pytest.param(Told(YES, MessageClass.SYSTEM, Method.AGENT, "said so"), id="what nobody asks about"),
    ],
)
async def test_what_the_ledger_does_not_take(world, told):
    with pytest.raises(Unwritten):
        await note(world, told)
    assert not await holds(world, told.class_)


@pytest.mark.parametrize("told", [Told(YES, ADS, Method.WRITTEN, "form of today"), Told(NO, ADS, Method.AGENT, "no")])
async def test_advertising_in_writing_and_a_no_in_any_way(world, told):
    await note(world, told)
    assert await holds(world, ADS) is (told.kind is YES)


async def test_only_whoever_may(world):
    with pytest.raises(Denied):
        await note(world, Told(YES, NEWS, Method.AGENT, "said so"), NOBODY)
    with pytest.raises(NotThere):
        await desk_of(world).note_consent(ANNA, f"thr_{9:026}", Told(YES, NEWS, Method.AGENT, "said so"))


async def test_a_person_is_warned_of_a_number_that_texts_do_not_reach_and_may_try(world):
    thread, now = await begin(world), world.clock.now()
    await world.ground.commit(lambda tx: tx.consents.learn_not_textable(PAT, Reason.LANDLINE, now, now + BELIEVED))
    advice = await desk_of(world).advise(ANNA, thread, "hello")
    assert (advice.verdict, advice.doubtful) == (None, Reason.LANDLINE)
    replied = await desk_of(world).reply(ANNA, thread, "hello", "k")
    await world.settled()
    assert replied.verdict is None
    assert len(world.handset()) == 1

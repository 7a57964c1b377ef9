"""Numbers that no text reaches: learned from carriers' errors, forgotten after a while or by a text from there."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from ringback.carriers.loopback import Settings
from ringback.core.calls import Presentation
from ringback.core.messages import ReceiptStatus
from ringback.core.policy import CallFacts
from ringback.core.reasons import Reason
from ringback.core.textless import AT_FIRST, BELIEVED
from ringback.flow.receipts import apply_receipt
from ringback.flow.retention import age_consents
from ringback.flow.textability import textable
from ringback.flow.textless import learn_from
from ringback.ports import Receipt
from ringback.ports.handsets import Behaviour
from ringback.store.sql import Sql
from tests.flow.world import DID, HOUSE, OTHER_DID, PAT, World, a_call, life_of

LANDLINE = "this is a landline, or a network that cannot be reached (Twilio 30006)"
SHOWN = CallFacts(Presentation.SHOWN, "", vetoed=False)


async def fails(world, words, number=0):
    """The carrier says that the text after a call did not arrive."""
    provider_id = (await world.ground.commit(_ids))[number]
    receipt = Receipt(provider_id, ReceiptStatus.UNDELIVERED, world.clock.now(), "", words)
    await world.ground.commit(lambda tx: apply_receipt("main", receipt, world.clock.now(), tx))


def _ids(tx):
    # made by hand: `sql` would enter it among the statements of the product
    asked = "SELECT provider_id FROM attempt ORDER BY id"
    return [row[0] for row in tx._run.all(Sql(asked, asked))]


async def ask(world, number=PAT, call=SHOWN, did=DID, house=HOUSE):
    now = world.clock.now()
    return await world.ground.commit(lambda tx: textable(house, did, house.read("", number), call, now, tx))


@pytest.fixture
async def world(store, clock, tmp_path):
    quiet = Settings(behaviour=Behaviour.NO_RECEIPTS)
    async with World(store, clock, tmp_path, options=quiet).running() as world:
        yield world


async def test_a_landline_is_learned_and_texted_no_more(world, store):
    await world.happens(*life_of(a_call("1")))
    assert await ask(world) is Reason.ALLOWED
    await fails(world, LANDLINE)
    assert await ask(world) is Reason.LANDLINE
    assert await ask(world, did=OTHER_DID) is Reason.LANDLINE
    await world.happens(*life_of(a_call("2", ended=world.clock.now())))
    assert (await world.decision("2")) == ("suppress", "landline")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        pytest.param("the number is not in use any more (Twilio 30005)", Reason.NOT_TEXTABLE, id="out of use"),
        pytest.param("the handset is switched off (Twilio 30003)", Reason.ALLOWED, id="switched off"),
        pytest.param("handset not reachable", Reason.ALLOWED, id="no code at all"),
    ],
)
async def test_what_a_receipt_teaches(world, words, reason):
    await world.happens(*life_of(a_call("1")))
    await fails(world, words)
    assert await ask(world) is reason


async def test_a_text_from_there_ends_it(world):
    await world.happens(*life_of(a_call("1")))
    await fails(world, LANDLINE)
    await world.says("I can text, you know")
    assert await ask(world) is Reason.ALLOWED


async def test_it_is_believed_for_ninety_days(world):
    await world.happens(*life_of(a_call("1")))
    await fails(world, "this is a landline (Twilio 21635)")
    world.clock.move(BELIEVED - timedelta(seconds=1))
    assert await ask(world) is Reason.LANDLINE
    world.clock.move(timedelta(seconds=2))
    assert await ask(world) is Reason.ALLOWED


async def test_one_error_that_may_pass_is_believed_for_a_day(world):
    await world.happens(*life_of(a_call("1")))
    await fails(world, LANDLINE)
    world.clock.move(AT_FIRST - timedelta(seconds=1))
    assert await ask(world) is Reason.LANDLINE
    world.clock.move(timedelta(seconds=2))
    assert await ask(world) is Reason.ALLOWED


@pytest.mark.parametrize(
    ("after", "until"),
    [
        pytest.param(timedelta(minutes=1), AT_FIRST, id="in the same bad hour"),
        pytest.param(AT_FIRST + timedelta(days=1), BELIEVED, id="when it was tried again"),
    ],
)
async def test_the_same_error_again_is_believed_for_ninety_days(world, after, until):
    """Also where old things were thrown away between the two."""
    await world.happens(*life_of(a_call("1")))
    await fails(world, LANDLINE)
    world.clock.move(after)
    now = world.clock.now()
    await world.ground.commit(partial(age_consents, now - timedelta(days=1826), now))
    await world.ground.commit(lambda tx: learn_from(LANDLINE, PAT, now, tx))
    world.clock.move(until - timedelta(seconds=1))
    assert await ask(world) is Reason.LANDLINE
    world.clock.move(timedelta(seconds=2))
    assert await ask(world) is Reason.ALLOWED


async def test_the_same_receipt_again_teaches_nothing_new(world, store):
    await world.happens(*life_of(a_call("1")))
    await fails(world, LANDLINE)
    await world.says("I can text, you know")
    await fails(world, LANDLINE)
    assert await ask(world) is Reason.ALLOWED


@pytest.mark.parametrize(
    ("number", "call", "reason"),
    [
        pytest.param(PAT, SHOWN, Reason.ALLOWED, id="a mobile"),
        pytest.param("+442079460000", SHOWN, Reason.LANDLINE, id="the numbering plan says landline"),
        pytest.param("anonymous", SHOWN, Reason.WITHHELD, id="no number"),
        pytest.param(PAT, replace(SHOWN, presentation=Presentation.WITHHELD), Reason.WITHHELD, id="withheld"),
        pytest.param(
            PAT, replace(SHOWN, presentation=Presentation.UNKNOWN), Reason.PRESENTATION_UNKNOWN, id="nobody told"
        ),
        pytest.param(PAT, replace(SHOWN, vetoed=True), Reason.VETOED, id="the dialplan said no"),
        pytest.param(PAT, None, Reason.ALLOWED, id="a mobile that they keyed in"),
        pytest.param("911", None, Reason.EMERGENCY, id="an emergency number that they keyed in"),
    ],
)
async def test_by_the_numbering_plan_and_the_call(world, number, call, reason):
    assert await ask(world, number, call) is reason


async def test_where_callers_are_not_texted_back_a_yes_is_enough(world):
    assert await ask(world, house=replace(HOUSE, countries_off=frozenset({"US"}))) is Reason.ALLOWED


async def test_whoever_said_stop_is_not_asked(world):
    await world.says("STOP")
    assert await ask(world) is Reason.OPTED_OUT

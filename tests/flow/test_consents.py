"""The ledger of who said yes to what, the gate that reads it, and the text at the first contact."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from ringback.core.calls import CallStarted, Presentation
from ringback.core.consents import ANY_SCOPE, CONVERSATION, ConsentKind, Method
from ringback.core.messages import Basis, MessageClass, Urgency, Wanted
from ringback.core.policy import Refuse
from ringback.core.reasons import Reason
from ringback.core.templates import TextKind, parse
from ringback.flow.consents import CONVERSATION_LASTS, say_yes, withdraw
from ringback.flow.outbound import submit
from ringback.store.tables import message
from tests.flow.test_inbound import rows, texts_out
from tests.flow.world import DID, HOUSE, PAT, SAM, World, a_call, life_of

DAY = timedelta(days=1)
TEXT = MessageClass.CONVERSATIONAL
WELCOME = {
    "en": parse("{{ business }}: thank you. STOP to end", TextKind.INTRODUCTION),
    "es": parse("{{ business }}: gracias. STOP para terminar", TextKind.INTRODUCTION),
}
TOLD, TOLD_ES = "Northlight: thank you. STOP to end", "Northlight: gracias. STOP para terminar"
WELCOMING = replace(HOUSE, introduction=WELCOME)


def wanted(now, **more):
    known = Wanted(
        did=DID,
        peer=HOUSE.read("", PAT),
        text="We go on here.",
        language="en",
        class_=TEXT,
        basis=Basis.CONSENT,
        cause="deflection",
        automatic=True,
        expires_at=now + timedelta(hours=1),
    )
    return replace(known, **more)


def yes(class_=TEXT, scope=CONVERSATION, **more):
    def step(now, tx):
        thread = tx.pairs.thread(DID, PAT, now)
        return say_yes(thread, class_, scope, Method.KEY_PRESS, "deflect.en.1", None, now, tx, **more)

    return step


def no(class_=TEXT, scope=ANY_SCOPE):
    def step(now, tx):
        return withdraw(tx.pairs.thread(DID, PAT, now), class_, scope, Method.AGENT, "", None, now, tx, by="user usr_1")

    return step


def stop(how="text"):
    def step(now, tx):
        from ringback.flow.opt_outs import start, stop

        stop(tx.pairs.thread(DID, PAT, now), how, "they said so", now, tx)
        start(tx.pairs.thread(DID, PAT, now), how, "and again", now, tx)

    return step


@pytest.mark.parametrize(
    ("said", "more", "reason"),
    [
        pytest.param([], {}, Reason.CONSENT_MISSING, id="nobody said yes"),
        pytest.param([yes()], {}, None, id="they pressed the key"),
        pytest.param([yes(scope=ANY_SCOPE)], {}, None, id="a yes to everything of the class"),
        pytest.param([yes(MessageClass.PROMOTIONAL)], {}, Reason.CONSENT_MISSING, id="a yes to advertising"),
        pytest.param([yes(), no()], {}, Reason.CONSENT_MISSING, id="they took it back"),
        pytest.param([yes(), no(), yes()], {}, None, id="and gave it again"),
        pytest.param([yes(), no(MessageClass.PROMOTIONAL)], {}, None, id="a no to advertising"),
        pytest.param([yes(), stop()], {}, Reason.CONSENT_MISSING, id="a yes from before a STOP, after a START"),
        pytest.param([], {"basis": Basis.CONVERSATION}, None, id="a text on another basis"),
        pytest.param([], {"urgency": Urgency.TRANSACTIONAL}, None, id="a program has records of its own"),
    ],
)
async def test_the_gate(store, clock, said, more, reason):
    for step in said:
        await store.commit(partial(step, clock.now()))
    now = clock.now()
    sent = await store.commit(lambda tx: submit(HOUSE, None, wanted(now, **more), None, now, tx))
    assert sent.verdict == (Refuse(reason) if reason else None)


async def test_a_yes_to_a_conversation_ends(store, clock):
    given = await store.commit(partial(yes(), clock.now()))
    assert given.until == clock.now() + CONVERSATION_LASTS
    clock.move(CONVERSATION_LASTS)
    now = clock.now()
    sent = await store.commit(lambda tx: submit(HOUSE, None, wanted(now), None, now, tx))
    assert sent.verdict == Refuse(Reason.CONSENT_MISSING)


async def test_a_yes_that_is_taken_back_while_the_text_waits_holds_it(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        await store.commit(partial(yes(), clock.now()))
        now = clock.now()
        later = now + timedelta(minutes=5)
        await store.commit(lambda tx: submit(HOUSE, None, wanted(now, not_before=later), None, now, tx))
        await store.commit(partial(no(), clock.now()))
        await world.passes(timedelta(minutes=6))
        world.lanes.nudge("main")
        await world.settled()
        assert await texts_out(store) == [("We go on here.", "refused", "consent_missing")]
        assert world.handset() == []


@pytest.mark.parametrize("shown", list(Presentation))
async def test_a_yes_in_a_call_is_enough_whatever_the_call_shows(store, clock, tmp_path, shown):
    """The number that is texted may be a mobile that they keyed in; and of a live call not all is stored yet."""
    async with World(store, clock, tmp_path).running() as world:
        live = replace(a_call("1"), ended_at=None, outcome=None, presentation=shown)
        await world.happens(CallStarted(live))
        await store.commit(partial(yes(), clock.now()))
        now = clock.now()
        call = await store.commit(lambda tx: tx.calls.row_of("main", "1"))
        text = wanted(now, call_id=call, not_before=now + timedelta(minutes=1))
        await store.commit(lambda tx: submit(HOUSE, None, text, None, now, tx))
        await world.passes(timedelta(minutes=2))
        world.lanes.nudge("main")
        await world.settled()
        assert world.handset() == ["We go on here."]


async def test_the_ledger_keeps_every_line(store, clock):
    for step in (yes(), no(), stop("key")):
        await store.commit(partial(step, clock.now()))

    def lines(tx):
        return tx.consents.of_thread(tx.pairs.thread(DID, PAT, clock.now()).id)

    kept = await store.commit(lines)
    assert [(one.kind, one.method, one.scope, one.prompt, one.by) for one in kept] == [
        (ConsentKind.GIVEN, Method.KEY_PRESS, CONVERSATION, "deflect.en.1", ""),
        (ConsentKind.WITHDRAWN, Method.AGENT, ANY_SCOPE, "", "user usr_1"),
    ]


async def test_a_stop_takes_every_yes_back(store, clock):
    for step in (yes(), yes(MessageClass.PROMOTIONAL, ANY_SCOPE), stop("key")):
        await store.commit(partial(step, clock.now()))

    def lines(tx):
        return tx.consents.of_thread(tx.pairs.thread(DID, PAT, clock.now()).id)

    last = (await store.commit(lines))[2:]
    assert {(one.kind, one.class_, one.method, one.evidence) for one in last} == {
        (ConsentKind.WITHDRAWN, TEXT, Method.KEY_PRESS, "they said so"),
        (ConsentKind.WITHDRAWN, MessageClass.PROMOTIONAL, Method.KEY_PRESS, "they said so"),
    }


# -- the first contact


async def told(store):
    return [body for body, _state, _reason in await texts_out(store)]


async def test_whoever_texts_first_is_told_once(store, clock, tmp_path):
    async with World(store, clock, tmp_path, WELCOMING).running() as world:
        for text in ("Hello", "Are you open?", "Hello?"):
            await world.says(text)
        await world.says("Hi", sender=SAM)
        assert world.handset(PAT) == [TOLD]
        assert world.handset(SAM) == [TOLD]
        assert await rows(store, message.c.cause, message.c.class_) == [("introduction", "system")] * 2


async def test_and_again_after_a_while(store, clock, tmp_path):
    async with World(store, clock, tmp_path, replace(WELCOMING, introduce_again=30 * DAY)).running() as world:
        await world.says("Hello")
        await world.passes(29 * DAY)
        await world.says("Hello again")
        assert len(world.handset()) == 1
        await world.passes(2 * DAY)
        await world.says("Still there?")
        assert world.handset() == [TOLD, TOLD]


async def test_in_the_language_of_the_number(store, clock, tmp_path):
    async with World(store, clock, tmp_path, replace(WELCOMING, language_of={DID: "es"})).running() as world:
        await world.says("Hola")
        assert world.handset() == [TOLD_ES]


async def test_in_the_first_language_where_the_numbers_own_is_not_there(store, clock, tmp_path):
    async with World(store, clock, tmp_path, replace(WELCOMING, language_of={DID: "fr"})).running() as world:
        await world.says("Bonjour")
        assert world.handset() == [TOLD]


async def test_nothing_where_we_wrote_first(store, clock, tmp_path):
    async with World(store, clock, tmp_path, WELCOMING).running() as world:
        await world.happens(*life_of(a_call("1")))
        await world.says("Tomorrow at 10")
        await world.says("Or at 11")
        assert world.handset() == ["Sorry we missed you, Northlight."]


@pytest.mark.parametrize("command", ["STOP", "HELP", "please do not text me again"])
async def test_nothing_after_a_command(store, clock, tmp_path, command):
    async with World(store, clock, tmp_path, WELCOMING).running() as world:
        await world.says(command)
        assert TOLD not in world.handset()


async def test_nothing_after_a_stop(store, clock, tmp_path):
    async with World(store, clock, tmp_path, WELCOMING).running() as world:
        await world.says("STOP")
        await world.says("and leave me alone")
        assert TOLD not in world.handset()


async def test_nothing_without_a_text(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        await world.says("Hello")
        assert await told(store) == []


async def test_one_that_was_refused_is_tried_at_the_next_text(store, clock, tmp_path):
    async with World(store, clock, tmp_path, WELCOMING).running() as world:
        await store.commit(lambda tx: tx.settings.put("pause:all", "", clock.now(), "somebody"))
        await world.says("Hello")
        await store.commit(lambda tx: tx.settings.drop("pause:all"))
        await world.says("Hello?")
        assert world.handset() == [TOLD]

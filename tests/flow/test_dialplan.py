"""What the dialplan is answered, verb by verb, on a real store with a real lane and handset."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from ringback.core.calls import Direction, Presentation
from ringback.core.offers import OfferKind
from ringback.core.reasons import Reason
from ringback.core.text_queues import ForLandlines, Note, Offering
from ringback.errors import StoreBusy, StoreFault
from ringback.flow import dialplan_going
from ringback.flow.dialplan_words import Accepted, Reach, Step, TextNow, Wait
from ringback.flow.pauses import Pause, Scope, pause
from ringback.ports.handsets import Behaviour
from ringback.ports.lists import Entry, ListName
from tests.conftest import NOON
from tests.flow.office import Gated, column, rows
from tests.flow.switchboard import ask, running
from tests.flow.world import OTHER_DID, PAT, SAM, World

LANDLINE = "+493023125001"
TEXT = "SELECT class_, basis, cause, automatic FROM message"


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A busy machine must not decide what is late here; tests of that say so themselves."""
    monkeypatch.setattr(dialplan_going, "LATEST_S", 20.0)
    monkeypatch.setattr("ringback.flow.dialplan.LATEST_S", 20.0)


@pytest.fixture
async def board(store, clock, tmp_path):
    async with running(World(store, clock, tmp_path)) as board:
        yield board


@pytest.fixture
def dialplan(board):
    return board.dialplan


async def session_of(board):
    found = await rows(board.world, "SELECT state, origin, queue_id, call_id, first_text_id FROM session")
    assert len(found) <= 1
    return found[0] if found else None


async def offers(board):
    return await rows(board.world, "SELECT kind, reason, answer, text <> '' FROM call_offer ORDER BY id")


# Who can get a text


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({}, Reason.ALLOWED, id="a mobile that is shown"),
        pytest.param({"caller": "512 555 0123"}, Reason.ALLOWED, id="the same number, written otherwise"),
        pytest.param({"caller": ""}, Reason.ALLOWED, id="the dialplan says nothing, so the call's own number counts"),
        pytest.param({"did": ""}, Reason.ALLOWED, id="nor which number was called"),
        pytest.param({"presentation": Presentation.UNKNOWN}, Reason.ALLOWED, id="the PBX told that it is shown"),
        pytest.param({"presentation": Presentation.WITHHELD}, Reason.WITHHELD, id="withheld"),
        pytest.param({"did": "+12025550199"}, Reason.NUMBER_UNKNOWN, id="no carrier for the number that was called"),
        pytest.param({"caller": "911"}, Reason.EMERGENCY, id="emergency"),
        pytest.param({"caller": "101"}, Reason.INTERNAL, id="a phone of the house"),
        pytest.param({"caller": "anonymous"}, Reason.WITHHELD, id="no number at all"),
        pytest.param({"caller": "+1\r\nX: y"}, Reason.INVALID_NUMBER, id="a number with a line end in it"),
        pytest.param({"caller": "9" * 128}, Reason.INVALID_NUMBER, id="a number that is no number"),
        pytest.param({"caller": OTHER_DID}, Reason.OWN_NUMBER, id="one of ours"),
        pytest.param({"to": LANDLINE}, Reason.LANDLINE, id="a landline they keyed in"),
        pytest.param({"to": "5125550124", "presentation": Presentation.WITHHELD}, Reason.ALLOWED, id="a mobile keyed"),
    ],
)
async def test_textable(board, dialplan, change, reason):
    await board.rings()
    assert await dialplan.textable(replace(ask(), **change)) is reason


async def test_whoever_opted_out_is_not_textable_and_that_is_known_when_they_ring(board, dialplan):
    await board.world.says("STOP")
    await board.rings()
    assert await dialplan.textable(ask()) is Reason.OPTED_OUT


@pytest.mark.parametrize(
    ("list_", "reason"), [(ListName.NEVER, Reason.NEVER_TEXT), (ListName.STOPPED, Reason.OPTED_OUT)]
)
async def test_whoever_is_on_a_list_is_not_textable(board, dialplan, list_, reason):
    await board.ground.commit(lambda tx: tx.lists.put(Entry(list_, PAT, "", "", "test", NOON)))
    assert await dialplan.textable(ask()) is reason


async def test_a_pause_holds_for_offers_too(board, dialplan):
    await board.ground.commit(lambda tx: pause(Pause(Scope.ALL), "test", NOON, tx))
    assert await dialplan.textable(ask()) is Reason.PAUSED


async def test_a_number_that_carriers_could_not_reach_is_remembered(board, dialplan):
    until = NOON + timedelta(days=90)
    await board.ground.commit(lambda tx: tx.consents.learn_not_textable(PAT, Reason.LANDLINE, NOON, until))
    assert await dialplan.textable(ask()) is Reason.LANDLINE


async def test_a_caller_who_was_told_of_is_answered_from_memory(board, dialplan):
    await board.rings()
    await dialplan.textable(ask())
    board.callers._beside = None  # nothing more is read
    assert await dialplan.textable(ask()) is Reason.ALLOWED


async def test_a_caller_nobody_can_read_of_in_time_gets_no(board, dialplan):
    class Stuck:
        async def look(self, _step):
            await asyncio.Event().wait()

    board.callers._beside = Stuck()
    begun = asyncio.get_running_loop().time()
    assert await dialplan.textable(ask()) is Reason.GATE_ERROR
    assert asyncio.get_running_loop().time() - begun < 0.5


async def test_a_database_that_cannot_be_read_is_a_no(board, dialplan):
    class Broken:
        async def look(self, _step):
            raise StoreFault("away")

    board.callers._beside = Broken()
    assert await dialplan.textable(ask()) is Reason.GATE_ERROR


async def test_what_is_known_is_read_again_after_a_while(board, dialplan):
    assert await dialplan.textable(ask()) is Reason.ALLOWED
    await board.world.says("STOP")
    await board.world.passes(timedelta(seconds=31))
    assert await dialplan.textable(ask()) is Reason.OPTED_OUT


# Questions


async def test_consent_holds_for_a_day(board, dialplan):
    await board.rings()
    assert await dialplan.consent(ask()) is Reason.CONSENT_MISSING
    await dialplan.accept(ask())
    assert await dialplan.consent(ask()) is Reason.ALLOWED
    await board.world.passes(timedelta(hours=25))
    assert await dialplan.consent(ask()) is Reason.CONSENT_MISSING


async def test_agents_are_those_of_the_queue_or_of_the_number(board, dialplan):
    board.roll.count = 3
    assert await dialplan.agents(ask()) == 3
    assert await dialplan.agents(ask(queue="")) == 3
    assert await dialplan.agents(ask(queue="nowhere")) == 0


async def test_a_wait_is_unknown_while_nothing_was_learned(board, dialplan):
    board.exchange.callers.append("9.1")
    assert await dialplan.wait(ask()) == Wait(None, 1)


# Offers


async def test_an_offer_is_made_once_a_call_and_kept(board, dialplan):
    await board.rings()
    first = await dialplan.offer(ask())
    assert (first.step, first.reason, first.mark, first.position) == (Step.OFFER, Reason.ALLOWED, "deflection:1.1", 1)
    again = await dialplan.offer(ask())
    assert (again.step, again.reason, again.position) == (Step.NOTHING, Reason.ASKED_BEFORE, 1)
    assert await offers(board) == [("deflection", "allowed", "", False)]


@pytest.mark.parametrize(
    ("offering", "agents", "change", "reason"),
    [
        pytest.param(Offering(), 0, {}, Reason.NO_TEXT_AGENTS, id="nobody could take it"),
        pytest.param(
            Offering(), 0, {"kind": OfferKind.TEXT_BACK}, Reason.ALLOWED, id="to be texted later needs nobody"
        ),
        pytest.param(Offering(if_waiting=2), 1, {}, Reason.WAIT_SHORT, id="too few wait"),
        pytest.param(Offering(), 1, {"queue": "other"}, Reason.NO_TEXT_QUEUE, id="no text queue beside that one"),
        pytest.param(Offering(), 1, {"presentation": Presentation.WITHHELD}, Reason.WITHHELD, id="withheld"),
    ],
)
async def test_what_is_not_offered_says_why_and_is_kept(board, dialplan, offering, agents, change, reason):
    await board.plan(offering=offering)
    board.roll.count = agents
    await board.rings()
    offered = await dialplan.offer(replace(ask(), **change))
    assert offered.reason is reason
    kind = change.get("kind", OfferKind.DEFLECTION)
    assert await offers(board) == [(kind, reason, "", False)]


async def test_whoever_cannot_be_texted_is_asked_for_a_mobile_where_the_queue_says_so(board, dialplan):
    await board.plan(offering=Offering(landline=ForLandlines.ASK))
    await board.rings(caller="anonymous", presentation=Presentation.WITHHELD)
    question = ask(caller="anonymous", presentation=Presentation.WITHHELD)
    assert (await dialplan.offer(question)).step is Step.ASK
    answer = await dialplan.accept(replace(question, to="5125550124"))
    assert answer.reason is Reason.ALLOWED
    await board.world.settled()
    assert board.world.handset(SAM) == ["Northlight: we go on by text."]


async def test_a_call_that_the_pbx_does_not_have_is_offered_nothing(board, dialplan):
    offered = await dialplan.offer(ask())
    assert (offered.step, offered.reason) == (Step.NOTHING, Reason.CALL_UNKNOWN)
    assert await offers(board) == []


# A yes


async def test_a_yes_is_one_transaction_with_the_text_on_its_way(board, dialplan):
    await board.rings()
    await dialplan.offer(ask())
    answer = await dialplan.accept(ask(language="es", caller_name="Pat", ivr_path="2/1"))
    assert answer.reason is Reason.ALLOWED
    await board.world.settled()
    assert board.world.handset() == ["Northlight: seguimos por texto."]
    (text,) = await column(board.world, "SELECT id FROM message")
    (call,) = await column(board.world, "SELECT id FROM call")
    state, origin, queue, of_call, first = await session_of(board)
    assert (state, origin, of_call, first) == ("new", "deflection", call, text)
    assert queue == board.book.now.named("Support").id
    assert await rows(board.world, "SELECT language, ivr_path, caller_name FROM session") == [("es", "2/1", "Pat")]
    assert await rows(
        board.world, "SELECT kind, class_, scope, method, prompt, evidence, by_, call_id FROM consent_event"
    ) == [("given", "conversational", "conversation", "key_press", "deflect.en.1", "key 1", "dialplan main", call)]
    assert [(*one[:3], bool(one[3])) for one in await rows(board.world, TEXT)] == [
        ("conversational", "consent", "dialplan main", False)
    ]
    assert await offers(board) == [("deflection", "allowed", "yes", True)]


async def test_the_same_yes_twice_is_one_text_and_one_answer(board, dialplan):
    await board.rings()
    await dialplan.offer(ask())
    answers = await asyncio.gather(*(dialplan.accept(ask()) for _ in range(5)))
    answers.append(await dialplan.accept(ask()))
    assert len(set(answers)) == 1
    await board.world.settled()
    assert len(board.world.handset()) == 1


async def test_a_yes_is_remembered_over_a_restart(board, dialplan):
    await board.rings()
    first = await dialplan.accept(ask())
    dialplan._accepting.clear()
    assert (await dialplan.accept(ask())).text == first.text
    assert len(await column(board.world, "SELECT id FROM message")) == 1


async def test_a_refused_text_keeps_nothing_but_that(board, dialplan):
    await board.rings()
    await dialplan.offer(ask())
    await board.world.says("STOP")
    before = await column(board.world, "SELECT id FROM message")
    answer = await dialplan.accept(ask())
    assert answer == Accepted(Reason.OPTED_OUT, "", 1)
    assert await session_of(board) is None
    assert await column(board.world, "SELECT id FROM consent_event WHERE kind = 'given'") == []
    assert await column(board.world, "SELECT id FROM message") == before
    assert await offers(board) == [("deflection", "allowed", "not_sent", False)]
    assert await dialplan.accept(ask()) == answer


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"uniqueid": "9.9"}, Reason.CALL_UNKNOWN, id="a call that is not there"),
        pytest.param({"caller": SAM}, Reason.NOT_THE_CALLER, id="another person's number"),
        pytest.param({"queue": "other"}, Reason.NO_TEXT_QUEUE, id="a queue without texts"),
        pytest.param({"pbx": "elsewhere"}, Reason.CALL_UNKNOWN, id="a PBX that is not ours"),
        pytest.param({"to": LANDLINE}, Reason.LANDLINE, id="a landline keyed in"),
        pytest.param({"to": "12"}, Reason.INTERNAL, id="two digits keyed in"),
    ],
)
async def test_a_yes_that_cannot_be_kept(board, dialplan, change, reason):
    await board.rings()
    answer = await dialplan.accept(replace(ask(), **change))
    assert (answer.reason, answer.text) == (reason, "")
    assert await session_of(board) is None
    assert await column(board.world, "SELECT id FROM message") == []


async def test_a_yes_of_a_call_that_nobody_can_see_is_believed(board, dialplan):
    board.lose()
    answer = await dialplan.accept(ask())
    assert answer.reason is Reason.ALLOWED
    assert (await session_of(board))[3] is None


async def test_a_call_that_the_events_tell_of_a_moment_later_counts(board, dialplan):
    going = asyncio.ensure_future(dialplan.accept(ask()))
    await asyncio.sleep(0.05)
    assert not going.done()
    await board.rings()
    assert (await going).reason is Reason.ALLOWED


async def test_a_number_that_the_pbx_knows_by_no_call_of_ours_is_not_compared(board, dialplan):
    await board.rings(caller="anonymous")
    assert (await dialplan.accept(ask())).reason is Reason.ALLOWED


async def test_the_call_of_a_desk_is_no_callers(board, dialplan):
    await board.rings(caller="101", direction=Direction.OUTBOUND)
    assert (await dialplan.accept(ask())).reason is Reason.ALLOWED


async def test_a_queue_without_words_for_it_says_ours(board, dialplan):
    await board.plan(notes={})
    await board.rings()
    assert (await dialplan.accept(ask())).reason is Reason.ALLOWED
    await board.world.settled()
    assert board.world.handset() == ["Northlight: we go on by text now. Tell us here what you need. STOP to end"]


async def test_words_that_cannot_be_filled_in_send_nothing(board, dialplan):
    await board.plan(notes={Note.OPENING: {"en": "{{ nobody }}"}})
    await board.rings()
    assert (await dialplan.accept(ask())).reason is Reason.TEMPLATE_FAULT


async def test_whoever_is_texted_later_needs_no_voice_queue(board, dialplan):
    await board.rings()
    question = ask(kind=OfferKind.TEXT_BACK, queue="")
    assert (await dialplan.offer(question)).step is Step.OFFER
    assert (await dialplan.accept(question)).reason is Reason.ALLOWED
    main = board.book.now.main.id
    assert (await session_of(board))[:3] == ("new", "text_back", main)
    await board.hangs_up()
    assert (await session_of(board))[0] == "queued"


async def test_a_yes_after_a_no_is_a_no(board, dialplan):
    await board.rings()
    await dialplan.decline(ask())
    assert (await dialplan.accept(ask())).reason is Reason.ASKED_BEFORE
    assert await offers(board) == [("deflection", "allowed", "no", False)]


async def test_guards_against_machines_do_not_count_what_people_ask_for(board, dialplan):
    """A burst of a hundred callers who press 1 is no storm."""
    for number in range(70):
        caller = f"+1512555{number:04}"
        await board.rings(f"7.{number}", caller)
        answer = await dialplan.accept(ask(f"7.{number}", caller=caller))
        assert answer.reason is Reason.ALLOWED


# No, and the place in the queue


async def test_a_no_holds_for_everything_in_this_call(board, dialplan):
    await board.rings()
    await dialplan.offer(ask())
    assert await dialplan.decline(ask(key="2")) == 1
    assert (await dialplan.offer(ask(kind=OfferKind.WAIT_TEXT))).reason is Reason.ASKED_BEFORE
    assert await offers(board) == [("deflection", "allowed", "no", False)]


async def test_the_place_is_behind_those_who_still_wait(board, dialplan):
    for number in range(3):
        board.exchange.callers.append(f"8.{number}")
    await board.rings()
    assert (await dialplan.offer(ask(kind=OfferKind.WAIT_TEXT))).position == 4
    board.exchange.callers.remove("8.1")
    board.exchange.callers.append("8.9")  # behind them, though they do not wait just now
    assert (await dialplan.accept(ask(kind=OfferKind.WAIT_TEXT))).position == 3


async def test_whoever_waits_already_keeps_their_own_place(board, dialplan):
    board.exchange.callers += ["8.1", "1.1", "8.2"]
    await board.rings()
    await dialplan.offer(ask(kind=OfferKind.WAIT_TEXT))
    board.exchange.callers.remove("1.1")
    assert await dialplan.decline(ask(kind=OfferKind.WAIT_TEXT)) == 2


async def test_without_sight_of_the_queue_no_place_is_named(board, dialplan):
    await board.rings()
    await dialplan.offer(ask())
    board.exchange.heard = False
    assert await dialplan.decline(ask()) is None


# What became of the text


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        pytest.param(Behaviour.DELIVERS, TextNow("accepted"), id="taken"),
        pytest.param(Behaviour.REFUSES, TextNow("no", "failed"), id="refused by the carrier"),
        pytest.param(Behaviour.SILENT, TextNow("unconfirmed"), id="nobody knows"),
    ],
)
async def test_state(board, dialplan, behaviour, said):
    board.world.carrier.behave(PAT, behaviour)
    await board.rings()
    text = (await dialplan.accept(ask())).text
    await board.world.settled()
    await board.world.passes(timedelta(seconds=30))
    assert await dialplan.state(ask(text=text)) == said


async def test_a_text_of_another_call_is_nobodys_business(board, dialplan):
    await board.rings()
    text = (await dialplan.accept(ask())).text
    for question in (ask("2.2", text=text), ask(text="msg_" + "0" * 26)):
        assert await dialplan.state(question) == TextNow("no", "no_such_text")
        assert await dialplan.reply(question) is None
        assert await dialplan.letgo(question) == "no_such_text"


async def test_the_caller_is_let_go_once_the_carrier_took_it(board, dialplan):
    await board.rings()
    text = (await dialplan.accept(ask())).text
    await board.world.settled()
    assert await dialplan.letgo(ask(text=text)) == ""
    assert (await session_of(board))[0] == "queued"
    assert await dialplan.letgo(ask(text=text)) == ""
    await board.hangs_up()
    assert (await session_of(board))[0] == "queued"


async def test_a_caller_whose_text_is_not_taken_is_not_let_go(board, dialplan):
    board.world.carrier.behave(PAT, Behaviour.SILENT)
    await board.rings()
    text = (await dialplan.accept(ask())).text
    assert await dialplan.letgo(ask(text=text)) in ("pending", "unconfirmed")
    assert (await session_of(board))[0] == "new"


# Texts from the dialplan


async def test_a_text_is_sent_once_however_often_the_call_asks(board, dialplan):
    await board.rings()
    first = await dialplan.send(ask(body="Your code is 7."))
    assert first.reason is Reason.ALLOWED
    assert await dialplan.send(ask(body="Your code is 7.")) == first
    assert (await dialplan.send(ask(body="Your code is 8."))).text != first.text
    await board.world.settled()
    assert board.world.handset() == ["Your code is 7.", "Your code is 8."]


async def test_a_note_of_the_queue_can_be_sent(board, dialplan):
    await board.rings()
    assert (await dialplan.send(ask(note=Note.TEXT_BACK))).reason is Reason.ALLOWED
    await board.world.settled()
    assert board.world.handset() == ["Northlight: write what you need."]
    assert (await dialplan.send(ask(note=Note.CLOSED))).reason is Reason.TEMPLATE_FAULT


async def test_a_dialplan_that_runs_in_a_circle_is_stopped(board, dialplan):
    await board.rings()
    sent = [await dialplan.send(ask(body=f"Number {number}")) for number in range(4)]
    assert [one.reason for one in sent] == [Reason.ALLOWED] * 3 + [Reason.LOOP]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"presentation": Presentation.WITHHELD}, Reason.WITHHELD, id="withheld"),
        pytest.param({"caller": SAM}, Reason.NOT_THE_CALLER, id="another person"),
        pytest.param({"uniqueid": "9.9"}, Reason.CALL_UNKNOWN, id="another call"),
    ],
)
async def test_what_is_not_sent_says_why(board, dialplan, change, reason):
    await board.rings()
    assert (await dialplan.send(replace(ask(body="Hello"), **change))).reason is reason
    await board.world.settled()
    assert board.world.handset() == []


async def test_a_reply_is_the_first_since(board, dialplan):
    await board.world.says("earlier")
    await board.world.passes(timedelta(seconds=1))
    await board.rings()
    text = (await dialplan.send(ask(body="Blue or red?"))).text
    assert await dialplan.reply(ask(text=text)) is None
    await board.world.passes(timedelta(seconds=1))
    await board.world.says("Blue")
    await board.world.says("no, red")
    assert await dialplan.reply(ask(text=text)) == "Blue"


# Opting out


async def test_a_key_opts_out_of_the_number_that_was_called(board, dialplan):
    await board.rings()
    await dialplan.accept(ask())
    assert await dialplan.optout(ask()) is Reason.ALLOWED
    assert await dialplan.textable(ask()) is Reason.OPTED_OUT
    assert await dialplan.textable(ask(did=OTHER_DID)) is Reason.ALLOWED
    (call,) = await column(board.world, "SELECT public_id FROM call")
    ledger = await rows(board.world, "SELECT kind, method, evidence FROM opt_out_event")
    assert ledger == [("opt_out", "key", f"dialplan main: {call}; deflect.en.1")]
    assert await rows(board.world, "SELECT kind, method FROM consent_event ORDER BY id") == [
        ("given", "key_press"),
        ("withdrawn", "key_press"),
    ]
    assert (await session_of(board))[0] == "opted_out"


async def test_a_key_opts_out_of_everything(board, dialplan):
    await board.rings()
    assert await dialplan.optout(ask(reach=Reach.ALL)) is Reason.ALLOWED
    assert await dialplan.textable(ask(did=OTHER_DID)) is Reason.OPTED_OUT


async def test_an_opt_out_counts_though_the_number_is_withheld_and_the_call_is_over(board, dialplan):
    assert await dialplan.optout(ask(presentation=Presentation.WITHHELD)) is Reason.ALLOWED
    assert await dialplan.textable(ask()) is Reason.OPTED_OUT


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"caller": SAM}, Reason.NOT_THE_CALLER, id="nobody opts out another person"),
        pytest.param({"caller": "anonymous"}, Reason.INVALID_NUMBER, id="nobody knows who it is"),
    ],
)
async def test_an_opt_out_of_nobody_known(board, dialplan, change, reason):
    await board.rings()
    assert await dialplan.optout(replace(ask(), **change)) is reason
    assert await column(board.world, "SELECT id FROM opt_out_event") == []


# A database that does not write in time


@pytest.fixture
async def slow(store, clock, tmp_path, monkeypatch):
    monkeypatch.setattr(dialplan_going, "LATEST_S", 0.05)
    monkeypatch.setattr("ringback.flow.dialplan.LATEST_S", 0.05)
    gate = Gated(store)
    async with running(World(store, clock, tmp_path), store=gate) as board:
        await board.rings()
        gate.open.clear()
        board.gate = gate
        yield board


@pytest.mark.parametrize("verb", ["offer", "accept", "decline", "letgo", "send"])
async def test_what_comes_too_late_does_nothing(slow, verb):
    before = await rows(slow.world, "SELECT (SELECT count(*) FROM message), (SELECT count(*) FROM call_offer)")
    question = ask(text="msg_" + "0" * 26, body="Hello")
    with pytest.raises(StoreBusy):
        await getattr(slow.dialplan, verb)(question)
    slow.gate.open.set()
    await slow.world.settled()
    assert before == await rows(slow.world, "SELECT (SELECT count(*) FROM message), (SELECT count(*) FROM call_offer)")
    assert await session_of(slow) is None


async def test_a_yes_that_came_too_late_may_be_said_again(slow, monkeypatch):
    with pytest.raises(StoreBusy):
        await slow.dialplan.accept(ask())
    slow.gate.open.set()
    await slow.world.settled()
    monkeypatch.setattr(dialplan_going, "LATEST_S", 20.0)
    assert (await slow.dialplan.accept(ask())).reason is Reason.ALLOWED
    await slow.world.settled()
    assert len(slow.world.handset()) == 1


@pytest.mark.parametrize("verb", ["accept", "send", "offer"])
async def test_whoever_hangs_up_meanwhile_is_not_texted(slow, verb):
    """The dialplan gave up, as FastAGI does after 300 ms: at once, and nothing is written any more."""
    begun = asyncio.get_running_loop().time()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await getattr(slow.dialplan, verb)(ask(body="Hello"))
    assert asyncio.get_running_loop().time() - begun < 1.0
    slow.gate.open.set()
    await slow.world.settled()
    assert await column(slow.world, "SELECT id FROM message") == []
    assert await offers(slow) == []


async def test_what_goes_on_is_given_a_moment_when_we_stop(slow):
    with pytest.raises(StoreBusy):
        await slow.dialplan.accept(ask())
    asyncio.get_running_loop().call_later(0.05, slow.gate.open.set)
    await slow.dialplan.settle()
    assert slow.world.lane.in_flight == 0


async def test_an_opt_out_holds_however_late_it_is(store, clock, tmp_path, monkeypatch):
    monkeypatch.setattr(dialplan_going, "LATEST_S", 0.05)

    class Slow(Gated):
        async def commit_all(self, steps):
            await self._pass()
            return await self.store.commit_all(steps)

    gate = Slow(store)
    async with running(World(store, clock, tmp_path), store=gate) as board:
        gate.open.clear()
        with pytest.raises(StoreBusy):
            await board.dialplan.optout(ask())
        gate.open.set()
        await board.world.settled()
        assert await rows(board.world, "SELECT kind, method FROM opt_out_event") == [("opt_out", "key")]


async def test_slots_of_the_carrier_are_given_back(board, dialplan):
    for number in range(board.world.carrier.window + 5):
        await dialplan.accept(ask(f"9.{number}"))  # calls that are not there
    await board.world.settled()
    assert board.world.lane.in_flight == 0


# Several PBXs


async def test_which_of_two_pbxs_asks(board):
    other = replace_pbx(board)
    question = ask("5.5")
    assert board.callers.pbx_of(question) == ""
    other.calls["5.5"] = await board.rings("5.5", pbx="branch")
    board.pbx.calls.pop("5.5")
    assert board.callers.pbx_of(question) == "branch"
    assert board.callers.pbx_of(replace(question, pbx="main")) == "main"
    assert board.callers.of(replace(question, pbx="main")).doubt is Reason.CALL_UNKNOWN


def replace_pbx(board):
    other = type(board.pbx)("branch")
    board.callers._pbxs = {"main": board.pbx, "branch": other}
    return other

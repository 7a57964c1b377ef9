"""What comes back: a text is journalled once, filed under its thread, and a STOP acts before anybody is told."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from ringback.core.reasons import Reason
from ringback.core.schedules import Calendar, parse_spans
from ringback.core.templates import TextKind, parse
from ringback.flow.inbound import LONGEST
from ringback.ports import MediaLink, Piece
from ringback.ports.handsets import Behaviour
from ringback.store.moments import moment_of
from ringback.store.tables import inbound_raw, incoming, media, message, opt_out_event, pair_facts, task, thread
from tests.flow.world import DID, HOUSE, OTHER_DID, PAT, SAM, World, a_call, life_of, ruled


async def rows(store, *columns, by=None):
    """What a table holds, in the order of its rows."""
    query = select(*columns).order_by(by if by is not None else columns[0].table.c.id)
    return [tuple(row) for row in await store.read(lambda connection: connection.execute(query).all())]


async def texts_out(store):
    """Every text of ours as (body, state, reason)."""
    return await rows(store, message.c.body, message.c.state, message.c.reason)


async def opted_out(store):
    return [row[0] is not None for row in await rows(store, pair_facts.c.opted_out_at, by=pair_facts.c.thread_id)]


async def test_a_reply_goes_into_the_thread_of_the_text_it_answers(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        await world.happens(*life_of(a_call("1")))
        await world.says("Tomorrow at 10 works")
        assert await rows(store, thread.c.peer, thread.c.unread) == [(PAT, 1)]
        assert await rows(store, incoming.c.body, incoming.c.state, incoming.c.command) == [
            ("Tomorrow at 10 works", "whole", "")
        ]


@pytest.mark.parametrize(
    "written",
    ["+15125550123", "15125550123", "5125550123", "(512) 555-0123", "tel:+15125550123", "sip:+15125550123@carrier"],
)
async def test_however_the_carrier_writes_a_number_it_is_the_same_thread(store, clock, tmp_path, written):
    async with World(store, clock, tmp_path).running() as world:
        await world.says("first")
        await world.says("second", sender=written, to="2025550101")
        assert await rows(store, thread.c.peer) == [(PAT,)]


async def test_the_same_text_brought_twice_is_one_text(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        for _ in range(3):
            await world.says("Hello", provider_id="SM1")
        assert len(await rows(store, incoming.c.id)) == 1
        assert await rows(store, thread.c.unread) == [(1,)]


async def test_two_carriers_may_use_the_same_id(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        await world.says("Hello", provider_id="1")
        await world.arrivals.take("other", [await _last(world)], b"")
        assert len(await rows(store, incoming.c.id)) == 2


async def _last(world):
    from ringback.ports import Incoming

    return Incoming("1", PAT, DID, "Hello", world.clock.now())


@pytest.mark.parametrize(
    ("seconds", "repeat"),
    [pytest.param(0, True, id="at once"), pytest.param(4, True, id="in 4 s"), pytest.param(6, False, id="in 6 s")],
)
async def test_without_ids_a_repeat_is_kept_and_marked(store, clock, tmp_path, seconds, repeat):
    async with World(store, clock, tmp_path).running() as world:
        said_at = clock.now()
        await world.says("yes", provider_id="")
        await world.passes(timedelta(seconds=seconds))
        await world.says("yes", provider_id="", carrier_at=said_at)
        (first, _), (_, second) = await rows(store, incoming.c.id, incoming.c.repeats_id)
        assert second == (first if repeat else None)


@pytest.mark.parametrize(
    ("text", "answered"),
    [
        pytest.param("STOP", "Northlight", id="English"),
        pytest.param("Stop.", "Northlight", id="as people write it"),
        pytest.param("BAJA", "Northlight", id="Spanish"),
        pytest.param("ARRÊT", "Northlight", id="French"),
        pytest.param("СТОП", "Northlight", id="Russian"),
        pytest.param("please stop texting me", "Northlight", id="a sentence"),
    ],
)
async def test_stop_blocks_the_pair_and_is_confirmed_once(store, clock, tmp_path, text, answered):
    async with World(store, clock, tmp_path, ruled(cool_down=timedelta())).running() as world:
        await world.says(text)
        assert await opted_out(store) == [True]
        assert [answered in said for said in world.handset()] == [True]
        await world.says(text)
        assert len(world.handset()) == 1, "a STOP that was said before is not answered again"
        await world.happens(*life_of(a_call("1", ended=clock.now())))
        assert await world.decision("1") == ("suppress", "opted_out")
        assert await rows(store, thread.c.waits_since_at) == [(None,)], "nobody waits for an answer"


async def test_stop_reaches_what_waits_to_be_sent(store, clock, tmp_path):
    async with World(store, clock, tmp_path, ruled(cool_down=timedelta())).running() as world:
        world.carrier.behave(PAT, Behaviour.AWAY)
        await world.happens(*life_of(a_call("1")))
        await world.says("STOP")
        (first, *_rest) = await texts_out(store)
        assert first[1:] == ("cancelled", "opted_out")


async def test_stop_reaches_a_text_that_waits_out_its_delay(store, clock, tmp_path):
    async with World(store, clock, tmp_path, ruled(delay=timedelta(seconds=20))).running() as world:
        await world.happens(*life_of(a_call("1")))
        await world.says("STOP")
        await world.passes(timedelta(minutes=1))
        assert len(world.handset()) == 1, "only the confirmation"
        assert await world.decision("1") == ("suppress", "opted_out")


async def test_stop_is_about_one_of_our_numbers(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        await world.says("STOP", to=OTHER_DID)
        await world.happens(*life_of(a_call("1")))
        assert (await world.decision("1"))[0] == "send"


async def test_start_brings_them_back_and_is_answered(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        for text in ("STOP", "START"):
            await world.says(text)
        assert await opted_out(store) == [False]
        assert len(world.handset()) == 2
        assert await rows(store, opt_out_event.c.kind, opt_out_event.c.method) == [
            ("opt_out", "text"),
            ("opt_in", "text"),
        ]


@pytest.mark.parametrize("text", ["START", "Yes", "sí"])
async def test_from_somebody_who_never_stopped_it_is_an_ordinary_text(store, clock, tmp_path, text):
    async with World(store, clock, tmp_path).running() as world:
        await world.says(text)
        assert world.handset() == []
        assert (await rows(store, thread.c.waits_since_at))[0][0] is not None


async def test_help_is_answered_even_after_stop(store, clock, tmp_path):
    async with World(store, clock, tmp_path, replace(HOUSE, contact="+1 202 555 0100")).running() as world:
        for text in ("STOP", "HELP"):
            await world.says(text)
        assert "+1 202 555 0100" in world.handset()[-1]
        assert await opted_out(store) == [True]


async def test_answers_end_where_a_loop_would_begin(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        for _ in range(6):
            await world.says("HELP")
        assert len(world.handset()) == 3
        assert {row[1:] for row in (await texts_out(store))[3:]} == {("refused", "loop")}


@pytest.mark.parametrize(
    ("sender", "reason"),
    [
        pytest.param("22334", Reason.SHORT_CODE, id="a short code"),
        pytest.param("ACME", Reason.NOT_TEXTABLE, id="a name"),
        pytest.param(OTHER_DID, Reason.OWN_NUMBER, id="one of our own"),
    ],
)
async def test_nothing_automatic_answers_machines(store, clock, tmp_path, sender, reason):
    async with World(store, clock, tmp_path).running() as world:
        await world.says("HELP", sender=sender)
        assert [row[1:] for row in await texts_out(store)] == [("refused", reason)]


async def test_a_carrier_that_confirms_by_itself_is_left_to_it(store, clock, tmp_path):
    house = replace(HOUSE, carriers_that_answer=frozenset({"main"}))
    async with World(store, clock, tmp_path, house).running() as world:
        await world.says("STOP")
        assert await opted_out(store) == [True]
        assert world.handset() == []


async def test_the_carriers_own_verdict_counts(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        await world.says("no more nonsense", command="stop")
        assert await opted_out(store) == [True]


async def test_what_reads_like_stop_is_left_to_a_person(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        await world.says("take me off your list")
        assert await rows(store, task.c.kind, task.c.detail) == [("opt_out", "take me off your list")]


async def test_pieces_are_joined_in_any_order(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        for number in (2, 3, 1):
            assert (await rows(store, thread.c.unread) or [(0,)])[0] == (0,)
            await world.says(f"{number}.", piece=Piece("77", number, 3))
        assert await rows(store, incoming.c.body, incoming.c.state) == [("1.2.3.", "whole")]
        assert await rows(store, thread.c.unread) == [(1,)]


async def test_a_command_in_pieces_acts_when_it_is_whole(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        await world.says("ST", piece=Piece("7", 1, 2))
        assert await opted_out(store) == []
        await world.says("OP", piece=Piece("7", 2, 2))
        assert await opted_out(store) == [True]


async def test_a_text_of_40_pieces_with_some_missing_is_shown_and_mended(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        for number in range(1, 41):
            if number not in (7, 33):
                await world.says(f"{number},", piece=Piece("r", number, 40))
        await world.passes(timedelta(minutes=11))
        ((body, state),) = await rows(store, incoming.c.body, incoming.c.state)
        assert (state, "6,8," in body, "32,34," in body) == ("partial", True, True)
        assert await rows(store, task.c.kind) == [("partial",)]
        for number in (33, 7):
            await world.says(f"{number},", piece=Piece("r", number, 40))
        ((body, state),) = await rows(store, incoming.c.body, incoming.c.state)
        assert (body, state) == ("".join(f"{number}," for number in range(1, 41)), "whole")
        assert await rows(store, thread.c.unread) == [(1,)]


async def test_the_same_reference_a_day_later_is_another_text(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        await world.says("old", piece=Piece("r", 1, 2))
        await world.passes(timedelta(hours=25))
        await world.says("new", piece=Piece("r", 2, 2))
        assert [row[0] for row in await rows(store, incoming.c.body)] == ["old", "new"]


async def test_photos_are_kept_as_links_and_nothing_is_fetched(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        await world.says("", media=(MediaLink("https://media.example/1", "image/jpeg"),))
        assert await rows(store, media.c.url, media.c.state) == [("https://media.example/1", "kept")]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\x00 and \ud800", id="what no database takes"),
        pytest.param("‮evil\u2066", id="bidi controls"),
        pytest.param("x" * (LONGEST + 5), id="too long to read"),
        pytest.param("", id="nothing at all"),
    ],
)
async def test_hostile_texts_are_kept(store, clock, tmp_path, text):
    async with World(store, clock, tmp_path).running() as world:
        await world.says(text)
        ((body,),) = await rows(store, incoming.c.body)
        assert len(body) == min(len(text), LONGEST)
        assert [row[0] for row in await rows(store, inbound_raw.c.state)] == ["done"]


async def test_a_clock_that_cannot_be_right_does_not_move_a_text_away(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        for wrong in (timedelta(days=-400), timedelta(days=3)):
            await world.says("now", carrier_at=clock.now() + wrong)
        places = await rows(store, incoming.c.at, incoming.c.received_at)
        assert all(at == received for at, received in places)


async def test_what_makes_no_sense_is_kept_for_a_person(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        await world.arrivals.quarantine("main", b"%%%", "no From field")
        assert await rows(store, inbound_raw.c.state, inbound_raw.c.why) == [("quarantined", "no From field")]
        assert await rows(store, task.c.kind, task.c.detail) == [("quarantined", "main: no From field")]


class Blind(Exception):
    """A bug."""


async def test_a_text_that_cannot_be_read_is_journalled_and_read_later(store, clock, tmp_path, monkeypatch):
    broken = True
    real = HOUSE.read

    def read(where, text):
        if broken and "carrier" in where and text == SAM:
            raise Blind
        return real(where, text)

    import ringback.flow.inbound as module

    honest = module.act

    def act(*args):
        if broken:
            raise Blind
        return honest(*args)

    monkeypatch.setattr(module, "act", act)
    async with World(store, clock, tmp_path).running() as world:
        await world.says("Hello", provider_id="SM1")
        assert await rows(store, inbound_raw.c.state) == [("stored",)]
        assert await rows(store, incoming.c.id) == []
        broken = False
        await world.says("Hello", provider_id="SM1")
        await world.passes(timedelta(minutes=1))
        assert await rows(store, inbound_raw.c.state) == [("done",)]
        assert await rows(store, incoming.c.body) == [("Hello",)]


async def test_a_text_that_never_can_be_read_is_set_aside(store, clock, tmp_path, monkeypatch):
    import ringback.flow.inbound as module

    def act(*args):
        raise Blind("always")

    monkeypatch.setattr(module, "act", act)
    async with World(store, clock, tmp_path).running() as world:
        await world.says("Hello")
        await world.passes(timedelta(minutes=1))
        assert await rows(store, inbound_raw.c.state, inbound_raw.c.why) == [("quarantined", "Blind: always")]


async def test_a_text_to_a_number_that_is_not_ours_is_kept(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        await world.says("Hello?", to="+12025550199")
        assert await rows(store, thread.c.peer, thread.c.unread) == [(PAT, 1)]


CALENDAR = Calendar(
    "main",
    ZoneInfo("America/New_York"),
    open=parse_spans({"mon-fri": ["09:00-17:00"]}),
    callback=parse_spans({"mon-fri": ["13:00-14:00", "16:00-17:00"]}),
)
WORDS = "Sorry we missed you.{% if windows %} We can call you {{ windows }}.{% endif %}"
OFFER = {"en": parse(WORDS, TextKind.CALL_TEXT)}


@pytest.mark.parametrize("delay", [timedelta(), timedelta(seconds=20)], ids=["at once", "after a delay"])
@pytest.mark.parametrize(
    ("reply", "hour"),
    [
        pytest.param("1", 13, id="the first"),
        pytest.param("16:30 works", 16, id="a time inside one"),
        pytest.param("Please come on Tuesday", None, id="another day"),
    ],
)
async def test_a_reply_that_names_an_offered_window_is_a_task_for_then(store, clock, tmp_path, reply, hour, delay):
    house = ruled(text=OFFER, calendar=CALENDAR, delay=delay)
    async with World(store, clock, tmp_path, house).running() as world:
        await world.happens(*life_of(a_call("1")))
        await world.passes(delay)
        assert "13:00-14:00" in world.handset()[0]
        await world.says(reply)
        due = await rows(store, task.c.kind, task.c.due_at, task.c.detail)
    if hour is None:
        assert due == []
    else:
        ((kind, at, detail),) = due
        assert (kind, moment_of(at).astimezone(CALENDAR.zone).hour, detail) == ("call_back", hour, reply)

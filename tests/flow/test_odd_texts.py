"""Texts that no honest handset sends, or that networks mangle: each is kept, none hides another, no STOP is undone."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from ringback.ports import Incoming, MediaLink, Piece
from ringback.ports.handsets import Behaviour
from ringback.store.tables import inbound_raw, incoming, message, opt_out_event, task
from tests.flow.test_inbound import opted_out, rows
from tests.flow.world import DID, HOUSE, PAT, World

LATE = timedelta(minutes=11)


async def filed(store):
    return await rows(store, incoming.c.body, incoming.c.state)


async def test_a_flood_of_help_does_not_wear_the_loop_guard_out(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        for number in range(210):
            came = Incoming(f"SM{number}", PAT, DID, "HELP", clock.now())
            await world.arrivals.take("main", [came], b"")
            clock.move(timedelta(seconds=3))
        await world.settled()
        assert len(world.handset()) == HOUSE.limits.automatic_per_hour


@pytest.mark.parametrize("before", ["START", "HELP"])
async def test_stop_calls_off_the_answer_to_what_was_said_before(store, clock, tmp_path, before):
    async with World(store, clock, tmp_path).running() as world:
        await world.says("STOP")
        world.carrier.behave(PAT, Behaviour.AWAY)
        await world.says(before)
        await world.says("STOP")
        world.carrier.behave(PAT, Behaviour.DELIVERS)
        await world.passes(timedelta(hours=1))
        assert (before, "cancelled") in [(row[0].upper(), row[1]) for row in await commands(store)]
        assert ["unsubscribed" in said for said in world.handset()] == [True] * (2 if before == "START" else 1)
        assert await opted_out(store) == [True]


async def commands(store):
    return await rows(store, message.c.command, message.c.state)


@pytest.mark.parametrize("number", [0, -1, 3, 2**31, 2**63])
async def test_a_piece_that_is_none_of_its_text_is_a_text_by_itself(store, clock, tmp_path, number):
    async with World(store, clock, tmp_path).running() as world:
        await world.says("one", piece=Piece("r", 1, 2))
        await world.says("odd", piece=Piece("r", number, 2))
        await world.passes(LATE)
        assert await filed(store) == [("one", "partial"), ("odd", "whole")]


@pytest.mark.parametrize("total", [256, 10**9, 2**31, 2**63, 2**70])
async def test_nobody_waits_for_more_pieces_than_there_can_be(store, clock, tmp_path, total):
    async with World(store, clock, tmp_path).running() as world:
        await world.says("STOP", piece=Piece("r", 1, total))
        assert await opted_out(store) == [True]


async def test_a_reference_that_is_used_again_does_not_hide_the_new_text(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        await world.says("old one ", piece=Piece("7", 1, 2))
        await world.passes(LATE)
        await world.says("new one ", piece=Piece("7", 1, 2))
        await world.says("new two", piece=Piece("7", 2, 2))
        assert await filed(store) == [("old one ", "partial"), ("new one new two", "whole")]


async def test_equal_pieces_without_ids_are_no_repeats(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        said_at = clock.now()
        for number in (1, 2):
            await world.says("STOP ", piece=Piece("7", number, 2), provider_id="", carrier_at=said_at)
        assert await opted_out(store) == [True]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"provider_id": "".join(map(chr, range(0x4E00, 0x9000))) * 50}, id="an id of a million letters"),
        pytest.param({"provider_id": "a\x00\ud800"}, id="an id that no database takes"),
        pytest.param({"sender": "".join(map(chr, range(0x4E00, 0x9000))) * 50}, id="a sender of a million letters"),
        pytest.param({"sender": "\x00\ud800"}, id="a sender that no database takes"),
        pytest.param({"to": "\x00\ud800"}, id="a number of ours that no database takes"),
        pytest.param({"media": (MediaLink("https://a/\x00\ud800", "\x00"),)}, id="a photo that no database takes"),
        pytest.param({"media": (MediaLink("https://a/", "image/png"),) * 10_000}, id="10,000 photos"),
        pytest.param({"piece": Piece("\x00\ud800", 1, 2)}, id="a reference that no database takes"),
        pytest.param({"piece": Piece("r" * 1_000_000, 1, 2)}, id="a reference of a million letters"),
    ],
)
async def test_whatever_stands_beside_the_words_they_are_shown(store, clock, tmp_path, change):
    async with World(store, clock, tmp_path).running() as world, asyncio.timeout(20):
        for _ in range(2):
            await world.says("Hello", **{"provider_id": "SM1", **change})
        await world.passes(LATE)
        assert [body for body, _state in await filed(store)] == ["Hello"]


async def test_ids_that_differ_only_in_what_no_database_takes_are_two(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        for given in ("a\ud800", "a\udfff"):
            await world.says(f"Hello {given[-1]!a}", provider_id=given)
        assert len(await filed(store)) == 2


@pytest.mark.parametrize(
    "change",
    [pytest.param({"text": "Call the police"}, id="words"), pytest.param({"sender": "+15125550124"}, id="a sender")],
)
async def test_another_text_under_the_same_id_is_kept_for_a_person(store, clock, tmp_path, change):
    first = Incoming("SM1", PAT, DID, "I will pay", clock.now())
    async with World(store, clock, tmp_path).running() as world:
        for came in (first, replace(first, **change), replace(first, **change), first):
            await world.arrivals.take("main", [came], b"raw")
            await world.passes(timedelta(seconds=90))
        assert [body for body, _state in await filed(store)] == ["I will pay"]
        assert await rows(store, inbound_raw.c.state) == [("done",), ("quarantined",)]
        assert await rows(store, task.c.kind) == [("quarantined",)]


async def test_another_text_under_the_id_of_a_stop_takes_nothing_back(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        await world.says("STOP", provider_id="SM1")
        await world.says("START", provider_id="SM1")
        assert await rows(store, opt_out_event.c.kind) == [("opt_out",)]

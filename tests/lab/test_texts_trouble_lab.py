"""The routines we ship when something else is wrong: the clock, a prompt, a Ringback that is gone between two keys."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence

import pytest

from lab.ami import Ami
from lab.pbx import Pbx
from tests.fakes.dialplan_listener import Listener
from tests.lab.test_texts_lab import ASKED, DEFLECTED, OFFER, OK, PAGE, PLACE, TEXT, Said, begins, faults, presses, told

OFFERS, TEXTS = "ringback_offers.conf", "ringback_texts.conf"
HELD_S = 12.0


@pytest.fixture
async def standing(pbx: Pbx) -> AsyncIterator[None]:
    """For the routines no second passes, as after a clock was set back by an hour."""
    whole = {name: (pbx.run / "etc" / name).read_text() for name in (OFFERS, TEXTS)}
    for name, text in whole.items():
        assert "${EPOCH}" in text
        (pbx.run / "etc" / name).write_text(text.replace("${EPOCH}", "1700000000"))
    pbx.asterisk.cli("dialplan reload")
    yield
    for name, text in whole.items():
        (pbx.run / "etc" / name).write_text(text)
    pbx.asterisk.cli("dialplan reload")


@pytest.mark.usefixtures("standing")
async def test_a_clock_that_is_set_back_holds_nobody_under_a_prompt_lab(pbx: Pbx, ami: Ami) -> None:
    async with Listener(**{**DEFLECTED, "state": "pending"}) as listener:
        await pbx.asks(listener.url)
        call = await begins(pbx, "65")
        await presses(ami, call, "1")
        async with asyncio.timeout(HELD_S):
            assert await told(ami) == Said("stayed", "unconfirmed", PLACE, TEXT)
    assert listener.verbs.count("state") == 8


@pytest.mark.usefixtures("standing")
async def test_a_clock_that_is_set_back_ends_the_wait_for_an_answer_lab(pbx: Pbx, ami: Ami) -> None:
    async with Listener(send=f"ok|{TEXT}", reply="none") as listener:
        await pbx.asks(listener.url)
        # this line waits for one second
        caller = await pbx.caller("+15125550123")
        await caller.call("+12025550184")
        async with asyncio.timeout(HELD_S):
            assert await told(ami) == Said("timeout", text=TEXT)
    assert listener.verbs.count("reply") < HELD_S


@pytest.mark.parametrize(
    ("answers", "keys", "said"),
    [
        pytest.param({"accept": PAGE}, "1", Said("failed", "no_answer", PLACE), id="the yes"),
        pytest.param({"decline": PAGE}, "2", Said("declined", "", PLACE), id="the no"),
        pytest.param({"accept": "unsure|gate_error|4"}, "1", Said("failed", "no_answer", "4"), id="sure of the yes"),
    ],
)
async def test_who_answers_us_no_more_costs_nobody_their_place_lab(
    pbx: Pbx, ami: Ami, answers: Mapping[str, str | Sequence[str]], keys: str, said: Said
) -> None:
    before = len(pbx.asterisk.log)
    async with Listener(**{"offer": f"{OFFER}|{PLACE}", **answers}) as listener:
        await pbx.asks(listener.url)
        call = await begins(pbx, "73")
        await presses(ami, call, keys)
        assert await told(ami) == said
    assert faults(pbx.asterisk.log[before:]) == []


@pytest.mark.parametrize(
    ("answer", "prompt", "said"),
    [
        pytest.param("no|paused|", "back-not-sent", Said("failed", "paused"), id="it cannot go"),
        pytest.param(PAGE, "back-not-sure", Said("failed", "no_answer"), id="nobody knows"),
    ],
)
async def test_whom_nobody_can_talk_to_is_not_told_to_stay_on_the_line_lab(
    pbx: Pbx, ami: Ami, answer: str, prompt: str, said: Said
) -> None:
    async with Listener(offer=OFFER, accept=answer) as listener:
        await pbx.asks(listener.url)
        call = await begins(pbx, "82")
        await presses(ami, call, "1")
        assert await told(ami) == said
    played = [seen["AppData"] for seen in ami.events if seen.get("Application") == "Playback"]
    assert [re.search(r"ringback/([a-z-]+)", data)[1] for data in played if "ringback/" in data] == [prompt]


async def test_a_prompt_that_is_missing_is_no_no_of_the_caller_lab(pbx: Pbx, ami: Ami) -> None:
    prompt = pbx.run / "data/sounds/ringback/mobile.sln"
    aside = prompt.rename(prompt.with_suffix(".aside"))
    try:
        async with Listener(**ASKED) as listener:
            await pbx.asks(listener.url)
            call = await begins(pbx, "75")
            await presses(ami, call, "1")
            assert await told(ami) == Said("not_offered", "no_prompt")
    finally:
        aside.rename(prompt)
    assert listener.verbs == ["offer"]
    await ami.action("Setvar", Variable="RINGBACK_PROMPT_MISSING", Value="")


async def test_long_names_of_prompts_cost_no_yes_lab(pbx: Pbx, ami: Ami) -> None:
    await ami.action("Setvar", Variable="RINGBACK_PROMPTS", Value="recorded-by-our-agency-in-november-2026-third-try")
    try:
        async with Listener(offer=OFFER, accept=OK) as listener:
            await pbx.asks(listener.url)
            call = await begins(pbx, "73", name="x" * 200)
            await presses(ami, call, "1")
            assert (await told(ami)).result == "texted"
    finally:
        await ami.action("Setvar", Variable="RINGBACK_PROMPTS", Value="")
    (accept,) = listener.of("accept")
    assert accept["prompt"] == "wait-text.en.recorded-by-our-agency-in-nove"
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,60}", accept["prompt"])

"""Whatever happens to Ringback, no call is held: every routine that asks, against each way to fail, on a real Asterisk.

How long a call was held is read from Asterisk's own clock: the time stamps of the events in which the routine begins to
ask and goes on.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from lab.ami import Ami, Message
from lab.pbx import Pbx
from ringback.config import Address
from ringback.dialplan import Answering, serve, serve_agi
from tests.dialplan.conftest import SAID as SAID_BY_VERB
from tests.dialplan.conftest import Answers
from tests.fakes.bad_listener import WAYS, bad, breaking
from tests.fakes.hand_clock import HandClock

CALLER = "+15125550123"
HELD_S = 2.0
"""Longer than this no call may be held."""
NOT_OFFERED = {"Result": "not_offered", "Reason": "no_answer", "Text": ""}
NOT_SENT = {"Reason": "no_answer", "Text": ""}
FAILED = {"Result": "failed", **NOT_SENT}
UNKNOWN = {"Textable": "unknown", "Reason": "", "Consent": "unknown", "Agents": "0", "Wait": "unknown", "Waiting": ""}
LEFT = {
    "64": NOT_OFFERED,
    "72": NOT_OFFERED,
    "82": NOT_OFFERED,
    "83": NOT_SENT,
    "84": FAILED,
    "85": FAILED,
    "86": UNKNOWN,
}
"""What the routine of each line leaves behind when nobody answered: deflection, wait-time text, text back, send, send
and wait, opt out, and four questions."""
ASKS = dict.fromkeys(LEFT, 1) | {"86": 4}
SAID = {"Variable": "LOCAL(said)"}
"""What a routine keeps the answer in: emptied before it asks, set after."""


@dataclass(frozen=True)
class Listens:
    """A listener of ours, and where."""

    port: int
    answering: Answering


@dataclass(frozen=True)
class Held:
    """How long one question of a routine held its call."""

    line: str
    seconds: float


async def one_call(pbx: Pbx, ami: Ami, line: str) -> list[Held]:
    """Call a line, see that the call goes on as if Ringback were not there, and hang up."""
    caller = await pbx.caller(CALLER)
    call = await caller.call(f"+121255501{line}")
    begun = await ami.wait("Newchannel", Exten=f"+121255501{line}")
    if line == "85":
        await call.answered()
        await call.press("9")
    what = "LabQuestions" if line == "86" else "LabTexts"
    said = await ami.wait("UserEvent", UserEvent=what, Uniqueid=begun["Uniqueid"], patience=15)
    assert {name: said[name] for name in LEFT[line]} == LEFT[line], line
    if line in ("64", "72"):
        await ami.wait("QueueCallerJoin", Uniqueid=begun["Uniqueid"])
        await call.cancel()
    held = questions(ami, line, begun["Uniqueid"])
    assert len(held) == ASKS[line]
    return held


def questions(ami: Ami, line: str, uniqueid: str) -> list[Held]:
    """Each question of a call: from the event before it is asked to the one in which its answer is there."""
    found, begun = [], None
    for event in ami.events:
        if not event.fits({"Event": "VarSet", "Uniqueid": uniqueid, "Context": "ringback-ask"} | SAID):
            continue
        if begun is None and event.get("Value", "") == "":
            begun = at(event)
        elif begun is not None:
            found.append(Held(line, at(event) - begun))
            begun = None
    return found


def at(event: Message) -> float:
    return float(event["Timestamp"])


async def every_routine(pbx: Pbx, url: str, way: str = "curl") -> list[Held]:
    """All routines at once, each in a call of its own."""
    await pbx.asks(url, way=way)
    ami = await pbx.ami()
    calls = [one_call(pbx, ami, line) for line in LEFT]
    return [held for of_call in await asyncio.gather(*calls) for held in of_call]


@pytest.mark.parametrize("way", ["hook_down", "hook_full", *WAYS])
async def test_no_call_is_held_lab(pbx: Pbx, way: str) -> None:
    async with bad(way) as url:
        held = await every_routine(pbx, url)
    assert [one for one in held if one.seconds > HELD_S] == []


@asynccontextmanager
async def answering(token: str, answers: Answers, doors: Callable[..., Awaitable[None]]) -> AsyncIterator[Listens]:
    """A listener of ours, with somebody behind it who answers as the test says."""
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    ours = Answering(answers, token, HandClock())
    serving = asyncio.ensure_future(doors(Address("127.0.0.1", 0), ours, port.set_result))
    try:
        yield Listens(await port, ours)
    finally:
        serving.cancel()
        await asyncio.wait((serving,))


async def test_hook_wrong_token_lab(pbx: Pbx) -> None:
    """The real listener, which answers nobody without the secret."""
    answers = Answers()
    async with answering("another-secret-of-43-characters-0123456789a", answers, serve) as door:
        held = await every_routine(pbx, f"http://127.0.0.1:{door.port}")
    assert [one for one in held if one.seconds > HELD_S] == []
    assert answers.asked == []
    assert door.answering.counts().refused == sum(ASKS.values())


async def test_hook_stuck_behind_the_listener_lab(pbx: Pbx) -> None:
    """The listener runs, and nothing behind it gets done."""
    answers = Answers(dict.fromkeys(SAID_BY_VERB, asyncio.Event()))
    async with answering(pbx.asterisk.token, answers, serve) as door:
        held = await every_routine(pbx, f"http://127.0.0.1:{door.port}")
    assert [one for one in held if one.seconds > HELD_S] == []
    assert len(answers.asked) == sum(ASKS.values())


@pytest.mark.parametrize("token", [pytest.param("", id="the right one"), pytest.param("x" * 43, id="a wrong one")])
async def test_agi_is_closed_after_a_moment_lab(pbx: Pbx, token: str) -> None:
    """The second way has no time-out in Asterisk; ours holds instead."""
    answers = Answers(dict.fromkeys(SAID_BY_VERB, asyncio.Event()))
    async with answering(token or pbx.asterisk.token, answers, serve_agi) as door:
        held = await every_routine(pbx, f"agi://127.0.0.1:{door.port}", "agi")
    assert [one for one in held if one.seconds > 1.0] == []


async def test_agi_down_lab(pbx: Pbx) -> None:
    async with bad("hook_down") as url:
        held = await every_routine(pbx, url.replace("http", "agi"), "agi")
    assert [one for one in held if one.seconds > 1.0] == []


BREAKS = {"64": "accept", "65": "state", "66": "letgo"}
"""After which question Ringback breaks, while a caller is let go; on which line."""
STAYS = {"64": ("failed", "no_answer"), "65": ("stayed", "unconfirmed"), "66": ("stayed", "unconfirmed")}
SILENT = ["hook_hang", "hook_half", "hook_half_and_gone", "hook_garbage", "hook_500", "hook_reset", "hook_slow"]


async def one_yes(pbx: Pbx, ami: Ami, line: str) -> list[Held]:
    """Press 1 when asked; Ringback breaks then, and the caller stays in the call."""
    caller = await pbx.caller(CALLER)
    call = await caller.call(f"+121255501{line}")
    begun = await ami.wait("Newchannel", Exten=f"+121255501{line}")
    await ami.wait("Newexten", Application="Read", Uniqueid=begun["Uniqueid"])
    await call.answered()
    await call.press("1")
    said = await ami.wait("UserEvent", UserEvent="LabTexts", Uniqueid=begun["Uniqueid"], patience=20)
    assert (said["Result"], said["Reason"]) == STAYS[line], line
    await ami.wait("QueueCallerJoin", Uniqueid=begun["Uniqueid"])
    await call.hang_up()
    return questions(ami, line, begun["Uniqueid"])


@pytest.mark.parametrize("way", SILENT)
async def test_breaks_in_the_middle_lab(pbx: Pbx, way: str) -> None:
    """The caller said yes, and nobody answers any more: they hear so, and wait in the queue."""
    async with breaking(way, BREAKS) as url:
        await pbx.asks(url)
        ami = await pbx.ami()
        calls = await asyncio.gather(*(one_yes(pbx, ami, line) for line in BREAKS))
    assert [one for held in calls for one in held if one.seconds > HELD_S] == []

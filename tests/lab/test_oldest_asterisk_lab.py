"""The routines on the oldest Asterisk we try them on, 16.28: they load without a word, and a call goes through them."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from lab.ami import Ami
from lab.asterisk import Asterisk
from lab.pbx import Pbx
from tests.fakes.dialplan_listener import AgiListener, Listener

SHIPPED = Path(__file__).parents[2] / "dialplan"
TEXT = "msg_0000000000000000000000000a"
YES = {"offer": "offer|40|of1", "accept": f"ok|{TEXT}|3", "state": ("pending", "accepted"), "letgo": "ok"}


@pytest.fixture(scope="module")
def asterisk() -> Iterator[Asterisk]:
    with Asterisk.running(suite="bullseye") as running:
        yield running


@pytest.fixture
async def pbx(asterisk: Asterisk) -> AsyncIterator[Pbx]:
    async with asterisk.opened() as pbx:
        yield pbx


@pytest.fixture
async def ami(pbx: Pbx) -> Ami:
    return await pbx.ami()


async def test_every_routine_is_loaded_lab(pbx: Pbx, ami: Ami) -> None:
    assert pbx.asterisk.cli("core show version").startswith("Asterisk 16.28")
    shipped = "".join(file.read_text() for file in SHIPPED.glob("ringback_*.conf"))
    routines = set(re.findall(r"^\[(ringback-[a-z-]+)\]$", shipped, re.MULTILINE))
    loaded = {line["Context"] for line in await ami.listing("ShowDialPlan")}
    assert len(routines) >= 15
    assert routines <= loaded
    assert [
        line
        for line in pbx.asterisk.log.splitlines()
        if re.search(r"(?:WARNING|ERROR)\[\d+\] (?:pbx_config|config)\.c", line)
    ] == []


@pytest.mark.parametrize("way", ["curl", "agi"])
async def test_a_caller_is_let_go_lab(pbx: Pbx, ami: Ami, way: str) -> None:
    before = len(pbx.asterisk.log)
    async with (AgiListener if way == "agi" else Listener)(**YES) as listener:
        await pbx.asks(listener.url, way=way)
        caller = await pbx.caller("+15125550123", 'Zoë, "(x')
        call = await caller.call("+12125550164")
        await ami.wait("Newexten", Application="Read")
        await call.answered()
        await call.press("1")
        await call.over()

    assert listener.verbs == ["offer", "accept", "state", "state", "letgo"]
    assert {one.token for one in listener.asked} == {pbx.asterisk.token}
    assert (await ami.wait("UserEvent", UserEvent="RingbackDeflect"))["Text"] == TEXT
    assert re.findall(r"(?:WARNING|ERROR)\[\d+\]\[C-.*", pbx.asterisk.log[before:]) == []


async def test_nobody_answers_and_the_call_goes_on_lab(pbx: Pbx, ami: Ami) -> None:
    caller = await pbx.caller("+15125550123")
    await caller.call("+12125550186")
    said = await ami.wait("UserEvent", UserEvent="LabQuestions")
    names = ("Textable", "Consent", "Agents", "Wait", "Waiting")
    assert [said[name] for name in names] == ["unknown", "unknown", "0", "unknown", ""]

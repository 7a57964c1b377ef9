"""What people write back after a missed call: offered times, threads; and a login that is taken away."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest

from lab.demo.browser import Browser
from tests.stories.conftest import House, caller
from tests.stories.daemon import Daemon
from tests.stories.panel import BEN, DENIED, DONE, Panel, let_in

ZONE = ZoneInfo("America/New_York")
RULES = """\
[calendar.team]
open = { daily = ["09:00-17:00"] }
callback = { daily = ["10:00-12:00", "14:00-16:00"] }
[[rule]]
name = "missed"
when = ["missed"]
delay = "0s"
text = { en = "Sorry.{% if windows %} We can call you {{ windows }}.{% endif %} STOP to end" }
"""
DID, OTHER_DID = "+12125550160", "+12025550101"  # the first rings for long, without a phone
ENDS_WITHIN_S = 2.0


@pytest.fixture(scope="module")
def daemon(house: House) -> Daemon:
    """The daemon, with an administrator and an agent."""
    asyncio.run(let_in(house.daemon))
    asyncio.run(let_in(house.daemon, BEN, "agent"))
    return house.daemon


async def texted(house: House, number: str) -> str:
    """Somebody calls, gives up, and gets a text: its words."""
    async with house.asterisk.opened() as pbx:
        before = len(house.daemon.log.records)
        call = await (await pbx.caller(number)).call(DID)
        await call.ringing()
        await call.cancel()
        (ended,) = await house.daemon.ended(DID, 1, before)
    (text,) = (await house.daemon.delivered(ended)).texts
    return text.body


@asynccontextmanager
async def handset(daemon: Daemon) -> AsyncIterator[Browser]:
    port, _ = await daemon.ports()
    async with Browser(f"http://127.0.0.1:{port}") as browser:
        yield browser


async def write(daemon: Daemon, number: str, words: str, did: str = DID) -> None:
    """Write on somebody's handset, and wait until it is stored."""
    before = len(daemon.look(number).incoming)
    async with handset(daemon) as browser:
        page = await browser.open(f"/handset/{quote(number)}")
        assert (await browser.submit(page, "/texts", text=words, to=did)).status == DONE
    await daemon.become(lambda: len(daemon.look(number).incoming), before + 1)


async def test_a_reply_that_takes_an_offered_time_becomes_a_task_lab(house: House, daemon: Daemon) -> None:
    number = caller(1)
    offer = await texted(house, number)
    day, begins = re.findall(r"(today|tomorrow|[A-Z][a-z]+day) (\d\d:\d\d)", offer)[-1]
    await write(daemon, number, f"{day} {begins} works for me")
    (came,) = daemon.look(number).incoming
    (task,) = came.tasks
    assert task.due_at is not None
    assert (task.kind, f"{task.due_at.astimezone(ZONE):%H:%M}") == ("call_back", begins)
    async with Panel.opened(daemon) as panel:
        tasks = await panel.open("/tasks")
        assert tasks.shows(f"{day} {begins} works for me")
        done = await panel.submit(tasks, f"/{task.public_id}/close")
        assert not (await panel.open("/tasks")).shows(f"{day} {begins} works for me"), done.words
    (closed,) = daemon.look(number).incoming[0].tasks
    assert closed.done_by is not None
    assert closed.done_by.login == "anna"


async def test_each_caller_and_each_number_of_ours_has_a_thread_lab(house: House, daemon: Daemon) -> None:
    pat, sam = caller(2), caller(3)
    for number in (pat, sam):
        await texted(house, number)
    said = {(pat, DID): "Pat to one", (sam, DID): "Sam to one", (pat, OTHER_DID): "Pat to another"}
    for (number, did), words in said.items():
        await write(daemon, number, words, did)
        await write(daemon, number, "Thank you", did)  # the list beside a thread shows the last text of each
    threads = {(one.peer, one.did): one.public_id for peer in (pat, sam) for one in daemon.look(peer).threads}
    assert threads.keys() == said.keys()
    async with Panel.opened(daemon) as panel:
        for key, thread in threads.items():
            page = await panel.open(f"/threads/{thread}")
            assert [words for words in said.values() if page.shows(words)] == [said[key]]
            await panel.submit(page, "/texts", text=f"Answer to {said[key]}")
    for (number, did), words in said.items():
        await daemon.become(lambda n=number, d=did: answers(daemon, n, d), [(f"Answer to {words}", "delivered")])


def answers(daemon: Daemon, number: str, did: str) -> list[tuple[str, str]]:
    """What was answered to somebody in one thread."""
    return [(text.body, text.state) for text in daemon.look(number).texts if text.did == did]


async def test_a_login_that_is_disabled_ends_its_live_page_and_opens_no_more_lab(house: House, daemon: Daemon) -> None:
    clock = asyncio.get_running_loop().time
    async with Panel.opened(daemon, BEN) as panel, panel.follows("/threads/events?view=all") as stream:
        await stream.until("counts")
        ending = asyncio.ensure_future(stream.until("ended"))
        disabled = await daemon.do("user", "disable", BEN)
        assert disabled.code == 0, disabled
        at = clock()
        said = await ending
        assert clock() - at < ENDS_WITHIN_S
        assert said == {"why": "You were logged out. Log in again to go on."}
        await stream.over()
        assert (await panel.open("/threads")).shows("Log in")
        again = await panel.log_in(BEN)
        assert (again.status, again.shows("Login or password is wrong.")) == (DENIED, True)

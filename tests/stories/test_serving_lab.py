"""Somebody writes, the queue gives it to the agent who is ready, and takes it back when their real phone is gone; the
daemon is killed in the middle."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import quote

import pytest

from lab.asterisk import Asterisk
from lab.demo.browser import Browser
from ringback.panel.passwords import Hasher
from tests.stories.daemon import PATIENCE, Daemon, running
from tests.stories.panel import PASSWORD, Panel
from tests.stories.texting import ANNA, CARA, RULES
from tests.stories.texting_house import daemon_of, hire, put_queue, tell

DID, PAT = "+12025550172", "+15125550181"


async def furnish(daemon: Daemon) -> None:
    """Anna answers phone 172, Cara has none; their queue gives sessions without asking."""
    await daemon.until(ready=True)
    hashed = await Hasher().hash(PASSWORD)
    await hire(daemon, ANNA, "administrator", hashed, extension="172")
    await hire(daemon, CARA, "agent", hashed, extension="")
    await put_queue(daemon, "72", ANNA, CARA, strategy="longest_idle", at_once="yes", agent_gone="5s")
    await tell(daemon, "queue", change="number", queue="Text 72", number=DID, out="")


def has_it(daemon: Daemon) -> str:
    """Who has the session, or how it stands."""
    rows = daemon.rows(
        f"SELECT a.login, s.state FROM session s LEFT JOIN account a ON a.id = s.agent_id WHERE s.peer = '{PAT}'"
    )
    return str(rows[0][0] or rows[0][1]) if rows else ""


def story(daemon: Daemon) -> list[str]:
    return [str(why) for (why,) in daemon.rows("SELECT why FROM session_event ORDER BY id")]


async def open_page(daemon: Daemon, login: str, stack: AsyncExitStack) -> None:
    panel = await stack.enter_async_context(Panel.opened(daemon, login))
    await stack.enter_async_context(panel.follows("/sessions/events"))


async def write(daemon: Daemon) -> None:
    port, _ = await daemon.ports()
    async with Browser(f"http://127.0.0.1:{port}") as handset:
        page = await handset.open(f"/handset/{quote(PAT)}")
        assert (await handset.submit(page, "/texts", text="Where is my order?", to=DID)).status == 200


@pytest.fixture(scope="module")
def asterisk():
    with Asterisk.running() as started:
        yield started


async def test_a_session_follows_its_agents_phone_also_over_a_kill_lab(asterisk: Asterisk, tmp_path: Path):
    daemon = daemon_of(tmp_path, asterisk, RULES)
    with running(daemon):
        await furnish(daemon)
        async with asterisk.opened() as pbx, AsyncExitStack() as first:
            phone = await pbx.phone("172")
            await open_page(daemon, ANNA, first)
            await write(daemon)
            await daemon.become(lambda: has_it(daemon), ANNA)
            parts = await daemon.until(ready=True)
            assert (parts["queues main"], parts["presence"], parts["sessions"]) == ("works", "works", "works")

            await asyncio.to_thread(daemon.kill)
            daemon.start()
            await daemon.until(ready=True)
            assert has_it(daemon) == ANNA

            async with AsyncExitStack() as pages:
                await open_page(daemon, ANNA, pages)
                await open_page(daemon, CARA, pages)
                await phone.register(expires=0)
                async with asyncio.timeout(PATIENCE):
                    await daemon.become(lambda: has_it(daemon), CARA)
    assert story(daemon) == ["numbers_queue", "given", "agent_unregistered", "given"]

"""Who may text whom, from the call to the record: somebody who may read and not send, at the panel and by a program."""

import asyncio
import json

import pytest
from aiohttp import ClientSession

from tests.stories.conftest import House, caller
from tests.stories.daemon import Daemon
from tests.stories.panel import DENIED, DONE, Panel, let_in
from tests.stories.test_replies_lab import DID, texted, write

RULES = """\
[[rule]]
name = "missed"
when = ["missed"]
delay = "0s"
text = { en = "Sorry we missed you. STOP to end" }
"""
RITA = "rita"
WHY = "may not send from"
NOT_THERE = 404


@pytest.fixture(scope="module")
def daemon(house: House) -> Daemon:
    """An administrator, and somebody who may read what comes in and send nothing."""
    asyncio.run(let_in(house.daemon))
    asyncio.run(let_in(house.daemon, RITA, "agent", ()))
    return house.daemon


async def said(daemon: Daemon, *words: str) -> str:
    """Run a command; what it printed."""
    done = await daemon.do(*words)
    assert done.code == 0, done
    return done.out.strip()


async def by_program(daemon: Daemon, token: str, to: str) -> tuple[int, dict[str, object]]:
    """Ask for a text with a key."""
    port, _ = await daemon.ports()
    wish = {"from": DID, "to": to, "text": "We are here now."}
    async with (
        ClientSession(headers={"Authorization": f"Bearer {token}"}) as web,
        web.post(f"http://127.0.0.1:{port}/v1/messages", json=wish) as answer,
    ):
        return answer.status, await answer.json()


def thread_of(daemon: Daemon, number: str) -> str:
    ((public_id,),) = daemon.rows(f"SELECT public_id FROM thread WHERE peer = '{number}'")
    return f"/threads/{public_id}"


async def test_who_may_read_and_not_send_is_refused_everywhere_for_the_same_reason_lab(
    house: House, daemon: Daemon
) -> None:
    number = caller(1)
    await texted(house, number)
    await write(daemon, number, "is anybody there?")
    thread = thread_of(daemon, number)
    token = (await said(daemon, "key", "add", "ritas phone", "--scope", "send", "--for", RITA)).splitlines()[-1]
    async with Panel.opened(daemon, RITA) as panel:
        assert (await panel.open(thread)).status == NOT_THERE, "nothing is said, so there is no such thread"
        await said(daemon, "grant", RITA, "receive", DID, "allow")
        await said(daemon, "grant", RITA, "send", DID, "allow")
        page = await panel.open(thread)
        assert (page.status, page.shows("is anybody there?")) == (DONE, True)

        await said(daemon, "grant", RITA, "send", DID, "deny", "--note", "until she learnt it")
        refused = await panel.submit(page, "/texts", text="We are here.")
        status, told = await by_program(daemon, token, number)
        assert (refused.status, status, told["code"]) == (DENIED, DENIED, "permission_denied")
        assert refused.shows(WHY), refused.words
        assert WHY in str(told["detail"])
        assert [text.body for text in daemon.look(number).texts] == [], "nothing of it is stored"
        lines = (await said(daemon, "audit", "list", "--json")).splitlines()
        denied = [row for line in lines if (row := json.loads(line))["action"] == "denied"]
        assert {row["who"].partition(" ")[0] for row in denied} == {"user", "program"}

        await said(daemon, "grant", RITA, "send", DID, "allow")
        assert (await panel.submit(await panel.open(thread), "/texts", text="We are here.")).status == DONE
        status, told = await by_program(daemon, token, number)
        assert status == 201, told
    why = await said(daemon, "explain", "--user", RITA, "--number", DID)
    assert why.startswith("Yes"), why
    assert "whole" in await said(daemon, "audit", "verify")

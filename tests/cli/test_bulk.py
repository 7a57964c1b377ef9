"""`ringback bulk`: what runs there are, how far one is, and how to stop it, with a daemon and without."""

import asyncio
import json
from datetime import timedelta

import pytest

from ringback.clock import SystemClock
from ringback.core.messages import Basis, MessageClass
from ringback.core.permissions import at_the_shell
from ringback.flow.bulks import Runs
from ringback.ports.bulks import Item, Plan
from ringback.store.database import Database


async def begin(url: str, body: str = "Hello {{ name }}") -> str:
    clock = SystemClock()
    now = clock.now()
    plan = Plan(
        asked_by="program key_x",
        did="+12025550101",
        body=body,
        class_=MessageClass.TRANSACTIONAL,
        basis=Basis.CONSENT,
        language="en",
        not_before=now,
        expires_at=now + timedelta(minutes=1),
        name="orders\x1b[2J",
    )
    database = Database(url, clock)
    await database.open()
    coming = await Runs(database, clock).begin(at_the_shell("test"), plan)
    await coming.add([Item(n, f"+1512555{n:04d}", json.dumps({"name": "x"})) for n in range(1, 301)])
    await coming.open(300, 2, None, "")
    await database.close()
    return coming.public_id


@pytest.fixture
def run(place) -> str:
    place.migrate()
    return asyncio.run(begin(place.url))


def test_a_run_is_listed_shown_and_called_off(place, ringback, run):
    (line,) = ringback("bulk", "list").out.splitlines()
    assert line.startswith(run)
    assert line.endswith("  open                 0 of 300  orders\\u001b[2J")
    shown = ringback("bulk", "show", run).out
    assert "from +12025550101, asked by program key_x: Hello {{ name }}" in shown
    assert "300 left, about 300 segments; 0 dropped, 2 rejected" in shown
    assert "but it may go only until" in shown
    assert ringback("bulk", "cancel", run).out == "300 recipients get no text, 0 texts that waited are cancelled\n"
    assert "cancelling" in ringback("bulk", "list").out
    assert ringback("bulk", "cancel", run).out == "300 recipients get no text, 0 texts that waited are cancelled\n"


@pytest.mark.parametrize("command", ["show", "cancel"])
def test_what_is_no_run_is_said_so(place, ringback, run, command):
    said = ringback("bulk", command, "blk_none")
    assert said.code == 1
    assert said.err == "there is no run blk_none; `ringback bulk list` shows what there is\n"


def test_a_pause_is_shown(place, ringback, run):
    ringback("pause")
    assert "no texts are made:" in ringback("bulk", "show", run).out

"""What the dialplan asks, in the whole of one run: nothing listens without a secret, and health says what is wrong."""

import asyncio
import gc
from datetime import timedelta

import pytest

from lab.ready import free_ports
from ringback.app import App
from ringback.clock import SystemClock
from ringback.config import read
from ringback.dialplan import Counts
from ringback.findings import dialplan_findings
from ringback.panel.health import Standing, Tone
from ringback.parts import House
from ringback.ports.changes import VOICE
from tests.conftest import NOON
from tests.dialplan.conftest import environment, line, read_reply, request

TOKEN = "a-token-of-forty-three-characters_012345678"
TOML = """
[business]
name = "Northlight"
zone = "America/New_York"
default_country = "US"
[web]
listen = "127.0.0.1:0"
[dialplan]
listen = "127.0.0.1:0"
fastagi = "127.0.0.1:{agi}"
[paths]
state = "state"
[[asterisk]]
name = "main"
port = 1
user = "ringback"
inbound_contexts = ["from-trunk"]
[carriers.main]
type = "loopback"
[numbers."+12025550101"]
carrier = "main"
"""
ASKED = "textable?call=1.1&from=%2B15125550123&did=%2B12025550101&pres=allowed"


def app_in(folder, **environ):
    (agi,) = free_ports(1)
    text = TOML.format(agi=agi)
    return App(read(text, folder / "ringback.toml", {"RINGBACK_ASTERISK__MAIN__SECRET": "x", **environ}), SystemClock())


def part(house):
    return next(one for one in house.parts.all() if one.name == "dialplan")


async def until(true):
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)


@pytest.fixture
async def live(tmp_path):
    """A daemon of our own loop; what it was started with is the test's."""
    running, before = [], gc.get_threshold()

    async def start(**environ):
        app = app_in(tmp_path, **environ)
        houses = []
        made = House.__init__

        def keep(self, *args):
            made(self, *args)
            houses.append(self)

        House.__init__ = keep
        try:
            task = asyncio.ensure_future(app.serve())
            running.append((app, task))
            await until(lambda: app.port or task.done())
        finally:
            House.__init__ = made
        return app, houses[0]

    yield start
    for app, task in running:
        app.stop.set()
        await task
    # a daemon tunes the collector for a process of its own
    gc.unfreeze()
    gc.set_threshold(*before)


async def test_without_a_secret_nothing_listens_and_health_says_how_to_get_one(live):
    app, house = await live()
    shown = part(house)
    assert (shown.standing, shown.fix) == (Standing.IDLE, "ringback init --dialplan")
    assert "secrets/dialplan.token" in str(shown.detail)
    assert (app.dialplan_port, app.agi_port) == (0, 0)


async def test_with_one_both_ways_are_answered(live):
    app, house = await live(RINGBACK_DIALPLAN__TOKEN=TOKEN)
    await until(lambda: app.dialplan_port and app.agi_port)
    assert part(house).standing is Standing.WORKS
    async with line(app.dialplan_port) as (reader, writer):
        writer.write(request(f"/{ASKED}", TOKEN))
        assert (await read_reply(reader)).body == b"rb|yes|."
        writer.write(request(f"/{ASKED}", "x" * 43))
        assert (await read_reply(reader)).status == 403
    async with line(app.agi_port) as (reader, writer):
        writer.write(environment(f"{ASKED}&token={TOKEN}"))
        assert await reader.readline() == b'SET VARIABLE RINGBACK_ANSWER "rb|yes|."\n'
        writer.write(b"200 result=1\n")
    status = await house.condition.status({})
    assert (status["dialplan_port"], status["agi_port"]) == (str(app.dialplan_port), str(app.agi_port))
    assert "1 question of the dialplan was refused" in status["health"]
    metrics = (await house.front._behind.metrics()).decode()
    assert 'ringback_dialplan_total{answer="yes",verb="textable"} 2.0' in metrics
    assert "ringback_dialplan_refused_total 1.0" in metrics
    assert "ringback_dialplan_seconds_count 2.0" in metrics


async def test_pages_hear_of_queues_before_anybody_saw_the_board(live):
    _app, house = await live()
    with house.database.changes.watch() as watch:
        watch.of(frozenset({VOICE}))
        for exchange in house.exchanges.values():
            exchange.on_live()
            exchange._changed()
        async with asyncio.timeout(5):
            await watch.wait()


def test_a_wrong_secret_is_a_finding_for_an_hour():
    (finding,) = dialplan_findings(Counts({}, 3, NOON), NOON + timedelta(minutes=59))
    assert (finding.tone, str(finding.what)) == (Tone.BAD, "3 questions of the dialplan were refused")
    assert dialplan_findings(Counts({}, 3, NOON), NOON + timedelta(hours=2)) == ()
    assert dialplan_findings(Counts({}), NOON) == ()

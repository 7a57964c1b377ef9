"""`/metrics`: its figures equal the rows that were written, and who may read them."""

import ast
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

from ringback.config.sections import MetricsFor
from ringback.core.expected_wait import Errors
from ringback.core.text_queues import VoiceName
from ringback.dialplan import Counts as DialplanCounts
from ringback.metrics import COUNTED, Metrics, Sources, waits_told
from ringback.panel.health import Health
from ringback.panel.metrics import MetricsPage
from ringback.ports.changes import Counted
from ringback.pulse import BOUNDS, Pulse
from ringback.store.tally import Spread
from tests.flow.world import World, a_call, life_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "running.md").read_text("utf-8")


def sources(database):
    return Sources(
        database=database,
        pulse=Pulse(lambda _late: None),
        lags=Spread(BOUNDS),
        lanes={},
        feeds=dict,
        hooks=dict,
        tasks=dict,
        health=lambda: Health(False, ()),
        epoch=lambda: 1,
        dialplan=lambda: DialplanCounts({("offer", "no"): 2}, 1),
        dialplan_took=Spread((0.001, 0.01)),
        waits=lambda: {VoiceName("main", "sales"): Errors(count=12, off=31.5, bias=-4.0, hold=90.0)},
    )


async def samples(database):
    """Every sample by its name, as {labels: value}."""
    text = (await Metrics(sources(database)).render()).decode()
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


async def rows(database, query):
    return await database.read(lambda connection: [tuple(row) for row in connection.exec_driver_sql(query)])


def by(**labels):
    return tuple(sorted(labels.items()))


async def test_figures_equal_the_rows(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        await world.happens(*life_of(a_call("1.1")))
        await world.happens(*life_of(a_call("1.2")))  # the cool-down refuses it
        await world.says("STOP")
        await world.says("hello")
        found = await samples(store)
    moves = await rows(
        store,
        """SELECT e.state, m.carrier, coalesce(e.reason, ''), count(*) FROM message_event e
        JOIN message m ON m.id = e.message_id GROUP BY 1, 2, 3""",
    )
    assert moves
    shown = found["ringback_text_moves_total"]
    assert shown == {by(state=state, carrier=carrier, reason=why): n for state, carrier, why, n in moves}
    calls = await rows(store, "SELECT pbx, outcome, decision, reason, count(*) FROM call GROUP BY 1, 2, 3, 4")
    assert found["ringback_calls_total"] == {
        by(pbx=pbx, outcome=outcome, decision=decision, reason=why): n for pbx, outcome, decision, why, n in calls
    }
    came = await rows(store, "SELECT carrier, count(*) FROM inbound_raw GROUP BY 1")
    assert found["ringback_inbound_total"] == {by(carrier=carrier, what="new"): n for carrier, n in came}
    tries = await rows(store, "SELECT carrier, outcome, count(*) FROM attempt GROUP BY 1, 2")
    for carrier, outcome, n in tries:
        assert found["ringback_attempts_total"][by(carrier=carrier, outcome=outcome)] == n
    opened = found["ringback_attempts_total"][by(carrier="main", outcome="opened")]
    assert opened == sum(n for _, _, n in tries)


class Broken(Exception):
    pass


def counts(word, tx):
    tx.inbound.journal("main", word, "", b"x", tx_now)


def counts_and_fails(word, tx):
    counts(word, tx)
    raise Broken


async def test_what_was_undone_is_not_counted(store, clock):
    global tx_now
    tx_now = clock.now()
    alone = await store.commit_all([partial(counts_and_fails, "alone")])
    together = await store.commit_all([partial(counts, "a"), partial(counts_and_fails, "b"), partial(counts, "c")])
    assert [isinstance(one, Broken) for one in (*alone, *together)] == [True, False, True, False]
    assert store.tally.counts() == {Counted("inbound", ("main", "new")): 2}


async def test_nothing_is_counted_of_a_transaction_that_fails_as_a_whole(store, clock, monkeypatch):
    global tx_now
    tx_now = clock.now()

    def fails(tx):
        connection = tx._run._driver._connection
        connection.execute("ROLLBACK")  # the transaction is gone under our feet
        counts("gone", tx)

    await store.commit_all([partial(counts, "first"), fails, partial(counts, "last")])
    counted = sum(store.tally.counts().values())
    ((kept,),) = await rows(store, "SELECT count(*) FROM inbound_raw")
    # what was written outside any transaction stands; nothing is counted that is not there
    assert counted <= kept


def counted_in_the_source():
    """Every first argument of a `.count(...)` on a Runner in the store."""
    for file in (ROOT / "plugin/ringback/store").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != "count":
                continue
            owner = ast.unparse(node.func.value)
            if owner in ("run", "self._run") and isinstance(node.args[0], ast.Constant):
                yield node.args[0].value


def test_all_that_is_counted_is_shown_and_nothing_else():
    assert set(counted_in_the_source()) == set(COUNTED)


async def test_every_figure_has_its_row_on_the_page(store):
    text = (await Metrics(sources(store)).render()).decode()
    names = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    missing = sorted(name for name in names if f"| `{name}` |" not in PAGE)
    assert missing == []


HERE = {"Host": "127.0.0.1"}


@pytest.mark.parametrize(
    ("allowed", "headers", "status"),
    [
        pytest.param(MetricsFor.LOCAL, HERE, 200, id="a program on this machine"),
        pytest.param(MetricsFor.LOCAL, {"Host": "texts.example.com"}, 403, id="by our public name"),
        pytest.param(MetricsFor.LOCAL, {**HERE, "X-Forwarded-For": "203.0.113.9"}, 403, id="through a proxy"),
        pytest.param(MetricsFor.OPEN, {"Host": "texts.example.com"}, 200, id="open to all"),
        pytest.param(MetricsFor.OFF, HERE, 403, id="switched off"),
    ],
)
async def test_who_may_read(allowed, headers, status):
    from aiohttp.test_utils import TestClient, TestServer

    async def render():
        return b"ringback_ready 1.0\n"

    app = web.Application()
    app.add_routes(MetricsPage(render, allowed).routes())
    async with TestClient(TestServer(app)) as client, client.get("/metrics", headers=headers) as answer:
        assert answer.status == status
        assert ("ringback_ready" in await answer.text()) == (status == 200)


def test_a_spread_counts_what_is_up_to_each_bound():
    spread = Spread((1, 10))
    for value in (0.5, 1, 2, 10, 11):
        spread.add(value)
    assert spread.up_to() == [("1", 2), ("10", 4), ("+Inf", 5)]
    assert spread.total == 24.5


async def test_how_far_expected_waits_were_off(store):
    found = await samples(store)
    sales = by(pbx="main", queue="sales")
    assert found["ringback_expected_wait_error_seconds"] == {sales: 31.5}
    assert found["ringback_expected_wait_bias_seconds"] == {sales: -4.0}
    assert found["ringback_expected_wait_hold_error_seconds"] == {sales: 90.0}
    assert found["ringback_expected_wait_compared"] == {sales: 12}
    assert waits_told(sources(store).waits()) == {"main/sales": "off by 32 s, Asterisk's average by 90 s (12 compared)"}

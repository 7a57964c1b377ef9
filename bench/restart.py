"""A start with a hundred thousand texts waiting: how soon a program is answered, and every lane sends again.

Two carriers have half each. What is asked for meanwhile over the API goes before what waits only by its lane.
"""

import json
import sqlite3
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

from bench import stream
from bench.daemon import Daemon, free_port, loopback
from bench.figures import Figures, Goal, What
from bench.gateways import new_key
from bench.process import Stalled, wait_for
from bench.stage import open_pbx

WAITING = 100_000
TAKEN_WITHIN = 60.0
CARRIERS = ("main", "spare")
SPARE = """
[carriers.spare]
type = "loopback"
window = 100
[numbers."+12025550199"]
carrier = "spare"
"""
FILL = (
    "INSERT OR IGNORE INTO number (e164) VALUES ('{did}'), ('+12025550199')",
    """INSERT INTO thread (id, public_id, number_id, peer, created_at, changed_at) {few}
    SELECT n, 'thr_' || printf('%026d', n), (SELECT id FROM number WHERE e164 = iif(n % 2, '{did}', '+12025550199')),
    '+1512' || printf('%07d', n + 2000000), {now}, {now} FROM few""",
    """INSERT INTO message (id, public_id, thread_id, carrier, class_, basis, language, cause, body, segments, state,
    not_before, created_at, state_at, expires_at, tries, urgency, reference) {few}
    SELECT n, 'msg_' || printf('%026d', n), n, iif(n % 2, 'main', 'spare'), 'transactional', 'none', 'en', 'key bench',
    'Hello, your order ' || n || ' is ready.', 1, 'queued', {now}, {now}, {now}, {now} + 14400000000, 0, 3, ''
    FROM few""",
    "INSERT INTO part (id, message_id, body, state) {few} SELECT n, n, '', 'queued' FROM few",
)

ANSWERED = What("restart", "a program is answered", "s")
READY = What("restart", "ready", "s")
LANES = What("restart", "every lane sends", "s")
ALL_GONE = What("restart", "texts sent", "/s", more=True)


def measure(figures: Figures, rounds: int) -> None:
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="ringback-bench-") as name:
            _restart(figures, Path(name))


def _restart(figures: Figures, folder: Path) -> None:
    state, more = folder / "state", f'[hooks]\nlisten = "127.0.0.1:{free_port()}"\n{SPARE}'
    with open_pbx(folder) as pbx:
        port = int(pbx.line())
        with Daemon(state, port, loopback(100), more=more) as daemon:
            key = new_key(state)
        _fill(state / "ringback.db")
        begun = time.monotonic()
        with Daemon(state, port, loopback(100), keep=True, more=more) as daemon:
            figures.add(READY, "Ringback", daemon.ready_after)
            _ask(daemon.port, key)
            figures.add(ANSWERED, "Ringback", time.monotonic() - begun, Goal("O2", 1.0))
            for carrier in CARRIERS:
                wait_for(lambda carrier=carrier: daemon.rows(f"carrier = '{carrier}' AND tries > 0"), 1, "texts sent")
            figures.add(LANES, "Ringback", time.monotonic() - begun, Goal("O2", 10.0))
            before, at = daemon.handed(), time.monotonic()
            wait_for(lambda: daemon.handed() - before, 5_000, "texts at the carriers", every=0.05)
            figures.add(ALL_GONE, "Ringback", (daemon.handed() - before) / (time.monotonic() - at))


def _fill(path: Path) -> None:
    few = f"WITH RECURSIVE few(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM few WHERE n < {WAITING})"
    with closing(sqlite3.connect(path)) as database:
        for statement in FILL:
            database.execute(statement.format(few=few, did=stream.DIDS[0], now=time.time_ns() // 1000))
        database.commit()


def _ask(port: int, key: str) -> None:
    """Ask for a text until it is taken."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    body = json.dumps({"from": stream.DIDS[0], "to": "+15129990000", "text": "Your table is free."}).encode()
    end = time.monotonic() + TAKEN_WITHIN
    while time.monotonic() < end:
        try:
            asked = urllib.request.Request(f"http://127.0.0.1:{port}/v1/messages", body, headers)
            with urllib.request.urlopen(asked, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.01)
    raise Stalled("the API does not take a text")

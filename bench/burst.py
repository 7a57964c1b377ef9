"""Many overlapping calls in queues of a real Asterisk, half of which go on by text, over the dialplan we ship.

The daemon is the real one. No text is lost and none doubled, and its loop goes on meanwhile.
"""

import asyncio
import json
import shutil
import socket
import subprocess
import tempfile
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from bench.figures import Figures, Goal, What, quantile
from lab.asterisk import Asterisk
from lab.ready import free_ports
from lab.sipp import SCENARIOS
from ringback import control
from ringback.clock import SystemClock
from ringback.core.text_queues import Note, Offering, VoiceName
from ringback.ports.storage import Tx
from ringback.store.database import Database
from ringback.store.moments import moment_of
from ringback.store.schema import migrate
from tests.stories.daemon import BASE, Daemon, running

LINES = range(64, 72)
"""Lines of the lab that offer deflection and then queue: lab/README.md."""
RATE = 100
"""Calls that begin in a second."""
PATIENCE_S = 90.0
OPENING = "{{ business }}: we go on by text now. STOP to end"
YES, NO = "1", "2"
BOUNDS = "ringback_loop_lag_seconds_bucket"


@dataclass(frozen=True, slots=True)
class Caller:
    number: str
    did: str
    key: str
    """What they press when they are asked."""


def callers(count: int) -> list[Caller]:
    """Every second one goes on by text; the others stay in the queue."""
    lines = len(LINES)
    return [
        Caller(
            f"+1{512 + place // 100}55501{place % 100:02}",
            f"+121255501{LINES[place // 2 % lines]}",
            YES if place % 2 else NO,
        )
        for place in range(count)
    ]


@dataclass(frozen=True, slots=True)
class Lags:
    """How late the daemon's loop came to its work, as /metrics counts it: the bounds, and how many were below each."""

    below: tuple[tuple[float, int], ...]
    stalls: int

    def since(self, before: "Lags") -> "Lags":
        below = ((bound, n - m) for (bound, n), (_bound, m) in zip(self.below, before.below, strict=True))
        return Lags(tuple(below), self.stalls - before.stalls)

    def and_(self, other: "Lags") -> "Lags":
        """Both together."""
        below = ((bound, n + m) for (bound, n), (_bound, m) in zip(self.below, other.below, strict=True))
        return Lags(tuple(below), self.stalls + other.stalls)

    @property
    def beats(self) -> int:
        return self.below[-1][1]

    def quantile(self, part: float) -> float:
        """The bound under which this part of them lies."""
        return next(bound for bound, count in self.below if count >= part * self.beats)


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of a burst. `chose` are who pressed the key for a text and were heard, `let_go` those of them whose
    session waits for an agent, `texts` how many each handset got. `waits_s` is from the key to the text at the carrier;
    `lags` is how late the daemon's loop came to its work meanwhile."""

    calls: int
    overlapping: int
    chose: frozenset[str]
    let_go: frozenset[str]
    texts: Counter[str]
    waits_s: tuple[float, ...]
    lags: Lags

    @property
    def lost(self) -> frozenset[str]:
        return frozenset(one for one in self.chose if not self.texts[one])

    @property
    def doubled(self) -> frozenset[str]:
        return frozenset(one for one, count in self.texts.items() if count > 1)

    @property
    def unasked(self) -> frozenset[str]:
        """Who got a text and did not ask for one."""
        return frozenset(self.texts) - self.chose


@contextmanager
def daemon_for(folder: Path, asterisk: Asterisk) -> Iterator[Daemon]:
    """The daemon with one text queue for all these lines, which offers to everybody."""
    numbers = "\n".join(f'[numbers."+121255501{line}"]\ncarrier = "main"' for line in LINES)
    pbx = f'[[asterisk]]\nname = "main"\nport = {asterisk.ami_port}\nuser = "{asterisk.account.user}"\n'
    settings = f'{BASE}\n{numbers}\n{pbx}inbound_contexts = ["from-trunk"]\n[dialplan]\nlisten = "127.0.0.1:0"\n'
    daemon = Daemon(folder, settings, {"main": asterisk.account.secret})
    secrets = folder / "secrets"
    secrets.mkdir()
    token = secrets / "dialplan.token"
    token.touch(0o600)
    token.write_text(asterisk.token)
    asyncio.run(_prepare(daemon.state))
    with running(daemon):
        asyncio.run(daemon.until(ready=True))
        yield daemon


async def _prepare(state: Path) -> None:
    """Map the lab's queues to our main queue, before the daemon runs."""
    state.mkdir(parents=True, exist_ok=True)
    url = f"sqlite:///{state / 'ringback.db'}"
    migrate(url)
    database = Database(url, SystemClock())
    await database.open()
    try:
        await database.commit(_map)
    finally:
        await database.close()


def _map(tx: Tx) -> None:
    now, main = SystemClock().now(), tx.queues.all().main
    tx.queues.put_voice(main, [VoiceName("main", f"text{line}") for line in LINES], now)
    plan = replace(main.plan, offering=Offering(agents=0), notes={Note.OPENING: {"en": OPENING}})
    tx.queues.change(main, plan, now)


async def listening(daemon: Daemon) -> control.Words:
    """What `ringback status` says once the dialplan can ask; that begins a moment after it is ready."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            status = await control.ask(daemon.state, "status")
            if status is not None and status["dialplan_port"] != "0":
                return status
            await asyncio.sleep(0.02)


async def play(asterisk: Asterisk, daemon: Daemon, people: Sequence[Caller]) -> Seen:
    """Have all of them call, and wait until every text has arrived."""
    status = await listening(daemon)
    async with asterisk.opened() as pbx:
        await pbx.asks(f"http://127.0.0.1:{status['dialplan_port']}")
        before = _lags(int(status["port"]))
        most = await _call(pbx.server, people)
        await daemon.become(lambda: daemon.rows("SELECT count(*) FROM message WHERE state <> 'delivered'"), [(0,)])
        return _read(daemon, len(people), most, before, _lags(int(status["port"])))


async def _call(server: tuple[str, int], people: Sequence[Caller]) -> int:
    """Run SIPp, and return how many calls were up at once."""
    signals, audio = free_ports(socket.SOCK_DGRAM, socket.SOCK_DGRAM)
    with tempfile.TemporaryDirectory() as folder:
        names = ("people.csv", "said.csv", "choose.xml", "faults.log")
        table, said, scenario, faults = (Path(folder, name) for name in names)
        rows = "\n".join(f"{one.did};{one.number};{one.key}" for one in people)
        table.write_text(f"SEQUENTIAL\n{rows}\n")
        # who stays in the queue stays until all have called
        stays = str(9_000 + 1_000 * len(people) // RATE)
        scenario.write_text((SCENARIOS / "choose.xml").read_text().replace("9000", stays))
        process = await asyncio.create_subprocess_exec(
            *("sipp", "{}:{}".format(*server), "-sf", str(scenario), "-inf", str(table)),
            *("-m", str(len(people)), "-l", str(len(people)), "-r", str(RATE), "-i", "127.0.0.1"),
            *("-p", str(signals), "-mi", "127.0.0.1", "-mp", str(audio), "-nostdin", "-timeout", str(int(PATIENCE_S))),
            *("-cid_str", f"%u-%p-{signals}@carrier", "-trace_stat", "-stf", str(said), "-fd", "1"),
            *("-trace_err", "-error_file", str(faults)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        async with asyncio.timeout(PATIENCE_S + 10):
            out, _ = await process.communicate()
        if process.returncode:
            lines = faults.read_text().replace("2026-", "\n2026-").splitlines() if faults.exists() else []
            why = "\n".join(line for line in lines if "jumping" not in line) or out.decode("utf-8", "replace")
            raise RuntimeError(f"SIPp: not all calls went as written\n{why[:3000]}")
        return _most_at_once(said)


def _most_at_once(said: Path) -> int:
    names, *lines = [line.split(";") for line in said.read_text().splitlines()]
    return max(int(line[names.index("CurrentCall")]) for line in lines)


def _read(daemon: Daemon, calls: int, most: int, before: Lags, after: Lags) -> Seen:
    offers = "SELECT peer, answered_at, session FROM call_offer WHERE answer = 'yes'"
    chosen = {str(peer): int(str(at)) for peer, at, _session in daemon.rows(offers)}
    let_go = "SELECT o.peer FROM call_offer o JOIN session s ON s.public_id = o.session WHERE s.state = 'queued'"
    handset = daemon.state / "handset.jsonl"
    lines = [json.loads(line) for line in handset.read_text().splitlines()] if handset.exists() else []
    texts = [(line["to"], datetime.fromisoformat(line["at"])) for line in lines if line["kind"] == "text"]
    return Seen(
        calls,
        most,
        frozenset(chosen),
        frozenset(str(peer) for (peer,) in daemon.rows(let_go)),
        Counter(peer for peer, _at in texts),
        tuple((at - moment_of(chosen[peer])).total_seconds() for peer, at in texts if peer in chosen),
        after.since(before),
    )


def _lags(port: int) -> Lags:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    below = [line.split('le="')[1].split('"} ') for line in lines if line.startswith(BOUNDS)]
    stalls = next(line for line in lines if line.startswith("ringback_loop_stalls_total"))
    return Lags(tuple((float(bound), int(float(n))) for bound, n in below), int(float(stalls.split()[-1])))


def measure(figures: Figures, rounds: int, count: int = 200) -> None:
    """The burst, each round on a new daemon and a new Asterisk. The loop is looked at some 200 times a round, so only
    several rounds tell of one in a thousand."""
    if not shutil.which("sipp"):
        figures.notes.append("burst was not played: sipp is missing (apt-get install sip-tester)")
        return
    name, lags = f"{count} calls in queues", None
    for _ in range(rounds):
        with (
            tempfile.TemporaryDirectory() as folder,
            Asterisk.running() as asterisk,
            daemon_for(Path(folder), asterisk) as daemon,
        ):
            seen = asyncio.run(play(asterisk, daemon, callers(count)))
        tell(figures, name, seen)
        lags = seen.lags if lags is None else lags.and_(seen.lags)
    if lags is not None:
        figures.add(What("burst", "loop late, p99.9 below", "ms"), name, 1e3 * lags.quantile(0.999), Goal("issue", 50))
        figures.add(What("burst", "loop late, longest below", "ms"), name, 1e3 * lags.quantile(1.0), Goal("issue", 200))
        figures.add(What("burst", "looks at the loop", ""), name, lags.beats)


def tell(figures: Figures, name: str, seen: Seen) -> None:
    rows = (
        ("calls up at once", "", seen.overlapping, None),
        ("went on by text", "", len(seen.chose), None),
        ("texts lost", "", len(seen.lost), Goal("issue", 0)),
        ("texts doubled", "", len(seen.doubled) + len(seen.unasked), Goal("issue", 0)),
        ("key to text at the carrier, p50", "ms", 1e3 * quantile(seen.waits_s, 0.5), None),
        ("key to text at the carrier, p99", "ms", 1e3 * quantile(seen.waits_s, 0.99), None),
    )
    for what, unit, value, goal in rows:
        figures.add(What("burst", what, unit), name, value, goal)

"""How far expected waits are off: in shops played in no time, and in a queue of a real Asterisk with the real daemon.

Beside ours stands Asterisk's own rule, QUEUEHOLDTIME: the running average of those who were served.
"""

import asyncio
import random
import tempfile
import urllib.request
from dataclasses import dataclass, field
from math import log
from pathlib import Path

from bench.burst import listening
from bench.figures import Figures, What
from bench.queueing import Error, Said, error, table
from lab.ami import Ami, Message
from lab.asterisk import Asterisk
from tests.stories.daemon import BASE, Daemon, running

LINE = "+12025550163"
QUEUE = "simulated"
"""A queue of the lab whose members come by QueueAdd."""
AGENTS = 3
MEAN_S, SIGMA = 4.0, 0.6
LOAD = 1.0
HANDOVER_S = 0.6
WARM_UP = 20
STRAGGLERS_S = 120.0


def measure(figures: Figures, callers: int, live: int) -> None:
    """All shops with so many callers each, then so many calls on the lab; none with 0."""
    for name, found in table(callers):
        tell(figures, name, found)
    if live:
        tell(figures, f"lab, {AGENTS} agents, {live} calls", in_the_lab(live))


def tell(figures: Figures, name: str, found: Error) -> None:
    figures.add(What("ewt", name, "s"), "Ringback", found.ours)
    figures.add(What("ewt", name, "s"), "peer QUEUEHOLDTIME", found.hold)
    figures.notes.append(
        f"ewt, {name}: {found.callers} callers waited {found.wait:.1f} s; ours is too long by {found.bias:+.1f} s;"
        f" the mean wait for everybody is off by {found.likely:.1f} s"
    )


def in_the_lab(calls: int) -> Error:
    """Local channels call a queue with Local members; the daemon says how long each will wait."""
    with tempfile.TemporaryDirectory() as folder, Asterisk.running() as asterisk:
        daemon = Daemon(Path(folder), _settings(asterisk), {"main": asterisk.account.secret})
        token = Path(folder, "secrets", "dialplan.token")
        token.parent.mkdir()
        token.touch(0o600)
        token.write_text(asterisk.token)
        with running(daemon):
            asyncio.run(daemon.until(ready=True))
            return asyncio.run(_play(asterisk, daemon, calls))


def _settings(asterisk: Asterisk) -> str:
    pbx = f'[[asterisk]]\nname = "main"\nport = {asterisk.ami_port}\nuser = "{asterisk.account.user}"\n'
    number = f'[numbers."{LINE}"]\ncarrier = "main"\n'
    return f'{BASE}\n{number}{pbx}inbound_contexts = ["from-trunk"]\n[dialplan]\nlisten = "127.0.0.1:0"\n'


async def _play(asterisk: Asterisk, daemon: Daemon, calls: int) -> Error:
    status = await listening(daemon)
    dice = random.Random(6)
    async with asterisk.opened() as pbx:
        await pbx.rings_for(600)
        ami = await pbx.ami()
        spans = "-".join(f"{dice.lognormvariate(log(MEAN_S) - SIGMA**2 / 2, SIGMA):.2f}" for _ in range(40))
        await ami.action("Setvar", Variable="SPANS", Value=spans)
        for agent in range(1, AGENTS + 1):
            await ami.action("QueueAdd", Queue=QUEUE, Interface=f"Local/serve-{agent}@simulated")
        asked = Asked(f"http://127.0.0.1:{status['dialplan_port']}", asterisk.token)
        for number in range(calls):
            await asked.says(number)
            await _calls(ami, number)
            await asyncio.sleep(dice.expovariate(LOAD * AGENTS / (MEAN_S + HANDOVER_S)))
        last = {"Event": "AgentConnect", "CallerIDNum": _number(calls - 1)}
        await ami.wait_for(lambda event: event.fits(last), "the last call", patience=STRAGGLERS_S)
        return error(_compare(asked, ami.events, calls)[WARM_UP:])


def _number(number: int) -> str:
    return f"+1512555{number:04}"


async def _calls(ami: Ami, number: int) -> None:
    await ami.action(
        "Originate",
        Channel=f"Local/{LINE}@from-trunk",
        Context="simulated",
        Exten="caller-600",
        Priority="1",
        CallerID=_number(number),
        Async="true",
    )


@dataclass(slots=True)
class Asked:
    """What the daemon said before each call, in seconds; nothing where it did not know."""

    url: str
    token: str
    said: dict[int, float] = field(default_factory=dict)

    async def says(self, number: int) -> None:
        request = urllib.request.Request(
            f"{self.url}/wait?call=bench.{number}&queue={QUEUE}", headers={"X-Ringback-Token": self.token}
        )
        answer = await asyncio.to_thread(lambda: urllib.request.urlopen(request, timeout=2).read().decode())
        _rb, word, seconds, *_more = answer.strip().split("|")
        if word == "ok":
            self.said[number] = float(seconds)


def _compare(asked: Asked, events: list[Message], calls: int) -> list[Said]:
    """Put what was said beside what came, by Asterisk's own time stamps and its own rule."""
    numbers = {_number(number): number for number in range(calls)}
    joined: dict[int, tuple[float, int]] = {}
    found: list[Said] = []
    hold = 0
    for event in events:
        number = numbers.get(event.get("CallerIDNum", ""))
        if number is None or event.get("Queue") != QUEUE:
            continue
        at = float(event["Timestamp"])
        if event["Event"] == "QueueCallerJoin":
            joined[number] = (at, hold)
        elif event["Event"] == "AgentConnect":
            # app_queue.c, recalc_holdtime
            hold = (hold * 3 + int(event["HoldTime"])) >> 2
            if number in asked.said and number in joined:
                since, then = joined[number]
                found.append(Said(since, asked.said[number], then, at - since))
    return found

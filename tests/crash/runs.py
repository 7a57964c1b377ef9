"""One run from end to end: a house, a drill, its findings."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.crash.checker import MARGIN_US, STEP_US, Finding, check
from tests.crash.drills import ANY_TIME, CLOCK, drill, set_clock
from tests.crash.house import PATIENCE, House, house
from tests.crash.ledgers import Ledgers
from tests.crash.report import render, tally
from tests.crash.wire import wire
from tests.postgres import Cluster

LOOKED_AT = 5


@dataclass(frozen=True, slots=True)
class Run:
    """What a run came to."""

    findings: tuple[Finding, ...]
    report: str
    numbers: dict[str, int]
    early: tuple[str, ...]
    """Texts that were given up before their time, by the clock that was used for both."""


def given_up_early(led: Ledgers) -> Iterator[str]:
    for row in led.rows("message_event"):
        message = led.message_of[row["message_id"]]
        if row["state"] == "expired" and int(str(row["at"])) < int(str(message["expires_at"])) - MARGIN_US - STEP_US:
            yield str(message["public_id"])


async def look_at_some(made: House) -> None:
    """Let both programs and a stranger ask for some texts of the one."""
    assert made.programs is not None
    told = [json.loads(line) for line in (made.folder / "asked.jsonl").read_text().splitlines()]
    async with asyncio.timeout(PATIENCE):
        for line in [line for line in told if line["kind"] == "api"][:LOOKED_AT]:
            await made.programs.look(line["id"], line["to"])


async def run(
    folder: Path,
    kind: str,
    url: str,
    seed: int,
    texts: int,
    acts: Sequence[str],
    cluster: Cluster | None = None,
    cut: float = 0.0,
    package: Path | None = None,
    within: float = ANY_TIME,
) -> Run:
    """Do it. `cut` is how many of the connections to the carrier break somewhere."""
    async with house(folder, kind, url, seed, package) as made:
        if "clock" in acts:
            set_clock(folder / CLOCK, 0)
            made.environ["CRASH_CLOCK"] = str(folder / CLOCK)
        if cut:
            async with wire(made.far_port, seed, cut, made.faults) as between:
                made.write_settings(between.port)
                await drill(made, texts, acts, cluster, within)
                await look_at_some(made)
                await made.stops()
        else:
            await drill(made, texts, acts, cluster, within)
            await look_at_some(made)
        ledgers = made.ledgers()
        findings = check(ledgers)
        return Run(tuple(findings), render(ledgers, findings), tally(ledgers), tuple(given_up_early(ledgers)))

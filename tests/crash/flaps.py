"""R26 on the whole daemon: a carrier that fails and comes back, again and again, with another one to fall back on."""

import asyncio
import itertools
import time
from contextlib import suppress
from pathlib import Path

from tests.crash.checker import check
from tests.crash.house import NUMBERS, House, house
from tests.crash.ledgers import SPARE, Count
from tests.crash.part import Asked, Outcome, said

DOWN = {"lost": 0.01, "away": 0.99}
"""While it is down it takes a few and says that it failed: those may never go by the other one. More of them, and
the alarm would hold it back."""
EVERY_S = 0.05
DETOUR_S, AGAIN_S = 5.0, 20.0
SLACK_S = 1.0
"""The figures are of the daemon; the machine may do other things too."""
LONG_EVERY, LONG_S, PROBE_S = 10, 11.0, 5.0


async def work(made: House) -> None:
    """Twenty texts a second, each to somebody new."""
    assert made.programs is not None
    async with asyncio.TaskGroup() as group:
        for number in itertools.count():
            to = f"+1512{3_000_000 + number:07}"
            group.create_task(made.programs.send(f"flap-{number}", NUMBERS[number % 10], to, f"order {number}"))
            await asyncio.sleep(EVERY_S)


async def flap(made: House, spare: Count, number: int, outcome: Outcome) -> float:
    """Down until texts go the other way, and up until they come again. Returns how long the detour took."""
    main = made._arrived
    went, begun = spare(), time.monotonic()
    await made.tell("odds", DOWN)
    await made.until(lambda: spare() > went, "texts go by the other carrier", 60, 0.01)
    took = time.monotonic() - begun
    if number % LONG_EVERY == 0:
        # what left before it was known to be down is over by now
        asked, since = main(), time.monotonic()
        await asyncio.sleep(LONG_S)
        probes, most = main() - asked, (time.monotonic() - since) / PROBE_S + 1
        if probes > most:
            outcome.broken.append(f"flap {number}: {probes} texts tried a carrier that is down, at most {most:.1f}")
    came = main()
    await made.tell("odds", {})
    await made.until(lambda: main() >= came + 3, "the carrier gets texts again", AGAIN_S, 0.01)
    return took


async def flaps(asked: Asked, folder: Path) -> Outcome:
    """A hundred times down and up. No text arrives by both carriers, and none in doubt goes another way."""
    outcome, detours = Outcome(), []
    async with house(folder / "run", "http", "", asked.seed) as made:
        await made.add_spare()
        spare = Count(made.folder / SPARE / "carrier.jsonl")
        await made.start()
        working = asyncio.ensure_future(work(made))
        try:
            await made.until(lambda: made.arrived > 5, "the first texts arrive")
            for number in range(asked.many(100, 2)):
                detours.append(await flap(made, spare, number, outcome))
        finally:
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working
        await made.settles(120)
        ledgers = made.ledgers()
    late = sum(took > DETOUR_S + SLACK_S for took in detours)
    if late:
        outcome.broken.append(f"{late} detours took longer than {DETOUR_S:.0f} s")
    outcome.broken += said(check(ledgers))
    twice = sum(len(lines) > 1 for lines in ledgers.taken.values())
    outcome.numbers = {
        "flaps": len(detours),
        "messages": len(ledgers.rows("message")),
        "by the other carrier": spare(),
        "twice": twice,
        "longest detour, s": round(max(detours), 2),
        "in doubt now": sum(row["state"] == "unconfirmed" for row in ledgers.rows("message")),
    }
    return outcome

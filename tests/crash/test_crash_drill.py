"""The drill itself ends, whatever becomes of the daemon: what hangs would never fail."""

import asyncio
from dataclasses import dataclass

import pytest

from tests.crash.drills import ends, kill
from tests.crash.house import Stuck


@dataclass
class Still:
    """A house in which nothing happens."""

    running: bool
    arrived: int = 0
    asks: int = 0

    def log(self) -> str:
        return ""


@pytest.mark.parametrize(
    ("running", "said"),
    [pytest.param(False, "ended by itself", id="it died"), pytest.param(True, "nothing happens", id="it hangs")],
)
async def test_crash_drill_ends_when_nobody_is_answered_any_more(running: bool, said: str) -> None:
    asking = asyncio.ensure_future(asyncio.Event().wait())
    with pytest.raises(Stuck, match=said):
        await ends(Still(running), asking, within=0)
    asking.cancel()


async def test_crash_drill_passes_on_what_became_of_the_asking() -> None:
    async def fail() -> None:
        raise ValueError("no answer")

    with pytest.raises(ValueError, match="no answer"):
        await ends(Still(True), asyncio.ensure_future(fail()))


async def test_crash_of_a_daemon_that_ended_by_itself_is_not_counted_as_a_kill() -> None:
    with pytest.raises(Stuck, match="before it was killed"):
        await kill(Still(False), None)

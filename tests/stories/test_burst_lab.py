"""Many calls in queues at once, half of which go on by text: every text arrives once, and nobody else gets one."""

import asyncio
from pathlib import Path

import pytest

from bench.burst import YES, Caller, Seen, callers, daemon_for, play
from lab.asterisk import Asterisk

CALLS = 60


@pytest.fixture(scope="module")
def people() -> list[Caller]:
    return callers(CALLS)


@pytest.fixture(scope="module")
def seen(people: list[Caller], tmp_path_factory: pytest.TempPathFactory) -> Seen:
    folder: Path = tmp_path_factory.mktemp("burst")
    with Asterisk.running() as asterisk, daemon_for(folder, asterisk) as daemon:
        return asyncio.run(play(asterisk, daemon, people))


def test_the_calls_of_a_burst_overlap_lab(seen: Seen):
    assert seen.overlapping > CALLS / 2


def test_whoever_pressed_the_key_goes_on_by_text_lab(people: list[Caller], seen: Seen):
    """On a machine that has no time at all some are not asked, since no answer comes in time: their calls go on."""
    pressed = {one.number for one in people if one.key == YES}
    assert seen.let_go <= seen.chose <= pressed
    assert len(seen.chose) >= len(pressed) / 6


def test_no_text_is_lost_or_doubled_lab(seen: Seen):
    assert (seen.lost, seen.doubled, seen.unasked) == (frozenset(), frozenset(), frozenset())
    assert seen.texts.total() == len(seen.chose)

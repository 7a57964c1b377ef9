"""Twilio on loopback, and our carrier that talks to it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ringback.carriers.twilio import Twilio
from tests.carriers.twilio_parts import DID, made
from tests.fakes.hand_clock import HandClock
from tests.fakes.twilio import FakeTwilio, fake_twilio


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def line(clock: HandClock) -> AsyncIterator[FakeTwilio]:
    async with fake_twilio(clock, DID) as running:
        yield running


@pytest.fixture
async def carrier(line: FakeTwilio, tmp_path: Path) -> AsyncIterator[Twilio]:
    carrier = made(line, tmp_path)
    yield carrier
    await carrier.close()

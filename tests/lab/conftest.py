"""One real Asterisk for all tests of a session; phones, callers and logins of each test's own."""

from collections.abc import AsyncIterator, Iterator

import pytest

from lab.ami import Ami
from lab.asterisk import Asterisk
from lab.pbx import Pbx


@pytest.fixture(scope="session")
def asterisk() -> Iterator[Asterisk]:
    """The running exchange. Tests that stop or restart it start one of their own."""
    with Asterisk.running() as running:
        yield running


@pytest.fixture
async def pbx(asterisk: Asterisk) -> AsyncIterator[Pbx]:
    """What a test uses of it: `pbx.phone("101")`, `pbx.caller("+1...")`; closed with the test."""
    async with asterisk.opened() as pbx:
        yield pbx


@pytest.fixture
async def ami(pbx: Pbx) -> Ami:
    """A login that sees everything, from before the test's first call."""
    return await pbx.ami()


@pytest.fixture
async def ringback(pbx: Pbx, asterisk: Asterisk) -> Ami:
    """A login with the account we ship."""
    return await pbx.login(asterisk.account)

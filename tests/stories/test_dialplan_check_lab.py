"""`ringback dialplan check` beside a real Asterisk: what it finds in the lab's own dialplan and in one with faults."""

import asyncio
from collections.abc import Iterator

import pytest

from lab.asterisk import Asterisk
from tests.stories.daemon import Daemon, running
from tests.stories.texting_house import daemon_of, dialplan_port

FORGOTTEN = "_+12[01]25550134 does not call ringback-call"
"""The lab has one line on purpose that does not."""
FAULTS = """
[faults]
exten => 1,1,Gosub(ringback-wait-text,s,1(support))
 same => n,Queue(support,tT,,,300)
exten => 2,1,Gosub(ringback-defect,s,1(support))
exten => 3,1,Gosub(ringback-send,s,1(Hello, you))
exten => 4,1,Gosub(ringback-deflect,s,1(support))
 same => n,Queue(support,tT,,,300,,,,,${RINGBACK_POSITION})
"""


@pytest.fixture
def daemon(asterisk: Asterisk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    daemon = daemon_of(tmp_path_factory.mktemp("daemon"), asterisk, "")
    with running(daemon):
        asyncio.run(daemon.until(ready=True))
        yield daemon


async def test_it_has_asterisk_ask_and_finds_what_is_wrong_with_its_place_lab(
    asterisk: Asterisk, daemon: Daemon
) -> None:
    url = f"http://127.0.0.1:{await dialplan_port(daemon)}"
    async with asterisk.opened() as pbx:
        await pbx.asks(url)
        said = await daemon.do("dialplan", "check")
        assert said.code == 1
        assert f"ok   asterisk main: asks {url} and gets an answer" in said.out
        assert said.out.count("FIX") == 1, said.out
        assert FORGOTTEN in said.out

        written = asterisk.run / "etc" / "texts.conf"
        written.write_text(written.read_text() + FAULTS)
        asterisk.cli("dialplan reload")
        await pbx.asks(url)  # a reload reads the globals of the file again
        said = await daemon.do("dialplan", "check")
    first = len(written.read_text().removesuffix(FAULTS).splitlines()) + 3
    for place, found, fix in (
        (f"[faults] 1,2 (texts.conf:{first + 1})", "does not get the caller's place", "300,,,,${RINGBACK_POSITION})"),
        (f"[faults] 2,1 (texts.conf:{first + 2})", "no routine ringback-defect", "write ringback-deflect"),
        (f"[faults] 3,1 (texts.conf:{first + 3})", "takes 0 to 1 arguments and gets 2", "put such words into"),
        (f"[faults] 4,2 (texts.conf:{first + 5})", "is argument 10 of Queue()", "300,,,,${RINGBACK_POSITION})"),
    ):
        line, after = said.out.split(f"FIX  {place}: ")[1].split("\n")[:2]
        assert found in line, said.out
        assert fix in after, said.out
    assert said.out.endswith("5 to fix\n")


async def test_a_secret_and_an_address_that_are_not_ours_lab(asterisk: Asterisk, daemon: Daemon) -> None:
    async with asterisk.opened() as pbx:
        await pbx.asks("http://127.0.0.1:1")
        said = await daemon.do("dialplan", "check")
        assert "RINGBACK_URL is http://127.0.0.1:1, and Ringback listens at http://127.0.0.1:" in said.out
        await pbx.asks("http://127.0.0.1:1", token="somebody-elses-secret-of-a-good-length")
        said = await daemon.do("dialplan", "check")
        assert "RINGBACK_TOKEN is not the secret of this Ringback" in said.out
        assert "somebody-elses" not in said.out


async def test_without_a_daemon_it_asks_itself_and_names_missing_prompts_lab(
    asterisk: Asterisk, tmp_path_factory: pytest.TempPathFactory
) -> None:
    daemon = daemon_of(tmp_path_factory.mktemp("alone"), asterisk, "")
    prompt = asterisk.run / "data/sounds/ringback/deflect.sln"
    aside = prompt.rename(prompt.with_suffix(".aside"))
    try:
        said = await daemon.do("dialplan", "check")
    finally:
        aside.rename(prompt)
    assert said.code == 1
    assert "not looked at: whether Asterisk reaches us, since no daemon runs here" in said.out
    assert "FIX  prompts: es: 1 missing: deflect" in said.out

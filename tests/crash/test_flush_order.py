"""What leaves is on disk before it leaves: every text to a carrier, every answer to a hook, as strace sees them.

SOAK=1 looks at more of them.
"""

import asyncio
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.crash.power_flush import Judged, judge, judged
from tests.fakes.hand_clock import HandClock
from tests.fakes.twilio import fake_twilio
from tests.flow.world import DID
from tests.hooks.test_flood import statuses, texted
from tests.postgres import free_port

ROOT = Path(__file__).parents[2]
LONG = os.environ.get("SOAK", "0") not in ("", "0")
MANY = 5_000 if LONG else 1_000


async def talked(folder: Path, empty: Path, many: int, synchronous: str) -> Judged:
    """Let a life talk to a carrier and hear from it, under strace, and judge what strace saw."""
    shutil.copy(empty, folder / "ringback.db")
    environ = {**os.environ, "PYTHONPATH": f"{ROOT / 'plugin'}:{ROOT}"}
    port = free_port()
    async with fake_twilio(HandClock(), DID) as line:
        command = [sys.executable, "-m", "tests.crash.power_talk", str(folder), str(many), line.address, str(port)]
        running = asyncio.create_task(
            asyncio.to_thread(judged, [*command, synchronous], env=environ, cwd=ROOT, timeout=1500 if LONG else 200)
        )
        while not line.sent and not running.done():  # its listener listens before its first text
            await asyncio.sleep(0.01)
        if not running.done():
            assert set(await statuses(port, [texted(number) for number in range(many)])) == {200}
        return await running


@pytest.mark.timeout(1800 if LONG else 300)
async def test_nothing_leaves_before_it_is_on_disk(tmp_path: Path, empty_sqlite: Path, record_property):
    seen = await talked(tmp_path, empty_sqlite, MANY, "FULL")
    record_property("texts that left", seen.sends)
    record_property("hooks answered", seen.answers)
    assert seen.violations == []
    assert seen.sends >= MANY
    assert seen.answers >= MANY


async def test_a_store_that_does_not_flush_is_caught(tmp_path: Path, empty_sqlite: Path):
    seen = await talked(tmp_path, empty_sqlite, 100, "NORMAL")
    assert len(seen.violations) >= 200


NAME = "msg_01jd0000000000000000000000"
COMMIT = r"\0\0\0\7\0\0\0\t\1\2\3\4\1\2\3\4\1\2\3\4\1\2\3\4"
HEAD = f'7 pwrite64(3</s/ringback.db-wal>, "{COMMIT}", 24, 32) = 24\n'
PART_HEAD = HEAD.replace(r"\0\0\0\t", r"\0\0\0\0")
PAGE = f'7 pwrite64(3</s/ringback.db-wal>, "\\0\\0{NAME}{"x" * 200}"..., 4096, 56) = 4096\n'
FLUSH = "7 fdatasync(3</s/ringback.db-wal>) = 0\n"
BEGUN = "7 fdatasync(3</s/ringback.db-wal> <unfinished ...>\n"
ENDED = "7 <... fdatasync resumed>) = 0\n"
FAILED = "7 fdatasync(3</s/ringback.db-wal>) = -1 EIO (Input/output error)\n"
SEND = f'8 sendto(9<socket:[1]>, "HTTP/1.1 201 Created {NAME}", 40, 0, NULL, 0) = 40\n'


@pytest.mark.parametrize(
    ("lines", "violations"),
    [
        pytest.param([HEAD, PAGE, FLUSH, SEND], 0, id="written, flushed, said"),
        pytest.param([HEAD, PAGE, BEGUN, ENDED, SEND], 0, id="another thread came between, and it was flushed"),
        pytest.param([SEND, HEAD, PAGE, FLUSH], 1, id="said before it was written"),
        pytest.param([HEAD, PAGE, SEND, FLUSH], 1, id="said before it was flushed"),
        pytest.param([HEAD, PAGE, BEGUN, SEND, ENDED], 1, id="said while it was flushed"),
        pytest.param([BEGUN, HEAD, PAGE, ENDED, SEND], 1, id="written while something else was flushed"),
        pytest.param([HEAD, PAGE, FAILED, SEND], 1, id="the flush failed"),
        pytest.param([PART_HEAD, PAGE, FLUSH, SEND], 1, id="its transaction has no end"),
        pytest.param([PART_HEAD, PAGE, HEAD, PAGE, FLUSH, SEND], 0, id="its transaction ends a page later"),
    ],
)
def test_what_a_trace_shows(lines: list[str], violations: int):
    seen = judge(lines)
    assert (seen.sends, len(seen.violations)) == (1, violations)

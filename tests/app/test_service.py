"""What the service manager hears, the unit file we ship, and that a stop ends whatever hangs."""

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from ringback.life import DRAIN
from ringback.service import LEAVE_WITHIN_S, Service

UNIT = Path(__file__).parents[2] / "service" / "ringback.service"
ENOUGH = 2.5
"""The exposure that `systemd-analyze security` may give us at most."""


@contextmanager
def manager(folder):
    """The service manager's end of the line."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(folder / "notify"))
        line.settimeout(10)
        yield line


def heard(line, wanted):
    """Everything that was said, up to and with what begins like this."""
    said = []
    while not said or not said[-1].startswith(wanted):
        said += line.recv(4096).decode().splitlines()
    return said


async def test_it_says_ready_then_how_it_is_then_that_it_lives(tmp_path):
    with manager(tmp_path) as line:
        service = Service({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "30000"})
        telling = asyncio.ensure_future(service.keep_told(lambda: "fine", lambda: True))
        said = await asyncio.to_thread(heard, line, "STATUS=")
        telling.cancel()
    assert said[0] == "READY=1"
    assert set(said) == {"READY=1", "STATUS=fine", "WATCHDOG=1"}


async def test_with_the_writer_gone_it_does_not_claim_to_live(tmp_path):
    alive = asyncio.Event()
    asked = 0

    def lives():
        nonlocal asked
        asked += 1
        if asked == 3:
            alive.set()
        return asked > 3

    with manager(tmp_path) as line:
        service = Service({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "3000"})
        telling = asyncio.ensure_future(service.ping(lives))
        async with asyncio.timeout(5):
            await alive.wait()
        line.setblocking(False)
        with pytest.raises(BlockingIOError):
            line.recv(100)
        line.setblocking(True)
        assert (await asyncio.to_thread(line.recv, 100)) == b"WATCHDOG=1"
        telling.cancel()


@pytest.mark.parametrize(
    ("environ", "every_s"),
    [
        pytest.param({}, 0, id="nobody asked"),
        pytest.param({"WATCHDOG_USEC": "30000000"}, 10, id="a third of what was asked"),
        pytest.param({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 10, id="it means us"),
        pytest.param({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, 0, id="it means somebody else"),
        pytest.param({"WATCHDOG_USEC": "soon"}, 0, id="no number"),
    ],
)
def test_how_often_it_shows_that_it_lives(environ, every_s):
    assert Service(environ).ping_every.total_seconds() == every_s


def test_a_manager_that_is_gone_stops_nothing(tmp_path):
    Service({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).tell("READY=1")
    Service({"NOTIFY_SOCKET": "@nobody-listens-here"}).tell("READY=1")


HANGS = """
import asyncio, sys, threading, time
import ringback.service as service
service.LEAVE_WITHIN_S = 0.3

async def run():
    stop = asyncio.Event()
    service.leave_when_told(stop)
    print("here", flush=True)
    if sys.argv[1] == "loop":
        time.sleep(60)
    await stop.wait()
    print("stops", flush=True)
    if sys.argv[1] == "drain":
        await asyncio.Event().wait()
    if sys.argv[1] == "thread":
        await asyncio.to_thread(time.sleep, 60)

asyncio.run(run())
"""


@contextmanager
def hanging(what):
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "plugin")}
    with subprocess.Popen(
        [sys.executable, "-c", HANGS, what], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ
    ) as process:
        try:
            assert process.stdout.readline() == "here\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("what", ["loop", "drain", "thread"], ids=["a loop", "a part that never ends", "a thread"])
def test_a_stop_that_hangs_ends_with_a_trace_of_what_hangs(what):
    with hanging(what) as process:
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=10)
    assert process.returncode == 1
    assert "most recent call first" in err


def test_the_second_signal_ends_it_at_once():
    with hanging("drain") as process:
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "stops\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == -signal.SIGTERM


def test_the_unit_is_hardened():
    tool = shutil.which("systemd-analyze")
    if tool is None:
        # what makes the figure; where the tool is, the figure itself is asked
        wanted = {"NoNewPrivileges=yes", "ProtectSystem=strict", "MemoryDenyWriteExecute=yes", "CapabilityBoundingSet="}
        assert wanted <= set(UNIT.read_text().splitlines())
        return
    said = subprocess.run([tool, "security", "--offline=true", str(UNIT)], capture_output=True, text=True, check=False)
    (exposure,) = re.findall(r"Overall exposure level for ringback.service: ([\d.]+)", said.stdout)
    assert float(exposure) <= ENOUGH


def test_the_unit_gives_a_stop_the_time_it_may_take():
    lines = dict(line.split("=", 1) for line in UNIT.read_text().splitlines() if "=" in line and line[0] != "#")
    assert DRAIN.total_seconds() < LEAVE_WITHIN_S < int(lines["TimeoutStopSec"])
    assert lines["Type"] == "notify"
    assert lines["RestartPreventExitStatus"] == "2"

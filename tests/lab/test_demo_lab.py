"""The demo as its user sees it: a process that tells, stays, and leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEMO = (sys.executable, "-m", "lab.demo")
PATIENCE = 120  # a busy machine takes its time


def start(*words: str, **environ: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*DEMO, *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "plugin"), **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@contextmanager
def told(**environ: str) -> Iterator[tuple["subprocess.Popen[str]", list[str]]]:
    """A demo that has told its stories and stays up, and its lines so far."""
    process = start(**environ)
    lines = []
    try:
        for line in process.stdout or ():
            lines.append(line.rstrip("\n"))
            if "--config" in line:
                break
        yield process, lines
    finally:
        process.kill()
        process.communicate()


def children(pid: int) -> dict[str, int]:
    """The processes it started, by what they are."""
    pids = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    lines = {child: Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ") for child in pids}
    return {"daemon" if "ringback.cli" in line else "asterisk": child for child, line in lines.items()}


def folder_in(lines: list[str]) -> Path:
    return Path(lines[-1].split("--config ")[1]).parents[1]


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def unwrapped(said: str) -> str:
    return " ".join(said.split())


def test_every_step_is_seen_and_it_ends_by_itself_lab():
    process = start("--once")
    said, complaints = process.communicate(timeout=PATIENCE)
    assert (process.returncode, complaints) == (0, "")
    assert len(re.findall(r"^\d+\. ", said, re.MULTILINE)) == 11
    assert said.count("receipt: delivered") == 5
    assert said.count("on the handset of") == 10
    assert said.count("seen: the call, the outcome, the decision, no text") == 6
    assert (
        "seen: what the caller wrote, every text, the text-back, the answer, the answer to STOP, the refused text"
        in unwrapped(said)
    )
    assert said.count("- the text: delivered") == 2
    assert said.count("Asterisk plays ringback/") == 4
    words = unwrapped(said)
    assert "seen: what the caller wrote, every text, the first text, the answer, the session" in words
    assert "seen: what the caller wrote, every text, the first text, the session" in words
    for reason in ("answered", "no_rule", "withheld", "cool_down", "paused", "vetoed", "opted_out"):
        assert f"({reason})" in said
    assert re.search(r"We can call you (\w+ )?\d\d:\d\d-\d\d:\d\d", said)
    assert max(map(len, said.splitlines())) <= 80
    assert "\x1b" not in said


def test_it_stays_up_until_it_is_told_to_end_and_leaves_nothing_lab():
    with told() as (process, lines):
        started, folder = children(process.pid), folder_in(lines)
        assert set(started) == {"daemon", "asterisk"}
        assert folder.is_dir()
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        assert time.monotonic() - began < 4
        assert all(map(gone, started.values()))
        assert not folder.exists()


@pytest.mark.parametrize(
    ("part", "complaint"),
    [
        pytest.param("asterisk", "demo: Asterisk ended by itself", id="Asterisk dies"),
        pytest.param("daemon", "demo: `ringback run` ended by itself", id="the daemon dies"),
    ],
)
def test_what_dies_is_named_and_the_rest_ends_lab(part: str, complaint: str):
    with told() as (process, lines):
        started, folder = children(process.pid), folder_in(lines)
        os.kill(started[part], signal.SIGKILL)
        _, complaints = process.communicate(timeout=PATIENCE)
        assert process.returncode == 1
        assert complaints.startswith(complaint)
        assert all(map(gone, started.values()))
        assert not folder.exists()


def test_an_asterisk_that_does_not_start_is_one_message_lab(tmp_path: Path):
    """A tree whose loader only complains, where the fetched one would be."""
    cache = tmp_path / "ringback" / "asterisk"
    lib = cache / "tree/usr/lib/here"
    for folder in (lib / "asterisk/modules", cache / "tree/usr/sbin", cache / "tree/usr/share/asterisk"):
        folder.mkdir(parents=True)
    (cache / "stamp").write_text("broken\n")
    for program in (lib / "ld-linux-x.so.2", cache / "tree/usr/sbin/asterisk"):
        program.write_text("#!/bin/sh\necho it is broken >&2\nexit 1\n")
        program.chmod(0o755)
    process = start("--once", XDG_CACHE_HOME=str(tmp_path))
    _, complaints = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert set(complaints.splitlines()) == {"demo: Asterisk did not start:", "it is broken"}

"""`ringback run` as a real process: what keeps it from starting, that there is only one, and that it stops in order."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STOPS_WITHIN_S = 10.0


def command(place, *arguments):
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "plugin")}
    whole = [sys.executable, "-m", "ringback.cli", *arguments, "--config", str(place.file)]
    return subprocess.Popen(
        whole, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ, cwd=place.folder
    )


@contextmanager
def running(place, *arguments):
    """The daemon, once it says so; its log lines are read until then."""
    with command(place, "run", "--log", "json", *arguments) as daemon:
        try:
            yield daemon, until(daemon, "pages")
        finally:
            daemon.kill()


def until(daemon, event):
    """Read the log up to an event."""
    for line in daemon.stderr:
        said = json.loads(line)
        if said["event"] == event:
            return said
    raise AssertionError(f"the log ended before {event!r}")


def ended(process):
    out, err = process.communicate(timeout=STOPS_WITHIN_S)
    return process.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_it_stops_in_order_and_soon(place, number):
    with running(place) as (daemon, _):
        begun = time.monotonic()
        daemon.send_signal(number)
        code, _, err = ended(daemon)
        assert time.monotonic() - begun < STOPS_WITHIN_S
    assert code == 0
    assert "ringback stops" in [json.loads(line)["event"] for line in err.splitlines()]
    assert not (place.state / "control.sock").exists()


def test_it_stops_although_the_database_is_locked(place):
    with running(place) as (daemon, _):
        with closing(sqlite3.connect(place.state / "ringback.db", isolation_level=None)) as foreign:
            foreign.execute("BEGIN EXCLUSIVE")
            daemon.send_signal(signal.SIGTERM)
            _, err = daemon.communicate(timeout=3 * STOPS_WITHIN_S)
    assert daemon.returncode == 0
    said = [json.loads(line)["event"] for line in err.splitlines()]
    assert "the database cannot write, so the stop is not noted in it" in said


def test_a_second_daemon_on_the_same_state_is_refused(place):
    with running(place) as (daemon, _):
        assert ended(command(place, "run")) == (
            3,
            "",
            f"process {daemon.pid} already runs on {place.state}; stop it first\n",
        )
        assert ended(command(place, "migrate"))[0] == 3
        assert ended(command(place, "pause"))[0] == 0
        assert daemon.poll() is None


def test_the_state_of_a_daemon_that_was_killed_is_free_again(place):
    with running(place) as (daemon, _):
        daemon.kill()
        ended(daemon)
    assert (place.state / "control.sock").exists()
    assert ended(command(place, "pause"))[:2] == (0, "paused now: everything automatic\n")
    with running(place) as (daemon, _):
        daemon.send_signal(signal.SIGTERM)
        assert ended(daemon)[0] == 0


FAULTY = """\
[business]
name = ""
zone = "Mars/Olympus"
default_country = "XX"

[web]
listen = "somewhere"

[[asterisk]]
name = "main"
port = 0
user = "ringback"
inbound_contexts = []

[carriers.main]
type = "pigeon"

[numbers."12025550101"]
carrier = "other"

[limits]
texts_per_minute = "many"

[[rule]]
name = "missed"
when = ["answered"]
"""


def test_a_configuration_full_of_faults_ends_it_with_a_line_for_each(place):
    place.write(FAULTY)
    code, out, err = ended(command(place, "run"))
    assert (code, out) == (2, "")
    keys = [line.removeprefix("ringback.toml: ").split(" ")[0] for line in err.splitlines()]
    assert sorted(keys) == [
        "asterisk.main.inbound_contexts",
        "asterisk.main.port",
        "business.default_country",
        "business.name",
        "business.zone",
        "carriers.main.type",
        "limits.texts_per_minute",
        "numbers.12025550101",
        "numbers.12025550101.carrier",
        "rule.missed.text",
        "rule.missed.when",
        "web.listen",
    ]
    assert not place.state.exists()


def test_no_configuration_at_all_says_where_it_was_looked_for(place):
    place.file.unlink()
    code, _, err = ended(command(place, "run"))
    assert code == 2
    assert str(place.file) in err


@pytest.mark.parametrize(
    "arguments", [["--level", "loud"], ["--log", "xml"], ["--bogus"]], ids=["level", "form", "option"]
)
def test_an_option_that_is_none_is_named(place, ringback, arguments):
    ran = ringback("run", *arguments)
    assert ran.code == 2
    assert arguments[0] in ran.err


def test_every_log_line_is_one_json_object(place):
    with running(place, "--level", "debug") as (daemon, pages):
        assert pages["url"].startswith("http://127.0.0.1:")
        daemon.send_signal(signal.SIGTERM)
        _, _, err = ended(daemon)
    assert all(isinstance(json.loads(line), dict) for line in err.splitlines())

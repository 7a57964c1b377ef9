"""Starting while something is away: what the daemon does without, and what it says of it (docs/running.md)."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.app.test_service import heard, manager
from tests.cli.test_run import command, ended

PAGE = (Path(__file__).parents[2] / "docs" / "running.md").read_text("utf-8")


def test_the_daemon_speaks_to_its_manager(place, monkeypatch):
    with manager(place.folder) as line:
        monkeypatch.setenv("NOTIFY_SOCKET", str(place.folder / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "300000")
        with command(place, "run", "--log", "json") as daemon:
            try:
                said = heard(line, "WATCHDOG=1")
                daemon.send_signal(signal.SIGTERM)
                said += heard(line, "STOPPING=1")
                assert ended(daemon)[0] == 0
            finally:
                daemon.kill()
    assert said.index("READY=1") < said.index("STOPPING=1")
    assert any(line.startswith("STATUS=not ready: asterisk main") for line in said)


def hide(place, name, value):
    """Put a value among the secrets."""
    file = place.folder / "secrets" / name
    file.write_text(value)
    file.chmod(0o600)


def taken_port():
    """A port that somebody else listens at."""
    line = socket.socket()
    line.bind(("127.0.0.1", 0))
    line.listen()
    return line


def dead_port():
    """A port where nobody listens."""
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return line.getsockname()[1]


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def kept_in(request, place):
    """The daemon's database, of each kind."""
    if request.param == "PostgreSQL":
        server = request.getfixturevalue("postgres")
        name = f"boot{os.getpid()}"
        hide(place, "database.url", server.create(name, "template"))
        yield request.param
        server.drop(name)
    else:
        place.migrate()
        yield request.param


def status(place):
    """What `ringback status` says, once there is somebody to ask."""
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        code, out, _ = ended(command(place, "status", "--json"))
        words = json.loads(out)
        if words["running"] and any(part["name"] == "web" for part in words["parts"]):
            return code, words
    raise AssertionError("no daemon came up")


def wrong(words):
    """The parts that do not work, and why."""
    return {part["name"]: part["detail"] for part in words["parts"] if part["state"] != "works"}


@contextmanager
def daemon(place):
    with command(place, "run", "--log", "json") as process:
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            assert ended(process)[0] == 0
        finally:
            process.kill()


def until_wrong(place, part):
    """Ask until a part is shown as away; it begins as one that works."""
    while part not in (found := wrong(status(place)[1])):
        pass
    return found[part]


def test_without_its_pbx_it_runs_and_says_so(place, kept_in):
    place.change("port = 5038", f"port = {dead_port()}")
    with daemon(place):
        assert "nothing listens at 127.0.0.1" in until_wrong(place, "asterisk main")
        assert status(place)[0] == 1


@pytest.mark.parametrize(("key", "part"), [("web", "web"), ("hooks", "hooks")], ids=["pages", "hooks"])
def test_with_a_port_taken_it_runs_and_says_so(place, kept_in, key, part):
    with closing(taken_port()) as other:
        port = other.getsockname()[1]
        if key == "web":
            place.change("127.0.0.1:0", f"127.0.0.1:{port}")
        else:
            place.change(
                "[paths]", f'[hooks]\nlisten = "127.0.0.1:{port}"\npublic_url = "https://x.example.com"\n[paths]'
            )
            twilio(place)
        with daemon(place):
            assert "address already in use" in until_wrong(place, part)


def twilio(place):
    """A carrier that calls us, so that there are hooks; nobody is where it should be."""
    place.change(
        '[carriers.main]\ntype = "loopback"',
        '[carriers.main]\ntype = "twilio"\naccount = "AC00000000000000000000000000000000"\n'
        f'api = "http://127.0.0.1:{dead_port()}"',
    )
    hide(place, "carriers.main.key", "0" * 32)


def test_without_its_carrier_it_runs(place, kept_in):
    twilio(place)
    with daemon(place):
        words = status(place)[1]
        assert next(part for part in words["parts"] if part["name"] == "carrier main")["state"] == "works"


def test_without_a_state_folder_it_ends_with_a_clear_line(place, kept_in):
    place.change('state = "state"', 'state = "ringback.toml/state"')
    code, out, err = ended(command(place, "run"))
    assert (code, out) == (1, "")
    assert err.splitlines()[-1] == f"{place.file}/state: cannot be written: Not a directory"


def test_without_its_sqlite_file_it_ends_with_a_clear_line(place):
    place.migrate()
    (place.state / "ringback.db").write_bytes(b"no database" * 100)
    code, _, err = ended(command(place, "run"))
    assert code == 1
    assert err.splitlines()[-1].startswith(f"{place.state / 'ringback.db'} is no SQLite database")


def test_without_postgresql_it_waits_turns_everybody_away_and_says_why(place):
    port, pages = dead_port(), dead_port()
    hide(place, "database.url", f"postgresql://ringback@127.0.0.1:{port}/ringback")
    place.change("127.0.0.1:0", f"127.0.0.1:{pages}")
    with manager(place.folder) as line, daemon_with(place, NOTIFY_SOCKET=str(place.folder / "notify")):
        said = heard(line, "EXTEND_TIMEOUT_USEC=")
        assert any("STATUS=waits: the database cannot be reached" in one for one in said)
        words = {}
        while not words.get("parts"):
            code, out, _ = ended(command(place, "status", "--json"))
            words = json.loads(out)
        assert code == 1
        assert "the database cannot be reached" in wrong(words)["database"]
        assert answer(pages, "/healthz") == 200
        assert answer(pages, "/readyz") == 503
        assert answer(pages, "/hooks/main/text") == 503


def test_it_goes_on_by_itself_once_postgresql_is_there(place, postgres):
    """The server is there from the start, and its database is not."""
    name = f"late{os.getpid()}"
    hide(place, "database.url", postgres.conninfo(name))
    with manager(place.folder) as line, daemon_with(place, NOTIFY_SOCKET=str(place.folder / "notify")):
        heard(line, "EXTEND_TIMEOUT_USEC=")
        postgres.create(name, "template")
        heard(line, "READY=1")
    postgres.drop(name)


def test_while_somebody_locks_its_sqlite_file_it_waits_and_then_goes_on(place):
    place.migrate()
    with manager(place.folder) as line:
        with closing(sqlite3.connect(place.state / "ringback.db", isolation_level=None)) as foreign:
            foreign.execute("BEGIN EXCLUSIVE")
            with daemon_with(place, NOTIFY_SOCKET=str(place.folder / "notify")):
                said = heard(line, "EXTEND_TIMEOUT_USEC=")
                assert any("locked" in one for one in said), said
                foreign.execute("ROLLBACK")
                heard(line, "READY=1")


def test_while_it_drains_it_still_shows_that_it_lives(place, monkeypatch):
    place.migrate()
    monkeypatch.setenv("NOTIFY_SOCKET", str(place.folder / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "300000")
    with manager(place.folder) as line, command(place, "run", "--log", "json") as process:
        heard(line, "READY=1")
        with closing(sqlite3.connect(place.state / "ringback.db", isolation_level=None)) as foreign:
            foreign.execute("BEGIN EXCLUSIVE")  # the stop waits to be noted
            process.send_signal(signal.SIGTERM)
            heard(line, "STOPPING=1")
            heard(line, "WATCHDOG=1")
        assert ended(process)[0] == 0


EARLY = """
import os, signal, sys
import ringback.cli as cli
sys.argv[1:] = [{what!r}]
cli.gc.disable = lambda: os.kill(os.getpid(), signal.SIGTERM)
cli.main()
"""


@pytest.mark.parametrize(("what", "code"), [("run", 0), ("backup", -signal.SIGTERM)])
def test_told_to_stop_before_it_has_begun_the_daemon_ends_in_order(what, code):
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "plugin")}
    ran = subprocess.run([sys.executable, "-c", EARLY.format(what=what)], env=environ, check=False, timeout=20)
    assert ran.returncode == code


def test_a_command_prints_its_answer_and_nothing_else(place):
    place.migrate()
    with closing(sqlite3.connect(place.state / "ringback.db")) as database, database:
        database.execute("UPDATE setting SET value = '1' WHERE key = 'commits'")
    code, out, err = ended(command(place, "erase", "+15125550123", "--yes"))
    assert (code, out, err) == (0, "erased: 0 texts, 0 calls\n", "")


@contextmanager
def daemon_with(place, **environ):
    root = Path(__file__).parents[2]
    whole = [sys.executable, "-m", "ringback.cli", "run", "--log", "json", "--config", str(place.file)]
    environ = {**os.environ, "PYTHONPATH": str(root / "plugin"), **environ}
    with subprocess.Popen(whole, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ) as process:
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            assert ended(process)[0] == 0
        finally:
            process.kill()


def answer(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as said:
            return said.status
    except urllib.error.HTTPError as problem:
        with problem:
            return problem.code


def test_the_page_has_each_case():
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")]
    for what in ("the database", "the carrier", "Asterisk", "the pages' port", "the hooks' port", "the state folder"):
        assert any(row.startswith(f"| {what} ") for row in rows), what

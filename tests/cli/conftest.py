"""A folder with a configuration that works, the command as a user gives it, and a past to ask about."""

import asyncio
import shutil
import sys
from collections.abc import Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ringback.app import App
from ringback.cli import main
from ringback.clock import SystemClock
from ringback.config import load
from ringback.flow.house import House
from ringback.store.database import Database
from tests.conftest import NOON
from tests.fakes.ami import FakePbx
from tests.fakes.hand_clock import HandClock
from tests.flow.world import HOUSE, World

TOML = """\
[business]
name = "Northlight"
zone = "America/New_York"
default_country = "US"

[web]
listen = "127.0.0.1:0"

[paths]
state = "state"

[[asterisk]]
name = "main"
port = 5038
user = "ringback"
inbound_contexts = ["from-trunk"]

[carriers.main]
type = "loopback"

[numbers."+12025550101"]
carrier = "main"

[numbers."+12025550102"]
carrier = "main"

[calendar.main]
open = { mon-fri = ["09:00-17:00"] }

[[rule]]
name = "missed"
when = ["missed", "busy"]
hours = "open"
min_ring = "5s"
delay = "0s"
text = { en = "Sorry we missed you, {{ business }}. STOP to end" }

[[rule]]
name = "evening"
when = ["missed"]
hours = "closed"
text = { en = "We are closed. STOP to end" }
"""


class Place:
    """A folder with `ringback.toml`, its secret, and a state folder once something needed it."""

    def __init__(self, folder: Path, empty: Path) -> None:
        self.folder = folder
        self._empty = empty
        self.file = folder / "ringback.toml"
        self.state = folder / "state"
        self.url = f"sqlite:///{self.state / 'ringback.db'}"
        (folder / "secrets").mkdir()
        self.put_secret("secret")
        self.write(TOML)

    def write(self, text: str) -> None:
        self.file.write_text(text, "utf-8")

    def change(self, old: str, new: str) -> None:
        text = self.file.read_text("utf-8")
        assert old in text
        self.write(text.replace(old, new))

    def put_secret(self, value: str) -> None:
        file = self.folder / "secrets" / "asterisk.main.secret"
        file.write_text(value)
        file.chmod(0o600)

    def migrate(self) -> None:
        self.state.mkdir(exist_ok=True)
        shutil.copy(self._empty, self.state / "ringback.db")

    def live(self, story: Callable[[World], Coroutine[None, None, None]], house: House = HOUSE) -> None:
        """Let a small Ringback live through a story in this place's database."""

        async def run() -> None:
            clock = HandClock(NOON)
            database = Database(self.url, clock)
            await database.open()
            async with World(database, clock, self.folder, house).running() as world:
                await story(world)
            await database.close()

        self.migrate()
        asyncio.run(run())

    @asynccontextmanager
    async def daemon(self, pbx: FakePbx):
        """The real daemon in this process, on a fake PBX, up to the moment it is told to stop."""
        self.change("port = 5038", f"port = {pbx.port}")
        app = App(load(self.file), SystemClock())
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(app.serve())
            await pbx.client()
            yield app
            app.stop.set()
            await serving


@pytest.fixture
def place(tmp_path: Path, empty_sqlite: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RINGBACK_CONFIG", raising=False)
    return Place(tmp_path, empty_sqlite)


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@pytest.fixture
def ringback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """`ringback ARGUMENTS` with its exit code and what it printed."""
    # loggers keep the stream they began with, and the one captured here is closed after the test
    for name in ("ringback.cli.run.start_logging", "ringback.logs.start_logging"):
        monkeypatch.setattr(name, lambda *_: None)
    monkeypatch.setattr("signal.signal", lambda *_: None)

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["ringback", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
            raise SystemExit(0)
        said = capsys.readouterr()
        return Ran(left.value.code or 0, said.out, said.err)

    return run

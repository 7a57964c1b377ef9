"""A configuration that works, in a folder of its own, to be spoiled one row at a time."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ringback.config import Settings, load
from ringback.errors import ConfigFault

GOOD = """\
[business]
name = "Acme Plumbing"
zone = "America/New_York"
default_country = "US"
languages = ["en", "es"]

[[asterisk]]
name = "main"
user = "ringback"
inbound_contexts = ["from-trunk"]

[carriers.main]
type = "loopback"

[numbers."+12025550101"]
carrier = "main"

[numbers."+12025550102"]
carrier = "main"
language = "es"

[calendar.main]
open = { mon-fri = ["09:00-17:00"] }
closed = ["2026-12-24", 2026-12-25]

[[rule]]
name = "sales-missed"
when = ["missed", "busy"]
did = ["+12025550101"]
hours = "open"
text = { en = "Sorry we missed you, {{ business }}. STOP to end", es = "Le llamamos. STOP" }
"""

SECRETS = {"asterisk.main.secret": "x7Qd-long-enough"}


class Place:
    """A folder with `ringback.toml` and `secrets/`."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "ringback.toml"
        self.secrets = folder / "secrets"
        self.secrets.mkdir()
        self.write(GOOD)
        for name, value in SECRETS.items():
            self.put_secret(name, value)

    def write(self, text: str) -> None:
        self.file.write_text(text, "utf-8")

    def put_secret(self, name: str, value: str, mode: int = 0o640) -> None:
        file = self.secrets / name
        file.write_text(f"{value}\n", "utf-8")
        file.chmod(mode)

    def load(self, environ: Mapping[str, str] | None = None) -> Settings:
        return load(self.file, environ or {})

    def faults(self, environ: Mapping[str, str] | None = None) -> list[str]:
        with pytest.raises(ConfigFault) as caught:
            self.load(environ)
        return caught.value.faults


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


Spoil = Callable[[str], str]


@pytest.fixture
def good() -> str:
    return GOOD

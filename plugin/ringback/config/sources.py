"""Where settings come from: the file, the secrets folder, systemd's credentials, the environment. The later one wins.

Lists of tables (`[[asterisk]]`, `[[rule]]`) become tables by name here, so that `RINGBACK_ASTERISK__MAIN__SECRET`,
`secrets/asterisk.main.secret` and a fault line all name one value in the same way.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from ringback.config.faults import Faults, nearest
from ringback.config.outside import Outside
from ringback.errors import ConfigFault

Table = dict[str, Any]
"""A table as TOML or pydantic-settings gives it, not yet checked."""

PLACES = (Path("ringback.toml"), Path("/etc/ringback/ringback.toml"))
LISTS = ("asterisk", "rule")
NAMED = ("asterisk", "carriers", "numbers", "campaigns", "destinations", "rule", "calendar", "countries")
"""Sections that hold tables by name."""
FREELY_NAMED = ("carriers", "campaigns", "destinations", "calendar")

_NAME = re.compile(r"[A-Za-z0-9]+(?:[_-][A-Za-z0-9]+)*")


class Sections(BaseSettings):
    """All sections, not yet checked."""

    model_config = SettingsConfigDict(extra="forbid")

    business: Table = {}
    web: Table = {}
    hooks: Table = {}
    api: Table = {}
    dialplan: Table = {}
    login: Table = {}
    mail: Table = {}
    database: Table = {}
    paths: Table = {}
    asterisk: Table = {}
    carriers: Table = {}
    numbers: Table = {}
    campaigns: Table = {}
    destinations: Table = {}
    rule: Table = {}
    calendar: Table = {}
    limits: Table = {}
    consent: Table = {}
    doubts: Table = {}
    retention: Table = {}
    countries: Table = {}


SECTIONS = tuple(Sections.model_fields)


def find(environ: Mapping[str, str]) -> Path:
    """Return the file to read, or raise ConfigFault if there is none."""
    if named := environ.get("RINGBACK_CONFIG"):
        return Path(named)
    for place in PLACES:
        if place.is_file():
            return place
    cure = "write one with `ringback init`, or set RINGBACK_CONFIG"
    raise ConfigFault([f"ringback.toml: not found at {' or '.join(map(str, PLACES))}: {cure}"])


def read_text(path: Path) -> str:
    """Read the file, or raise ConfigFault."""
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as problem:
        raise ConfigFault([f"{path.name}: cannot be read at {path}: {problem.strerror}"]) from problem
    except UnicodeDecodeError as problem:
        raise ConfigFault([f"{path.name}: byte {problem.start} is not UTF-8: save the file as UTF-8"]) from problem


def read_tables(text: str, file: str) -> Table:
    """Parse TOML, or raise ConfigFault with the line and the column."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise ConfigFault([f"{file}: is not TOML: {problem}"]) from problem


def by_section(raw: Table, faults: Faults) -> Table:
    """Keep the sections there are, each as a table, lists by name; everything else is a fault."""
    tables: Table = {}
    for section, content in raw.items():
        if section not in SECTIONS:
            faults.add((section,), f"is not a section: {nearest(section, SECTIONS)}")
        elif section in LISTS:
            tables[section] = _by_name(section, content, faults)
        elif not isinstance(content, dict):
            faults.add((section,), f"must be a table: write [{section}]")
        else:
            tables[section] = content
            _check_names(section, content, faults)
    return tables


def _by_name(section: str, content: object, faults: Faults) -> Table:
    if not isinstance(content, list) or not all(isinstance(item, dict) for item in content):
        faults.add((section,), f"must be a list of tables: write [[{section}]]")
        return {}
    tables: Table = {}
    for place, item in enumerate(content, 1):
        name = item.get("name")
        if fault := _name_fault(name, tables):
            # kept under its place, so that its other faults are found too
            name = f"[{place}]"
            faults.add((section, name, "name"), fault)
        tables[name] = item
    return tables


def _name_fault(name: object, taken: Table) -> str:
    if name is None:
        return 'is missing: add name = "..."'
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return f"is {name!r}: {_NAME_CURE}"
    return f"is {name!r} for the second time: give each its own" if name in taken else ""


_NAME_CURE = "use letters and digits, with single - or _ between them"


def _check_names(section: str, tables: Table, faults: Faults) -> None:
    """Names become parts of file names and of variables in the environment."""
    for name in tables if section in FREELY_NAMED else ():
        if not _NAME.fullmatch(name):
            faults.add((section, name), f"is no good as a name: {_NAME_CURE}")


class _Overrides(EnvSettingsSource):
    """Values from outside the file, as pydantic-settings folds `A__B__C` into tables."""

    def __init__(self, sections: type[BaseSettings], values: Mapping[str, str]) -> None:
        super().__init__(sections, case_sensitive=True, env_prefix="", env_nested_delimiter="__")
        self.env_vars = values

    def decode_complex_value(self, field_name: str, field: FieldInfo | None, value: str) -> str:
        """Leave text as it is: read as JSON, a secret of digits would become a number."""
        return value


def merge(tables: Table, outside: Outside) -> Table:
    """Lay what the environment and the secrets say over the file."""
    values = {"__".join(path): given.value for path, given in outside.items()}

    class Merged(Sections):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return _Overrides(settings_cls, values), init_settings

    return Merged(**tables).model_dump()

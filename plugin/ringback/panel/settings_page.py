"""What is set, read-only: each key in words, with its value and where it stands, and each rule's text as it goes out.

A secret is never shown, nor is anything else that came from a place for secrets.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import Enum
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import BaseModel, SecretStr

from ringback.config import Address, CarrierSettings, Settings
from ringback.config.checks import SECRET_WORDS
from ringback.config.faults import show
from ringback.core.permissions import Action
from ringback.core.schedules import Calendar, Span, next_windows, say_windows
from ringback.core.templates import TemplateFault
from ringback.core.triggers import Rule
from ringback.panel import settings_words as words
from ringback.panel.call_words import OUTCOME
from ringback.panel.shell import VISIT, Shell
from ringback.panel.site import Now

SECRET_PLACES = ("secrets/", "credential ")
RULE = (
    "when",
    "did",
    "queue",
    "extension",
    "hours",
    "calendar",
    "min_ring",
    "delay",
    "cool_down",
    "age_limit",
    "group",
)
CALENDAR = ("zone", "open", "callback", "closed", "holidays")
CARRIER = ("type", "validity", "number_format", "rate", "fallback")


@dataclass(frozen=True, slots=True)
class Row:
    """One key. `label` and the words of `ours` are for the translators; `values` stand as they were written."""

    key: str
    label: str
    values: tuple[str, ...] = ()
    ours: tuple[str, ...] = ()
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """A rule's text in one language, filled in with a caller who never was; `wrong` is why it cannot be."""

    language: str
    text: str
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One table of the configuration."""

    title: str
    name: str
    rows: tuple[Row, ...]
    examples: tuple[Example, ...] = ()


class SettingsPages:
    """`/settings`."""

    def __init__(self, shell: Shell, settings: Settings, now: Now) -> None:
        self._shell = shell
        self._settings = settings
        self._now = now

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/settings", self.show)]

    async def show(self, request: web.Request) -> web.Response:
        self._shell.allow(request, Action.READ_SETTINGS)
        formats = self._shell.pages().formats(request[VISIT].language)
        writer = Writer(self._settings.origins, formats.duration, formats.weekday)
        parts = [*sections(self._settings, writer), *self._rules(writer)]
        return self._shell.page(request, "settings", parts=parts, file=self._settings.file, DEFAULT=words.DEFAULT)

    def _rules(self, writer: "Writer") -> Iterator[Part]:
        for rule in self._settings.rules:
            rows = writer.rows("rule", rule.name, ((key, getattr(rule, key)) for key in RULE))
            yield Part(words.SECTIONS["rule"], rule.name, rows, tuple(self._examples(rule)))

    def _examples(self, rule: Rule) -> Iterator[Example]:
        now = self._now()
        did = min(rule.did, default=next(iter(self._settings.numbers), ""))
        windows = next_windows(rule.calendar, now) if rule.calendar else ()
        known = {"business": self._settings.business.name, "caller": words.EXAMPLE_CALLER, "did": did}
        for language, template in rule.text.items():
            offered = say_windows(windows, now, language) if windows else ""
            queue = min(rule.queue, default=words.EXAMPLE_QUEUE)
            try:
                yield Example(language, template.render(known | {"queue": queue, "windows": offered}))
            except TemplateFault as problem:
                yield Example(language, template.source, str(problem))


def sections(settings: Settings, writer: "Writer") -> Iterator[Part]:
    """Every table but the rules, in the order of the documentation."""
    for section in ("business", "web", "hooks", "dialplan", "api", "login"):
        yield Part(words.SECTIONS[section], "", writer.rows(section, "", _fields(getattr(settings, section))))
    for name, directory in (("oidc", settings.oidc), ("ldap", settings.ldap)):
        if directory is not None:
            yield Part(words.SECTIONS[f"login.{name}"], "", writer.rows(f"login.{name}", "", _fields(directory)))
    for section in ("mail", "database", "paths"):
        yield Part(words.SECTIONS[section], "", writer.rows(section, "", _fields(getattr(settings, section))))
    for pbx in settings.asterisk:
        rows = ((key, value) for key, value in _fields(pbx) if key != "name")
        yield Part(words.SECTIONS["asterisk"], pbx.name, writer.rows("asterisk", pbx.name, rows))
    for name, carrier in settings.carriers.items():
        yield Part(words.SECTIONS["carriers"], name, writer.rows("carriers", name, _of_carrier(carrier)))
    for did, number in settings.numbers.items():
        yield Part(words.SECTIONS["numbers"], did, writer.rows("numbers", did, _fields(number)))
    yield from _tables(settings, writer, "campaigns", "destinations")
    for name, calendar in settings.calendars.items():
        rows = ((key, getattr(calendar, key)) for key in CALENDAR)
        yield Part(words.SECTIONS["calendar"], name, writer.rows("calendar", name, rows))
    for section in ("limits", "consent", "doubts", "retention"):
        yield Part(words.SECTIONS[section], "", writer.rows(section, "", _fields(getattr(settings, section))))
    yield from _tables(settings, writer, "countries")


def _tables(settings: Settings, writer: "Writer", *sections: str) -> Iterator[Part]:
    """The tables by name of some sections."""
    for section in sections:
        for name, table in getattr(settings, section).items():
            yield Part(words.SECTIONS[section], name, writer.rows(section, name, _fields(table)))


def _fields(section: BaseModel) -> Iterator[tuple[str, object]]:
    return ((key, getattr(section, key)) for key in type(section).model_fields)


def _of_carrier(carrier: CarrierSettings) -> Iterator[tuple[str, object]]:
    yield from ((key, getattr(carrier, key)) for key in CARRIER)
    yield from carrier.options.items()


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes values in one language. `origins` says where each stands."""

    origins: Mapping[str, str]
    duration: Callable[[timedelta], str]
    weekday: Callable[[int], str]

    def rows(self, section: str, name: str, items: Iterable[tuple[str, object]]) -> tuple[Row, ...]:
        return tuple(self.row(section, name, key, value) for key, value in items)

    def row(self, section: str, name: str, key: str, value: object) -> Row:
        """One key with its value, or with what is said instead of it."""
        way = f"{section}.{key}"
        origin = self._origin(show((*section.split("."), *([name] if name else []), key)))
        row = Row(key, words.KEYS.get(way, key), origin=origin)
        hidden = key.rpartition("_")[2] in SECRET_WORDS or origin.startswith(SECRET_PLACES)
        if isinstance(value, SecretStr) or (hidden and value is not None):
            return replace(row, ours=(words.HIDDEN,))
        if isinstance(value, bool):
            return replace(row, ours=(words.YES if value else words.NO,))
        if value in ("", None, (), frozenset(), {}) or (value == 0 and way in words.ANY):
            return replace(row, ours=(words.ANY.get(way, words.NOTHING),))
        if isinstance(value, Enum) and (said := words.VALUES.get(f"{way}={value}")):
            return replace(row, ours=(said,))
        if way == "rule.when":
            # in the order of the words, since a set has none
            return replace(
                row,
                ours=tuple(
                    mark.word for outcome, mark in OUTCOME.items() if outcome in cast(Collection[object], value)
                ),
            )
        return replace(row, values=tuple(self._values(way, value)))

    def _origin(self, way: str) -> str:
        """Where a value stands; that of a table, such as opening hours, is where any of its keys does."""
        inside = (origin for set_, origin in self.origins.items() if set_.startswith(f"{way}."))
        return self.origins.get(way) or next(inside, "")

    def _values(self, way: str, value: object) -> Iterator[str]:
        match value:
            case timedelta():
                yield self.duration(value)
            case ZoneInfo():
                yield value.key
            case Calendar():
                yield value.name
            case date():
                yield value.isoformat()
            case Span():
                yield f"{self.weekday(value.weekday)} {value.start:%H:%M}-{value.end:%H:%M}"
            case Path():
                yield str(value)
            case Address() | str() if way != "database.url":
                yield str(value)
            case tuple():
                for one in value:
                    yield from self._values(way, one)
            case Mapping():
                yield from (f"{name}: {', '.join(groups)}" for name, groups in value.items())
            case frozenset():
                yield from sorted(text for one in value for text in self._values(way, one))
            case _:
                yield _without_user(value) if way == "database.url" else str(value)


def _without_user(url: object) -> str:
    """A database address without the account, which may have its password with it."""
    parts = urlsplit(str(url))
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

"""The values a configuration is made of: durations, numbers, languages, countries, zones. Addresses are apart.

Each reader takes what stands in the file or the environment and returns the value, or raises ValueError. The text of
the error follows the key's name in the fault line, so it starts with a verb and ends with the cure.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from difflib import get_close_matches
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, PlainValidator, SecretStr

from ringback.config.faults import nearest
from ringback.core.calls import UNANSWERED, Outcome
from ringback.core.numbers import NumberFormat, read_number
from ringback.core.schedules import Span, check_holidays, parse_spans
from ringback.core.spans import LONGEST, parse_duration
from ringback.core.templates import Template, TemplateFault, TextKind, parse


def read_duration(raw: object) -> timedelta:
    """Read `20s`, `15m`, `24h`, `2d`, `250ms`, `1.5s`, or a chain such as `1h30m`."""
    span = parse_duration(raw) if isinstance(raw, str) else None
    if span is None:
        raise ValueError(
            f'is {raw!r}, which is not a duration: write a number with d, h, m or s, as in "20s" or "1h30m"'
        )
    if span > LONGEST:
        raise ValueError(f"is {raw!r}, which is longer than ten years: make it shorter")
    return span


def read_did(raw: object) -> str:
    """Read one of our own numbers. Only E.164 is taken, so that nobody has to guess a country here."""
    if isinstance(raw, str) and read_number(raw, NumberFormat.E164, "").e164 == raw:
        return raw
    raise ValueError(f'names {raw!r}, which is no E.164 number: write + and all its digits, as in "+12025550101"')


_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")


def read_language(raw: object) -> str:
    """Read a language tag (BCP 47: language, script, region)."""
    if isinstance(raw, str) and _LANGUAGE.fullmatch(raw):
        return raw
    raise ValueError(f'names {raw!r}, which is not a language tag: write one like "en" or "pt-BR"')


@cache
def countries() -> Mapping[str, str]:
    """Every ISO 3166 country code with its English name, from the tz database."""
    lines = files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text("utf-8").splitlines()
    # Kosovo has numbers (+383) and no ISO code yet; the numbering plan data calls it XK.
    return dict(line.split("\t") for line in lines if line and not line.startswith("#")) | {"XK": "Kosovo"}


def read_country(raw: object) -> str:
    """Read a two-letter country code."""
    if isinstance(raw, str) and raw in countries():
        return raw
    by_name = {name.lower(): code for code, name in countries().items()}
    word = str(raw)
    near = get_close_matches(word.lower(), by_name, 1, 0.8)
    meant = word.upper() if word.upper() in countries() else by_name[near[0]] if near else ""
    cure = f'write "{meant}"' if meant else 'write its two capital letters, as in "US"'
    raise ValueError(f"is {raw!r}, which is not a country: {cure}")


def read_zone(raw: object) -> ZoneInfo:
    """Read an IANA time zone name."""
    try:
        return ZoneInfo(raw) if isinstance(raw, str) and raw else _no_zone(raw)
    except (OSError, ValueError) as problem:  # ZoneInfoNotFoundError is a KeyError; a folder or `../x` raise these
        raise ValueError(_zone_fault(raw)) from problem
    except KeyError as problem:
        raise ValueError(_zone_fault(raw)) from problem


def _no_zone(raw: object) -> ZoneInfo:
    raise ValueError(_zone_fault(raw))


def _zone_fault(raw: object) -> str:
    near = get_close_matches(str(raw), available_timezones(), 1, 0.6)
    cure = f'did you mean "{near[0]}"?' if near else 'write one like "America/New_York"'
    return f"is {raw!r}, which is not a time zone: {cure}"


def check_secret(secret: SecretStr) -> SecretStr:
    """Refuse what cannot be a password; the message never repeats it."""
    value = secret.get_secret_value()
    if not value:
        raise ValueError("is empty: write the secret itself")
    if not value.isprintable():
        raise ValueError("holds a line break or another control character: write one line")
    return secret


def check_token(token: SecretStr) -> SecretStr:
    """Refuse what the dialplan would take apart: it stands there as a variable, and goes into a header."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{20,100}", token.get_secret_value()):
        raise ValueError("must be 20 to 100 letters, digits, - and _: `ringback init` makes one")
    return token


def read_outcome(raw: object) -> Outcome:
    """Read an outcome after which a rule may send a text."""
    word = str(raw)
    if word in UNANSWERED:
        return Outcome(word)
    if word in set(Outcome):
        raise ValueError(f"names {word!r}, after which nobody is texted: take it out")
    raise ValueError(f"names {raw!r}, which is not an outcome: {nearest(word, sorted(UNANSWERED))}")


def read_template(raw: object, kind: TextKind = TextKind.CALL_TEXT) -> Template:
    """Check one text of a rule, or of another kind."""
    if not isinstance(raw, str):
        raise ValueError('must be text: write it in quotes, as in en = "Sorry we missed you. STOP to end"')
    try:
        return parse(raw, kind)
    except TemplateFault as problem:
        raise ValueError(f"cannot be used: {problem}") from problem


def read_spans(raw: object) -> tuple[Span, ...]:
    """Read weekly hours such as `{ mon-fri = ["09:00-17:00"] }`."""
    if not isinstance(raw, Mapping):
        raise ValueError('must be a table of days: write { mon-fri = ["09:00-17:00"] }')
    try:
        return parse_spans(raw)
    except ValueError as problem:
        raise ValueError(f"cannot be used: {problem}") from problem


def read_holidays(raw: object) -> str:
    """Read the code of a holiday calendar, such as `US-NY`; empty means none."""
    if raw == "":
        return ""
    try:
        check_holidays(str(raw))
    except ValueError as problem:
        raise ValueError(f"cannot be used: {problem}") from problem
    return str(raw)


def read_day(raw: object) -> date:
    """Read a date, quoted or bare."""
    try:
        return raw if type(raw) is date else date.fromisoformat(str(raw))
    except ValueError as problem:
        raise ValueError(f'names {str(raw)!r}, which is not a date: write one like "2026-12-24"') from problem


def split_commas(raw: object) -> object:
    """Let the environment write a list as `en,es`; what is no text passes through to be judged."""
    if not isinstance(raw, str):
        return raw
    return [word.strip() for word in raw.split(",") if word.strip()]


def read_any_language(raw: object) -> str:
    """Read a language tag; empty means the business's own."""
    return "" if raw == "" else read_language(raw)


def read_any_zone(raw: object) -> ZoneInfo | None:
    """Read a time zone; empty means the business's own."""
    return None if raw == "" else read_zone(raw)


def read_any_path(raw: object) -> Path | None:
    """Read where a file is; empty means none."""
    if not isinstance(raw, str):
        raise ValueError(f'is not a path: write a text, like "/var/log/asterisk/cel-custom/Master.csv", not {raw!r}')
    return Path(raw) if raw else None


When = Annotated[Outcome, PlainValidator(read_outcome)]
Duration = Annotated[timedelta, PlainValidator(read_duration)]
Did = Annotated[str, PlainValidator(read_did)]
Language = Annotated[str, PlainValidator(read_language)]
Country = Annotated[str, PlainValidator(read_country)]
AnyLanguage = Annotated[str, PlainValidator(read_any_language)]
Zone = Annotated[ZoneInfo, PlainValidator(read_zone)]
AnyPath = Annotated[Path | None, PlainValidator(read_any_path)]
AnyZone = Annotated[ZoneInfo | None, PlainValidator(read_any_zone)]
SafeSecret = Annotated[SecretStr, AfterValidator(check_secret)]
DialplanToken = Annotated[SecretStr, AfterValidator(check_token)]
Text = Annotated[Template, PlainValidator(read_template)]
Introduction = Annotated[Template, PlainValidator(partial(read_template, kind=TextKind.INTRODUCTION))]
Spans = Annotated[tuple[Span, ...], PlainValidator(read_spans)]
Holidays = Annotated[str, PlainValidator(read_holidays)]
Day = Annotated[date, PlainValidator(read_day)]

Listed = BeforeValidator(split_commas)

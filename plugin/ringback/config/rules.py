"""Rules and calendars: their tables in the file, and the values of the core they become."""

import json
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationInfo, field_validator

from ringback.config.sections import Known, Section, check_languages
from ringback.config.values import (
    AnyZone,
    Day,
    Did,
    Duration,
    Holidays,
    Language,
    Listed,
    Spans,
    Text,
    When,
)
from ringback.core.calls import UNANSWERED
from ringback.core.schedules import Calendar
from ringback.core.spans import write_duration
from ringback.core.triggers import Hours, Rule

Word = Annotated[str, Field(min_length=1, max_length=80)]


class CalendarTable(Section):
    """One `[calendar.NAME]`. Without a zone it keeps the business's."""

    zone: AnyZone = None
    open: Spans
    callback: Spans = ()
    closed: Annotated[frozenset[Day], Listed] = frozenset()
    holidays: Holidays = ""


class RuleTable(Section):
    """One `[[rule]]`."""

    name: str
    when: Annotated[frozenset[When], Listed, Field(min_length=1)]
    did: Annotated[frozenset[Did], Listed] = frozenset()
    queue: Annotated[frozenset[Word], Listed] = frozenset()
    extension: Annotated[frozenset[Word], Listed] = frozenset()
    hours: Hours = Hours.ANY
    calendar: str = Field(default="", validate_default=True)
    min_ring: Duration = timedelta()
    delay: Duration = timedelta(seconds=20)
    cool_down: Duration = timedelta(hours=24)
    age_limit: Duration = timedelta(minutes=15)
    group: Word = "missed"
    text: Annotated[dict[Language, Text], Field(min_length=1)]

    @field_validator("did")
    @classmethod
    def _is_ours(cls, did: frozenset[str], info: ValidationInfo) -> frozenset[str]:
        ours = info.context.dids if isinstance(info.context, Known) else did
        if strange := sorted(did - ours):
            raise ValueError(f'names {", ".join(strange)}, which is not in [numbers]: add [numbers."{strange[0]}"]')
        return did

    @field_validator("calendar")
    @classmethod
    def _is_known(cls, calendar: str, info: ValidationInfo) -> str:
        if not isinstance(info.context, Known):
            return calendar
        calendars, hours = info.context.calendars, info.data.get("hours", Hours.ANY)
        if calendar and calendar not in calendars:
            raise ValueError(f"names {calendar!r}, which is no calendar here: add [calendar.{calendar}] or correct it")
        if not calendar and hours is not Hours.ANY and len(calendars) != 1:
            raise ValueError(f'is missing, and hours = "{hours}" needs one: {_which(calendars)}')
        return calendar

    @field_validator("age_limit")
    @classmethod
    def _lets_some_through(cls, age_limit: timedelta) -> timedelta:
        if age_limit < timedelta(seconds=1):
            raise ValueError('makes every call too old: write "1s" or more')
        return age_limit

    @field_validator("text")
    @classmethod
    def _is_spoken(cls, text: Mapping[str, Text], info: ValidationInfo) -> Mapping[str, Text]:
        check_languages(list(text), info)
        return text


def _which(calendars: tuple[str, ...]) -> str:
    return f"write one of {', '.join(calendars)}" if calendars else "add [calendar.main] with the opening hours"


def build_calendar(name: str, table: CalendarTable, zone: ZoneInfo) -> Calendar:
    """Make the calendar; `zone` is the business's."""
    return Calendar(name, table.zone or zone, table.open, table.callback, table.closed, table.holidays)


def build_rule(table: RuleTable, calendars: Mapping[str, Calendar]) -> Rule:
    """Make the rule. One that names no calendar gets the only one there is."""
    only = next(iter(calendars.values())) if len(calendars) == 1 else None
    return Rule(
        name=table.name,
        when=table.when,
        text=table.text,
        version=version_of(table),
        did=table.did,
        queue=table.queue,
        extension=table.extension,
        hours=table.hours,
        calendar=calendars[table.calendar] if table.calendar else only,
        min_ring=table.min_ring,
        delay=table.delay,
        cool_down=table.cool_down,
        age_limit=table.age_limit,
        group=table.group,
    )


def version_of(table: RuleTable) -> str:
    """Hash what the rule says, not how it is written: defaults filled in, lists without order as sorted lists."""
    said = {
        "name": table.name,
        "when": sorted(table.when),
        "did": sorted(table.did),
        "queue": sorted(table.queue),
        "extension": sorted(table.extension),
        "hours": table.hours,
        "calendar": table.calendar,
        "min_ring": write_duration(table.min_ring),
        "delay": write_duration(table.delay),
        "cool_down": write_duration(table.cool_down),
        "age_limit": write_duration(table.age_limit),
        "group": table.group,
        # the order counts: the first language is the fall-back
        "text": [[language, template.source] for language, template in table.text.items()],
    }
    canonical = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(canonical.encode()).hexdigest()[:12]


EXAMPLE_TEXT = "Sorry we missed your call. Reply here and we will help. STOP to end"
EXAMPLE_CONTEXTS = ("from-trunk", "from-pstn", "from-did-direct", "from-carrier")
"""Where calls from outside start, in the words of common PBXs."""


def example_rules(text: str = EXAMPLE_TEXT) -> tuple[Rule, ...]:
    """Return the rule of the shipped example: any unanswered call, any DID, any hour, one text in 24 hours."""
    table = RuleTable.model_validate({"name": "example", "when": UNANSWERED, "text": {"en": text}})
    return (build_rule(table, {}),)

"""How a queue works, as JSON: a field a key, spans in whole seconds. Keys of a newer version are not read."""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar

from ringback.core.text_queues import AfterHangUp, ForLandlines, Note, Offering, Plan, Strategy

_SECOND = timedelta(seconds=1)
_T = TypeVar("_T")
Reader = Callable[[Any], object]


def write_plan(plan: Plan) -> str:
    """All of a plan, so that what a later version takes for usual does not change it."""
    return json.dumps(_written(plan), ensure_ascii=False, separators=(",", ":"))


def read_plan(text: str) -> Plan:
    """The plan; what is missing, or cannot be understood, is as usual."""
    return _read(Plan, _PLAN, json.loads(text))


def _written(thing: Plan | Offering) -> dict[str, object]:
    return {field.name: _plain(getattr(thing, field.name)) for field in fields(thing)}


def _plain(value: object) -> object:
    match value:
        case timedelta():
            return value // _SECOND
        case Offering():
            return _written(value)
        case Mapping():
            return {str(note): dict(texts) for note, texts in value.items()}
    return value


def _span(value: Any) -> timedelta:
    return timedelta(seconds=int(value))


def _maybe_span(value: Any) -> timedelta | None:
    return None if value is None else _span(value)


def _notes(value: Any) -> dict[Note, dict[str, str]]:
    return {Note(note): dict(texts) for note, texts in value.items() if note in _NOTES}


def _read(kind: type[_T], readers: Mapping[str, Reader], found: Mapping[str, Any]) -> _T:
    known: dict[str, Any] = {}
    for name, reader in readers.items():
        try:
            known[name] = reader(found[name])
        except (KeyError, ValueError, TypeError, AttributeError):
            continue
    return kind(**known)


_NOTES: frozenset[str] = frozenset(Note)
_OFFERING: Mapping[str, Reader] = {
    "if_wait": _maybe_span,
    "if_waiting": int,
    "agents": int,
    "unknown": bool,
    "calendar": str,
    "every": _span,
    "margin": float,
    "landline": ForLandlines,
}
_WORDS: Mapping[str, type[StrEnum] | type[str]] = {
    "strategy": Strategy,
    "calendar": str,
    "after_hang_up": AfterHangUp,
}
_SPANS = (
    "offer_for",
    "queued_expiry",
    "agent_idle",
    "customer_idle",
    "warn_before",
    "dismissed_for",
    "wrap_up",
    "transfer_for",
    "agent_gone",
)
_PLAN: Mapping[str, Reader] = {
    **_WORDS,
    **dict.fromkeys(_SPANS, _span),
    "at_once": bool,
    "offering": lambda value: _read(Offering, _OFFERING, value),
    "notes": _notes,
}

"""Reads the option table of one carrier: typed, checked, and every fault named at once."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from ringback.config.values import read_duration, write_duration
from ringback.errors import ConfigFault
from ringback.ports import OptionValue

Choice = TypeVar("Choice", bound=StrEnum)
Value = TypeVar("Value")


class Options:
    """Take each option once, then call `finish`, which raises ConfigFault if anything was wrong or left over.

    A faulty option gives its default meanwhile, so that the next fault is found in the same reading.
    """

    def __init__(self, carrier: str, table: Mapping[str, OptionValue]) -> None:
        self._carrier = carrier
        self._left = dict(table)
        self._known: list[str] = []
        self._faults: list[str] = []

    def whole(self, key: str, default: int, low: int, high: int) -> int:
        """Read a whole number from `low` to `high`."""
        value = self._take(key, default)
        # True is an int to Python, not to the owner
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        return self._fault(key, f"must be a whole number from {low} to {high}", default)

    def duration(self, key: str, default: timedelta, high: timedelta) -> timedelta:
        """Read a time span as everywhere in the configuration, at most `high`."""
        if key not in self._left:
            self._known.append(key)
            return default
        try:
            span = read_duration(self._take(key, ""))
        except ValueError as problem:
            return self._fault(key, str(problem), default)
        if span > high:
            return self._fault(key, f"must be at most {write_duration(high)}", default)
        return span

    def choice(self, key: str, default: Choice) -> Choice:
        """Read one word of the enum that `default` belongs to."""
        words = type(default)
        value = self._take(key, default)
        try:
            return words(str(value))
        except ValueError:
            return self._fault(key, f"must be one of {', '.join(words)}", default)

    def finish(self) -> None:
        """Raise ConfigFault with every fault found, in the order of reading; an unknown option is a fault."""
        for key in self._left:
            self._fault(key, f"is not an option of this carrier; it knows {', '.join(self._known)}", None)
        if self._faults:
            raise ConfigFault(self._faults)

    def _take(self, key: str, default: OptionValue) -> OptionValue:
        self._known.append(key)
        return self._left.pop(key, default)

    def _fault(self, key: str, cure: str, default: Value) -> Value:
        self._faults.append(f"carriers.{self._carrier}.{key} {cure}")
        return default

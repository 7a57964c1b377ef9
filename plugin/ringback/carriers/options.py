"""Reads the option table of one carrier: typed, checked, and every fault named at once."""

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from pydantic import SecretStr

from ringback.config.addresses import split_url
from ringback.config.faults import secret_home
from ringback.config.values import check_secret, read_duration
from ringback.core.spans import write_duration
from ringback.errors import ConfigFault
from ringback.ports import OptionValue

Choice = TypeVar("Choice", bound=StrEnum)
Value = TypeVar("Value")

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


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

    def text(self, key: str, shape: re.Pattern[str], example: str) -> str:
        """Read text of that shape, which has to be there; `example` is shown to whoever left it out."""
        return self._text(key, shape, example) if key in self._left else self._missing(key, f'add {key} = "{example}"')

    def text_if_any(self, key: str, shape: re.Pattern[str], example: str) -> str:
        """Read text of that shape; empty if it is not there."""
        return self._text(key, shape, example) if key in self._left else self._absent(key, "")

    def secret(self, key: str) -> SecretStr:
        """Read a secret, which has to be there. Neither it nor its faults ever show the value."""
        if key in self._left:
            return self._secret(key)
        return SecretStr(self._missing(key, secret_home(("carriers", self._carrier, key))))

    def secret_if_any(self, key: str) -> SecretStr | None:
        """Read a secret; None if it is not there."""
        return self._secret(key) if key in self._left else self._absent(key, None)

    def address(self, key: str, default: str) -> str:
        """Read the address of an API without a path. Only https, except to this machine itself."""
        value = self._take(key, default)
        parts = split_url(value)
        try:
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            return self._fault(key, "has no port that exists", default)
        name = parts.hostname or ""
        host = f"[{name}]" if ":" in name else name
        known = {f"{parts.scheme}://{host}{port}", f"{parts.scheme}://{host}{port}/"}
        safe = parts.scheme == "https" or (parts.scheme == "http" and name in LOOPBACK)
        if host and safe and str(value).lower() in known:
            return f"{parts.scheme}://{host}{port}"
        return self._fault(key, f'must be an https address without a path, as in "{default}"', default)

    def finish(self) -> None:
        """Raise ConfigFault with every fault found, in the order of reading; an unknown option is a fault."""
        for key in self._left:
            self._fault(key, f"is not an option of this carrier; it knows {', '.join(self._known)}", None)
        if self._faults:
            raise ConfigFault(self._faults)

    def fault(self, key: str, cure: str) -> None:
        """Note what is wrong with an option beyond its own form; the sentence goes on after its key."""
        self._fault(key, cure, None)

    def _text(self, key: str, shape: re.Pattern[str], example: str) -> str:
        value = self._take(key, "")
        if isinstance(value, str) and shape.fullmatch(value):
            return value
        return self._fault(key, f'must look like "{example}"', "")

    def _secret(self, key: str) -> SecretStr:
        value = self._take(key, "")
        if not isinstance(value, str):
            return self._fault(key, "must be text", SecretStr(""))
        try:
            return check_secret(SecretStr(value))
        except ValueError as problem:
            return self._fault(key, str(problem), SecretStr(""))

    def _absent(self, key: str, default: Value) -> Value:
        self._known.append(key)
        return default

    def _missing(self, key: str, cure: str) -> str:
        self._known.append(key)
        return self._fault(key, f"is missing: {cure}", "")

    def _take(self, key: str, default: OptionValue) -> OptionValue:
        self._known.append(key)
        return self._left.pop(key, default)

    def _fault(self, key: str, cure: str, default: Value) -> Value:
        self._faults.append(f"carriers.{self._carrier}.{key} {cure}")
        return default

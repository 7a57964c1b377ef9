"""A sentence of ours with places in it: a page translates it when it is shown, everything else reads it in English."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

Value = str | int | datetime


def NN_(one: str, many: str) -> tuple[str, str]:  # noqa: N802 - like N_, for a text and its plural
    return one, many


@dataclass(frozen=True, slots=True)
class Say:
    """`text` was marked by N_, or by NN_ together with `many`; its places are written `%(name)s`.

    The value `n` chooses between the two. Other values may come from anywhere. A moment is shown in the zone of the
    business on a page, and in UTC elsewhere.
    """

    text: str
    values: Mapping[str, Value] = field(default_factory=dict)
    many: str = ""

    def __str__(self) -> str:
        chosen = self.many if self.many and self.values["n"] != 1 else self.text
        return chosen % {name: _plain(value) for name, value in self.values.items()}


def _plain(value: Value) -> str | int:
    return f"{value:%Y-%m-%d %H:%M} UTC" if isinstance(value, datetime) else value


def counted(forms: tuple[str, str], n: int) -> Say:
    """Say how many."""
    return Say(forms[0], {"n": n}, forms[1])

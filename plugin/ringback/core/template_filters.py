"""The ten filters of templates: text in, text out, never longer than a template may be.

`upcase`, `downcase`, `capitalize`, `strip`, `first_word`, `truncate: 20` (with `...`, or another ending as second
argument), `default: "there"`, `append: "!"`, `prepend: "Dr "`, `replace: "Ltd", "Limited"`.
"""

from collections.abc import Callable
from dataclasses import dataclass

LONGEST = 2000


class FilterOverflow(ValueError):
    """A filter made more text than any message holds."""


@dataclass(frozen=True, slots=True)
class TextFilter:
    """What a filter does and what it takes: `int` is a number as written, `str` a quoted text or a name."""

    apply: Callable[..., str]
    takes: tuple[type, ...] = ()
    needs: int = 0

    def __call__(self, left: object, *args: object) -> str:
        """Called by Liquid; a missing value (None) is an empty text."""
        result = self.apply(_text(left), *(arg if isinstance(arg, int) else _text(arg) for arg in args))
        if len(result) > LONGEST:
            raise FilterOverflow(
                f"a filter makes {len(result)} characters, the limit is {LONGEST}: do it in fewer steps"
            )
        return result


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _keep_length(change: Callable[[str], str], text: str) -> str:
    """ß has no single capital: a text that grows would outgrow the room its value was given."""
    changed = change(text)
    if len(changed) <= len(text):
        return changed
    return "".join(new if len(new := change(letter)) == 1 else letter for letter in text)


def _upcase(text: str) -> str:
    return _keep_length(str.upper, text)


def _downcase(text: str) -> str:
    return _keep_length(str.lower, text)


def _capitalize(text: str) -> str:
    return _upcase(text[:1]) + _downcase(text[1:])


def _first_word(text: str) -> str:
    return next(iter(text.split()), "")


def _truncate(text: str, length: int, ending: str = "...") -> str:
    return text if len(text) <= length else text[: max(length - len(ending), 0)] + ending


def _default(text: str, other: str) -> str:
    return text or other


def _append(text: str, more: str) -> str:
    return text + more


def _prepend(text: str, more: str) -> str:
    return more + text


FILTERS: dict[str, TextFilter] = {
    "upcase": TextFilter(_upcase),
    "downcase": TextFilter(_downcase),
    "capitalize": TextFilter(_capitalize),
    "strip": TextFilter(str.strip),
    "first_word": TextFilter(_first_word),
    "truncate": TextFilter(_truncate, (int, str), needs=1),
    "default": TextFilter(_default, (str,), needs=1),
    "append": TextFilter(_append, (str,), needs=1),
    "prepend": TextFilter(_prepend, (str,), needs=1),
    "replace": TextFilter(str.replace, (str, str), needs=2),
}

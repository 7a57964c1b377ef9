"""Words from outside in a sentence of ours: legible, and in an element of their own, which keeps their direction."""

from collections.abc import Callable
from datetime import datetime

from markupsafe import Markup

from ringback.panel.say import Say, Value
from ringback.panel.words import legible, spaced


def places(say: Say, at: Callable[[datetime], str]) -> dict[str, object]:
    """What goes into the places of a sentence, as a page takes it; `at` writes a moment."""
    return {name: _place(value, at) for name, value in say.values.items()}


def _place(value: Value, at: Callable[[datetime], str]) -> object:
    if isinstance(value, datetime):
        return moment(at(value))
    return value if isinstance(value, int) else apart(value)


def apart(value: str) -> Markup:
    return value if isinstance(value, Markup) else Markup("<bdi>{}</bdi>").format(legible(value))


def number(e164: str) -> Markup:
    """A phone number as it stands in a sentence."""
    return Markup('<bdi class="num">{}</bdi>').format(spaced(legible(e164)))


def moment(words: str) -> Markup:
    """A time as it stands in a sentence: never broken over two lines."""
    return Markup('<span class="num">{}</span>').format(words)

"""Words from outside in a sentence of ours: legible, and in an element of their own, which keeps their direction."""

from markupsafe import Markup

from ringback.panel.say import Say
from ringback.panel.words import legible, spaced


def places(say: Say) -> dict[str, object]:
    """What goes into the places of a sentence, as a page takes it."""
    return {name: value if isinstance(value, int) else apart(value) for name, value in say.values.items()}


def apart(value: str) -> Markup:
    return value if isinstance(value, Markup) else Markup("<bdi>{}</bdi>").format(legible(value))


def number(e164: str) -> Markup:
    """A phone number as it stands in a sentence."""
    return Markup('<bdi class="num">{}</bdi>').format(spaced(legible(e164)))


def moment(words: str) -> Markup:
    """A time as it stands in a sentence: never broken over two lines."""
    return Markup('<span class="num">{}</span>').format(words)

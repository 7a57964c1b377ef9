"""What a person typed, made fit to send."""

import unicodedata

from ringback.core.segments import normalise


def clean(text: str) -> str:
    """Compose letters, write every line end as one, and leave out what nobody can see: control characters and blanks
    at either end. Marks that shape a text (joiners, directions) stay.
    """
    return normalise(text if text.isprintable() else _seen(text)).strip()


def _seen(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return "".join(letter for letter in lines if letter == "\n" or unicodedata.category(letter) != "Cc")

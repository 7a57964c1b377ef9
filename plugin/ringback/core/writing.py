"""What a person typed, made fit to send."""

import unicodedata

from ringback.core.segments import normalise


def clean(text: str) -> str:
    """Compose letters, write every line end as one, and leave out what nobody can see: control characters and blanks
    at either end. Marks that shape a text (joiners, directions) stay.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    seen = "".join(letter for letter in lines if letter == "\n" or unicodedata.category(letter) != "Cc")
    return normalise(seen).strip()

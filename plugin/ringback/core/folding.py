"""What a person typed, as plain words: so that ARRÊT, arret, “Arret!” and ＡＲＲＥＴ are one word."""

import unicodedata
from functools import lru_cache

_DROPPED = "'`\u2018\u2019\u201b\u02bb\u02bc\u2032\u115f\u1160"
"""Apostrophes leave no gap, since half the world writes `dont` anyway; nor do the two letters that show nothing."""


def _plain(letter: str) -> str:
    """A letter or digit as it is, nothing for marks and controls, a blank for the rest."""
    if letter in _DROPPED:
        return ""
    if letter.isspace():
        return " "
    match unicodedata.category(letter)[0]:
        case "L" | "N":
            return letter
        case "M" | "C":
            return ""
    return " "


_ASCII = str.maketrans({chr(code): _plain(chr(code)) for code in range(128)})
_remembered = lru_cache(maxsize=4096)(_plain)


def fold(text: str) -> str:
    """Small letters and digits without accents, one blank between words, and nothing else of what was written.

    Compatible forms are one (NFKD: full width, ligatures, mathematical letters). Marks, controls and what steers
    direction are gone. All else that is no letter and no digit is a gap.
    """
    if text.isascii():
        return " ".join(text.lower().translate(_ASCII).split())
    # a free-standing acute accent is typed as an apostrophe, but NFKD makes a blank of it
    known = unicodedata.normalize("NFKD", text.replace("\u00b4", "'"))
    return " ".join("".join(map(_remembered, known)).casefold().split())


def base_language(code: str) -> str:
    """Two letters of `es-MX`, `pt_BR` or `EN`."""
    return code.lower().replace("_", "-").partition("-")[0]

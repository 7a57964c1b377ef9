"""Reads a form body as it was sent: order, repeats and blanks are kept, since a signature may cover them."""

import re
from urllib.parse import unquote_to_bytes

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 1_000

_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_UTF8 = frozenset({"", "utf-8", "utf8"})

Fields = tuple[tuple[str, str], ...]


def read_form(content_type: str, body: bytes) -> Fields | None:
    """Return the fields; None if it is no form, or a broken one. Guessing would make another text of it."""
    kind, _, parameters = content_type.partition(";")
    if kind.strip().lower() != FORM or _charset(parameters) not in _UTF8:
        return None
    if body.count(b"&") >= MOST_FIELDS or _BROKEN_ESCAPE.search(body):
        return None
    try:
        return tuple([_field(piece) for piece in body.replace(b"+", b" ").split(b"&") if piece])
    except UnicodeDecodeError:
        return None


def _charset(parameters: str) -> str:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return ""


def _field(piece: bytes) -> tuple[str, str]:
    name, _, value = piece.partition(b"=")
    # most are not escaped at all, and unquoting takes longest
    if b"%" in piece:
        name, value = unquote_to_bytes(name), unquote_to_bytes(value)
    return name.decode(), value.decode()

"""How somebody is reached, and where they are at the PBX, as people type it."""

import re
import unicodedata
from collections.abc import Mapping

from ringback.core.numbers import Line, NumberFormat, NumberKind, read_number
from ringback.flow.refusing import Because, Refused
from ringback.ports.people import Contact

LONGEST_MAIL = 254
_EXTENSION = re.compile(r"[\w*#.+-]{1,32}")
_ENDPOINT = re.compile(r"(?:[A-Za-z0-9]{2,10}/)?[\w.@+-]{1,69}")
_MAIL = re.compile(r"[^@\s\"<>(),;:]{1,64}@(?:[\w-]+\.)+[\w-]{2,}")
NOT_TEXTED = frozenset({Line.LANDLINE, Line.PREMIUM, Line.EMERGENCY})
DRIVER = "PJSIP"
"""What an endpoint belongs to where nobody says."""


def read_extension(text: str) -> str:
    """An extension, empty for none. Raises Refused."""
    extension = _plain(text)
    if extension and not _EXTENSION.fullmatch(extension):
        raise Refused(Because.BAD_EXTENSION)
    return extension


def read_endpoint(text: str) -> str:
    """An endpoint as Asterisk names its device: `101` is `PJSIP/101`. Raises Refused."""
    endpoint = _plain(text)
    if not endpoint:
        return ""
    if not _ENDPOINT.fullmatch(endpoint):
        raise Refused(Because.BAD_ENDPOINT)
    return endpoint if "/" in endpoint else f"{DRIVER}/{endpoint}"


def read_mail(text: str) -> str:
    """A mail address, its domain in small letters. Raises Refused."""
    mail = _plain(text)
    if mail and (len(mail) > LONGEST_MAIL or not _MAIL.fullmatch(mail)):
        raise Refused(Because.BAD_MAIL)
    name, at, domain = mail.rpartition("@")
    return f"{name}{at}{domain.lower()}"


def read_mobile(text: str, country: str) -> str:
    """A number that can be texted, in E.164; without a country it is one of `country`. Raises Refused."""
    if not text.strip():
        return ""
    number = read_number(text.strip(), NumberFormat.AS_IS, country)
    if number.kind is not NumberKind.E164 or number.e164 is None or number.line in NOT_TEXTED:
        raise Refused(Because.BAD_MOBILE)
    return number.e164


def read_contact(said: Mapping[str, str], country: str) -> Contact:
    """All of it, by the names of its parts; one that is not there is empty. Raises Refused for the first wrong one."""
    return Contact(
        read_extension(said.get("extension", "")),
        read_endpoint(said.get("endpoint", "")),
        read_mail(said.get("mail", "")),
        read_mobile(said.get("mobile", ""), country),
    )


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()

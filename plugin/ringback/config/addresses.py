"""Addresses in a configuration: where we listen, where others are. Readers and faults are as in values.py."""

import re
from typing import Annotated, NamedTuple
from urllib.parse import SplitResult, urlsplit

from pydantic import PlainValidator


class Address(NamedTuple):
    """Where to listen. Port 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})")


def read_address(raw: object) -> Address:
    """Read `host:port`, with the host of IPv6 in brackets."""
    found = _ADDRESS.fullmatch(raw) if isinstance(raw, str) else None
    if found is None or int(found[3]) > 65_535:
        raise ValueError(f'is {raw!r}, which is not an address: write host:port, as in "127.0.0.1:8080"')
    return Address(found[1] or found[2], int(found[3]))


def read_own_address(raw: object) -> Address:
    """Read an address that only this machine reaches."""
    address = read_address(raw)
    if not is_loopback_name(f"[{address.host}]" if ":" in address.host else address.host):
        raise ValueError(
            f"is {raw!r}, which others can reach: whoever asks here decides about texts and the secret crosses the "
            'wire in the clear, so write a loopback address, as in "127.0.0.1:8082"'
        )
    return address


def read_any_own_address(raw: object) -> Address | None:
    """The same; empty means that nothing listens."""
    return None if raw == "" else read_own_address(raw)


def split_url(raw: object) -> SplitResult:
    """Take an address apart; what is none gives an empty one."""
    try:
        return urlsplit(raw if isinstance(raw, str) else "")
    except ValueError:
        return urlsplit("")


_PUBLIC = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|(?!.*\.\.)[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*)/?"
)
_LOOPBACK = re.compile(r"localhost|127\.[0-9]+\.[0-9]+\.[0-9]+|\[::1\]")


def read_public_url(raw: object) -> str:
    """Read the address under which the outside reaches us, without a last slash; empty means that it does not."""
    if raw == "":
        return ""
    found = _PUBLIC.fullmatch(raw) if isinstance(raw, str) else None
    if found is None or not 0 < int(found["port"] or 443) <= 65_535:
        # never repeat it: it may hold a password
        raise ValueError(
            "is not a public address: write https, a host, perhaps a port and a plain path, "
            'as in "https://sms.example.com"'
        )
    if found["scheme"] == "http" and not _LOOPBACK.fullmatch(found["host"]):
        raise ValueError('is not https: texts would cross the net for all to read; begin it with "https://"')
    return found[0].rstrip("/")


def is_loopback_name(host: str) -> bool:
    """Whether a host is this machine's own."""
    return bool(_LOOPBACK.fullmatch(host)) or host == "::1"


_HTTPS = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?P<rest>(?::[0-9]{1,5})?(?:/[^\s?#]*)?)"
)


def read_https(raw: object) -> str:
    """Read the address of a service we trust: https, but on this machine."""
    found = _HTTPS.fullmatch(raw) if isinstance(raw, str) else None
    if found is None:
        raise ValueError('is not an address: write https, a host and perhaps a path, as in "https://id.example.com"')
    if found["scheme"] == "http" and not _LOOPBACK.fullmatch(found["host"]):
        raise ValueError('is not https: whoever sits between could let anybody in; begin it with "https://"')
    return found[0]


_LDAP = re.compile(r"ldaps?://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::[0-9]{1,5})?/?")


def read_ldap(raw: object) -> str:
    """Read the address of a directory."""
    found = _LDAP.fullmatch(raw) if isinstance(raw, str) else None
    if found is None:
        raise ValueError('is not a directory we can ask: write it like "ldaps://ldap.example.com"')
    return found[0].rstrip("/")


_MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


def read_mailbox(raw: object) -> str:
    """Read a mail address; empty means none."""
    if raw == "" or (isinstance(raw, str) and _MAILBOX.fullmatch(raw)):
        return str(raw)
    raise ValueError(f'is {raw!r}, which is not a mail address: write it like "texts@example.com"')


DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
"""How an address may begin, and what SQLAlchemy calls that."""


def read_database(raw: object) -> str:
    """Read a database address and name its driver; empty means the SQLite file in the state folder."""
    if raw == "":
        return ""
    driver = DRIVERS.get(split_url(raw).scheme)
    rest = str(raw).partition("://")[2]
    if not driver or not rest:
        # never repeat it: it may hold a password
        raise ValueError('is not a database we know: write "postgresql://user@host/name" or "sqlite:////path/file.db"')
    return f"{driver}://{rest}"


Listen = Annotated[Address, PlainValidator(read_address)]
OwnListen = Annotated[Address, PlainValidator(read_own_address)]
AnyOwnListen = Annotated[Address | None, PlainValidator(read_any_own_address)]
PublicUrl = Annotated[str, PlainValidator(read_public_url)]
DatabaseUrl = Annotated[str, PlainValidator(read_database)]
Issuer = Annotated[str, PlainValidator(read_https)]
LdapUrl = Annotated[str, PlainValidator(read_ldap)]
Mailbox = Annotated[str, PlainValidator(read_mailbox)]

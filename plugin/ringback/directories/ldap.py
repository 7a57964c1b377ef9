"""A directory that is asked over LDAP: found by a search, then bound as with the password that was typed.

ldap3 waits in threads of its own, with time-outs, so that a directory that hangs holds up nobody else.
"""

import asyncio
import ssl
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ringback.config.logins import Ldap
from ringback.directories import admission_of
from ringback.ports.directories import Admission, DirectoryAway, Person

if TYPE_CHECKING:
    from ldap3 import Connection, Server

AT_ONCE = 4
MOST_GROUPS = 500
NOBODY = "cn=nobody,o=ringback"
"""Bound as where nobody was found, so that an unknown login takes as long as a wrong password."""


@dataclass(frozen=True, slots=True)
class _Found:
    """One entry of the directory."""

    dn: str
    login: str
    name: str
    mail: str
    groups: frozenset[str]


class LdapDirectory:
    """Satisfies `ports.directories.PasswordDirectory`."""

    def __init__(self, settings: Ldap) -> None:
        self._settings = settings
        self._admission = admission_of("ldap", settings)
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="ldap")

    @property
    def admission(self) -> Admission:
        return self._admission

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def check(self, login: str, password: str) -> Person | None:
        # with an empty one a directory binds as nobody in particular, and says that it went well (RFC 4513, 5.1.2)
        if not login or not password or "\x00" in password:
            return None
        try:
            async with asyncio.timeout(self._settings.timeout.total_seconds() * 4):
                return await asyncio.get_running_loop().run_in_executor(self._threads, self._check, login, password)
        except TimeoutError:
            raise DirectoryAway("the directory does not answer in time") from None

    def _check(self, login: str, password: str) -> Person | None:
        from ldap3.core.exceptions import LDAPException  # noqa: PLC0415 - the extra may not be installed

        try:
            found = self._search(login)
            if not self._binds(found.dn if found else NOBODY, password) or found is None:
                return None
        except (LDAPException, OSError, ssl.SSLError) as problem:
            # what ldap3 says may quote what it was asked
            raise DirectoryAway(f"the directory cannot be asked ({type(problem).__name__})") from None
        return Person(f"ldap:{found.dn}", found.login or login, found.name, found.mail, found.groups)

    def _search(self, login: str) -> _Found | None:
        """The one entry of this login; of several none, since nobody knows which is meant."""
        from ldap3.utils.conv import escape_filter_chars  # noqa: PLC0415 - the extra may not be installed

        settings = self._settings
        secret = settings.bind_password.get_secret_value() if settings.bind_password else ""
        with self._line(settings.bind_dn, secret) as connection:
            if not connection.bind():
                raise DirectoryAway(f"the directory refuses {settings.bind_dn or 'a bind without a name'}")
            wanted = [settings.login_attribute, settings.name_attribute, settings.mail_attribute]
            asked = settings.filter.replace("{login}", escape_filter_chars(login))
            names = [name for name in (*wanted, settings.group_attribute) if name]
            connection.search(settings.base, asked, attributes=names, size_limit=2)
            entries = [entry for entry in connection.response or () if entry.get("type") == "searchResEntry"]
            return self._read(entries[0], connection) if len(entries) == 1 else None

    def _read(self, entry: "dict[str, object]", connection: "Connection") -> _Found:
        settings, dn = self._settings, str(entry["dn"])
        groups = [*_values(entry, settings.group_attribute), *self._groups_of(dn, connection)]
        return _Found(
            dn=dn,
            login=next(iter(_values(entry, settings.login_attribute)), ""),
            name=next(iter(_values(entry, settings.name_attribute)), ""),
            mail=next(iter(_values(entry, settings.mail_attribute)), ""),
            groups=frozenset(name for group in groups for name in _names(group)),
        )

    def _groups_of(self, dn: str, connection: "Connection") -> list[str]:
        """Where groups name their members and not the other way."""
        from ldap3.utils.conv import escape_filter_chars  # noqa: PLC0415 - the extra may not be installed

        if not self._settings.group_base:
            return []
        asked = self._settings.group_filter.replace("{dn}", escape_filter_chars(dn))
        connection.search(self._settings.group_base, asked, attributes=["cn"], size_limit=MOST_GROUPS)
        return [str(entry["dn"]) for entry in connection.response or () if entry.get("type") == "searchResEntry"]

    def _binds(self, dn: str, password: str) -> bool:
        with self._line(dn, password) as connection:
            return bool(connection.bind())

    @contextmanager
    def _line(self, dn: str, password: str) -> "Iterator[Connection]":
        """A connection, encrypted where the settings say so before any name or password goes over it."""
        from ldap3 import ANONYMOUS, SIMPLE, Connection  # noqa: PLC0415 - the extra may not be installed

        kind = SIMPLE if dn else ANONYMOUS
        connection = Connection(
            self._server(),
            user=dn or None,
            password=password or None,
            authentication=kind,
            read_only=True,
            receive_timeout=ceil(self._settings.timeout.total_seconds()),
            auto_referrals=False,
            check_names=False,
        )
        with ExitStack() as lines:
            # ldap3 leaves sockets open after a time-out, and where the line was never good
            lines.callback(_close, connection)
            connection.open(read_server_info=False)
            lines.callback(connection.socket.close)
            if self._settings.start_tls and not connection.start_tls(read_server_info=False):
                raise DirectoryAway("the directory does not begin TLS")
            lines.callback(connection.socket.close)
            lines.callback(_leave, connection)
            yield connection

    def _server(self) -> "Server":
        from ldap3 import NONE, Server  # noqa: PLC0415 - the extra may not be installed

        from ringback.directories.ldap_tls import CheckedTls  # noqa: PLC0415 - it imports ldap3

        settings, url = self._settings, urlsplit(self._settings.url)
        tls = CheckedTls(url.hostname or "", str(settings.ca_file) if settings.ca_file else None)
        secure = url.scheme == "ldaps"
        return Server(
            url.hostname or "",
            port=url.port or (636 if secure else 389),
            use_ssl=secure,
            tls=tls if secure or settings.start_tls else None,
            get_info=NONE,
            connect_timeout=settings.timeout.total_seconds(),
        )


def _close(connection: "Connection") -> None:
    if connection.socket is not None:
        connection.socket.close()


def _leave(connection: "Connection") -> None:
    with suppress(Exception):  # the line is closed either way
        connection.unbind()


def _values(entry: "dict[str, object]", attribute: str) -> list[str]:
    """What an attribute says, as text. Names of attributes know no capitals."""
    attributes = entry.get("attributes")
    said = dict(attributes) if isinstance(attributes, Iterable) else {}
    found = next((value for name, value in said.items() if str(name).lower() == attribute.lower()), ())
    values = found if isinstance(found, list | tuple) else [found]
    return [value if isinstance(value, str) else value.decode("utf-8", "replace") for value in values if value]


def _names(dn: str) -> tuple[str, ...]:
    """A group by its whole name, and by the first part of it alone: `cn=sales,ou=groups` is `sales` too."""
    from ldap3.core.exceptions import LDAPInvalidDnError  # noqa: PLC0415 - the extra may not be installed
    from ldap3.utils.dn import parse_dn  # noqa: PLC0415 - the extra may not be installed

    try:
        parts = parse_dn(dn)
    except LDAPInvalidDnError:
        return (dn,)
    return (dn, parts[0][1]) if parts else (dn,)

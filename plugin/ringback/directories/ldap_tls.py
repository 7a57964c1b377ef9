"""TLS for ldap3 as this Python does it: the name in the certificate is checked with the handshake.

ldap3's own check comes after it, and asks a function that later Pythons do not have.
"""

import ssl

from ldap3 import Connection, Tls


class CheckedTls(Tls):  # type: ignore[misc]  # ldap3 has no types
    """Takes a certificate only from whom `ca_file`, or else the system, vouches for, and of this `host` only."""

    def __init__(self, host: str, ca_file: str | None) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._host = host
        self._context = ssl.create_default_context(cafile=ca_file)

    def wrap_socket(self, connection: Connection, do_handshake: bool = False) -> None:
        """Called by ldap3 where the line gets encrypted. `do_handshake` is its word, and it says so each time."""
        connection.socket = self._context.wrap_socket(
            connection.socket, server_hostname=self._host, do_handshake_on_connect=do_handshake
        )

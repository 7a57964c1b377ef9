"""TLS on loopback with a certificate made anew for each test, so that no key lies in the tree."""

import ssl

import trustme


def secured_by_nobody() -> ssl.SSLContext:
    """A server's side of TLS for this machine, with a certificate that nobody trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context

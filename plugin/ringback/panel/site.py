"""What is the same on every page."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from ipaddress import ip_address
from urllib.parse import urlsplit

Now = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Site:
    """What every page says about this installation. Times are shown in `zone`.

    `public_url` is where browsers find us, if that is not where we listen. `hosts` are the names we answer to; none
    means any.
    """

    business: str = "Ringback"
    zone: tzinfo = UTC
    language: str = "en"
    public_url: str = ""
    hosts: frozenset[str] = frozenset()


LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


def hosts_for(listen: str, public_url: str) -> frozenset[str]:
    """The names to answer to when we listen at an address: on loopback its own and the public one, elsewhere any."""
    if listen != "localhost" and not is_loopback(listen):
        return frozenset()
    own = f"[{listen}]" if ":" in listen else listen
    return LOOPBACK_NAMES | {own, urlsplit(public_url).hostname or own}


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback

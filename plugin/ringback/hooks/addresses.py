"""Where a carrier's hooks are, and whose hook a request target is. Nothing is decoded and nothing is tidied up.

A signature covers the address as the carrier wrote it, so two spellings of one path are two addresses, and only one of
them is ours.
"""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

INBOUND = "inbound"
RECEIPT = "receipt"

_PLACE = re.compile(r"/hooks/([A-Za-z0-9_-]{1,64})/([a-z]{1,32})")


class Place(NamedTuple):
    """Whose hook it is and what it is about."""

    carrier: str
    what: str


class Public:
    """Our public address, as the owner configured it and as the carriers call it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.url = url
        self.host = parts.netloc.lower()
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._path = parts.path

    def find(self, target: str) -> Place | None:
        """Say which hook a request target names, if it names one."""
        path = target.partition("?")[0]
        if not path.startswith(self._path):
            return None
        found = _PLACE.fullmatch(path[len(self._path) :])
        return Place(found[1], found[2]) if found else None

    def called(self, target: str) -> str:
        """Return the whole address that the carrier called. What the request says of its host is not asked."""
        return self._origin + target

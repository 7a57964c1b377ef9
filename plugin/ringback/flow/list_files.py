"""Lists as files: what an import brings, kept while somebody looks at what it would change; and a list as rows."""

import zlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ringback.core.list_rows import MOST_LINES, Column, Listing, Reading, Trouble, read_listing
from ringback.entropy import entropy
from ringback.ports import Clock
from ringback.ports.lists import Entry, ListName, ReadLists
from ringback.sheets import stream_sheet

KEPT_FOR = timedelta(minutes=30)
MOST_KEPT = 8
"""Files, packed: one of 8 MB has a tenth of it then."""
TOKEN_BYTES = 16
A_TIME = 1000
NAME = 100
"""Letters of a file's name that are kept as where an entry came from."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that somebody looks at the preview of."""

    list: ListName
    name: str
    packed: bytes
    by: str
    at: datetime

    @property
    def data(self) -> bytes:
        return zlib.decompress(self.packed)


class Uploads:
    """Kept in memory, each for whoever brought it; forgotten after half an hour, and at a restart."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, Upload] = OrderedDict()

    def keep(self, list_: ListName, name: str, packed: bytes, by: str) -> str:
        """Keep one; returns what it is asked for by."""
        token = entropy(TOKEN_BYTES).hex()
        self._kept[token] = Upload(list_, name, packed, by, self._clock.now())
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return token

    def of(self, token: str, list_: ListName, by: str) -> Upload | None:
        """What somebody brought; None when it is another's, for another list, done, or too long ago."""
        upload = self._kept.get(token)
        if upload is None or (upload.by, upload.list) != (by, list_) or self._clock.now() - upload.at > KEPT_FOR:
            return None
        return upload

    def end(self, token: str) -> None:
        self._kept.pop(token, None)


def read_file(data: bytes, how: Reading) -> Listing:
    """Read a CSV or an XLSX, line by line; seconds for a long one, so not on the loop. Raises BadSheet."""
    # one line more is let through for the head, and one for the fault to say that there are too many
    return read_listing(stream_sheet(data, MOST_LINES + 2), how)


def source_of(name: str) -> str:
    """Where entries came from, by the name of a file: what of it is plain."""
    plain = "".join(letter for letter in name.replace("\\", "/").rpartition("/")[2] if letter.isprintable())
    return f"file {plain[:NAME]}".strip()


async def rows_of(read: ReadLists, list_: ListName) -> AsyncIterator[list[list[str]]]:
    """A list as rows of text, some at a time, the newest first; a head goes before. Nobody's number is shown that was
    erased."""
    yield [[*Column, "listed by"]]
    page = await read.page(list_, None, A_TIME)
    while True:
        if rows := [_row(entry) for entry in page.entries if entry.number]:
            yield rows
        if page.older is None:
            return
        page = await read.page(list_, page.older, A_TIME)


def _row(entry: Entry) -> list[str]:
    return [entry.number, entry.at.isoformat(), entry.reason, entry.source, entry.by]


def faults_as_rows(troubles: Iterable[Trouble]) -> list[list[str]]:
    return [["line", "column", "what"], *([str(one.line), one.column, str(one)] for one in troubles)]

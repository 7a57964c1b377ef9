"""Call detail records as CSV: the columns of cdr_csv in all its widths, or any file with a header row."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from ringback.asterisk.rows import Layout, Lines, csv_rows, header_key, moment, picker
from ringback.core.calls import Rang
from ringback.core.plurals import count_of

# cdr_csv writes no header. Behind amaflags may stand uniqueid, userfield, and peeraccount, linkedid, sequence.
COLUMNS = (  # noqa: SIM905 - reads best as the line it is
    "accountcode src dst dcontext clid channel dstchannel lastapp lastdata start answer end duration billsec "
    "disposition amaflags"
).split()
MOST_COLUMNS = len(COLUMNS) + 5
USED = (  # noqa: SIM905 - as above
    "src dst dcontext clid channel dstchannel lastapp lastdata start answer end duration billsec disposition uniqueid "
    "linkedid did"
).split()
ALIASES = {
    "source": "src", "destination": "dst", "destinationcontext": "dcontext", "callerid": "clid",
    "destinationchannel": "dstchannel", "destchannel": "dstchannel", "lastapplication": "lastapp",
    "calldate": "start", "starttime": "start", "startdate": "start", "answertime": "answer", "answerdate": "answer",
    "endtime": "end", "enddate": "end", "billableseconds": "billsec",
}  # fmt: skip
NEEDED = frozenset({"src", "dst", "start", "disposition"})
MAY_RING = frozenset({"", "dial", "queue", "followme"})
UNIQUEID = re.compile(r"(?:\S+-)?[0-9]{9,11}\.[0-9]+")

DISPOSITION = {
    "ANSWERED": Rang.ANSWER,
    "NO ANSWER": Rang.NO_ANSWER,
    "NOANSWER": Rang.NO_ANSWER,
    "BUSY": Rang.BUSY,
    "FAILED": Rang.UNREACHABLE,
    "CONGESTION": Rang.UNREACHABLE,
}


class Row(NamedTuple):
    """One record, as far as it counts."""

    src: str
    dst: str
    context: str
    clid: str
    channel: str
    dest: str
    app: str
    data: str
    start: datetime
    answer: datetime | None
    end: datetime
    disposition: str
    uniqueid: str
    linkedid: str
    did: str


def columns_of(row: Sequence[str]) -> list[str] | None:
    """The column names when this is a header row of CDR."""
    names = [ALIASES.get(header_key(name), header_key(name)) for name in row]
    return names if set(names) >= NEEDED else None


def looks_like(row: Sequence[str]) -> bool:
    fits = len(COLUMNS) <= len(row) <= MOST_COLUMNS and row[14].upper() in DISPOSITION
    return fits or columns_of(row) is not None


def read(lines: Lines, layout: Layout) -> Iterator[Row]:
    take: Callable[[list[str]], tuple[str, ...] | None] = _by_place
    for index, cells in enumerate(csv_rows(lines)):
        if index == 0 and (header := columns_of(cells)):
            take = _by_name(header)
            continue
        values = take(cells)
        if values is None:
            lines.fault(count_of(len(cells), "column"))
            continue
        try:
            yield _row(values, layout)
        except (ValueError, OverflowError, OSError) as problem:
            lines.fault(str(problem)[:80])


def _by_place(cells: list[str]) -> tuple[str, ...] | None:
    if not len(COLUMNS) <= len(cells) <= MOST_COLUMNS:
        return None
    ids = [cell for cell in cells[16:] if "." in cell and UNIQUEID.fullmatch(cell)]
    uniqueid = cells[16] if ids and cells[16] == ids[0] else ""
    return (*_PICK(cells), uniqueid, ids[-1] if ids else "", "")


_PICK = picker(COLUMNS, USED[:14])


def _by_name(header: list[str]) -> Callable[[list[str]], tuple[str, ...] | None]:
    width = len(header)
    pick = picker(header, USED)
    return lambda cells: pick([*cells, ""]) if len(cells) == width else None


def _row(values: tuple[str, ...], layout: Layout) -> Row:
    src, dst, context, clid, channel, dest, app, data, started, answered, ended, duration, billsec, *rest = values
    disposition, uniqueid, linkedid, did = rest
    zone = layout.zone
    start = moment(started, zone)
    end = moment(ended, zone) if ended else start + timedelta(seconds=int(duration or 0))
    answer = moment(answered, zone) if answered and answered[0] != "0" else None
    if answer is None and billsec and int(billsec) > 0:
        answer = end - timedelta(seconds=int(billsec))
    disposition = disposition.upper()
    if disposition not in DISPOSITION:
        raise ValueError(f"disposition {disposition!r:.40}")
    caller = src or clid.rpartition("<")[2].rstrip(">")
    app = app.lower()
    if not dest and not channel and app in MAY_RING:
        dest = dst  # a file without channels at all: the number asked stands for the phone
    return Row(
        caller, dst, context, clid, channel, dest, app, data, start, answer, end, disposition, uniqueid, linkedid, did
    )

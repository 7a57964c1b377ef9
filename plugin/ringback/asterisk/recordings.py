"""Finished inbound calls out of recordings: AMI text, CEL and CDR as CSV, each also as gzip, told by content."""

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from ringback.asterisk import cdr, cdr_rows, cel
from ringback.asterisk.codec import Answer, Decoder, Event
from ringback.asterisk.rows import DAMAGED, Fault, Layout, Lines, Report, csv_rows, opened
from ringback.asterisk.tracker import Tracker
from ringback.core.calls import Call, CallEnded, Direction
from ringback.errors import ProtocolError

__all__ = ["Fault", "Kind", "Layout", "calls", "kind_of"]

CHUNK = 64 * 1024
ROWS_TO_TELL = 50


class Kind(StrEnum):
    """What a recording is."""

    AMI = "ami"
    CEL = "cel"
    CDR = "cdr"


def calls(path: Path, layout: Layout, report: Report) -> Iterator[Call]:
    """The finished inbound calls in order of hang-up. What cannot be read goes to `report` and reading goes on.

    Where nothing was recorded about presentation the number counts as shown. Raises ProtocolError for a file that is
    none of the three, OSError for one that cannot be opened.
    """
    kind = kind_of(path)
    if kind is Kind.AMI:
        yield from _ami_calls(path, layout, report)
    elif kind is Kind.CEL:
        yield from cel.calls(Lines(path, report), layout)
    else:
        yield from cdr.calls(path, layout, report)


def kind_of(path: Path) -> Kind:
    """Look at the beginning. Raises ProtocolError when it is none of the three, OSError when it cannot be opened."""
    head = _head(path)
    if head.startswith((b"Asterisk Call Manager/", b"Event: ")) or b"\nEvent: " in head:
        return Kind.AMI
    for count, row in enumerate(csv_rows(Lines(path, _ignore))):
        if cel.looks_like(row):
            return Kind.CEL
        if cdr_rows.looks_like(row):
            return Kind.CDR
        if count >= ROWS_TO_TELL:
            break
    raise ProtocolError(f"{path.name}: neither an AMI stream, nor CEL or CDR as CSV")


def _head(path: Path) -> bytes:
    with opened(path) as file:
        try:
            return file.read(CHUNK)
        except DAMAGED:
            return b""


def _ignore(_fault: Fault) -> None:
    """Faults are told when the file is read, not when it is looked at."""


def _ami_calls(path: Path, layout: Layout, report: Report) -> Iterator[Call]:
    tracker = Tracker(layout.pbx, layout.inbound, frozenset(), trust_caller_id=True)
    at = datetime.fromtimestamp(0, UTC)
    for event in _ami_events(path, report):
        at = _time(event, at)
        for said in tracker.receive(event, at):
            if isinstance(said, CallEnded) and said.call.direction is Direction.INBOUND:
                yield said.call


def _ami_events(path: Path, report: Report) -> Iterator[Event]:
    """Through the decoder of the live stream, after making good the line ends that copying a stream may lose."""
    decoder, line, bad = Decoder(), 1, 0
    for chunk in _chunks(path, report):
        try:
            said = decoder.feed(chunk)
        except ProtocolError as problem:
            report(Fault(line, str(problem)))
            bad = decoder.bad
            said = decoder.feed(b"")
        line += chunk.count(b"\n")
        for _ in range(decoder.bad - bad):
            report(Fault(line, "not AMI, in the lines before this one"))
        bad = decoder.bad
        yield from (event for event in said if not isinstance(event, Answer))


def _chunks(path: Path, report: Report) -> Iterator[bytes]:
    bare = b"\r\n" not in _head(path)
    with opened(path) as file:
        while True:
            try:
                chunk = file.read(CHUNK)
            except DAMAGED:
                report(Fault(0, "the gzip file is cut off or damaged"))
                return
            if not chunk:
                break
            yield chunk.replace(b"\n", b"\r\n") if bare else chunk
    yield b"\r\n\r\n"  # the last message of a stream that was cut


def _time(event: Event, at: datetime) -> datetime:
    """`Timestamp:` where Asterisk was told to write it; else a new channel's id tells the second, and time goes on."""
    stamp = event.get("Timestamp")
    if not stamp and event.name == "Newchannel":
        stamp = event.get("Uniqueid").rpartition("-")[2].partition(".")[0]
        return max(at, _from_epoch(stamp, at))
    return _from_epoch(stamp, at)


def _from_epoch(text: str, otherwise: datetime) -> datetime:
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except (ValueError, OverflowError, OSError):
        return otherwise

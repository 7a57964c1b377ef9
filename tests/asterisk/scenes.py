"""Recorded AMI streams as events with their times, through the real decoder."""

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from ringback.asterisk.codec import OF_CALLS, WANTED, Answer, Decoder, Event
from ringback.asterisk.tracker import Tracker
from ringback.core.calls import Call, CallEnded, CallEvent

SCENES = Path(__file__).parent.parent / "scenes"
LAB_INBOUND = frozenset({"from-carrier"})
LAB_PHONES = frozenset({"lab-phones"})

Timed = tuple[Event, datetime]


def scene(name: str) -> list[Timed]:
    """All events a tracker wants of one recording; an event without a time happens with the one before."""
    return list(timed(recording(name), OF_CALLS))


def recording(name: str) -> bytes:
    """The bytes of one recording."""
    return gzip.decompress((SCENES / f"{name}.ami.txt.gz").read_bytes())


def timed(stream: bytes, wanted: frozenset[bytes] = WANTED) -> Iterator[Timed]:
    at = datetime(2026, 11, 21, tzinfo=UTC)
    for said in (decoder := Decoder(wanted)).feed(stream):
        assert not decoder.bad
        if isinstance(said, Answer):
            continue
        if stamp := said.get("Timestamp"):
            at = datetime.fromtimestamp(float(stamp), UTC)
        yield said, at


def lab_tracker(trust_caller_id: bool = False) -> Tracker:
    return Tracker("lab", LAB_INBOUND, LAB_PHONES, trust_caller_id)


def play(events: list[Timed], tracker: Tracker | None = None) -> list[CallEvent]:
    """What a tracker says to a stream."""
    tracker = tracker or lab_tracker()
    return [said for event, at in events for said in tracker.receive(event, at)]


def finished(events: list[Timed], tracker: Tracker | None = None) -> list[Call]:
    return [said.call for said in play(events, tracker) if isinstance(said, CallEnded)]

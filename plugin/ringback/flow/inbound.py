"""From a text that came in to what it means: journal, thread, command, task. One transaction (I-D1 to I-D3).

A STOP is on disk, and all that waited for this person called off, before the carrier is told that we have the text.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from ringback.core.keywords import Command, Heard, answer, hear, language_of_answer
from ringback.core.messages import Basis, MessageClass, Urgency, Wanted
from ringback.core.numbers import Number
from ringback.core.tasks import TaskKind
from ringback.core.windows import named_window, read_windows
from ringback.flow.consents import introduce
from ringback.flow.house import House, at_carrier
from ringback.flow.opt_outs import start, stop
from ringback.flow.outbound import Submitted, submit
from ringback.flow.routing import route
from ringback.flow.textless import texted_us
from ringback.ports import Incoming, MediaLink, Piece
from ringback.ports.inbox import StoredIncoming
from ringback.ports.pairs import PairFacts
from ringback.ports.storage import Tx

REPEAT_WITHIN = timedelta(seconds=5)
"""Texts of a carrier without ids that look the same and come so close are shown as one, and both are kept."""

OFFER_HOLDS = timedelta(days=7)
PARTS_WITHIN = timedelta(minutes=10)
LATEST = timedelta(hours=24)
LATE = timedelta(minutes=5)
"""A text that came later than this after it was said did not come straight; less may be two clocks that differ."""

LONGEST = 20_000
"""Characters of a text that go into its thread; the journal keeps all of it."""

EXCERPT = 300
LONGEST_ID = 200
MOST_PIECES = 255
"""The count of pieces is one byte on the air."""

OTHER_TEXT = "its id came before with another text"


@dataclass(frozen=True, slots=True)
class Received:
    """What became of an incoming text. Without `stored` it was here before."""

    stored: StoredIncoming | None = None
    heard: Heard | None = None
    submitted: Submitted | None = None
    called_off: int = 0


@dataclass(frozen=True, slots=True)
class Arrived:
    """An incoming text with both its numbers read."""

    carrier: str
    incoming: Incoming
    sender: Number
    did: str

    @property
    def peer(self) -> str:
        return self.sender.e164 or storable(self.sender.raw.strip()) or "unknown"


def storable(text: str) -> str:
    """What no database takes is shown as what it is: a hole."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")


def arrive(house: House, carrier: str, incoming: Incoming) -> Arrived:
    """Read the numbers as this carrier writes them, so that every form of them leads to one thread."""
    ours = house.read(at_carrier(carrier), incoming.to)
    sender = house.read(at_carrier(carrier), incoming.sender)
    return Arrived(carrier, incoming, sender, ours.e164 or storable(ours.raw))


def fingerprint(arrived: Arrived) -> str:
    """What two copies of one text have in common: both numbers, the words, the piece; without an id the second too."""
    incoming = arrived.incoming
    second = "" if incoming.provider_id else incoming.carrier_at.replace(microsecond=0).isoformat()
    words = (arrived.peer, arrived.did, incoming.text, second, repr(incoming.piece))
    return hashlib.sha256("\0".join(words).encode("utf-8", "replace")).hexdigest()[:32]


def receive(house: House, carrier: str, incoming: Incoming, packed: bytes, now: datetime, tx: Tx) -> Received:
    """Journal a text, and unless it was here before, file it and act on it.

    Another text under an id that was here before is left to a person.
    """
    arrived = arrive(house, carrier, incoming)
    known_by, looks = id_of(incoming), fingerprint(arrived)
    arrival = tx.inbound.journal(carrier, known_by, looks, packed, now)
    if arrival.first:
        return file(house, arrived, arrival.raw, now, tx)
    if not arrival.same:
        second = tx.inbound.journal(carrier, f"{known_by} {looks}", looks, packed, now)
        if second.first:
            set_aside(second.raw, carrier, OTHER_TEXT, now, tx)
    return Received()


def id_of(incoming: Incoming) -> str:
    """The carrier's id; its digest where that is longer than an index takes, or no database could keep it."""
    given = incoming.provider_id
    if len(given) <= LONGEST_ID and given == storable(given):
        return given
    return f"sha256 {hashlib.sha256(given.encode('utf-8', 'surrogatepass')).hexdigest()}"


def file(house: House, arrived: Arrived, raw: int, now: datetime, tx: Tx) -> Received:
    """Put a journalled text into its thread and do what it asks for."""
    incoming = arrived.incoming
    repeats = None
    if not incoming.provider_id:
        repeats = tx.inbound.repeats(arrived.carrier, fingerprint(arrived), now - REPEAT_WITHIN, raw)
    thread = tx.pairs.thread(arrived.did, arrived.peer, now)
    stored = tx.inbound.file(_clean(incoming), arrived.carrier, thread, place(incoming.carrier_at, now), repeats, now)
    tx.inbound.done(raw, stored.id)
    if not stored.whole or repeats is not None:
        return Received(stored)
    return act(house, arrived, stored, now, tx)


def place(carrier_at: datetime, now: datetime) -> datetime:
    """Where a text stands in its thread: the carrier's time, unless its clock cannot be right."""
    return carrier_at if now - LATEST < carrier_at <= now else now


def _clean(incoming: Incoming) -> Incoming:
    return Incoming(
        incoming.provider_id,
        incoming.sender,
        incoming.to,
        storable(incoming.text[:LONGEST]),
        incoming.carrier_at,
        _piece(incoming.piece),
        tuple(MediaLink(storable(link.url), storable(link.content_type)) for link in incoming.media),
        incoming.command,
    )


def _piece(piece: Piece | None) -> Piece | None:
    """A piece that cannot be one of its text is a text by itself: waiting for the others would hide it."""
    if piece is None or not 1 <= piece.number <= piece.total <= MOST_PIECES:
        return None
    return Piece(storable(piece.ref), piece.number, piece.total)


def act(house: House, arrived: Arrived, stored: StoredIncoming, now: datetime, tx: Tx) -> Received:
    """Commands come before everything else; what only a person can answer becomes a task."""
    pair = tx.pairs.facts(arrived.did, arrived.peer, "", "", now)
    heard = hear(stored.body, arrived.incoming.command)
    texted_us(arrived.peer, pair, tx)
    if heard is None or (heard.command is Command.START and not lifts(pair, arrived.incoming.carrier_at, now)):
        _look_for_window(stored, now, tx)
        introduced = introduce(house, stored.thread, heard, pair, now, tx)
        answered = route(house, stored.thread, stored, now, tx).submitted
        return Received(stored, heard, introduced if introduced is not None and introduced.waits_on else answered)
    if not heard.sure:
        tx.tasks.add(TaskKind.OPT_OUT, now, stored.body[:EXCERPT], thread_id=stored.thread.id, incoming_id=stored.id)
        return Received(stored, heard, route(house, stored.thread, stored, now, tx).submitted)
    return obey(house, arrived, stored, heard, pair.opted_out, now, tx)


def lifts(pair: PairFacts, said_at: datetime, now: datetime) -> bool:
    """Whether a START lifts the opt-out: one that comes late may have been said before the STOP."""
    if pair.opted_out_at is None:
        return False
    return said_at >= pair.opted_out_at or now - said_at < LATE


def obey(
    house: House, arrived: Arrived, stored: StoredIncoming, heard: Heard, opted_out: bool, now: datetime, tx: Tx
) -> Received:
    """STOP, START, HELP: change the ledger first, then answer once. A STOP that was said before is not answered."""
    tx.inbound.read_as(stored.id, heard.command)
    called_off = 0
    match heard.command:
        case Command.STOP:
            called_off = stop(stored.thread, "text", stored.public_id, now, tx)
            tx.inbound.mark_answered(stored.thread.id)
        case Command.START:
            start(stored.thread, "text", stored.public_id, now, tx)
            tx.inbound.mark_answered(stored.thread.id, since=now)
        case Command.HELP:
            tx.inbound.mark_answered(stored.thread.id, since=now)
    told_before = heard.command is Command.STOP and opted_out
    if told_before or arrived.carrier in house.carriers_that_answer:
        return Received(stored, heard, called_off=called_off)
    wanted = _answer(house, arrived, stored, heard, now)
    return Received(stored, heard, submit(house, None, wanted, None, now, tx), called_off)


def _answer(house: House, arrived: Arrived, stored: StoredIncoming, heard: Heard, now: datetime) -> Wanted:
    language = language_of_answer(heard, house.language_of.get(arrived.did) or house.languages[0])
    return Wanted(
        did=arrived.did,
        peer=arrived.sender,
        text=answer(heard.command, language, house.business, house.contact),
        language=language,
        class_=MessageClass.SYSTEM,
        basis=Basis.CONVERSATION,
        cause=f"command {heard.command}",
        automatic=True,
        expires_at=now + house.validity(arrived.did),
        answers=stored.id,
        command=heard.command,
        urgency=Urgency.COMMAND,
    )


def _look_for_window(stored: StoredIncoming, now: datetime, tx: Tx) -> None:
    """They may have chosen one of the times we offered to call back."""
    offered = tx.inbound.offered(stored.thread.id, now - OFFER_HOLDS)
    if offered is None:
        return
    windows = [window for window in read_windows(offered[0]) if window.end > now]
    window = named_window(stored.body, windows, now)
    if window is not None:
        tx.tasks.add(
            TaskKind.CALL_BACK,
            now,
            stored.body[:EXCERPT],
            thread_id=stored.thread.id,
            incoming_id=stored.id,
            due_at=window.start,
        )


def show_what_came(house: House, now: datetime, tx: Tx) -> int:
    """Show texts whose other pieces have not come in time, and leave them for a person. Returns how many."""
    lacking = tx.inbound.lacking(now - PARTS_WITHIN, 100)
    for stored in lacking:
        tx.inbound.show_partial(stored, now)
        tx.tasks.add(TaskKind.PARTIAL, now, stored.body[:EXCERPT], thread_id=stored.thread.id, incoming_id=stored.id)
        route(house, stored.thread, stored, now, tx)
    return len(lacking)


def quarantine(carrier: str, packed: bytes, why: str, now: datetime, tx: Tx) -> None:
    """Keep what is signed and makes no sense, for a person."""
    digest = hashlib.sha256(packed).hexdigest()[:32]
    arrival = tx.inbound.journal(carrier, "", digest, packed, now)
    set_aside(arrival.raw, carrier, why, now, tx)


def set_aside(raw: int, carrier: str, why: str, now: datetime, tx: Tx) -> None:
    tx.inbound.quarantine(raw, storable(why[:EXCERPT]))
    tx.tasks.add(TaskKind.QUARANTINED, now, storable(f"{carrier}: {why}"[:EXCERPT]), about=raw)

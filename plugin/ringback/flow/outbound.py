"""The one door out: everything that wants to send a text calls `submit`, so no gate can be forgotten."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ringback.core.keywords import Command
from ringback.core.messages import Wanted
from ringback.core.numbers import Number
from ringback.core.policy import AT_SUBMIT, BORN_IN_FLIGHT, CallFacts, Facts, Refuse, Verdict, judge
from ringback.core.reasons import Reason
from ringback.core.segments import measure
from ringback.flow.house import House
from ringback.ports.pairs import PairFacts, Thread
from ringback.ports.storage import Tx
from ringback.ports.texts import Order, Route


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a carrier's window, taken before the transaction and given back if the text did not need it."""

    carrier: str


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of a wish to send. `order` is set when the text was born in flight: hand it to its lane.

    `message` is the text's public id, empty where there is no new one. `waits_on` names the carrier whose lane has to
    look, when the text is queued or held.
    """

    verdict: Verdict | None
    message: str = ""
    order: Order | None = None
    waits_on: str = ""


TWICE = Submitted(Refuse(Reason.ALREADY_PENDING))
"""This call's rule, or this incoming text, has its text already."""


AFTER_STOP = frozenset({Command.STOP, Command.HELP})
"""What is answered although the person opted out. A START that came before a STOP is not: its answer would be wrong."""


@dataclass(frozen=True, slots=True)
class Text:
    """What the gates want to know of a text itself. `command`: it answers one of AFTER_STOP."""

    automatic: bool
    segments: int = 1
    call: CallFacts | None = None
    command: bool = False
    permitted: bool = True
    not_before: datetime | None = None


def gate_facts(house: House, did: str, peer: Number, text: Text, pair: PairFacts, now: datetime) -> Facts:
    """Everything the gates may know of a text, at submit and when its attempt is opened, from one place."""
    limits = house.limits
    full = pair.sent_this_minute > 0 and pair.sent_this_minute + text.segments > limits.per_number_per_minute
    return Facts(
        peer=peer,
        automatic=text.automatic,
        call=text.call,
        permitted=text.permitted,
        command=text.command,
        too_long=text.segments > house.most_segments(did),
        own_number=peer.e164 in house.numbers,
        carrier_known=house.carrier(did) is not None,
        caller_initiated=peer.country not in house.countries_off,
        opted_out=pair.opted_out,
        paused=pair.paused,
        automatic_this_minute=pair.automatic_this_minute,
        texts_per_minute=limits.texts_per_minute,
        automatic_to_pair=pair.automatic_to_pair,
        automatic_per_hour=limits.automatic_per_hour,
        next_free_at=next_minute(now) if full else None,
        not_before=text.not_before,
    )


def next_minute(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0) + timedelta(minutes=1)


def submit(
    house: House,
    slot: Slot | None,
    wanted: Wanted,
    call: CallFacts | None,
    now: datetime,
    tx: Tx,
    pair: PairFacts | None = None,
) -> Submitted:
    """Queue the text if the gates let it through; say what held it if not (D1, and D2 while the carrier has room).

    `pair` are facts the caller read in this very transaction, to save reading them twice.
    """
    peer = wanted.peer.e164 or wanted.peer.raw
    route = Route(house.carrier(wanted.did) or "", measure(wanted.text).segments)
    known = pair or tx.pairs.facts(wanted.did, peer, wanted.group or "", wanted.rule or "", now)
    born = slot is not None and slot.carrier == route.carrier and not known.in_flight
    later = wanted.not_before if wanted.not_before is not None and wanted.not_before > now else None
    text = Text(wanted.automatic, route.segments, call, wanted.command in AFTER_STOP, wanted.permitted, later)
    facts = gate_facts(house, wanted.did, wanted.peer, text, known, now)
    verdict = judge(facts, BORN_IN_FLIGHT if born else AT_SUBMIT)
    thread = tx.pairs.thread(wanted.did, peer, now)
    if not isinstance(verdict, Refuse):
        start_counting(wanted, thread, now, tx)
    if verdict is None and born:
        tx.pairs.count_sent(wanted.did, route.segments, now)
        order = tx.outbox.put_in_flight(wanted, thread, route, now)
        return Submitted(None, order.text.message, order) if order is not None else TWICE
    stored = tx.outbox.put(wanted, thread, route, verdict, now)
    if stored is None:
        return TWICE
    waits_on = "" if isinstance(verdict, Refuse) else route.carrier
    return Submitted(verdict, stored.public_id, waits_on=waits_on)


def start_counting(wanted: Wanted, thread: Thread, now: datetime, tx: Tx) -> None:
    """A text will go: it counts against the storm guard and starts the cool-down of its group."""
    if wanted.automatic:
        tx.pairs.count_automatic(now)
    if wanted.group is not None and wanted.cool_down:
        tx.pairs.start_cool_down(thread, wanted.group, now + wanted.cool_down)

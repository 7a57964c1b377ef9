"""The one door out: everything that wants to send a text calls `submit`, so no gate can be forgotten."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ringback.core.consents import CONVERSATION
from ringback.core.keywords import Command
from ringback.core.messages import Basis, MessageClass, Urgency, Wanted
from ringback.core.numbers import Number
from ringback.core.policy import AT_SUBMIT, BORN_IN_FLIGHT, CallFacts, Defer, Facts, Refuse, Verdict, judge
from ringback.core.reasons import Reason
from ringback.core.retries import WRITE_MARGIN
from ringback.core.segments import measure
from ringback.flow import allowances, rates
from ringback.flow.house import House
from ringback.flow.rates import Leaving
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

    `message` is the text's public id, empty where there is no new one, `row` its row then. `waits_on` names the carrier
    whose lane has to look, when the text is queued or held.
    """

    verdict: Verdict | None
    message: str = ""
    order: Order | None = None
    waits_on: str = ""
    row: int | None = None


TWICE = Submitted(Refuse(Reason.ALREADY_PENDING))
"""This call's rule, or this incoming text, has its text already."""


AFTER_STOP = frozenset({Command.STOP, Command.HELP})
"""What is answered although the person opted out. A START that came before a STOP is not: its answer would be wrong."""


PROGRAMS = frozenset({Urgency.TRANSACTIONAL, Urgency.BULK})


@dataclass(frozen=True, slots=True)
class Text:
    """What the gates want to know of a text itself. `command`: it answers one of AFTER_STOP. `full`: the rate that
    holds it, where somebody looked. `over`: it would pass a hard limit of the month. `on_consent`: the class of a text
    that stands on a yes in the ledger."""

    automatic: bool
    segments: int = 1
    call: CallFacts | None = None
    command: bool = False
    permitted: bool | None = True
    not_before: datetime | None = None
    full: Defer | None = None
    program: bool = False
    over: bool | None = False
    on_consent: MessageClass | None = None


def on_consent(basis: Basis, class_: MessageClass, urgency: Urgency) -> MessageClass | None:
    """The class of a text that stands on the ledger. A program that says so has records of its own."""
    return class_ if basis is Basis.CONSENT and urgency not in PROGRAMS else None


def gate_facts(house: House, did: str, peer: Number, text: Text, pair: PairFacts, now: datetime) -> Facts:
    """Everything the gates may know of a text, at submit and when its attempt is opened, from one place."""
    limits = house.limits
    full = pair.sent_this_minute > 0 and pair.sent_this_minute + text.segments > limits.per_number_per_minute
    return Facts(
        peer=peer,
        automatic=text.automatic,
        program=text.program,
        call=text.call,
        permitted=text.permitted,
        over=text.over,
        command=text.command,
        too_long=text.segments > house.most_segments(did),
        own_number=peer.e164 in house.numbers,
        carrier_known=house.carrier(did) is not None,
        caller_initiated=peer.country not in house.countries_off,
        never_text=pair.never,
        staged_out=pair.staging and not pair.only,
        opted_out=pair.opted_out,
        unconsented=text.on_consent is not None and not pair.consents.holds(text.on_consent, CONVERSATION, now),
        unreached=pair.not_textable,
        paused=pair.paused,
        automatic_this_minute=pair.automatic_this_minute,
        texts_per_minute=limits.texts_per_minute,
        automatic_to_pair=pair.automatic_to_pair,
        automatic_per_hour=limits.automatic_per_hour,
        next_free_at=text.full.until if text.full else next_minute(now) if full else None,
        rate=text.full.reason if text.full else Reason.RATE_NUMBER,
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
    _did, peer = pair_of(wanted)
    on_doubt = wanted.on_doubt or house.policy(wanted.class_)
    route = Route(house.carrier(wanted.did) or "", measure(wanted.text).segments, on_doubt)
    known = pair or look(wanted, peer, now, tx)
    # one of a run always waits its turn: it must not take a slot that a person's answer may need
    room = slot is not None and slot.carrier == route.carrier and wanted.urgency is not Urgency.BULK
    # what is over, or nearly, is queued for the lane to give up: no byte of it leaves
    born = room and not known.in_flight and wanted.expires_at - WRITE_MARGIN > now
    uses = allowances.uses_of(house, wanted.account, wanted.did, wanted.command, now, tx)
    leaving = Leaving(wanted.did, peer, route.segments, wanted.campaign, wanted.urgency, uses=uses or ())
    full = rates.look(house, leaving, known, now, tx) if born else None
    text = Text(
        wanted.automatic,
        route.segments,
        call,
        wanted.command in AFTER_STOP,
        wanted.permitted,
        wanted.not_before if wanted.not_before is not None and wanted.not_before > now else None,
        full.verdict if full else None,
        wanted.urgency in PROGRAMS,
        allowances.over(uses, route.segments, tx),
        on_consent(wanted.basis, wanted.class_, wanted.urgency),
    )
    facts = gate_facts(house, wanted.did, wanted.peer, text, known, now)
    verdict = judge(facts, BORN_IN_FLIGHT if born else AT_SUBMIT)
    thread = tx.pairs.thread(wanted.did, peer, now)
    if not isinstance(verdict, Refuse):
        start_counting(wanted, thread, now, tx)
    if verdict is None and born:
        order = tx.outbox.put_in_flight(wanted, thread, route, now)
        if order is None:
            return TWICE
        return Submitted(None, order.text.message, allowances.depart(house, leaving, order, now, tx), row=order.message)
    stored = tx.outbox.put(wanted, thread, route, verdict, now)
    if stored is None:
        return TWICE
    if isinstance(verdict, Refuse):
        if verdict.reason is Reason.QUOTA_EXCEEDED:
            allowances.refuse(leaving.uses, route.segments, now, tx)
        return Submitted(verdict, stored.public_id, row=stored.id)
    return Submitted(verdict, stored.public_id, waits_on=route.carrier, row=stored.id)


def look(wanted: Wanted, peer: str, now: datetime, tx: Tx) -> PairFacts:
    """What is known of the pair; of one that was read ahead this costs nothing."""
    if is_plain(wanted):
        return tx.pairs.plain_facts(wanted.did, peer, now, wanted.urgency)
    return tx.pairs.facts(wanted.did, peer, wanted.group or "", wanted.rule or "", now, wanted.urgency)


def is_plain(wanted: Wanted) -> bool:
    """Whether neither a rule nor a machine asks for this text, so that guards against those need not be looked at."""
    return not wanted.automatic and wanted.rule is None and wanted.group is None


def submit_many(house: House, wishes: Sequence[tuple[Slot | None, Wanted]], now: datetime, tx: Tx) -> list[Submitted]:
    """Submit texts in their order, each as `submit` would, in a few statements for all of them."""
    read_ahead((pair_of(wanted) for _slot, wanted in wishes if is_plain(wanted)), now, tx)
    return [submit(house, slot, wanted, None, now, tx) for slot, wanted in wishes]


def pair_of(wanted: Wanted) -> tuple[str, str]:
    return wanted.did, wanted.peer.e164 or wanted.peer.raw


def read_ahead(pairs: Iterable[tuple[str, str]], now: datetime, tx: Tx) -> None:
    """Read what is known of the pairs of a batch; one alone is as well asked when its turn comes."""
    found = set(pairs)
    if len(found) > 1:
        tx.pairs.read_ahead(found, now)


def read_guards_ahead(pairs: Iterable[tuple[str, str]], now: datetime, tx: Tx) -> None:
    """The same for texts that machines ask for, which more is asked about."""
    found = set(pairs)
    if len(found) > 1:
        tx.pairs.read_guards_ahead(found, now)


def start_counting(wanted: Wanted, thread: Thread, now: datetime, tx: Tx) -> None:
    """A text will go: it counts against the storm guard and starts the cool-down of its group."""
    if wanted.automatic:
        tx.pairs.count_automatic(now)
    if wanted.group is not None and wanted.cool_down:
        tx.pairs.start_cool_down(thread, wanted.group, now + wanted.cool_down)

"""Opening attempts for texts that are due, the most urgent first (D2), and what is done for those that cannot go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ringback.core.grants import Right, Way
from ringback.core.messages import Basis, State, Urgency
from ringback.core.permissions import Asker
from ringback.core.policy import AT_OPEN, Defer, Facts, Refuse, judge
from ringback.core.reasons import Reason
from ringback.core.retries import WRITE_MARGIN
from ringback.core.right_words import in_english
from ringback.flow import allowances, rates
from ringback.flow.governor import Room
from ringback.flow.house import House
from ringback.flow.not_delivered import NEVER_LEFT, leave_if_written
from ringback.flow.outbound import AFTER_STOP, PROGRAMS, Text, gate_facts, on_consent, read_ahead, read_guards_ahead
from ringback.flow.permits import writers_right
from ringback.flow.rates import Leaving
from ringback.flow.session_calls import text_settled, texts_settled
from ringback.ports.storage import Tx
from ringback.ports.texts import Order, WaitingText

AT_ONCE = 200
"""The most texts that one transaction lets expire or takes another way."""
SHOWN = 100
"""Of texts that wait for a carrier which does not answer, so many of the most urgent say so."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a claim found: attempts opened, whether more were due than it looked at, and what still waits.

    `upcoming` is the next moment at which a text may go; `blocked` says that one waits for another to the same person,
    or for a slot. `expires` is when the first of all that wait is not worth sending any more.
    """

    orders: tuple[Order, ...] = ()
    more: bool = False
    upcoming: datetime | None = None
    blocked: bool = False
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Detour:
    """Where texts go whose own carrier does not answer; that one takes texts of so many segments."""

    carrier: str
    max_segments: int


@dataclass(frozen=True, slots=True)
class Weighed:
    """A text whose turn has come, with all that decides about it. `right` is its writer's, None when that could not be
    found out."""

    text: WaitingText
    leaving: Leaving
    full: rates.Full | None
    facts: Facts
    right: Right | None


def claim(house: House, carrier: str, room: Room, now: datetime, tx: Tx, look: int = 0) -> Claimed:
    """Open attempts for texts that are due, each asked by the gates once more in this very transaction (D2).

    `look` widens the look where texts were only put off before.
    """
    more = let_expire(now, tx)
    orders: list[Order] = []
    left = room.segments
    for level in tx.outbox.levels_due(carrier, now):
        slots = min(room.texts - len(orders), room.bulk if level is Urgency.BULK else room.texts)
        if slots <= 0 or left <= 0:
            break
        due = tx.outbox.due(carrier, level, now, max(slots, look))
        more = more or len(due) == max(slots, look)
        look_ahead(house, due, now, tx)
        for text in due:
            if slots <= 0 or left <= 0:
                more = True
                break
            if order := open_one(house, carrier, text, now, tx):
                orders.append(order)
                slots -= 1
                left -= order.segments
    waits = tx.outbox.still_waiting(carrier, now)
    return Claimed(tuple(orders), more, waits.upcoming, waits.blocked, worthless(waits.expires))


def look_ahead(house: House, due: Sequence[WaitingText], now: datetime, tx: Tx) -> None:
    """Read what is known of the people these texts go to, and what their writers have sent this month."""
    allowances.read_ahead(house, ((text.account, text.thread.did) for text in due), now, tx)
    read_ahead({(text.thread.did, text.thread.peer) for text in due if is_plain(text)}, now, tx)
    read_guards_ahead({(text.thread.did, text.thread.peer) for text in due if not is_plain(text)}, now, tx)


def let_expire(now: datetime, tx: Tx) -> bool:
    """Give up what is not worth sending any more; True when there may be more of it."""
    old = tx.outbox.expiring(now + WRITE_MARGIN, AT_ONCE)
    for message, state in old:
        tx.outbox.move(message, state, State.EXPIRED, None, NEVER_LEFT, now)
        leave_if_written(message, NEVER_LEFT, now, tx)
    texts_settled({message: State.EXPIRED for message, _state in old}, now, tx)
    return len(old) == AT_ONCE


def worthless(expires: datetime | None) -> datetime | None:
    """From when on a text is not sent any more."""
    return expires - WRITE_MARGIN if expires is not None else None


def open_one(house: House, carrier: str, text: WaitingText, now: datetime, tx: Tx) -> Order | None:
    """Open one attempt, or let the text expire, be refused or wait on."""
    message = text.message
    weighed = weigh(house, text, now, tx)
    match judge(weighed.facts, AT_OPEN):
        case Refuse(reason):
            tx.outbox.move(message.id, text.state, State.REFUSED, reason, why_not(weighed, reason, now, tx), now)
            if text.urgency is Urgency.CALL:
                text_settled(message.id, State.REFUSED, now, tx)
            return None
        case Defer() as verdict:
            full = weighed.full
            waits = rates.queue_up(house, full, weighed.leaving, now, tx) if full is not None else verdict
            tx.outbox.hold(message.id, text.state, sooner(waits, text.expires_at), "", now)
            return None
        case None:
            return allowances.depart(house, weighed.leaving, tx.outbox.open_attempt(text, carrier, now), now, tx)


def why_not(weighed: Weighed, reason: Reason, now: datetime, tx: Tx) -> str:
    """What the history of a refused text says beside the reason."""
    text, right = weighed.text, weighed.right
    if reason is Reason.QUOTA_EXCEEDED:
        return allowances.refuse(weighed.leaving.uses, text.message.segments, now, tx)
    if reason is not Reason.PERMISSION_DENIED or right is None:
        return ""
    return in_english(right, way_of(text), text.thread.did, tx.grants.book(), "Its writer")


def sooner(waits: Defer, expires_at: datetime) -> Defer:
    """No text waits for a moment after its end."""
    return Defer(waits.reason, min(waits.until, expires_at))


def is_plain(text: WaitingText) -> bool:
    """Whether no guard against machines looks at it."""
    return not text.automatic and not text.rule


def leaving_of(text: WaitingText, uses: allowances.Uses) -> Leaving:
    return Leaving(
        text.thread.did,
        text.thread.peer,
        text.message.segments,
        text.campaign,
        text.urgency,
        in_line=text.reason in rates.RATES,
        uses=uses or (),
    )


def way_of(text: WaitingText) -> Way:
    """What its writer has to be allowed; with a run to many that takes the right to send as well."""
    return Way.BULK if text.urgency is Urgency.BULK else Way.SEND


def weigh(house: House, text: WaitingText, now: datetime, tx: Tx) -> Weighed:
    """What the gates want to know of a text whose turn has come, the rate that holds it, and what it counts against."""
    thread = text.thread
    by = Asker.USER if text.urgency is Urgency.AGENT else Asker.PROGRAM
    right = writers_right(text.account, way_of(text), thread.did, text.class_, tx, by)
    uses = allowances.uses_of(house, text.account, thread.did, text.command, now, tx)
    leaving = leaving_of(text, uses)
    pair = (
        tx.pairs.plain_facts(thread.did, thread.peer, now, Urgency.BULK)
        if is_plain(text)
        else tx.pairs.facts(thread.did, thread.peer, "", text.rule, now)
    )
    full = rates.look(house, leaving, pair, now, tx)
    asked = Text(
        text.automatic,
        text.message.segments,
        # whoever said yes in the call said so of the number that is texted, which may be another than they call from
        None if text.basis is Basis.CONSENT else text.call.facts(),
        text.command in AFTER_STOP,
        None if right is None else right.allowed,
        over=allowances.over(uses, text.message.segments, tx),
        full=full.verdict if full else None,
        program=text.urgency in PROGRAMS,
        on_consent=on_consent(text.basis, text.class_, text.urgency),
    )
    facts = gate_facts(house, thread.did, house.read("", thread.peer), asked, pair, now)
    return Weighed(text, leaving, full, facts, right)


def tend(carrier: str, next_try: datetime | None, detour: Detour | None, now: datetime, tx: Tx) -> Claimed:
    """While a lane stands still: let texts expire in time, and see to those whose carrier does not answer.

    `next_try` is set when the breaker is open. Only texts that provably never left take the detour.
    """
    more = let_expire(now, tx)
    if detour is not None:
        more = take_detour(carrier, detour, now, tx) or more
    elif next_try is not None:
        show_next_try(carrier, next_try, now, tx)
    waits = tx.outbox.still_waiting(carrier, now)
    return Claimed((), more, waits.upcoming, waits.blocked, worthless(waits.expires))


def take_detour(carrier: str, detour: Detour, now: datetime, tx: Tx) -> bool:
    """Let what is due, and what the carrier provably did not take, go another way; True when there may be more."""
    found = tx.outbox.put_off_by(carrier, AT_ONCE)
    for level in tx.outbox.levels_due(carrier, now):
        found += tx.outbox.stuck(carrier, level, now, AT_ONCE)
    fitting = {text.id: text for text in found if text.segments <= detour.max_segments}
    for message in fitting:
        tx.outbox.detour(message, detour.carrier, f"{carrier} cannot be reached, goes by {detour.carrier}", now)
    return len(fitting) >= AT_ONCE


def show_next_try(carrier: str, until: datetime, now: datetime, tx: Tx) -> None:
    """Have the most urgent of the texts that are due say what they wait for, and until when."""
    waiting = Defer(Reason.CARRIER_HOLD, until)
    for level in tx.outbox.levels_due(carrier, now):
        if level is Urgency.BULK:
            return
        for text in tx.outbox.stuck(carrier, level, now, SHOWN):
            if text.state is State.QUEUED:
                tx.outbox.hold(text.id, text.state, waiting, f"{carrier} cannot be reached", now)
            else:
                tx.outbox.show_next_try(text.id, until)


def carry_on(carrier: str, now: datetime, tx: Tx) -> int:
    """The carrier answers again: what waited for its next try may go now."""
    return tx.outbox.resume(carrier, now)


def clock_went_back(carrier: str, by: timedelta, now: datetime, tx: Tx) -> int:
    """The wall clock was set back: what we put off by it would wait so much longer. Returns how many that helps."""
    tx.pairs.forget_promises()
    return tx.outbox.clock_went_back(carrier, by, now)

"""Texts nobody knows about: a person says what became of them and may take it back, or the carrier is asked once more.

Nothing here sends a text again. A receipt that comes later knows better than what a person said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial

import structlog

from ringback.core.doubts import Seen
from ringback.core.ids import Kind
from ringback.core.messages import SAID_BY, PartState, State, may_correct
from ringback.core.permissions import Principal, at_the_shell
from ringback.core.provider_ids import Ids
from ringback.core.tasks import TaskKind
from ringback.errors import RingbackError
from ringback.flow import listing
from ringback.flow.permits import NotThere, of_kind, see
from ringback.flow.receipts import apply_receipt, ids_of
from ringback.ports import Carrier, Clock, Receipt
from ringback.ports.storage import Store, Tx
from ringback.ports.texts import Doubt

log = structlog.get_logger("settling")

IN_DOUBT = frozenset({State.UNCONFIRMED, State.UNRESOLVED})


class Resolution(StrEnum):
    """What a person says became of a text."""

    SENT = "sent"
    NOT_SENT = "not_sent"


class Settled(StrEnum):
    """What came of it. TOO_LATE: its state moved meanwhile. FOUND: the carrier knows it. CANNOT_ASK: its carrier has no
    list, or one that does not name our texts."""

    DONE = "done"
    TOO_LATE = "too_late"
    FOUND = "found"
    NOT_FOUND = "not_found"
    CANNOT_ASK = "cannot_ask"
    CARRIER_AWAY = "carrier_away"


class Unclear(RingbackError):
    """This is nothing that can be said of a text."""


@dataclass(frozen=True, slots=True)
class Word:
    """How what a person said is written down."""

    state: PartState
    outcome: str
    action: str


WORDS = {
    Resolution.SENT: Word(PartState.ACCEPTED, "accepted", "said_sent"),
    Resolution.NOT_SENT: Word(PartState.FAILED, "not_sent", "said_not_sent"),
}


SENTENCES: Mapping[Settled, str] = {
    Settled.DONE: "done",
    Settled.TOO_LATE: "its state has changed, so nothing was marked; `ringback explain` tells what it is now",
    Settled.FOUND: "the carrier knows it; its state is now what the carrier says",
    Settled.NOT_FOUND: "the carrier does not list it; it was probably not sent",
    Settled.CANNOT_ASK: "this carrier cannot be asked about single texts",
    Settled.CARRIER_AWAY: "the carrier did not answer; try again in a while",
}
"""What is said at the shell. A text is as it was unless it is DONE or FOUND."""


def settle_by_words(words: Mapping[str, str], who: Principal, now: datetime, tx: Tx) -> Settled:
    """Carry out what came as words from a command: `message`, and `how`, one of sent, not-sent, undo.

    Raises NotThere, and Unclear for words that no command of ours sends.
    """
    message, how = words.get("message", ""), words.get("how", "").replace("-", "_")
    if how == "undo":
        return undo(who, message, now, tx)
    try:
        return resolve(who, message, Resolution(how), now, tx)
    except ValueError as problem:
        raise Unclear("say sent, not-sent, undo or ask; is the daemon older than the command?") from problem


def find(message: str, tx: Tx) -> Doubt:
    """Return a text by its public id; raises NotThere."""
    doubt = tx.outcomes.doubt(of_kind(Kind.MESSAGE, message))
    if doubt is None:
        raise NotThere(missing(message))
    return doubt


def find_for(who: Principal, message: str, tx: Tx) -> Doubt:
    """The same for somebody; what they may not see is not there."""
    doubt = find(message, tx)
    see(who, doubt.did, tx, missing(message))
    return doubt


def missing(message: str) -> str:
    return f"there is no text {message}"


def resolve(who: Principal, message: str, how: Resolution, now: datetime, tx: Tx) -> Settled:
    """Take a person's word for what became of a text in doubt (D6). Saying the same again changes nothing."""
    doubt, word, said = find_for(who, message, tx), WORDS[how], f"{SAID_BY}{who.label}"
    if doubt.said and doubt.outcome == word.outcome and doubt.state is State(word.state):
        return Settled.DONE
    if doubt.state not in IN_DOUBT:
        return Settled.TOO_LATE
    tx.outcomes.say(doubt.attempt, word.outcome, said)
    tx.outcomes.part_moves(doubt.part, doubt.message, word.state, None, said, now)
    tx.tasks.settle(TaskKind.UNCONFIRMED, doubt.message, now, who.label)
    tx.audit.note(who.label, word.action, message, "", now)
    return Settled.DONE


def undo(who: Principal, message: str, now: datetime, tx: Tx) -> Settled:
    """Take a person's word back: nobody knows again, and the task is open again. Not after anything else happened."""
    doubt = find_for(who, message, tx)
    if doubt.state is State.UNCONFIRMED:
        return Settled.DONE
    if not doubt.said or not may_correct(doubt.state, State.UNCONFIRMED):
        return Settled.TOO_LATE
    tx.outcomes.say(doubt.attempt, "unconfirmed", doubt.doubted)
    detail = f"taken back by {who.label}"
    tx.outcomes.part_moves(doubt.part, doubt.message, PartState.UNCONFIRMED, None, detail, now, may_correct)
    tx.tasks.reopen(doubt.task)
    tx.audit.note(who.label, "took_back", message, "", now)
    return Settled.DONE


async def ask(carrier: Carrier | None, doubt: Doubt) -> Sequence[Receipt] | Settled:
    """Ask the carrier what it took from us since this attempt, or say why it cannot be asked."""
    listed = await listing.ask(doubt.carrier, carrier, since(doubt))
    if isinstance(listed, Seen):
        return Settled.CANNOT_ASK if listed is Seen.NO_LIST else Settled.CARRIER_AWAY
    return listed


async def check_again(
    who: Principal, message: str, carriers: Mapping[str, Carrier], store: Store, clock: Clock
) -> Settled:
    """Ask the carrier of a text once more, for somebody who may. Raises NotThere."""
    doubt = await store.commit(partial(find_for, who, message))
    if doubt.state not in IN_DOUBT:
        return Settled.TOO_LATE
    carrier = carriers.get(doubt.carrier)
    listed = await ask(carrier, doubt)
    if isinstance(listed, Settled):
        return listed
    return await store.commit(partial(compare, who, doubt, listed, ids_of(carrier), clock.now()))


async def settle_for_shell(
    words: Mapping[str, str], carriers: Mapping[str, Carrier], store: Store, clock: Clock
) -> Settled:
    """The daemon's answer to `ringback settle`: `message`, `how` and `by`."""
    who = at_the_shell(words.get("by", "control"))
    if words.get("how") == "ask":
        return await check_again(who, words.get("message", ""), carriers, store, clock)
    return await store.commit(partial(settle_by_words, words, who, clock.now()))


def since(doubt: Doubt) -> datetime:
    return doubt.opened_at - listing.BEFORE


def compare(who: Principal, doubt: Doubt, listed: Sequence[Receipt], ids: Ids, now: datetime, tx: Tx) -> Settled:
    """Look for a text in what its carrier lists: by our attempt id or by the carrier's own id, and never by a guess.

    A list with a text that we cannot place may mean this one, so then nothing can be said.
    """
    see(who, doubt.did, tx, missing(doubt.public_id))
    placed = [(receipt, tx.outcomes.find(doubt.carrier, receipt, ids)) for receipt in listed]
    ours = [receipt for receipt, attempt in placed if attempt is not None and attempt.message == doubt.message]
    for receipt in ours:
        apply_receipt(doubt.carrier, receipt, now, tx, ids)
    if not ours and any(attempt is None and not receipt.attempt for receipt, attempt in placed):
        return note(who, doubt, Settled.CANNOT_ASK, f"the list of {doubt.carrier} does not name our texts", now, tx)
    if not ours:
        found = f"{doubt.carrier} lists no such text since {since(doubt):%Y-%m-%d %H:%M:%S} UTC"
        return note(who, doubt, Settled.NOT_FOUND, found, now, tx)
    tx.audit.note(who.label, "checked", doubt.public_id, "found", now)
    return Settled.FOUND


def note(who: Principal, doubt: Doubt, settled: Settled, found: str, now: datetime, tx: Tx) -> Settled:
    """Keep on the text that the carrier was asked, and what it said."""
    tx.outbox.note(doubt.message, doubt.state, None, found, now)
    tx.audit.note(who.label, "checked", doubt.public_id, found, now)
    return settled

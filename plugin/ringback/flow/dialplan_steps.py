"""What the dialplan has written down, a step each: a yes by key with its text, a caller let go, a text, an opt-out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from ringback.core.consents import CONVERSATION, Method
from ringback.core.messages import Basis, MessageClass, State, Wanted
from ringback.core.note_texts import suggested
from ringback.core.offers import Offer, OfferAnswer, OfferKind, Situation
from ringback.core.permissions import in_the_dialplan
from ringback.core.policy import Refuse
from ringback.core.reasons import Reason
from ringback.core.sessions import Origin, Why
from ringback.core.text_queues import Note, Queues, TextQueue
from ringback.errors import RingbackError
from ringback.flow import offering, sessions
from ringback.flow.dialplan_callers import Caller
from ringback.flow.dialplan_words import Question, Reach, Sent, TextNow
from ringback.flow.house import House
from ringback.flow.ledger import say_yes
from ringback.flow.outbound import Slot, Submitted, submit
from ringback.flow.session_calls import IN_CALL
from ringback.flow.session_texts import Words, compose
from ringback.flow.sessions import ByCall, CallWords, Said
from ringback.flow.stopping import How, NoTexts, Whole, no_texts
from ringback.flow.textability import textable
from ringback.ports.storage import Tx
from ringback.ports.texts import TextStanding

NOTES: Mapping[OfferKind, Note] = {
    OfferKind.DEFLECTION: Note.OPENING,
    OfferKind.WAIT_TEXT: Note.WAIT_TEXT,
    OfferKind.TEXT_BACK: Note.TEXT_BACK,
}
ORIGINS: Mapping[OfferKind, Origin] = {
    OfferKind.DEFLECTION: Origin.DEFLECTION,
    OfferKind.WAIT_TEXT: Origin.WAIT_TEXT,
    OfferKind.TEXT_BACK: Origin.TEXT_BACK,
}
WORTH: Mapping[OfferKind, timedelta] = {
    OfferKind.DEFLECTION: timedelta(minutes=2),
    OfferKind.WAIT_TEXT: timedelta(minutes=15),
}
"""How long a text is worth sending that tells somebody in a call to write back; after that they speak with somebody."""
NO_TEXT = "no_such_text"
NO_SESSION = "no_session"
TAKEN = frozenset({State.ACCEPTED, State.SENT, State.DELIVERED, State.NO_RECEIPT})
PENDING = frozenset({State.HELD, State.QUEUED, State.SUBMITTING})
DOUBTED = frozenset({State.UNCONFIRMED, State.UNRESOLVED})


class NotSent(RingbackError):
    """The text that a caller chose cannot go, so nothing of it is kept."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"not sent: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Kept:
    """What an acceptance wrote: the text, and what became of it; nothing where it had been written before."""

    text: str
    submitted: Submitted | None = None


def queue_for(queues: Queues, asked: Caller, question: Question) -> TextQueue | None:
    """The text queue beside the voice queue. Whoever is texted later waits in no voice queue, so without one it is that
    of the number they called."""
    beside = queues.of_voice(asked.pbx, question.queue)
    if beside is None and question.kind is OfferKind.TEXT_BACK and queues.all:
        return queues.of_number(asked.did)
    return beside


def accept(
    house: House, slot: Slot | None, asked: Caller, question: Question, seen: Situation, now: datetime, tx: Tx
) -> Kept:
    """Keep a yes by key: the consent, the session, the first text, and that the offer was taken; all or nothing.

    `asked` is whoever is texted. Raises NotSent.
    """
    offer = _offer(asked, question, seen, now, tx)
    if offer.answer is OfferAnswer.YES:
        return Kept(offer.text)
    if offer.answer is OfferAnswer.NO:
        raise NotSent(Reason.ASKED_BEFORE)
    queue = queue_for(tx.queues.all(), asked, question)
    if queue is None:
        raise NotSent(Reason.NO_TEXT_QUEUE)
    # the gates spare a text that a person asked for, and this one neither reaches a landline nor breaks a pause
    reason = textable(house, asked.did, asked.number, asked.facts, now, tx)
    if reason is not Reason.ALLOWED:
        raise NotSent(reason)
    session, sent = _open(house, slot, asked, question, queue, now, tx)
    offering.answer(offer, OfferAnswer.YES, sent.message, session, now, tx)
    return Kept(sent.message, sent)


def _offer(asked: Caller, question: Question, seen: Situation, now: datetime, tx: Tx) -> Offer:
    """The offer that was made; a dialplan that asked the caller without asking us has made one itself."""
    offer = offering.made_before(asked.pbx, asked.uniqueid, question.kind, tx)
    if offer is None:
        offer = Offer(asked.pbx, asked.uniqueid, question.kind, asked.did, asked.peer, seen, Reason.ALLOWED, now)
        tx.offers.put(offer)
    return replace(offer, prompt=question.prompt)


def _open(
    house: House, slot: Slot | None, asked: Caller, question: Question, queue: TextQueue, now: datetime, tx: Tx
) -> tuple[str, Submitted]:
    """The consent, the session and its first text; returns the session and what became of the text."""
    by = in_the_dialplan(asked.pbx).label
    words = first_words(house, queue, asked, question, now)
    if words is None:
        raise NotSent(Reason.TEMPLATE_FAULT)
    thread, call = tx.pairs.thread(asked.did, asked.peer, now), tx.calls.row_of(asked.pbx, asked.uniqueid)
    evidence = f"key {question.key}"
    say_yes(
        thread,
        MessageClass.CONVERSATIONAL,
        CONVERSATION,
        Method.KEY_PRESS,
        question.prompt,
        call,
        now,
        tx,
        evidence=evidence,
        by=by,
    )
    told = CallWords(question.language, question.ivr_path, question.caller_name)
    session = sessions.open_by_call(thread, ByCall(queue, ORIGINS[question.kind], call, told, by), now, tx)
    sent = submit(house, slot, chosen(house, asked, question, words, call, now), asked.facts, now, tx)
    if isinstance(sent.verdict, Refuse):
        raise NotSent(sent.verdict.reason)
    with_text = replace(session, first_text=sent.row)
    sessions.keep(with_text, Said(Why.CALL_ACCEPTED, by, sent.message), now, tx)
    return session.public_id, sent


def first_words(house: House, queue: TextQueue, asked: Caller, question: Question, now: datetime) -> Words | None:
    """What the queue says to who chose texts. One that has no words says ours: the caller was asked by voice, said yes,
    and would wait for nothing."""
    note = NOTES[question.kind]
    if not queue.plan.notes.get(note):
        ours = {note: suggested(house.languages)[note]}
        queue = replace(queue, plan=replace(queue.plan, notes=ours))
    return compose(house, queue, note, asked.did, question.language, now)


def chosen(house: House, asked: Caller, question: Question, words: Words, call: int | None, now: datetime) -> Wanted:
    """The first text of somebody who chose texts by key: a person asked for it, so the guards against machines that
    text by themselves do not count it. They do for a number that was keyed in: nobody knows whose it is."""
    return Wanted(
        did=asked.did,
        peer=asked.number,
        text=words.text,
        language=words.language,
        class_=MessageClass.CONVERSATIONAL,
        basis=Basis.CONSENT,
        cause=in_the_dialplan(asked.pbx).label,
        automatic=asked.facts is None,
        expires_at=now + min(WORTH.get(question.kind, timedelta.max), house.validity(asked.did)),
        call_id=call,
        pbx=asked.pbx,
        windows=words.windows,
    )


def not_sent(asked: Caller, question: Question, seen: Situation, now: datetime, tx: Tx) -> None:
    """They said yes, and the text could not go: they stay in the call."""
    offer = _offer(asked, question, seen, now, tx)
    if offer.answer is OfferAnswer.NONE:
        offering.answer(offer, OfferAnswer.NOT_SENT, "", "", now, tx)


def decline(asked: Caller, question: Question, seen: Situation, now: datetime, tx: Tx) -> None:
    """They said no, or nothing: it holds for the whole call."""
    offer = _offer(asked, question, seen, now, tx)
    if offer.answer is OfferAnswer.NONE:
        offering.answer(offer, OfferAnswer.NO, "", "", now, tx)


def text_of(question: Question, tx: Tx) -> TextStanding | None:
    """A text that was sent in this call; None for any other, which is none of this caller's business."""
    text = tx.outbox.standing(question.text)
    if text is None or text.call not in ("", question.uniqueid):
        return None
    return text


def state_of(question: Question, tx: Tx) -> TextNow:
    """How a text of this call stands."""
    text = text_of(question, tx)
    if text is None:
        return TextNow("no", NO_TEXT)
    if text.state in PENDING:
        return TextNow("pending")
    if text.state in TAKEN:
        return TextNow("accepted")
    if text.state in DOUBTED:
        return TextNow("unconfirmed")
    return TextNow("no", text.reason or text.state)


def let_go(asked: Caller, question: Question, now: datetime, tx: Tx) -> str:
    """The carrier took the first text, so the caller may go: the session waits for an agent from now on.

    Returns why not; empty for done.
    """
    state = state_of(question, tx)
    if state.state != "accepted":
        return state.reason or state.state
    text = text_of(question, tx)
    session = next(iter(tx.sessions.promised([text.id])), None) if text is not None else None
    if session is None:
        return NO_SESSION
    if session.state in IN_CALL:
        by = in_the_dialplan(asked.pbx).label
        sessions.queue_up(session, Why.TEXT_SENT, now, tx, by=by)
    return ""


def reply_to(question: Question, tx: Tx) -> str | None:
    """What they wrote first since a text of this call."""
    text = text_of(question, tx)
    return None if text is None else tx.inbound.first_since(text.thread, text.created_at)


def send(
    house: House, slot: Slot | None, asked: Caller, question: Question, now: datetime, tx: Tx
) -> tuple[Sent, Submitted | None]:
    """Send the caller a text that the dialplan asks for; the same words in the same call are one text."""
    label = in_the_dialplan(asked.pbx).label
    words = _words(house, asked, question, now, tx)
    if words is None:
        return Sent(Reason.TEMPLATE_FAULT), None
    asked_for = sha256(words.text.encode("utf-8", "surrogatepass")).hexdigest()
    key = f"{asked.uniqueid} {asked.peer} {asked_for[:32]}"
    known = tx.idempotency.asked(label, key)
    if known is not None:
        return read_sent(known[1]), None
    call = tx.calls.row_of(asked.pbx, asked.uniqueid)
    wanted = Wanted(
        did=asked.did,
        peer=asked.number,
        text=words.text,
        language=words.language,
        class_=MessageClass.TRANSACTIONAL,
        basis=Basis.CALLER_INITIATED,
        cause=label,
        automatic=True,
        expires_at=now + house.validity(asked.did),
        call_id=call,
        pbx=asked.pbx,
        windows=words.windows,
    )
    submitted = submit(house, slot, wanted, asked.facts, now, tx)
    sent = Sent(
        submitted.verdict.reason if isinstance(submitted.verdict, Refuse) else Reason.ALLOWED, submitted.message
    )
    tx.idempotency.keep(label, key, asked_for, write_sent(sent), now)
    return sent, submitted


def _words(house: House, asked: Caller, question: Question, now: datetime, tx: Tx) -> Words | None:
    """The words of the dialplan, or those of the queue that minds texts to the number that was called."""
    if question.note is None:
        return Words(question.language, question.body)
    queues = tx.queues.all()
    queue = queues.of_voice(asked.pbx, question.queue) or queues.of_number(asked.did)
    return compose(house, queue, question.note, asked.did, question.language, now)


def write_sent(sent: Sent) -> str:
    return f"{sent.reason} {sent.text}"


def read_sent(words: str) -> Sent:
    reason, _, text = words.partition(" ")
    return Sent(Reason(reason), text)


WHOLE: Mapping[Reach, Whole] = {Reach.NUMBER: Whole.NUMBER, Reach.ALL: Whole.BUSINESS}


def opt_out(asked: Caller, question: Question, now: datetime, tx: Tx) -> None:
    """They want no more texts, and pressed a key to say so: it goes into the ledger that a STOP goes into."""
    live = tx.calls.live_with(asked.peer)
    call = live.public_id if live is not None and live.uniqueid == asked.uniqueid else asked.uniqueid
    thread = tx.pairs.thread(asked.did, asked.peer, now)
    wish = NoTexts(WHOLE[question.reach], How.KEY, question.prompt, call)
    no_texts(in_the_dialplan(asked.pbx), thread, wish, now, tx)

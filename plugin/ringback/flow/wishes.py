"""What a program asks for, as one step does it: its texts each once for each key, and calling one off."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ringback.core.grants import Way
from ringback.core.messages import Basis, MessageClass, OnDoubt, State, Urgency, Wanted
from ringback.core.numbers import Number
from ringback.core.permissions import Principal
from ringback.core.policy import Defer, Refuse, Verdict
from ringback.core.reasons import Reason
from ringback.core.segments import Encoding, Measure, measure
from ringback.flow import allowances
from ringback.flow.house import House
from ringback.flow.outbound import Slot, Submitted, read_ahead, submit
from ringback.flow.permits import Denied, allow_way, rights_in
from ringback.flow.settling import find_for
from ringback.ports.storage import Tx

CALLED_OFF = frozenset({State.HELD, State.QUEUED})


@dataclass(frozen=True, slots=True)
class Wish:
    """A text that a program wants. `asked` stands for all it asked, so that its key cannot be used for another."""

    did: str
    peer: Number
    text: str
    expires_at: datetime
    language: str = ""
    class_: MessageClass = MessageClass.TRANSACTIONAL
    basis: Basis = Basis.NONE
    not_before: datetime | None = None
    campaign: str = ""
    reference: str = ""
    on_doubt: OnDoubt | None = None
    asked: str = ""

    @property
    def pair(self) -> tuple[str, str]:
        return self.did, self.peer.e164 or self.peer.raw

    def wanted(self, who: Principal) -> Wanted:
        """The text as `submit` takes it."""
        return Wanted(
            did=self.did,
            peer=self.peer,
            text=self.text,
            language=self.language,
            class_=self.class_,
            basis=self.basis,
            cause=who.label,
            automatic=False,
            expires_at=self.expires_at,
            urgency=Urgency.TRANSACTIONAL,
            not_before=self.not_before,
            campaign=self.campaign,
            reference=self.reference,
            on_doubt=self.on_doubt,
            account=who.account,
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a wish, and when. `again`: this key was used before, and nothing new was stored."""

    message: str
    verdict: Verdict | None
    carrier: str
    size: Measure
    at: datetime
    again: bool = False


Answered = tuple[Asked, Submitted | None]
Outcome = Answered | Exception


@dataclass(frozen=True, slots=True)
class One:
    """A wish with the slot it may take, who asks, and the key."""

    slot: Slot | None
    who: Principal
    wish: Wish
    key: str = ""


def answer(house: House, slot: Slot | None, who: Principal, wish: Wish, key: str, now: datetime, tx: Tx) -> Answered:
    """Submit a wish unless its key was used before; then say again what was said then. Raises Denied for what they may
    not, as this very transaction sees it."""
    known = tx.idempotency.asked(who.label, key) if key else None
    if known is not None:
        asked, said = known
        if asked != wish.asked:
            raise Denied(Reason.IDEMPOTENCY_MISMATCH)
        return read_answer(said), None
    allow_way(rights_in(who, tx), Way.SEND, wish.did, wish.class_)
    sent = submit(house, slot, wish.wanted(who), None, now, tx)
    made = Asked(sent.message, sent.verdict, house.carrier(wish.did) or "", measure(wish.text), now)
    if key:
        tx.idempotency.keep(who.label, key, wish.asked, write_answer(made), now)
    return made, sent


def answer_all(house: House, wishes: Sequence[One], now: datetime, tx: Tx) -> "list[Outcome]":
    """Answer wishes in their order, each as `answer` would, in a few statements for all of them."""
    if keys := {(one.who.label, one.key) for one in wishes if one.key}:
        tx.idempotency.read_ahead(keys)
    read_ahead((one.wish.pair for one in wishes), now, tx)
    allowances.read_ahead(house, ((one.who.account, one.wish.did) for one in wishes), now, tx)
    return [_answer_or_deny(house, one, now, tx) for one in wishes]


def _answer_or_deny(house: House, one: One, now: datetime, tx: Tx) -> Outcome:
    """A key that stood for another wish, and what they may not, is found before anything is written."""
    try:
        return answer(house, one.slot, one.who, one.wish, one.key, now, tx)
    except Denied as no:
        return no


def write_answer(asked: Asked) -> str:
    """Write an answer as it is kept beside its key."""
    until = asked.verdict.until.isoformat() if isinstance(asked.verdict, Defer) else ""
    reason = asked.verdict.reason if asked.verdict else ""
    size = asked.size
    return json.dumps(
        [asked.message, reason, until, asked.carrier, size.encoding, size.units, size.segments, asked.at.isoformat()]
    )


def read_answer(said: str) -> Asked:
    """Read an answer that was kept."""
    message, reason, until, carrier, encoding, units, segments, at = json.loads(said)
    verdict: Verdict | None = None
    if reason:
        verdict = Defer(Reason(reason), datetime.fromisoformat(until)) if until else Refuse(Reason(reason))
    size = Measure(Encoding(encoding), units, segments)
    return Asked(message, verdict, carrier, size, datetime.fromisoformat(at), again=True)


def call_off(who: Principal, message: str, now: datetime, tx: Tx) -> State:
    """Cancel a text that no attempt is open for. Doing it twice is doing it once. Raises NotThere, and Denied."""
    text = find_for(who, message, tx)
    allow_way(rights_in(who, tx), Way.SEND, text.did, text.class_)
    if text.state not in CALLED_OFF:
        return text.state
    tx.outbox.move(text.message, text.state, State.CANCELLED, None, f"called off by {who.label}", now)
    tx.audit.note(who.label, "call_off", message, "", now)
    return State.CANCELLED

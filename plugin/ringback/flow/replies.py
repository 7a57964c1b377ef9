"""An agent's reply: one transaction that asks the gates, keeps the text, and remembers the key it was asked with.

Sent twice with one key, by a double click or over a line that broke, it is one text and gets the same answer.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from ringback.core.grants import Way
from ringback.core.messages import Basis, MessageClass, Urgency, Wanted
from ringback.core.permissions import Principal
from ringback.core.policy import Defer, Refuse, Verdict
from ringback.core.reasons import Reason
from ringback.flow.house import House
from ringback.flow.outbound import Slot, Submitted, submit
from ringback.flow.permits import Denied, allow_way, see
from ringback.flow.session_replies import replied as session_replied
from ringback.ports.pairs import Thread
from ringback.ports.storage import Tx


@dataclass(frozen=True, slots=True)
class Replied:
    """What became of a reply. `again`: this key was used before, and nothing new was sent.

    `message` is empty for a text that is too long: it is not kept, since only its writer can shorten it.
    """

    message: str
    verdict: Verdict | None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What an agent asks for. `key` is the form's own, the same however often it is sent."""

    who: Principal
    thread: Thread
    text: str
    key: str

    @property
    def asked(self) -> str:
        """What the key stands for, without keeping the words a second time."""
        return sha256(f"{self.thread.public_id}\n{self.text}".encode("utf-8", "surrogatepass")).hexdigest()


def wish(house: House, reply: Reply, now: datetime) -> Wanted:
    """The reply as `submit` takes it."""
    thread = reply.thread
    return Wanted(
        did=thread.did,
        peer=house.read("", thread.peer),
        text=reply.text,
        language="",
        class_=MessageClass.CONVERSATIONAL,
        basis=Basis.CONVERSATION,
        cause=reply.who.label,
        automatic=False,
        expires_at=now + house.validity(thread.did),
        account=reply.who.account,
        urgency=Urgency.AGENT,
    )


def answer(house: House, slot: Slot | None, reply: Reply, now: datetime, tx: Tx) -> tuple[Replied, Submitted | None]:
    """Submit the reply unless its key was used before; then say again what was said then.

    Raises NotThere and Denied for what they may not, as this very transaction sees it.
    """
    number = reply.thread.did
    rights = see(reply.who, number, tx, missing(reply.thread.public_id))
    known = tx.idempotency.asked(reply.who.label, reply.key)
    if known is not None:
        asked, said = known
        if asked != reply.asked:
            raise Denied(Reason.IDEMPOTENCY_MISMATCH)
        return read_answer(said), None
    allow_way(rights, Way.SEND, number, MessageClass.CONVERSATIONAL)
    sent = submit(house, slot, wish(house, reply, now), None, now, tx)
    replied = Replied(sent.message, sent.verdict)
    tx.idempotency.keep(reply.who.label, reply.key, reply.asked, write_answer(replied), now)
    if not isinstance(sent.verdict, Refuse):
        tx.inbound.mark_answered(reply.thread.id)
        session_replied(reply.who, reply.thread, sent.message, now, tx)
    return replied, sent


def missing(thread: str) -> str:
    """What is said of a thread that is not there, as far as whoever asks may know."""
    return f"there is no thread {thread}"


def write_answer(replied: Replied) -> str:
    """Write an answer in words, as it is kept beside its key."""
    match replied.verdict:
        case Refuse(reason):
            return f"{replied.message} {reason}"
        case Defer(reason, until):
            return f"{replied.message} {reason} {until.isoformat()}"
        case None:
            return replied.message


def read_answer(said: str) -> Replied:
    """Read an answer that was kept."""
    match said.split(" "):
        case [message, reason, until]:
            return Replied(message, Defer(Reason(reason), datetime.fromisoformat(until)), again=True)
        case [message, reason]:
            return Replied(message, Refuse(Reason(reason)), again=True)
    return Replied(said, None, again=True)

"""Somebody told an agent that they want certain texts, or do not: written into the ledger with how they said it."""

from dataclasses import dataclass
from datetime import datetime

from ringback.core.consents import ANY_SCOPE, ConsentKind, Method
from ringback.core.messages import MessageClass
from ringback.core.permissions import Principal
from ringback.core.writing import clean
from ringback.flow.ledger import say_yes, withdraw
from ringback.flow.permits import Unwritten
from ringback.ports.pairs import Thread
from ringback.ports.storage import Tx

CLASSES = (MessageClass.TRANSACTIONAL, MessageClass.PROMOTIONAL)
"""What an agent can note a yes or a no to; a conversation needs neither, it is there."""
WAYS = (Method.AGENT, Method.REPLY, Method.WRITTEN)
LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True)
class Told:
    """What they said. `note` is in which words, and must not be empty."""

    kind: ConsentKind
    class_: MessageClass
    method: Method
    note: str

    @property
    def words(self) -> str:
        return " ".join(clean(self.note).split())[:LONGEST_NOTE]


def check(told: Told) -> None:
    """Raise Unwritten for what the ledger cannot take."""
    if not told.words:
        raise Unwritten("write how this person said it; it is kept as the evidence")
    if told.class_ not in CLASSES or told.method not in WAYS:
        raise Unwritten("this form is broken; load the page again")
    spoken = told.method is Method.AGENT
    if told.kind is ConsentKind.GIVEN and told.class_ is MessageClass.PROMOTIONAL and spoken:
        raise Unwritten("a yes to advertising has to be in writing; a word on the phone is not enough")


def note(who: Principal, thread: Thread, told: Told, now: datetime, tx: Tx) -> None:
    """Write the line, and who wrote it down. It is for everything of the class."""
    args = (thread, told.class_, ANY_SCOPE, told.method, "", None, now, tx)
    if told.kind is ConsentKind.GIVEN:
        say_yes(*args, evidence=told.words, by=who.label)
    else:
        withdraw(*args, evidence=told.words, by=who.label)
    tx.audit.note(who.label, "consent", thread.public_id, f"{told.kind} {told.class_} by {told.method}", now)

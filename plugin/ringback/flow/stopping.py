"""Somebody told us, not by text, that they want no texts: from one of our numbers, or from the whole business.

A word on the phone counts as much as a STOP: it goes into the same ledger, with the call it was said in.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ringback.core.permissions import Principal
from ringback.core.plurals import count_of
from ringback.core.writing import clean
from ringback.flow.opt_outs import call_off_waiting, start, stop
from ringback.ports.lists import Entry, ListName
from ringback.ports.pairs import Thread
from ringback.ports.storage import Tx

LONGEST_NOTE = 500
EVERYWHERE = "everywhere"
"""How the ledger calls an opt-out that is for all our numbers; it is taken back the same way."""


class Whole(StrEnum):
    """How far an opt-out goes. A campaign will stand between the two."""

    NUMBER = "number"
    BUSINESS = "business"


class How(StrEnum):
    """How they told us; the ledger calls it so."""

    PERSON = "person"
    """By any other way: a letter, a mail, across the counter."""
    CALL = "call"
    """They said it on the phone."""
    VOICEMAIL = "voicemail"
    KEY = "key"
    """They pressed a key when they were asked."""


@dataclass(frozen=True, slots=True)
class NoTexts:
    """What somebody writes down: `note` in their words, `call` the public id of the call it was said in, if any."""

    whole: Whole = Whole.NUMBER
    how: How = How.PERSON
    note: str = ""
    call: str = ""

    @property
    def words(self) -> str:
        return " ".join(clean(self.note).split())[:LONGEST_NOTE]

    def evidence(self, who: Principal) -> str:
        """What the ledger keeps: who wrote it down, in which call it was said, and in what words."""
        said = "; ".join(part for part in (self.call, self.words) if part)
        return f"{who.label}: {said}" if said else who.label


def no_texts(who: Principal, thread: Thread, wish: NoTexts, now: datetime, tx: Tx) -> int:
    """Write it down for the pair, or for the whole business; returns how many texts were called off."""
    evidence = wish.evidence(who)
    if wish.whole is Whole.BUSINESS:
        off = stop_everywhere(thread.peer, wish, who, now, tx)
    else:
        off = stop(thread, wish.how, evidence, now, tx)
    told = [f"{count_of(off, 'text')} called off"]
    if wish.whole is Whole.BUSINESS:
        told.append("for all our numbers")
    if wish.how is not How.PERSON:
        told.append(f"by {wish.how} {wish.call}".strip())
    tx.audit.note(who.label, "opt_out", thread.public_id, ", ".join(told), now)
    return off


def stop_everywhere(peer: str, wish: NoTexts, who: Principal, now: datetime, tx: Tx) -> int:
    """Nothing goes to this person from any number of ours, also from those they never heard of; what waits is called
    off."""
    reason = f"{wish.how}: {wish.words}" if wish.words else str(wish.how)
    tx.lists.put(Entry(ListName.STOPPED, peer, reason, wish.call, who.label, now))
    evidence = wish.evidence(who)
    off = sum(stop(thread, EVERYWHERE, evidence, now, tx) for thread in tx.pairs.threads_of(peer))
    return off + call_off_waiting(tx.pending.of_peer(peer), tx)


def start_everywhere(peer: str, who: Principal, note: str, now: datetime, tx: Tx) -> int:
    """Take such an opt-out back, since they asked for it: `note` says how. What they said to one number by a STOP of
    their own stays; returns how many threads are open again."""
    evidence = NoTexts(note=note).evidence(who)
    open_again = [thread for thread in tx.pairs.threads_of(peer) if tx.pairs.said_last(thread.id) == EVERYWHERE]
    for thread in open_again:
        start(thread, How.PERSON, evidence, now, tx)
    return len(open_again)

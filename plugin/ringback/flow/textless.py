"""What carriers' errors teach of numbers that no text reaches, and how that is forgotten again."""

from datetime import datetime

from ringback.core.reasons import Reason
from ringback.core.textless import AGAIN, believed, textless
from ringback.ports.pairs import PairFacts
from ringback.ports.storage import Tx


def learn_from(words: str, peer: str, now: datetime, tx: Tx) -> None:
    """A carrier refused a text to this number in these words."""
    reason = textless(words)
    if reason is not None:
        _learn(words, reason, peer, now, tx)


def learn_from_receipt(words: str, message: int, now: datetime, tx: Tx) -> None:
    """A receipt says in these words that a text did not arrive."""
    reason = textless(words)
    peer = tx.consents.peer_of(message) if reason is not None else None
    if reason is not None and peer is not None:
        _learn(words, reason, peer, now, tx)


def _learn(words: str, reason: Reason, peer: str, now: datetime, tx: Tx) -> None:
    before = tx.consents.failed_before(peer, now - AGAIN)
    tx.consents.learn_not_textable(peer, reason, now, now + believed(words, before))


def texted_us(peer: str, pair: PairFacts, tx: Tx) -> None:
    """A text came from there, so texts get there too."""
    if pair.not_textable is not None:
        tx.consents.unlearn(peer)

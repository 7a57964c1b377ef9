"""What people are told at their first contact: what they get, and how to stop it."""

from datetime import datetime

import structlog

from ringback.core.keywords import Heard
from ringback.core.messages import Basis, MessageClass, Wanted
from ringback.core.policy import Refuse
from ringback.core.templates import TemplateFault
from ringback.flow.house import House
from ringback.flow.ledger import CONVERSATION_LASTS, say_yes, take_all_back, withdraw
from ringback.flow.outbound import Submitted, submit
from ringback.flow.textability import textable
from ringback.ports.pairs import PairFacts, Thread
from ringback.ports.storage import Tx

__all__ = ["CONVERSATION_LASTS", "introduce", "say_yes", "take_all_back", "textable", "withdraw"]

log = structlog.get_logger("consents")


def introduce(
    house: House, thread: Thread, heard: Heard | None, pair: PairFacts, now: datetime, tx: Tx
) -> Submitted | None:
    """Tell somebody who texts us for the first time, or after `again`, what they get and how to stop it.

    Nothing is sent where their text is a command, and where we wrote first: that text told them.
    """
    if not house.introduction or heard is not None or pair.opted_out:
        return None
    if pair.told_at is not None and now - pair.told_at < house.introduce_again:
        return None
    if pair.told_at is None and tx.consents.wrote_first(thread.id):
        tx.consents.tell(thread.id, now)
        return None
    wanted = introduction(house, thread, now)
    sent = submit(house, None, wanted, None, now, tx) if wanted is not None else None
    if sent is not None and not isinstance(sent.verdict, Refuse):
        tx.consents.tell(thread.id, now)
    return sent


def introduction(house: House, thread: Thread, now: datetime) -> Wanted | None:
    """The text itself; None where it cannot be filled in."""
    spoken = house.language_of.get(thread.did, house.languages[0])
    language = spoken if spoken in house.introduction else next(iter(house.introduction))
    values = {"business": house.business, "contact": house.contact, "did": thread.did}
    try:
        text = house.introduction[language].render(values)
    except TemplateFault:
        log.warning("the text of [consent] introduction could not be filled in", language=language)
        return None
    return Wanted(
        did=thread.did,
        peer=house.read("", thread.peer),
        text=text,
        language=language,
        class_=MessageClass.SYSTEM,
        basis=Basis.CONVERSATION,
        cause="introduction",
        automatic=True,
        expires_at=now + house.validity(thread.did),
    )

"""Reads a wish to send: what one field alone cannot tell, and what only the house knows."""

from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256

from aiohttp import web

from ringback.api.answers import Code, FieldFault, Problem
from ringback.api.models import NewMessage
from ringback.core.messages import Basis, MessageClass, OnDoubt
from ringback.core.numbers import Number, NumberKind
from ringback.core.segments import measure
from ringback.core.writing import clean
from ringback.flow.house import House
from ringback.flow.wishes import Wish

LONGEST_KEY = 255
FURTHEST = timedelta(days=366)
SHORTEST = timedelta(seconds=10)
"""A text that may go for less than this would hardly ever go."""
UNREADABLE = frozenset({NumberKind.INVALID, NumberKind.ALPHA, NumberKind.INTERNAL, NumberKind.WITHHELD})
NOT_OURS = "is none of our numbers: take one of those in ringback.toml"
NO_NUMBER = 'is no phone number: write it in E.164, as in "+15125550123"'


def read_wish(
    house: House, typed: Callable[[str], Number], body: NewMessage, key: str, now: datetime
) -> tuple[Wish, list[FieldFault]]:
    """Check what takes more than one field, or the house; a wish with a fault must not be sent."""
    faults: list[FieldFault] = []
    did, peer, text = typed(body.from_).e164 or "", typed(body.to), clean(body.text)
    if did not in house.numbers:
        faults.append(FieldFault("from", NOT_OURS))
    if peer.kind in UNREADABLE:
        faults.append(FieldFault("to", NO_NUMBER))
    if fault := _text_fault(house, did, text):
        faults.append(FieldFault("text", fault))
    # the year 9999 has no room for a validity behind it
    begins = min(max(body.not_before or now, now), now + 2 * FURTHEST)
    ends = _end(house, body, did, begins)
    faults += _time_faults(body, now, begins, ends)
    wish = Wish(
        did=did,
        peer=peer,
        text=text,
        expires_at=ends,
        language=body.language or house.language_of.get(did, house.languages[0]),
        class_=MessageClass(body.class_),
        basis=Basis(body.basis),
        not_before=body.not_before,
        campaign=body.campaign,
        reference=body.reference,
        on_doubt=OnDoubt(body.on_doubt) if body.on_doubt else None,
        asked=sha256(body.model_dump_json().encode("utf-8", "surrogatepass")).hexdigest() if key else "",
    )
    return wish, faults


def _end(house: House, body: NewMessage, did: str, begins: datetime) -> datetime:
    if body.expires_at is not None:
        return body.expires_at
    return begins + (house.validity(did) if body.validity is None else timedelta(seconds=body.validity))


def _text_fault(house: House, did: str, text: str) -> str:
    if not text:
        return "has nothing that anybody could see: write something"
    segments, most = measure(text).segments, house.most_segments(did)
    return f"takes {segments} segments, and {most} is the most: shorten it" if segments > most else ""


def _time_faults(body: NewMessage, now: datetime, begins: datetime, ends: datetime) -> list[FieldFault]:
    faults: list[FieldFault] = []
    if body.expires_at is not None and body.validity is not None:
        faults.append(FieldFault("validity", "says the same as expires_at: give one of the two"))
    if begins > now + FURTHEST:
        return [*faults, FieldFault("not_before", "is more than a year ahead: ask again nearer to it")]
    if ends < begins + SHORTEST:
        faults.append(FieldFault("expires_at", "leaves no time to send: make it later"))
    if ends > now + 2 * FURTHEST:
        faults.append(FieldFault("expires_at", "is too far ahead: make it earlier"))
    return faults


def idempotency_key(request: web.Request) -> str:
    """The asker's own key for this request, empty without one. Raises Problem for one that cannot be kept."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return ""
    if not 0 < len(key) <= LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise Problem(Code.BAD_HEADER, f"Idempotency-Key has 1 to {LONGEST_KEY} letters, digits and signs of ASCII.")
    return key

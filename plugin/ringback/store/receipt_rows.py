"""Receipts as they are kept: the columns of one, and the keys under which the text it is about may stand."""

from datetime import datetime

from ringback.core.provider_ids import Ids, candidates
from ringback.ports import Receipt
from ringback.store.moments import micros

NO_TIME = 0
"""Stands for the time of a carrier that tells none, so that its receipts are unique by their status."""


def forms_of(provider_id: str, ids: Ids) -> dict[str, object]:
    """The keys a text may stand under, three in any case."""
    forms = candidates(provider_id, ids)
    return dict(zip(("first", "second", "third"), (*forms, forms[0], forms[0]), strict=False))


def columns_of(carrier: str, receipt: Receipt, now: datetime) -> dict[str, object]:
    return {
        "carrier": carrier,
        "provider_id": receipt.provider_id,
        "status": receipt.status.value,
        "carrier_at": time_of(receipt),
        "received_at": micros(now),
        "error": receipt.error,
    }


def time_of(receipt: Receipt) -> int:
    return micros(receipt.carrier_at) if receipt.carrier_at else NO_TIME

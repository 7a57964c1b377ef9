"""Asking a carrier what it took, where it can be asked at all."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

import structlog

from ringback.core.doubts import Seen
from ringback.errors import SendFailed
from ringback.ports import Carrier, Listing, Receipt

log = structlog.get_logger("doubts")

ASK_S = 10.0
"""How long a carrier may take to say what it took."""
BEFORE = timedelta(hours=2)
"""Carriers' clocks differ from ours by less, also where ours was set since. A text that a list begins after would seem
not to be in it."""


async def ask(name: str, carrier: Carrier | None, since: datetime, within: float = ASK_S) -> Sequence[Receipt] | Seen:
    """What a carrier took from us since then, or why that is not known: NO_LIST or AWAY."""
    if not hasattr(carrier, "sent_since"):
        return Seen.NO_LIST
    try:
        async with asyncio.timeout(within):
            return await cast(Listing, carrier).sent_since(since)
    except (SendFailed, TimeoutError) as problem:
        log.warning("a carrier cannot be asked now", carrier=name, problem=str(problem) or "no answer")
    except Exception:  # a carrier's bug is no answer, and no reason to stop asking the others
        log.exception("a carrier failed when it was asked", carrier=name)
    return Seen.AWAY

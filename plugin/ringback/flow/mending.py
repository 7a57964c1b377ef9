"""Keeping the record honest: folds found wrong are made anew, and moves of texts are sealed by the hour."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial

from ringback.errors import StoreFault
from ringback.flow.insist import insist_one
from ringback.ports import Clock
from ringback.ports.storage import Store, Tx

SEAL_EVERY = timedelta(hours=1)
NOT_MENDED = "could not be mended"
AT_ONCE = 2_000
"""Moves in one digest: so few that nobody waits for it."""


def mend_by_words(words: Mapping[str, str], now: datetime, tx: Tx) -> str:
    """Mend what `cures` lists, as JSON of [cure, row, name]; each leaves a line in the record, by whom is in `by`.

    Returns a line for each.
    """
    try:
        cures = [(str(cure), int(row), str(name)) for cure, row, name in json.loads(words["cures"])]
    except (ValueError, KeyError, TypeError) as problem:
        raise StoreFault("this is no list of what to mend") from problem
    return "\n".join(_mend(cure, row, name, words.get("by", "control"), now, tx) for cure, row, name in cures)


def _mend(cure: str, row: int, name: str, by: str, now: datetime, tx: Tx) -> str:
    made = tx.repairs.mend(cure, row, now)
    if not made:
        return f"{name} {NOT_MENDED}"
    tx.audit.note(by, "mend", name, f"{cure}: {made}", now)
    return f"{name} mended: {made}"


async def seal_each_hour(store: Store, clock: Clock) -> None:
    """Put digests of what happened to texts into the record, for ever."""
    while True:
        await clock.sleep_until(clock.now() + SEAL_EVERY)
        while await insist_one(store, clock, partial(_seal, clock.now())) == AT_ONCE:
            pass


def _seal(now: datetime, tx: Tx) -> int:
    return tx.audit.seal(AT_ONCE, now)

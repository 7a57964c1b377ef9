"""Folds that the doctor found wrong are made anew."""

import json
from collections.abc import Mapping
from datetime import datetime

from ringback.errors import StoreFault
from ringback.ports.storage import Tx

NOT_MENDED = "could not be mended"


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

"""That a database is not the newest: a backup that was put back, or a standby that lost its end.

What it lacks may have been sent. What is known of that stands in its settings: why and when, how far it was, and for
each carrier what came of comparing what waits with what the carrier took.
"""

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from ringback.core.doubts import Seen
from ringback.core.messages import OnDoubt
from ringback.core.policy import Defer
from ringback.core.reasons import Reason
from ringback.ports.restored import Known, Unclear
from ringback.ports.storage import Tx

RESTORE = "restore"
SETTING = "restored"
COMPARED = "restored:carrier:"
AT_ONCE = 200
KEPT = "it may have been sent before the database was put back"


@dataclass(frozen=True, slots=True)
class PutBack:
    """That a database was put back: why, when that was seen, what it had then. `held` once the carriers are."""

    why: str
    at: datetime
    known: Known
    held: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of comparing what waits for a carrier with its list: how often it had one, up to which row.

    `done` when everything may go. `earlier` is why it was held before, which holds still.
    """

    seen: Seen = Seen.NOT_ASKED
    taken: int = 0
    up_to: int = 0
    done: bool = False
    earlier: str = ""

    @property
    def clear(self) -> int:
        """The last row of those that were surely not sent if the list has none like them."""
        return self.up_to if self.seen is Seen.ABSENT else 0


def put_back(why: str, now: datetime, tx: Tx) -> None:
    """Note that the database is not the newest. The next start holds every carrier."""
    for key, *_ in tx.settings.beginning_with(COMPARED):
        tx.settings.drop(key)
    keep(PutBack(why, now, tx.restored.known(), held=False), tx)
    tx.audit.note(RESTORE, "put_back", "database", why, now)


def keep(put: PutBack, tx: Tx) -> None:
    newest = put.known.newest.isoformat() if put.known.newest else ""
    words = {"why": put.why, "held": "yes" if put.held else "no", "messages": put.known.messages, "newest": newest}
    tx.settings.put(SETTING, json.dumps(words), put.at, RESTORE)


def was_put_back(tx: Tx) -> PutBack | None:
    """None for a database that never was, and for a setting that somebody wrote by hand."""
    kept = tx.settings.get(SETTING)
    if kept is None:
        return None
    try:
        words = json.loads(kept[0])
        newest = datetime.fromisoformat(words["newest"]) if words["newest"] else None
        return PutBack(str(words["why"]), kept[1], Known(int(words["messages"]), newest), words["held"] == "yes")
    except (ValueError, KeyError, TypeError):
        return PutBack("nobody knows why", kept[1], tx.restored.known(), held=False)


def compared_with(carrier: str, tx: Tx) -> Compared:
    kept = tx.settings.get(COMPARED + carrier)
    words = json.loads(kept[0]) if kept else {}
    return replace(Compared(**words), seen=Seen(words["seen"])) if words else Compared()


def note_compared(carrier: str, compared: Compared, now: datetime, tx: Tx) -> None:
    tx.settings.put(COMPARED + carrier, json.dumps(asdict(compared)), now, RESTORE)


def keep_back(carrier: str, now: datetime, tx: Tx) -> int:
    """Have what may have been sent wait although its carrier goes on; returns how much that is."""
    put = was_put_back(tx)
    if put is None:
        return 0
    after = compared_with(carrier, tx).clear
    while found := tx.restored.unclear(carrier, put.known, put.at, after, AT_ONCE):
        for one in found:
            keep_one_back(one, now, tx)
        after = found[-1].text.message.id
    return tx.restored.kept(carrier)


def keep_one_back(one: Unclear, now: datetime, tx: Tx) -> None:
    """Of a text whose policy says that twice is better than never, nobody need be sure."""
    if not one.kept and one.policy is not OnDoubt.DELIVER:
        text = one.text
        tx.outbox.hold(text.message.id, text.state, Defer(Reason.PUT_BACK, text.expires_at), KEPT, now)


def let_all_go(carrier: str, now: datetime, tx: Tx) -> int:
    """Let go on also what may have been sent, for a person who says so; returns how much that is."""
    note_compared(carrier, replace(compared_with(carrier, tx), done=True), now, tx)
    return tx.restored.let_go(carrier, now)

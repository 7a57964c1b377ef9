"""After a database was put back: nothing leaves, carriers are asked what they took meanwhile, and that is compared.

A text that waits and stands in the list of its carrier was sent. What is surely not there goes on once a person lets
the carrier go on. What nobody can tell waits until a person says so, or until its time is over.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from ringback.core.doubts import Seen, ask_again_after
from ringback.core.messages import PartState
from ringback.core.plurals import count_of
from ringback.core.provider_ids import Ids
from ringback.flow.holds import Holding, hold_anew, hold_on, holds, reword
from ringback.flow.house import House, at_carrier
from ringback.flow.insist import insist_one
from ringback.flow.listing import BEFORE, ask
from ringback.flow.put_back import (
    AT_ONCE,
    RESTORE,
    Compared,
    PutBack,
    compared_with,
    keep,
    keep_one_back,
    note_compared,
    was_put_back,
)
from ringback.flow.receipts import apply_receipt, ids_of
from ringback.ports import Carrier, Clock, Listed, Receipt
from ringback.ports.bulks import RunState
from ringback.ports.restored import Unclear
from ringback.ports.storage import Store, Tx

log = structlog.get_logger("restoring")

BACKED_UP = "backup"
WHY = "The database was put back to an earlier moment ({}), so texts that wait may have been sent already."
EARLIER = "It was held back before: {}"
FOUND = "its carrier's list has it: sent before the database was put back"
EVERY = timedelta(minutes=5)
"""Until all is clear: what a carrier has not listed yet it may list later."""

LONGEST_S = 120.0
"""For a list that may be of days, and that nobody sits and waits for."""

Key = tuple[str, str, str]
"""Our number, theirs, the words."""


def note_backup(file: str, now: datetime, tx: Tx) -> None:
    """Keep when the last backup was made, and where it went."""
    tx.settings.put(BACKED_UP, file, now, "backup")


def last_backup(tx: Tx) -> datetime | None:
    """When the last backup was made that we know of."""
    kept = tx.settings.get(BACKED_UP)
    return kept[1] if kept else None


def hold_everything(carriers: Collection[str], now: datetime, tx: Tx) -> str:
    """Hold every carrier and pause every run of a database that was put back.

    Returns why, or nothing when it was not, or was seen to.
    """
    put = was_put_back(tx)
    if put is None or put.held:
        return ""
    why = WHY.format(put.why)
    before = {held.carrier: held.why for held in holds(tx)}
    for name in carriers:
        compared = Compared(earlier=before.get(name, ""))
        note_compared(name, compared, now, tx)
        hold_anew(name, why_held(put, compared), RESTORE, now, tx)
    for run in tx.bulks.unfinished():
        if tx.bulks.turn(run.id, RunState.OPEN, RunState.PAUSED, now):
            tx.audit.note(RESTORE, "pause_run", run.public_id, why, now)
    keep(replace(put, held=True), tx)
    return why


def why_held(put: PutBack, compared: Compared, *found: str) -> str:
    """Why a carrier is held, what was found, and why it was held before."""
    earlier = EARLIER.format(compared.earlier) if compared.earlier else ""
    return " ".join(words for words in (WHY.format(put.why), *found, earlier) if words)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a carrier took of which the database knows nothing, by what it sent; `whole` if nothing else can be."""

    of: Mapping[Key, Sequence[Receipt]]
    whole: bool


@dataclass(frozen=True, slots=True)
class Page:
    """What was compared: up to which row, and how many of it were sent."""

    last: int
    taken: int


class Restoring:
    """One part for all carriers. It has something to do after a database was put back, until all is clear."""

    def __init__(
        self, house: House, store: Store, carriers: Mapping[str, Carrier], holding: Holding, clock: Clock
    ) -> None:
        self._house = house
        self._store = store
        self._carriers = carriers
        self._holding = holding
        self._clock = clock

    async def run(self) -> None:
        away = 0
        while True:
            away = away + 1 if await self.look() else 0
            wait = min(EVERY, ask_again_after(away)) if away else EVERY
            await self._clock.sleep_until(self._clock.now() + wait)

    async def look(self) -> bool:
        """Compare what waits with what each carrier took; True when one of them cannot be asked now."""
        put = await insist_one(self._store, self._clock, was_put_back)
        if put is None:
            return False
        seen = [await self._compare(name, carrier, put) for name, carrier in self._carriers.items()]
        return Seen.AWAY in seen

    async def _compare(self, name: str, carrier: Carrier, put: PutBack) -> Seen:
        if not await insist_one(self._store, self._clock, partial(is_open, name)):
            return Seen.NOT_ASKED
        listed = await ask(name, carrier, min(put.known.newest or put.at, put.at) - BEFORE, within=LONGEST_S)
        taken, ids = Taken({}, whole=False), ids_of(carrier)
        seen = listed if isinstance(listed, Seen) else Seen.UNNAMED
        if not isinstance(listed, Seen):
            taken = await self._strangers(name, listed, ids)
            if taken.whole and getattr(carrier, "complete", False):
                seen = Seen.ABSENT
        found = await self._go_through(name, put, taken, seen, ids)
        compared = await insist_one(self._store, self._clock, partial(conclude, name, put, seen, found, self._now()))
        await self._holding.load()
        log.info("compared after the database was put back", carrier=name, seen=str(seen), sent=compared.taken)
        return seen

    def _now(self) -> datetime:
        return self._clock.now()

    async def _strangers(self, name: str, listed: Sequence[Receipt], ids: Ids) -> Taken:
        """Let what is known have its receipts; returns the rest."""
        of: dict[Key, list[Receipt]] = {}
        whole = True
        for start in range(0, len(listed), AT_ONCE):
            step = partial(receive, name, listed[start : start + AT_ONCE], ids, self._now())
            for receipt in await insist_one(self._store, self._clock, step):
                key = self._key(name, receipt)
                whole = whole and key is not None
                if key is not None:
                    of.setdefault(key, []).append(receipt)
        return Taken(of, whole)

    def _key(self, name: str, receipt: Receipt) -> Key | None:
        if not isinstance(receipt, Listed) or not receipt.provider_id:
            return None
        did, peer = (self._house.read(at_carrier(name), number).e164 for number in (receipt.sender, receipt.to))
        return (did, peer, plain(receipt.text)) if did and peer else None

    async def _go_through(self, name: str, put: PutBack, taken: Taken, seen: Seen, ids: Ids) -> Page:
        last = sent = 0
        while True:
            step = partial(compare, name, put, taken, seen, last, ids, self._now())
            page = await insist_one(self._store, self._clock, step)
            if page.last == last:
                return Page(last, sent)
            last, sent = page.last, sent + page.taken


def plain(text: str) -> str:
    """Carriers may keep white space in their own way."""
    return " ".join(text.split())


def is_open(carrier: str, tx: Tx) -> bool:
    """Whether there is anything to compare: it is held because of that, or texts wait because of that."""
    return not compared_with(carrier, tx).done and (is_held(carrier, tx) or tx.restored.kept(carrier) > 0)


def is_held(carrier: str, tx: Tx) -> bool:
    """Whether nobody let it go on since the database was put back."""
    held = hold_on(carrier, tx)
    return held is not None and held.by == RESTORE


def receive(carrier: str, listed: Sequence[Receipt], ids: Ids, now: datetime, tx: Tx) -> list[Receipt]:
    """Apply what a carrier lists of texts we know; returns what is of none."""
    strangers = []
    for receipt in listed:
        if tx.outcomes.find(carrier, receipt, ids) is None:
            strangers.append(receipt)
        else:
            apply_receipt(carrier, receipt, now, tx, ids)
    return strangers


def compare(carrier: str, put: PutBack, taken: Taken, seen: Seen, after: int, ids: Ids, now: datetime, tx: Tx) -> Page:
    """Look at the next texts that wait: were they sent, surely not, or does nobody know? A second time changes nothing.

    While a carrier does not answer nothing is decided. What goes on since a person let it is not kept back again.
    """
    sent = 0
    keeps = seen in (Seen.UNNAMED, Seen.NO_LIST) and is_held(carrier, tx)
    found = tx.restored.unclear(carrier, put.known, put.at, after, AT_ONCE)
    for one in found:
        thread = one.text.thread
        likely = taken.of.get((thread.did, thread.peer, plain(one.text.text)), ())
        receipt = next((each for each in likely if tx.outcomes.find(carrier, each, ids) is None), None)
        if receipt is not None:
            note_taken(carrier, one, receipt, ids, now, tx)
            sent += 1
        elif seen is Seen.ABSENT and one.kept:
            tx.restored.let_one_go(one.text.message.id, now)
        elif keeps:
            keep_one_back(one, now, tx)
    return Page(found[-1].text.message.id if found else after, sent)


def note_taken(carrier: str, one: Unclear, receipt: Receipt, ids: Ids, now: datetime, tx: Tx) -> None:
    """Write down what happened and was forgotten: an attempt, taken by the carrier, and what came of it.

    Its receipts may have come before it was known.
    """
    order = tx.outbox.open_attempt(one.text, carrier, now)
    tx.outcomes.close(order.attempt, "accepted", FOUND, receipt.provider_id, now, ids)
    tx.outcomes.part_moves(order.part, order.message, PartState.ACCEPTED, None, FOUND, now)
    for each in (*tx.outcomes.take_parked(carrier, receipt.provider_id, ids), receipt):
        apply_receipt(carrier, each, now, tx, ids)


def conclude(carrier: str, put: PutBack, seen: Seen, found: Page, now: datetime, tx: Tx) -> Compared:
    """Keep what was found, and have it stand in why the carrier is held."""
    before = compared_with(carrier, tx)
    compared = replace(before, seen=seen, taken=before.taken + found.taken, up_to=found.last)
    held = hold_on(carrier, tx)
    note_compared(carrier, compared, now, tx)
    if found.taken:
        tx.audit.note(RESTORE, "found_sent", carrier, count_of(found.taken, "text"), now)
    if held is not None and held.by == RESTORE:
        reword(held, why_held(put, compared, told(carrier, compared, tx.restored.kept(carrier))), tx)
    return compared


TOLD: Mapping[Seen, str] = {
    Seen.AWAY: "{} cannot be asked now; it is asked again.",
    Seen.NO_LIST: "{} cannot tell what it took.",
    Seen.UNNAMED: "{} was asked, and its list need not be whole.",
    Seen.ABSENT: "{} was asked, and what it does not list was not sent.",
}


def told(carrier: str, compared: Compared, kept: int) -> str:
    """What was found, for whoever decides whether the carrier may go on."""
    words = [TOLD[compared.seen].format(carrier)]
    words += [f"Of those that waited were sent, and say so: {compared.taken}."] if compared.taken else []
    words += [f"May have been sent, and wait on when the carrier goes on: {kept}."] if kept else []
    return " ".join(words)

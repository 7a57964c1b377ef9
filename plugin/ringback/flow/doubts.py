"""Texts that nobody knows about: their carrier is asked, their policy is followed, and too many of them hold it back.

A text waits for its receipt first. Then its carrier is asked once for all that are due, and what it lists counts as
receipts. What is still in doubt is left to a person, or sent once more where its policy says so: in one transaction,
past all the gates, by the same carrier, while it is still valid, and never a second time.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import cast

import structlog

from ringback.core.doubts import (
    EVIDENCE_WINDOW,
    Facts,
    Seen,
    Step,
    ask_again_after,
    decide,
)
from ringback.core.messages import State
from ringback.core.policy import AT_OPEN, Defer, Refuse, judge
from ringback.core.provider_ids import Ids
from ringback.flow import allowances
from ringback.flow.alarms import sound_alarms
from ringback.flow.claiming import weigh
from ringback.flow.holds import Holding
from ringback.flow.house import House
from ringback.flow.insist import insist_one, to_the_end
from ringback.flow.listing import BEFORE, ask
from ringback.flow.outbound import Slot
from ringback.flow.receipts import UNANSWERED, apply_receipt, ids_of
from ringback.flow.sending import Lanes, first
from ringback.ports import Carrier, Clock, Listing, Receipt
from ringback.ports.changes import TASKS, Changes, Watch
from ringback.ports.doubts import InDoubt
from ringback.ports.storage import Store, Tx
from ringback.ports.texts import Order, WaitingText

log = structlog.get_logger("doubts")

NO_WORD = timedelta(hours=72)
"""After this nobody expects word from a carrier any more."""
AT_ONCE = 100
IN_A_COMMIT = 200
"""Rows of a carrier's list in one commit, so that nobody else waits for a long list."""
SWEEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Settling:
    """What was done about one text; `order` is set when it was sent once more."""

    step: Step
    order: Order | None = None


@dataclass(slots=True)
class Away:
    """A carrier that did not answer, or cannot take a text again now; memory is enough, since a start asks anew."""

    tries: int
    until: datetime


class Doubts:
    """One part for all carriers. Runs under keep_running; wakes when a text comes into doubt, and when one is due."""

    def __init__(
        self,
        house: House,
        store: Store,
        lanes: Lanes,
        carriers: Mapping[str, Carrier],
        holding: Holding,
        changes: Changes,
        clock: Clock,
    ) -> None:
        self._house = house
        self._store = store
        self._lanes = lanes
        self._carriers = carriers
        self._holding = holding
        self._changes = changes
        self._clock = clock
        self._away: dict[str, Away] = {}

    async def run(self) -> None:
        with self._changes.watch() as watch:
            watch.of((TASKS,))
            bell = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                listening = group.create_task(_ring(watch, bell))
                try:
                    while True:
                        bell.clear()
                        await self.look()
                        until = await self._next()
                        async with asyncio.TaskGroup() as waits:
                            await first(waits, waits.create_task(self._clock.sleep_until(until)), bell)
                finally:
                    listening.cancel()

    async def look(self) -> None:
        """Do what is to do now: sound the alarm, ask carriers, follow the policies."""
        now = self._clock.now()
        windows = {name: carrier.window for name, carrier in self._carriers.items()}
        held = await insist_one(self._store, self._clock, partial(sound_alarms, windows, now))
        if held != self._holding.held:  # also where a commit was stored and its answer was lost
            await self._holding.load()
        for name, carrier in self._carriers.items():
            if name not in self._away or self._away[name].until <= now:
                await self._settle(name, carrier)

    async def _next(self) -> datetime:
        """When the next text is due, a minute from now at most."""
        now = self._clock.now()
        limit = now + SWEEP
        oldest = await insist_one(self._store, self._clock, partial(oldest_of, tuple(self._carriers)))
        due = [
            max(since + window_of(self._carriers[name]), self._away[name].until if name in self._away else now)
            for name, since in oldest.items()
        ]
        return min([limit, *due])

    async def _settle(self, name: str, carrier: Carrier) -> None:
        now = self._clock.now()
        due = await insist_one(self._store, self._clock, partial(due_of, name, now - window_of(carrier)))
        if not due:
            return
        since = min(text.tried_at for text in due) - BEFORE
        seen = await self._ask(name, carrier, since)
        left = await self._follow(name, carrier, due, seen, since)
        if left:
            tries = self._away[name].tries + 1 if name in self._away else 1
            self._away[name] = Away(tries, self._clock.now() + ask_again_after(tries))
        else:
            self._away.pop(name, None)
        log.info("texts in doubt", carrier=name, texts=len(due), seen=str(seen), later=left)

    async def _ask(self, name: str, carrier: Carrier, since: datetime) -> Seen:
        """Ask a carrier what it took, and let what it lists count as receipts."""
        listed = await ask(name, carrier, since)
        if isinstance(listed, Seen):
            return listed
        strangers = 0
        for start in range(0, len(listed), IN_A_COMMIT):
            rows, now = listed[start : start + IN_A_COMMIT], self._clock.now()
            step = partial(go_through, name, rows, ids_of(carrier), now)
            strangers += await insist_one(self._store, self._clock, step)
        return Seen.ABSENT if cast(Listing, carrier).complete and not strangers else Seen.UNNAMED

    async def _follow(self, name: str, carrier: Carrier, due: Sequence[InDoubt], seen: Seen, since: datetime) -> int:
        """Follow the policy of each text that is still in doubt; returns how many are looked at later."""
        later = 0
        for text in due:
            facts = facts_of(text, name, seen, window_of(carrier), self._clock.now())
            slot = self._lanes.reserve(name) if decide(facts) is Step.RESEND else None
            step = partial(settle, self._house, text, facts, since, slot)
            later += await self._one(name, slot, step)
        return later

    async def _one(self, name: str, slot: Slot | None, step: "partial[Settling]") -> bool:
        """Commit what becomes of one text, and hand it over if it goes once more."""
        settled: list[Settling] = []

        async def commit() -> None:
            try:
                settled.append(await insist_one(self._store, self._clock, step))
            finally:
                self._lanes.settle(slot, settled[0].order if settled else None)

        await to_the_end(commit())
        if settled[0].order is not None:
            log.warning("sent once more", carrier=name, message=settled[0].order.text.message)
        return settled[0].step is Step.LATER


async def _ring(watch: Watch, bell: asyncio.Event) -> None:
    while True:
        await watch.wait()
        bell.set()


def window_of(carrier: Carrier) -> timedelta:
    """How long a receipt of this carrier may settle a text before anybody is asked."""
    named: timedelta = getattr(carrier, "evidence_window", EVIDENCE_WINDOW)
    return named


def oldest_of(carriers: Sequence[str], tx: Tx) -> dict[str, datetime]:
    return {name: since for name in carriers if (since := tx.doubts.oldest(name)) is not None}


def due_of(carrier: str, before: datetime, tx: Tx) -> list[InDoubt]:
    return tx.doubts.due(carrier, before, AT_ONCE)


def facts_of(text: InDoubt, carrier: str, seen: Seen, window: timedelta, now: datetime) -> Facts:
    return Facts(
        policy=text.policy,
        doubted_at=text.doubted_at,
        expires_at=text.expires_at,
        now=now,
        seen=seen,
        resends=text.resends,
        same_carrier=text.tried_by == carrier,
        window=window,
    )


def go_through(carrier: str, listed: Sequence[Receipt], ids: Ids, now: datetime, tx: Tx) -> int:
    """Take what a carrier lists of texts in doubt as their receipts; returns how many rows are of no text we know."""
    strangers = 0
    for receipt in listed:
        attempt = tx.outcomes.find(carrier, receipt, ids)
        if attempt is None:
            strangers += not receipt.attempt
        elif attempt.state in UNANSWERED or attempt.said:
            apply_receipt(carrier, receipt, now, tx, ids)
    return strangers


def settle(house: House, text: InDoubt, facts: Facts, since: datetime, slot: Slot | None, tx: Tx) -> Settling:
    """Do what the policy says about one text, if it is still in doubt (D6)."""
    still = tx.doubts.still(text.message, text.resends)
    if still is None:
        return Settling(Step.PERSON)
    match decide(facts):
        case Step.RESEND:
            return send_again(house, text, still, facts, slot, tx)
        case Step.PERSON:
            note_what_was_seen(text, facts, since, tx)
            tx.doubts.asked(text.message, facts.now)
            return Settling(Step.PERSON)
        case step:
            return Settling(step)


def send_again(house: House, text: InDoubt, still: WaitingText, facts: Facts, slot: Slot | None, tx: Tx) -> Settling:
    """Ask all the gates once more, and open a second attempt where there is room for it."""
    now = facts.now
    weighed = weigh(house, still, now, tx)
    match judge(weighed.facts, AT_OPEN):
        case Refuse(reason):
            tx.outbox.note(text.message, State.UNCONFIRMED, reason, "not sent again", now)
            tx.doubts.asked(text.message, now)
            return Settling(Step.PERSON)
        case Defer():
            return Settling(Step.LATER)
    if slot is None:
        return Settling(Step.LATER)
    said = f"sent once more by the policy {text.policy}; it may arrive twice"
    tx.outbox.note(text.message, State.UNCONFIRMED, None, said, now)
    tx.audit.note(f"policy {text.policy}", "sent_again", text.public_id, SEEN_WORDS[facts.seen], now)
    tx.doubts.count_resend(text.message)
    opened = tx.outbox.open_attempt(still, slot.carrier, now)
    return Settling(Step.RESEND, replace(allowances.depart(house, weighed.leaving, opened, now, tx), again=True))


SEEN_WORDS: Mapping[Seen, str] = {
    Seen.ABSENT: "its carrier does not list it",
    Seen.UNNAMED: "the list of its carrier does not tell",
    Seen.NO_LIST: "its carrier has no list",
    Seen.AWAY: "its carrier did not answer",
    Seen.NOT_ASKED: "its carrier was not asked",
}
"""On which evidence a text was sent once more."""


def note_what_was_seen(text: InDoubt, facts: Facts, since: datetime, tx: Tx) -> None:
    """Keep on a text what its carrier said of it; where it was not asked, there is nothing to say."""
    words = {
        Seen.ABSENT: f"{text.tried_by} lists no such text since {since:%Y-%m-%d %H:%M:%S} UTC",
        Seen.UNNAMED: f"the list of {text.tried_by} does not tell",
    }
    if said := words.get(facts.seen):
        tx.outbox.note(text.message, State.UNCONFIRMED, None, said, facts.now)


def give_up(house: House, now: datetime, tx: Tx) -> None:
    """After 72 h nobody expects word any more: texts in doubt are unresolved, and where receipts are due, the others
    have none. Where no receipts come, what the carrier took is final as it is."""
    late = "no word from the carrier for 72 h"
    for message in tx.doubts.unresolved(now - NO_WORD, AT_ONCE):
        tx.outbox.move(message, State.UNCONFIRMED, State.UNRESOLVED, None, late, now)
    for carrier in sorted(house.carriers_with_receipts):
        for message, state in tx.doubts.without_receipt(carrier, now - NO_WORD, AT_ONCE):
            tx.outbox.move(message, State(state), State.NO_RECEIPT, None, late, now)

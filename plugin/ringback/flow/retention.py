"""How long things are kept, and the removal of a person: small transactions, one after the other, never a long one."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from ringback.core.messages import State
from ringback.core.permissions import Principal
from ringback.flow.insist import insist_one
from ringback.ports import Clock
from ringback.ports.retention import Kept
from ringback.ports.storage import Store, Tx

log = structlog.get_logger("retention")

AT_ONCE = 200
BREATH_S = 0.05
"""Between two batches, so that texts go on meanwhile."""
WIPE_BREATH_S = 0.01
EVERY = timedelta(hours=1)
SCRUB = "scrub"
"""The setting that stands while something erased may still lie in files beside the tables."""
ERASED = "erased for this person"


@dataclass(frozen=True, slots=True)
class Times:
    """How long each kind is kept."""

    bodies: timedelta
    calls: timedelta
    raw: timedelta
    provider_ids: timedelta
    parked: timedelta
    keys: timedelta
    audit: timedelta

    @property
    def of(self) -> Mapping[Kept, timedelta]:
        return {
            Kept.SENT: self.bodies,
            Kept.CAME: self.bodies,
            Kept.CALLS: self.calls,
            Kept.PROVIDER_IDS: self.provider_ids,
            Kept.RECEIPTS: self.provider_ids,
            Kept.AUDIT: self.audit,
        }


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure found."""

    texts: int
    calls: int
    stopped: bool


@dataclass(frozen=True, slots=True)
class Retention:
    """`run` is a part; `erase` is asked for by a person. `scrub` cleans up beside the tables, and may be kept off."""

    store: Store
    clock: Clock
    times: Times
    scrub: Callable[[], Awaitable[bool]]

    async def run(self) -> None:
        while True:
            now = self.clock.now()
            await self.sweep(now)
            await self._scrub(now)
            await self.clock.sleep_until(now + EVERY)

    async def sweep(self, now: datetime) -> int:
        """Empty all that is too old at this moment; returns how many rows that were."""
        gone = 0
        for what, kept in self.times.of.items():
            while (done := await insist_one(self.store, self.clock, partial(age, what, now - kept))) == AT_ONCE:
                gone += done
                await asyncio.sleep(BREATH_S)
            gone += done
        while (done := await insist_one(self.store, self.clock, partial(forget, self.times, now))) == AT_ONCE:
            gone += done
            await asyncio.sleep(BREATH_S)
        gone += done
        if gone:
            log.info("what was too old is gone", rows=gone)
        return gone

    async def erase(self, peer: str, who: Principal) -> Erased:
        """Take a person out of everything; the STOP they said holds on."""
        now = self.clock.now()
        erased = await self.store.commit(partial(erase, peer, who, now))
        await self._scrub(now)
        log.info("a person was erased", texts=erased.texts, calls=erased.calls, by=who.label)
        return erased

    async def _scrub(self, now: datetime) -> None:
        """Clean up behind an erasure; one that somebody's reading keeps off is tried again within the hour."""
        if not await insist_one(self.store, self.clock, begin_wipe):
            return
        steps = 1
        while await insist_one(self.store, self.clock, wipe):
            steps += 1
            await asyncio.sleep(WIPE_BREATH_S)
        log.debug("the index of words is clean", steps=steps)
        if await self.scrub():
            await insist_one(self.store, self.clock, scrubbed)


def age(what: Kept, before: datetime, tx: Tx) -> int:
    return tx.retention.age(what, before, AT_ONCE)


def forget(times: Times, now: datetime, tx: Tx) -> int:
    """Drop what is of use for some days only; returns how many rows went, of the kind of which most went."""
    tx.outcomes.forget_parked(now - times.parked)
    keys = tx.idempotency.forget_old(now - times.keys, AT_ONCE)
    return max(keys, tx.inbound.forget_raw(now - times.raw, AT_ONCE))


def begin_wipe(tx: Tx) -> bool:
    """Begin to clean the index of words, if something was erased; returns whether it was."""
    due = tx.settings.get(SCRUB) is not None
    if due:
        tx.search.begin_wipe()
    return due


def wipe(tx: Tx) -> bool:
    return tx.search.wipe()


def wipe_all(tx: Tx) -> None:
    """The whole of it at once, where nobody waits."""
    tx.search.begin_wipe()
    while tx.search.wipe():
        pass


def scrubbed(tx: Tx) -> None:
    tx.settings.drop(SCRUB)


def erase(peer: str, who: Principal, now: datetime, tx: Tx) -> Erased:
    """One person, in one transaction: what waits for them is called off first."""
    ghost = tx.retention.ghost(peer)
    threads = tx.retention.threads_of(peer)
    stopped = False
    for thread, _public_id, did in threads:
        stopped = stopped or tx.pairs.facts(did, peer, "", "", now).opted_out_at is not None
        for message, state, _call in tx.outbox.unsent_in(thread):
            tx.outbox.move(message, state, State.CANCELLED, None, ERASED, now)
    calls = tx.retention.empty_calls(peer)
    texts = tx.retention.empty_threads([thread for thread, _, _ in threads], ghost)
    tx.retention.empty_elsewhere(peer)
    tx.settings.put(SCRUB, "", now, who.name)
    tx.audit.note(who.label, "erase", ghost, f"{texts} texts, {calls} calls", now)
    return Erased(texts, calls, stopped)

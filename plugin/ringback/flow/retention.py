"""How long things are kept, and the removal of a person: small transactions, one after the other, never a long one."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from ringback.core.messages import State
from ringback.core.permissions import Principal
from ringback.core.plurals import count_of
from ringback.core.sessions import SessionState, Why
from ringback.core.textless import BELIEVED
from ringback.core.trust import Trust, judge
from ringback.flow.insist import insist_one
from ringback.ports import Clock
from ringback.ports.retention import Kept
from ringback.ports.sessions import Step
from ringback.ports.storage import Store, Tx

log = structlog.get_logger("retention")

AT_ONCE = 200
LEDGER_AT_ONCE = 2000
BREATH_S = 0.05
"""Between two batches, so that texts go on meanwhile."""
WIPE_BREATH_S = 0.01
EVERY = timedelta(hours=1)
CLOCK = "clock"
"""The setting that keeps the newest moment that was believed."""
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
    consents: timedelta = timedelta(days=1826)

    @property
    def of(self) -> Mapping[Kept, timedelta]:
        return {
            Kept.SENT: self.bodies,
            Kept.CAME: self.bodies,
            Kept.CALLS: self.calls,
            Kept.SESSIONS: self.calls,
            Kept.OFFERS: self.calls,
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


@dataclass(slots=True)
class Retention:
    """`run` is a part; `erase` is asked for by a person. `scrub` cleans up beside the tables, and may be kept off."""

    store: Store
    clock: Clock
    times: Times
    scrub: Callable[[], Awaitable[bool]]
    doubted: Trust | None = None
    """What is known of a clock that is not believed, so that nothing goes for its age."""

    async def run(self) -> None:
        while True:
            now = self.clock.now()
            if await self._believes(now):
                await self.sweep(now)
            await self._scrub(now)
            await self.clock.sleep_until(now + EVERY)

    async def _believes(self, now: datetime) -> bool:
        trust = await insist_one(self.store, self.clock, partial(look_at_clock, now))
        self.doubted = trust if trust.since is not None else None
        if self.doubted is not None:
            log.error("nothing is deleted for its age, since the clock may be wrong", newest=f"{trust.newest:%Y-%m-%d}")
        return self.doubted is None

    async def trust_clock(self, who: Principal) -> str:
        """A person says that the clock is right. What is too old goes with the next hour."""
        said = await self.store.commit(partial(trust_clock, who, self.clock.now()))
        self.doubted = None
        return said

    async def sweep(self, now: datetime) -> int:
        """Empty all that is too old at this moment; returns how many rows that were."""
        gone = 0
        for what, kept in self.times.of.items():
            while (
                done := await insist_one(self.store, self.clock, partial(age, what, now - kept, now=now))
            ) == AT_ONCE:
                gone += done
                await asyncio.sleep(BREATH_S)
            gone += done
        while (done := await insist_one(self.store, self.clock, partial(forget, self.times, now))) == AT_ONCE:
            gone += done
            await asyncio.sleep(BREATH_S)
        gone += done + await insist_one(self.store, self.clock, partial(age_consents, now - self.times.consents, now))
        if gone:
            log.info("what was too old is gone", rows=gone)
        return gone

    async def erase(self, peer: str, who: Principal) -> Erased:
        """Take a person out of everything; the STOP they said holds on."""
        now = self.clock.now()
        erased = await take_out(self.store, peer, who, now)
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


def look_at_clock(now: datetime, tx: Tx) -> Trust:
    """Judge the clock by the newest moment that is known, and remember what came of it."""
    kept = tx.settings.get(CLOCK)
    known = kept[0] if kept else f"{(tx.restored.known().newest or now).isoformat()},,"
    newest, since, looked = (datetime.fromisoformat(word) if word else None for word in known.split(","))
    trust = judge(Trust(newest or now, since, looked), now)
    _keep_trust(trust, now, tx)
    return trust


def trust_clock(who: Principal, now: datetime, tx: Tx) -> str:
    _keep_trust(Trust(now), now, tx)
    tx.audit.note(who.label, "trust_clock", "retention", now.isoformat(timespec="seconds"), now)
    return f"it is {now:%Y-%m-%d %H:%M} UTC; what is too old by that is deleted"


def _keep_trust(trust: Trust, now: datetime, tx: Tx) -> None:
    moments = (trust.newest, trust.since, trust.looked)
    tx.settings.put(CLOCK, ",".join(each.isoformat() if each else "" for each in moments), now, "daemon")


def age(what: Kept, before: datetime, tx: Tx, now: datetime | None = None) -> int:
    return tx.retention.age(what, before, AT_ONCE, now)


def age_consents(before: datetime, now: datetime, tx: Tx) -> int:
    """The ledger is gone through some lines an hour, since what holds is among what is old."""
    # an error that was believed for a day counts when it comes again
    tx.retention.forget_barred(now - BELIEVED)
    return tx.retention.age_consents(before, LEDGER_AT_ONCE)


def forget(times: Times, now: datetime, tx: Tx) -> int:
    """Drop what is of use for some days only; returns how many rows went, of the kind of which most went."""
    return max(
        tx.outcomes.forget_parked(now - times.parked, AT_ONCE),
        tx.idempotency.forget_old(now - times.keys, AT_ONCE),
        tx.inbound.forget_raw(now - times.raw, AT_ONCE),
    )


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


async def take_out(store: Store, peer: str, who: Principal, now: datetime) -> Erased:
    """Erase a person. What was never filed may be much: it is gone through first, some rows at a time."""
    after = 0
    while (last := await store.commit(partial(go_through, peer, after))) > after:
        after = last
    return await store.commit(partial(erase, peer, who, now, after=after))


def go_through(peer: str, after: int, tx: Tx) -> int:
    return tx.retention.drop_unfiled(peer, after, AT_ONCE)


def erase(peer: str, who: Principal, now: datetime, tx: Tx, after: int = 0) -> Erased:
    """One person, in one transaction: what waits for them is called off first.

    What was never filed is gone through from row `after` on.
    """
    while (last := go_through(peer, after, tx)) > after:
        after = last
    ghost = tx.retention.ghost(peer)
    threads = tx.retention.threads_of(peer)
    stopped = False
    for thread, _public_id, did in threads:
        stopped = stopped or tx.pairs.facts(did, peer, "", "", now).opted_out_at is not None
        for message, state, _call in tx.outbox.unsent_in(thread):
            tx.outbox.move(message, state, State.CANCELLED, None, ERASED, now)
        if (session := tx.sessions.of_thread(thread)) is not None:
            # at once: nobody is told that it ended
            over = replace(session, state=SessionState.ENDED)
            tx.sessions.save(over, Step(now, Why.ENDED, SessionState.ENDED, who.label))
    tx.lists.erase(peer)
    calls = tx.retention.empty_calls(peer)
    texts = tx.retention.empty_threads([thread for thread, _, _ in threads], ghost)
    tx.retention.leave_runs(peer)
    tx.settings.put(SCRUB, "", now, who.name)
    tx.audit.note(who.label, "erase", ghost, f"{count_of(texts, 'text')}, {count_of(calls, 'call')}", now)
    return Erased(texts, calls, stopped)

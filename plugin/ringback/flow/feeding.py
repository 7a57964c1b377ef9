"""Makes texts of runs, at the pace their carriers take them: few at a time, so that whatever is urgent finds room.

A recipient leaves the list in the commit that makes the text, so after a crash nobody has two and nobody none. Each
text goes through the one door out, and is asked by the gates again when it leaves.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog

from ringback.core.grants import Way
from ringback.core.messages import State, Urgency, Wanted
from ringback.core.policy import Refuse
from ringback.core.reasons import Reason
from ringback.core.retries import WRITE_MARGIN
from ringback.core.segments import measure
from ringback.core.templates import Template, TemplateFault, TextKind, parse
from ringback.flow import allowances
from ringback.flow.bulks import break_off
from ringback.flow.house import House
from ringback.flow.insist import insist_one
from ringback.flow.outbound import read_ahead, submit
from ringback.flow.permits import writers_right
from ringback.flow.sending import Lanes, first
from ringback.ports import Clock
from ringback.ports.bulks import Item, Run, RunState
from ringback.ports.changes import ANY_THREAD, BULKS, Changes
from ringback.ports.storage import Store, Tx
from ringback.ports.texts import Route

T = TypeVar("T")
log = structlog.get_logger("bulk")

MOST_QUEUED = 200
"""Texts of all runs together that wait for one carrier, unless its window is more than half as wide."""
AT_ONCE = 50
"""Texts made in one commit: a few milliseconds, since the answer of a person may wait behind them."""
DROPPED_AT_ONCE = 2_000
ROUNDS = 10
"""After so many it is looked whether there are new runs; that look is a commit of its own."""
LOOK_AGAIN = timedelta(seconds=5)
"""A pause that ends tells nobody here."""

ENDS: Mapping[RunState, RunState] = {
    RunState.CANCELLING: RunState.CANCELLED,
    RunState.EXPIRING: RunState.EXPIRED,
}


@dataclass(frozen=True, slots=True)
class Fed:
    """How many texts were made; `more` says that there is room and there are recipients."""

    made: int = 0
    more: bool = False


class Feeder:
    """Runs under keep_running. `windows` are the carriers' own; `coming` are runs that are still being read."""

    def __init__(
        self,
        house: House,
        store: Store,
        lanes: Lanes,
        clock: Clock,
        changes: Changes,
        windows: Mapping[str, int],
        coming: Collection[int],
    ) -> None:
        self._house = house
        self._store = store
        self._lanes = lanes
        self._clock = clock
        self._changes = changes
        self._windows = windows
        self._coming = coming

    async def run(self) -> None:
        """Feed for ever: look whenever something changed, and when a run's time comes."""
        with self._changes.watch() as watch:
            while True:
                watch.of((BULKS, ANY_THREAD))
                runs = await self._commit(lambda tx: tx.bulks.unfinished())
                if await self._rounds(runs):
                    continue
                bell = asyncio.Event()
                if not runs:
                    watch.of((BULKS,))
                    await watch.wait()
                    continue
                async with asyncio.TaskGroup() as group:
                    rung = group.create_task(_ring(watch.wait, bell))
                    sleep = group.create_task(self._clock.sleep_until(self._next(runs)))
                    await first(group, sleep, bell)
                    rung.cancel()

    def _next(self, runs: list[Run]) -> datetime:
        """When to look again although nothing changes."""
        now = self._clock.now()
        moments = [at for run in runs for at in (run.plan.not_before, run.plan.expires_at - WRITE_MARGIN) if at > now]
        return min([*moments, now + LOOK_AGAIN])

    async def _rounds(self, runs: list[Run]) -> bool:
        """Rounds as long as there is something to do, some of them for one look at what runs there are."""
        for _ in range(ROUNDS):
            if not await self._round(runs):
                return False
        return True

    async def _round(self, runs: list[Run]) -> bool:
        """One step for each run; True when there may be more to do at once."""
        now = self._clock.now()
        busy = [await self._clear(run) for run in runs]
        fed = [run for run in runs if run.state in (RunState.OPEN, RunState.PAUSED) and run.plan.not_before <= now]
        busy += [await self._feed(run, self._share(run, fed)) for run in fed]
        return any(busy)

    def _share(self, run: Run, runs: list[Run]) -> int:
        """How many texts of this run may wait for its carrier, which all its runs share."""
        carrier = self._house.carrier(run.plan.did)
        sharing = sum(1 for other in runs if self._house.carrier(other.plan.did) == carrier)
        return max(AT_ONCE, max(MOST_QUEUED, 2 * self._windows.get(carrier or "", 0)) // sharing)

    async def _feed(self, run: Run, share: int) -> bool:
        fed = await self._make(run, share)
        if fed.made and (carrier := self._house.carrier(run.plan.did)):
            self._lanes.nudge(carrier)
        return fed.more

    async def _make(self, run: Run, share: int) -> Fed:
        """Some texts; if they cannot be made together, one; if that cannot be made, none for this recipient."""
        for limit in (AT_ONCE, 1):
            try:
                return await self._commit(partial(feed, self._house, run.id, share, limit, self._clock.now()))
            except Exception:  # one recipient nobody foresaw must not stop the others
                log.exception("texts of a run could not be made", run=run.public_id, texts=limit)
        return await self._commit(partial(skip, self._house, run.id, self._clock.now()))

    async def _clear(self, run: Run) -> bool:
        """Clear away some of a run that ends early, or that nobody brings the recipients of any more."""
        now = self._clock.now()
        if run.state is RunState.READING and run.id not in self._coming:
            return await self._commit(partial(break_off, run.id, now))
        ending = run.state in ENDS or run.state is RunState.BROKEN
        return ending and await self._commit(partial(clear, run.id, now))

    async def _commit(self, step: Callable[[Tx], T]) -> T:
        return await insist_one(self._store, self._clock, step)


async def _ring(wait: Callable[[], Awaitable[None]], bell: asyncio.Event) -> None:
    await wait()
    bell.set()


def feed(house: House, row: int, share: int, limit: int, now: datetime, tx: Tx) -> Fed:
    """Make the next texts of a run, as many as may wait; end it when it is through or out of time."""
    run = tx.bulks.get(row)
    if run is None or run.state not in (RunState.OPEN, RunState.PAUSED):
        return Fed()
    if run.plan.expires_at - WRITE_MARGIN <= now:
        return Fed(more=tx.bulks.drop(run.id, run.state, RunState.EXPIRING, run.left, now))
    if run.state is RunState.PAUSED or waits_for(house, run, tx) is not None:
        return Fed()
    # one more than are made: who was erased left a gap, so only the list itself tells where it ends
    ahead, waiting = tx.bulks.ahead(run, limit + 1)
    room = min(share - waiting, limit)
    if room < max(1, min(limit, run.left)):
        return Fed()
    items, more = ahead[:room], len(ahead) > room
    read_ahead({(run.plan.did, item.peer) for item in items}, now, tx)
    allowances.read_ahead(house, [(run.plan.account, run.plan.did)], now, tx)
    segments = sum(make(house, run, item, now, tx) for item in items)
    if items:
        tx.bulks.made(run, items[-1].seq, segments, now)
    if not more:
        tx.bulks.turn(run.id, RunState.OPEN, RunState.DONE, now)
    return Fed(len(items), more)


def waits_for(house: House, run: Run, tx: Tx) -> Reason | None:
    """What keeps a run from making texts, though it is open: they would only be refused."""
    if house.carrier(run.plan.did) is None:
        return Reason.NUMBER_UNKNOWN
    plan = run.plan
    stopped = {"pause:all", f"pause:number:{plan.did}"}
    if any(key in stopped for key, _at, _by in tx.settings.pauses()):
        return Reason.PAUSED
    right = writers_right(plan.account, Way.BULK, plan.did, plan.class_, tx)
    if right is None:
        return Reason.GATE_ERROR
    return None if right.allowed else Reason.PERMISSION_DENIED


def make(house: House, run: Run, item: Item, now: datetime, tx: Tx) -> int:
    """Make one recipient's text; returns its parts. One that cannot be filled in is kept as refused, with no words."""
    words: dict[str, str] = json.loads(item.words) if item.words else {}
    try:
        body = template_of(run).render_once({"business": house.business} | words)
    except TemplateFault:
        return refuse(house, run, item, words, Reason.TEMPLATE_FAULT, now, tx)
    submit(house, None, wish(house, run, item, words, body), None, now, tx)
    return measure(body).segments


def refuse(house: House, run: Run, item: Item, words: Mapping[str, str], why: Reason, now: datetime, tx: Tx) -> int:
    """Keep a text that cannot be as refused: a no is never silent."""
    thread = tx.pairs.thread(run.plan.did, item.peer, now)
    route = Route(house.carrier(run.plan.did) or "", 1)
    tx.outbox.put(wish(house, run, item, words, ""), thread, route, Refuse(why), now)
    return 0


def wish(house: House, run: Run, item: Item, words: Mapping[str, str], body: str) -> Wanted:
    plan = run.plan
    return Wanted(
        did=plan.did,
        peer=house.read("", item.peer),
        text=body,
        language=plan.language,
        class_=plan.class_,
        basis=plan.basis,
        cause=plan.asked_by,
        automatic=False,
        expires_at=plan.expires_at,
        step=item.seq,
        urgency=Urgency.BULK,
        campaign=plan.campaign,
        reference=words.get("reference", plan.reference),
        on_doubt=plan.on_doubt,
        bulk=run.id,
        account=plan.account,
    )


def template_of(run: Run) -> Template:
    return parse(run.plan.body, TextKind.BULK_TEXT)


def skip(house: House, row: int, now: datetime, tx: Tx) -> Fed:
    """Refuse the next recipient of a run, whose text cannot be made, so that the others get theirs."""
    run = tx.bulks.get(row)
    if run is None or run.state is not RunState.OPEN:
        return Fed()
    for item in tx.bulks.ahead(run, 1)[0]:
        refuse(house, run, item, {}, Reason.GATE_ERROR, now, tx)
        tx.bulks.made(run, item.seq, 0, now)
    return Fed(1, more=True)


def clear(row: int, now: datetime, tx: Tx) -> bool:
    """Forget some recipients of a run that ends early; the last time round it has ended.

    One that is called off ends when none of its texts is on its way: what a carrier did not take comes back, and must
    not be tried again.
    """
    run = tx.bulks.get(row)
    if run is None or tx.bulks.drop_items(row, DROPPED_AT_ONCE):
        return run is not None
    if run.state is RunState.CANCELLING and tx.bulks.waiting(row):
        back = tx.bulks.unsent(row, AT_ONCE)
        for message, state in back:
            tx.outbox.move(message, state, State.CANCELLED, None, "run called off", now)
        return bool(back)
    if run.state is RunState.BROKEN:
        tx.bulks.forget(row)
    elif run.state in ENDS:
        tx.bulks.turn(row, run.state, ENDS[run.state], now)
    return False

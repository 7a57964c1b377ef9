"""Changes that must not be lost: tried again until the database takes them."""

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import TypeVar

import structlog

from ringback.errors import StoreBusy, told
from ringback.ports import Clock
from ringback.ports.storage import Step, Store

T = TypeVar("T")
FIRST_WAIT = timedelta(milliseconds=100)
LONGEST_WAIT = timedelta(seconds=2)
LAST_S = 3.0
"""How long a batch may go on after its part was told to stop."""

log = structlog.get_logger("store")


async def insist(store: Store, clock: Clock, steps: Sequence[Step[T]]) -> "list[T | Exception]":
    """Commit steps in order; while the database is locked, full or away, wait and try those again that were not stored.

    Every step must be safe to repeat: a connection may die after the flush and before the answer.
    """
    results: list[T | Exception] = [StoreBusy("not tried yet")] * len(steps)
    left = list(range(len(steps)))
    wait = FIRST_WAIT
    while left:
        try:
            outcomes = await store.commit_all([steps[place] for place in left])
        except StoreBusy as problem:
            outcomes = [problem] * len(left)
        for place, outcome in zip(left, outcomes, strict=True):
            results[place] = outcome
        left = [place for place in left if isinstance(results[place], StoreBusy)]
        if left:
            why = str(results[left[0]])
            log.warning("the database cannot write now, trying again", changes=len(left), problem=why)
            await clock.sleep_until(clock.now() + wait)
            wait = min(wait * 2, LONGEST_WAIT)
    return results


async def insist_one(store: Store, clock: Clock, step: Step[T]) -> T:
    """The same for one step; raises what the step itself raised."""
    (outcome,) = await insist(store, clock, [step])
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


async def to_the_end(batch: Coroutine[object, object, None]) -> None:
    """Run a batch that opens attempts; told to stop in its middle, hand over what is on disk before going.

    An attempt that is opened and never handed to its lane would be in doubt, though nothing was sent.
    """
    task = asyncio.ensure_future(batch)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait((task,), timeout=LAST_S)
        if not task.cancel() and not task.cancelled() and (problem := task.exception()):
            log.error("a batch failed while stopping", problem=told(problem))
        raise

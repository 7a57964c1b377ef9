"""Carries over to the writer's thread from where something is asked, and in which request."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from ringback.logs import REQUEST, SOURCE
from ringback.ports.storage import Needed
from ringback.store.jobs import Step


def as_asked(steps: Sequence[Step]) -> list[Step]:
    """Steps that know, when they run, what is known here and now. Outside of a request they are left as they are."""
    request, source = REQUEST.get(), SOURCE.get()
    if not (request or source):
        return list(steps)
    return [_carried(step, request, source) for step in steps]


def _carried(step: Step, request: str, source: str) -> Step:
    if isinstance(step, Needed):
        return Needed(partial(_run, step.step, request, source))
    return partial(_run, step, request, source)


def _run(step: Step, request: str, source: str, tx: Any) -> Any:  # what a step gives back is its own
    asked, came = REQUEST.set(request), SOURCE.set(source)
    try:
        return step(tx)
    finally:
        REQUEST.reset(asked)
        SOURCE.reset(came)

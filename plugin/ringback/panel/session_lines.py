"""What became of the sessions of a thread, step by step, as lines between its calls and texts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ringback.core.sessions import Why
from ringback.panel import session_words
from ringback.panel.say import Say, counted
from ringback.ports.sessions import SessionStory, StepRow
from ringback.ports.threads import Point

KIND = 4
"""Of things that have the same time a step comes last: it is what came of them."""
SHOWN_OFFERS = 3
"""A session that nobody takes is shown to one agent after the other; the first of these have lines, the rest one."""
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step of a session. `until` is set for a line that stands for many."""

    point: Point
    id: str
    at: datetime
    says: Say
    until: datetime | None = None


def lines(stories: Iterable[SessionStory], first: Point, before: Point | None) -> list[StepLine]:
    """The steps from the time of one entry on, and before that of another."""
    found = [line for story in stories for line in _of(story)]
    return [line for line in found if line.point.at >= first.at and (before is None or line.point.at < before.at)]


def _of(story: SessionStory) -> Iterator[StepLine]:
    run: list[tuple[int, StepRow]] = []
    if story.skipped and story.steps:
        yield _left_out(story, story.steps[0])
    for place, step in enumerate(story.steps, story.skipped):
        if step.why in session_words.TEXTS and place > story.skipped and _stays(_before(story, place), step):
            continue
        if step.why in session_words.OFFERS:
            run.append((place, step))
            continue
        yield from _offers(story, run)
        run = []
        yield _line(story, place, step)
    yield from _offers(story, run)


def _offers(story: SessionStory, run: Sequence[tuple[int, StepRow]]) -> Iterator[StepLine]:
    offers = sum(step.why is Why.OFFERED for _, step in run)
    if offers > 1 and story.skipped and run[0][0] == story.skipped:
        # one line that keeps its name while what is left out grows
        at, point = run[0][1].at, _point(run[0][1], story.skipped)
        yield StepLine(
            point, f"{_id(story, 0)}-offers", at, Say(session_words.MORE_OFFERS, {"n": offers}), run[-1][1].at
        )
        return
    for place, step in run[:SHOWN_OFFERS]:
        yield _line(story, place, step)
    if more := run[SHOWN_OFFERS:]:
        place, step = more[0]
        says = Say(session_words.MANY_OFFERS, {"n": offers})
        yield StepLine(_point(step, place), _id(story, place), step.at, says, more[-1][1].at)


def _left_out(story: SessionStory, first: StepRow) -> StepLine:
    says = counted(session_words.LEFT_OUT, story.skipped)
    return StepLine(_point(first, story.skipped - 1), f"{_id(story, 0)}-before", first.at, says)


def _before(story: SessionStory, place: int) -> StepRow:
    return story.steps[place - story.skipped - 1]


def _stays(old: StepRow, new: StepRow) -> bool:
    """Whether it is with whom it was."""
    return (old.state, old.agent, old.queue) == (new.state, new.agent, new.queue)


def _line(story: SessionStory, place: int, step: StepRow) -> StepLine:
    return StepLine(_point(step, place), _id(story, place), step.at, session_words.step(step))


def _point(step: StepRow, place: int) -> Point:
    return Point((step.at - BEGINNING) // timedelta(microseconds=1), KIND, place)


def _id(story: SessionStory, place: int) -> str:
    return f"{story.row.session.public_id}-{place}"

"""Calls and tasks that never were, for the pages that show them."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ringback.core.grants import Reach
from ringback.core.ids import Kind, make_id
from ringback.core.tasks import TaskKind
from ringback.ports.callbook import CallFilter, CallLine, CallsPage
from ringback.ports.stories import (
    AttemptStory,
    CallStory,
    EventStory,
    LegStory,
    PendingStory,
    StepStory,
    TextStory,
)
from ringback.ports.worklist import TaskCall, TaskIncoming, TaskLine, TasksPage, TaskText, TaskThread
from tests.fakes.hand_clock import START

PAT, SAM, US = "+12025550147", "+15125550124", "+12025550101"
THREAD = make_id(Kind.THREAD, START, b"thread____")


def call_id(n: int = 0) -> str:
    return make_id(Kind.CALL, START, n.to_bytes(10, "big"))


LINE = CallLine(
    public_id=call_id(),
    direction="inbound",
    caller=PAT,
    did=US,
    peer=PAT,
    presentation="shown",
    started_at=START,
    ended_at=START + timedelta(seconds=19),
    rang=timedelta(seconds=19),
    waited=None,
    outcome="missed",
    decision="send",
    reason="allowed",
    rule="sales-missed",
    until_at=None,
    thread=THREAD,
    text="delivered",
    text_reason=None,
    waits_until=None,
)


def a_line(**change: object) -> CallLine:
    return replace(LINE, **change)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


TEXT = TextStory(
    public_id=make_id(Kind.MESSAGE, START, b"message___"),
    did=US,
    peer=PAT,
    body="Northlight: sorry we missed your call. Reply here, or we call you back today 18:00-18:30. STOP to end.",
    segments=1,
    state="delivered",
    reason=None,
    cause="rule sales-missed",
    carrier="main",
    created_at=at(20),
    expires_at=at(14400),
    not_before=at(20),
    steps=(
        StepStory(at(20), "submitting", None, "main"),
        StepStory(at(21), "accepted", None, "main"),
        StepStory(at(22), "delivered", None, ""),
    ),
    attempts=(
        AttemptStory(make_id(Kind.ATTEMPT, START, b"attempt___"), "main", at(20), at(21), "accepted", None, "SM1"),
    ),
)
STORY = CallStory(
    public_id=call_id(),
    pbx="main",
    uniqueid="1795303500.1",
    linkedid="1795303500.0",
    direction="inbound",
    caller=PAT,
    did=US,
    peer=PAT,
    presentation="shown",
    vetoed=False,
    transfer_unanswered=False,
    queue=None,
    started_at=at(0),
    answered_at=None,
    ended_at=at(19),
    rang=timedelta(seconds=18),
    waited=None,
    outcome="missed",
    decision="send",
    reason="allowed",
    rule="sales-missed",
    rule_version="805ebd3e1f8c",
    due_at=at(39),
    until_at=None,
    tried=(("sales-busy", "no_rule"), ("sales-night", "outside_hours"), ("sales-missed", "allowed")),
    legs=(
        LegStory("101", at(1), at(19), "no_answer"),
        LegStory("102", at(1), at(2), "busy"),
        LegStory("105", at(1), at(1), "unreachable"),
    ),
    events=(EventStory(at(19), "hangup", "cause 16"),),
    pending=None,
    texts=(TEXT,),
    thread=THREAD,
)


def a_story(**change: object) -> CallStory:
    return replace(STORY, **change)


def waiting(state: str = "pending", cause: str | None = None) -> PendingStory:
    return PendingStory(at(39), state, cause, TEXT.body)


@dataclass
class Book:
    """Calls in memory, and what was asked for. Satisfies `ports.callbook.Callbook`."""

    calls: tuple[CallLine, ...] = ()
    stories: tuple[CallStory, ...] = ()
    older: str | None = None
    asked: list[tuple[CallFilter, str | None]] = field(default_factory=list)

    async def page(self, reach: Reach, wanted: CallFilter, before: str | None = None) -> CallsPage:
        self.asked.append((wanted, before))
        return CallsPage(tuple(call for call in self.calls if call.did in reach), self.older)

    async def story(self, reach: Reach, public_id: str) -> CallStory | None:
        found = (story for story in self.stories if story.public_id == public_id and story.did in reach)
        return next(found, None)


def task_id(n: int = 0) -> str:
    return make_id(Kind.TASK, START, n.to_bytes(10, "big"))


PERSON = TaskThread(THREAD, US, PAT, opted_out=False)
THEIRS = TaskIncoming(make_id(Kind.INCOMING, START, b"incoming__"), "Please stop that", at(-300))
DOUBT = TaskText(TEXT.public_id, TEXT.body, "unconfirmed", at(-400), "main")
LOST = replace(DOUBT, state="undelivered")
OF_CALL = TaskCall(call_id(), PAT, US, PAT, at(-1000), "missed")
BY_KIND: dict[TaskKind, TaskLine] = {
    TaskKind.CALL_BACK: TaskLine(
        task_id(1), "call_back", at(-300), at(600), "After four", thread=PERSON, incoming=THEIRS
    ),
    TaskKind.UNCONFIRMED: TaskLine(
        task_id(2), "unconfirmed", at(-300), None, "no answer came", thread=PERSON, text=DOUBT
    ),
    TaskKind.OPT_OUT: TaskLine(
        task_id(3), "opt_out", at(-300), None, "Please stop that", thread=PERSON, incoming=THEIRS
    ),
    TaskKind.TOO_OLD: TaskLine(task_id(4), "too_old", at(-300), None, "sales-missed", thread=PERSON, call=OF_CALL),
    TaskKind.UNSEEN: TaskLine(task_id(5), "unseen", at(-300), None, "branch", call=replace(OF_CALL, peer=None)),
    TaskKind.STORM: TaskLine(task_id(6), "storm", at(-300), None, "sales-missed"),
    TaskKind.QUARANTINED: TaskLine(task_id(7), "quarantined", at(-300), None, "main: no field To"),
    TaskKind.NOT_DELIVERED: TaskLine(
        task_id(9), "not_delivered", at(-300), None, "unknown handset", thread=PERSON, text=LOST
    ),
    TaskKind.ALLOWANCE: TaskLine(
        task_id(10),
        "allowance",
        at(-300),
        None,
        "Ana has sent 160 of the 200 segments of this month: four fifths are used",
    ),
    TaskKind.ALLOWANCE: TaskLine(task_id(10), "allowance", at(-300), None, "Sales has used 900 of 1000"),
    TaskKind.ASKED: TaskLine(task_id(11), "asked", at(-300), None, "Pat: send from +12025550109"),
    TaskKind.PARTIAL: TaskLine(task_id(8), "partial", at(-300), None, "I need you to", thread=PERSON, incoming=THEIRS),
}


def a_task(kind: TaskKind = TaskKind.STORM, **change: object) -> TaskLine:
    return replace(BY_KIND[kind], **change)


@dataclass
class Tasks:
    """Tasks in memory, and what was asked for. Satisfies `ports.worklist.Worklist`."""

    waiting: tuple[TaskLine, ...] = ()
    over: tuple[TaskLine, ...] = ()
    more: str | None = None
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    async def open(self, reach: Reach, after: str | None = None) -> TasksPage:
        self.asked.append(("open", after))
        return TasksPage(tuple(task for task in self.waiting if _within(reach, task)), self.more)

    async def done(self, reach: Reach, before: str | None = None) -> TasksPage:
        self.asked.append(("done", before))
        return TasksPage(tuple(task for task in self.over if _within(reach, task)), self.more)

    async def task(self, reach: Reach, public_id: str) -> TaskLine | None:
        kept = (task for task in self.waiting + self.over if _within(reach, task))
        return next((task for task in kept if task.public_id == public_id), None)


def _within(reach: Reach, task: TaskLine) -> bool:
    did = task.thread.did if task.thread else task.call.did if task.call else None
    return did is None or did in reach

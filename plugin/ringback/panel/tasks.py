"""The page of tasks: what only a person can settle, what is due first at the top, and what was done."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from aiohttp import web

from ringback.core.ids import Kind, kind_of
from ringback.core.messages import State
from ringback.core.permissions import Action, Principal
from ringback.core.tasks import OF_PERMISSIONS, TaskKind
from ringback.flow.desk import Desk, Resolution, Settled
from ringback.flow.settling import IN_DOUBT
from ringback.panel import call_words, task_words
from ringback.panel.apart import number
from ringback.panel.call_line import code_of, named, said
from ringback.panel.call_words import Mark
from ringback.panel.doing import done
from ringback.panel.live import Part, Sight, Streams
from ringback.panel.say import Say
from ringback.panel.shell import VISIT, Shell
from ringback.panel.task_words import TaskWords
from ringback.panel.thread_words import SETTLED
from ringback.ports.changes import TASKS
from ringback.ports.worklist import TaskLine, TasksPage, Worklist

if TYPE_CHECKING:
    from ringback.panel.tongues import Formats

HERE = "/tasks"
LIST = "task-list"
SAID = frozenset({State.ACCEPTED, State.FAILED})
"""What somebody can have said of a text; only that can be taken back."""


@dataclass(frozen=True, slots=True)
class TaskShown:
    """One task in words. `acts` says which buttons it has besides Done; `due` is when, if it is due at a time."""

    task: TaskLine
    words: TaskWords
    title: Say
    acts: str
    text: Mark | None
    due: str
    late: bool


class TaskPages:
    """The pages under /tasks. `desk` does what the buttons ask for."""

    def __init__(self, shell: Shell, worklist: Worklist, desk: Desk, streams: Streams) -> None:
        self._shell = shell
        self._worklist = worklist
        self._desk = desk
        self._streams = streams

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(HERE, self.list),
            web.get(f"{HERE}/events", self.follow, allow_head=False),
            web.post(f"{HERE}/{{task}}/close", self.close_one),
            web.post(f"{HERE}/{{task}}/reopen", self.reopen),
            web.post(f"{HERE}/{{task}}/opt-out", self.opt_out),
            web.post(f"{HERE}/{{task}}/resolve", self.resolve),
            web.post(f"{HERE}/{{task}}/check", self.check),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """What waits, or with `?view=done` what was done; `?about=` names the task a button was just pressed on."""
        self._shell.allow(request, Action.READ_THREADS)
        over = request.query.get("view") == "done"
        after = _task_id(request.query.get("after", ""))
        reach = self._shell.reach(request)
        page = await (self._worklist.done(reach, after) if over else self._worklist.open(reach, after))
        about = _task_id(request.query.get("about", ""))
        shown = self._all(request, page)
        return self._shell.page(
            request,
            "tasks",
            shown=shown,
            more=_place(over, page.more) if page.more else "",
            first=_place(over, None) if after else "",
            over=over,
            marks=Sight(self._parts(request, shown), frozenset()).marks,
            settled=SETTLED.get(_settled(request)),
            pressed=await self._pressed(request, about),
        )

    async def follow(self, request: web.Request) -> web.StreamResponse:
        """The first page of what waits, as it changes."""
        self._shell.allow(request, Action.READ_THREADS)

        async def look() -> Sight:
            self._shell.allow(request, Action.READ_THREADS)
            page = await self._worklist.open(self._shell.reach(request))
            parts = self._parts(request, self._all(request, page))
            waiting = f"{len(parts)}{'+' if page.more else ''}" if parts else ""
            return Sight(parts, frozenset({TASKS}), {LIST: tuple(part.id for part in parts)}, {HERE: waiting})

        return await self._streams.serve(request, look)

    async def close_one(self, request: web.Request) -> web.Response:
        """Somebody did it."""
        who, task = self._who(request), (await self._task(request)).public_id
        await done(self._desk.close_task(who, task))
        raise _see(about=task)

    async def reopen(self, request: web.Request) -> web.Response:
        """It was not done after all. A text that somebody had an answer for is in doubt again."""
        who, task = self._who(request), await self._task(request)
        if _can_be_taken_back(task) and task.text is not None:
            settled = await done(self._desk.undo(who, task.text.public_id))
            raise _see(about=task.public_id, settled="" if settled is Settled.DONE else settled)
        await done(self._desk.reopen_task(who, task.public_id))
        raise web.HTTPSeeOther(f"{HERE}#{task.public_id}")

    async def opt_out(self, request: web.Request) -> web.Response:
        """They want no more texts: record it with their own words as the evidence, and the task is done."""
        who, task = self._who(request), await self._task(request)
        if task.thread is None or task.kind != TaskKind.OPT_OUT:
            raise web.HTTPBadRequest
        await done(self._desk.opt_out(who, task.thread.public_id, task.detail))
        await done(self._desk.close_task(who, task.public_id))
        raise _see(about=task.public_id)

    async def resolve(self, request: web.Request) -> web.Response:
        """Take somebody's word for what became of a text: `how` is `sent` or `not_sent`."""
        who, task = self._who(request), await self._task(request)
        how = code_of(Resolution, str((await request.post()).get("how", "")))
        if how is None or task.text is None:
            raise web.HTTPBadRequest
        settled = await done(self._desk.resolve(who, task.text.public_id, how))
        raise _see(about=task.public_id, settled="" if settled is Settled.DONE else settled)

    async def check(self, request: web.Request) -> web.Response:
        """Ask the carrier once more."""
        who, task = self._who(request), await self._task(request)
        if task.text is None:
            raise web.HTTPBadRequest
        settled = await done(self._desk.check_again(who, task.text.public_id))
        raise _see(about=task.public_id, settled=settled)

    def _who(self, request: web.Request) -> Principal:
        return self._shell.allow(request, Action.SETTLE)

    async def _task(self, request: web.Request) -> TaskLine:
        task_id = _task_id(request.match_info["task"])
        task = await self._worklist.task(self._shell.reach(request), task_id) if task_id else None
        if task is None or not self._theirs(request, task):
            raise web.HTTPNotFound
        return task

    async def _pressed(self, request: web.Request, about: str | None) -> TaskShown | None:
        task = await self._worklist.task(self._shell.reach(request), about) if about else None
        return self._shown(request, task) if task and self._theirs(request, task) else None

    def _theirs(self, request: web.Request, task: TaskLine) -> bool:
        """Whether it is for somebody who does what whoever asks does."""
        return task.kind not in OF_PERMISSIONS or self._shell.rights(request).may(Action.MANAGE_PERMISSIONS)

    def _parts(self, request: web.Request, tasks: Sequence[TaskShown]) -> Sequence[Part]:
        """Each task is a part of its own, so that a change of one does not disturb a reader of another."""
        parts: list[Part] = []
        for shown in tasks:
            after = parts[-1].id if parts else ""
            parts.append(Part(shown.task.public_id, shown, partial(self._html, request, shown), LIST, after))
        return parts

    def _html(self, request: web.Request, shown: TaskShown) -> str:
        return self._shell.html(request, "task", it=shown)

    def _all(self, request: web.Request, page: TasksPage) -> Sequence[TaskShown]:
        return [self._shown(request, task) for task in page.tasks if self._theirs(request, task)]

    def _shown(self, request: web.Request, task: TaskLine) -> TaskShown:
        return show(task, self._shell.pages().formats(request[VISIT].language))


def show(task: TaskLine, formats: "Formats") -> TaskShown:
    """Put a task into words."""
    words = named(task_words.TASKS, TaskKind, task.kind) or task_words.OTHER
    who = whom(task)
    title = Say(words.title, {"who": who}) if who else Say(words.nobody)
    text = named(call_words.TEXT, State, task.text.state) if task.text else None
    due = said(task.due_at, formats) if task.due_at else ""
    late = task.due_at is not None and task.due_at < formats.now()
    return TaskShown(task, words, title, acts_of(task), text, due, late)


def whom(task: TaskLine) -> str:
    """The number of the person it is about, or empty."""
    peer = task.thread.peer if task.thread else task.call.peer if task.call else None
    return number(peer) if peer else ""


def acts_of(task: TaskLine) -> str:
    """Which buttons a task has besides Done, by the name of their template block."""
    if task.done_at is not None:
        return "undo"
    if task.text is not None and task.text.state in IN_DOUBT:
        return "doubt"
    if task.kind == TaskKind.OPT_OUT and task.thread is not None and not task.thread.opted_out:
        return "opt_out"
    return ""


def _can_be_taken_back(task: TaskLine) -> bool:
    """Somebody said what became of its text; a receipt would have left no name."""
    return bool(task.text and task.done_by and task.text.state in SAID and task.kind == TaskKind.UNCONFIRMED)


def _task_id(text: str) -> str | None:
    return text if kind_of(text) is Kind.TASK else None


def _settled(request: web.Request) -> Settled:
    return code_of(Settled, request.query.get("settled")) or Settled.DONE


def _place(over: bool, after: str | None) -> str:
    """The address of a page of the list."""
    query = {"view": "done" if over else "", "after": after or ""}
    words = urlencode({name: value for name, value in query.items() if value})
    return f"{HERE}?{words}" if words else HERE


def _see(**query: str) -> web.HTTPSeeOther:
    words = urlencode({name: value for name, value in query.items() if value})
    return web.HTTPSeeOther(f"{HERE}?{words}")

"""The page of tasks: each kind says what it is and what to do, and each button does what it says."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy import select

from ringback.core.messages import State
from ringback.core.permissions import OF_ROLE, Action, Role
from ringback.core.reasons import Reason
from ringback.core.tasks import TaskKind
from ringback.errors import StoreBusy
from ringback.flow.changes import Hub
from ringback.flow.desk import Denied, Desk, NotThere, Settled
from ringback.panel import task_words
from ringback.panel.live import Streams
from ringback.panel.tasks import TaskPages
from ringback.panel.words import legible
from ringback.ports.changes import TASKS
from ringback.store.read_tasks import ReadTasks
from ringback.store.tables import audit, pair_facts
from tests.conftest import NOON
from tests.fakes.grants import move_in
from tests.fakes.hand_clock import HandClock
from tests.flow.world import World
from tests.panel.hostile import HOSTILE
from tests.panel.made_up import BY_KIND, DOUBT, TEXT, THREAD, Tasks, a_task, at, task_id
from tests.panel.reading import Page
from tests.panel.visiting import ANA as SOMEBODY
from tests.panel.visiting import client_as


@dataclass
class Hands:
    """A desk that writes down what it was asked to do; `problem` is what it raises instead."""

    settled: Settled = Settled.DONE
    problem: Exception | None = None
    did: list[tuple[str, ...]] = field(default_factory=list)

    async def _do(self, *what: str) -> Settled:
        if self.problem is not None:
            raise self.problem
        self.did.append(what)
        return self.settled

    async def close_task(self, who, task):
        return await self._do("close", who.id, task)

    async def reopen_task(self, who, task):
        return await self._do("reopen", who.id, task)

    async def opt_out(self, who, thread, note):
        await self._do("opt_out", who.id, thread, note)

    async def resolve(self, who, message, how):
        return await self._do("resolve", who.id, message, how)

    async def undo(self, who, message):
        return await self._do("undo", who.id, message)

    async def check_again(self, who, message):
        return await self._do("check", who.id, message)


ANA = "usr_01ana"


def visit(tasks: Tasks, hands: Hands | None = None, role: Role = Role.AGENT, hub: Hub | None = None):
    return client_as(role, lambda shell: TaskPages(shell, tasks, hands or Hands(), Streams(shell, hub or Hub())))


def forms(page: Page) -> list[str]:
    """What each button of the list says, and where it leads."""
    return [
        f"{form.by_tag('button')[0].words}: {form.attributes['action']}"
        for task in page.by_class("task")
        for form in task.by_tag("form")
    ]


def test_no_kind_lacks_its_words():
    assert set(task_words.TASKS) == set(TaskKind)


CLOSE = "Done: /tasks/{}/close"
BUTTONS = {
    TaskKind.UNCONFIRMED: [
        "Check again: /tasks/{}/check",
        "Mark as sent: /tasks/{}/resolve",
        "Mark as not sent: /tasks/{}/resolve",
    ],
    TaskKind.OPT_OUT: ["Record an opt-out: /tasks/{}/opt-out", "No, they may be texted: /tasks/{}/close"],
}


@pytest.mark.parametrize("kind", TaskKind)
async def test_each_kind_says_what_it_is_why_and_what_to_do(kind: TaskKind):
    task = BY_KIND[kind]
    async with visit(Tasks((task,)), role=Role.ADMINISTRATOR) as visitor:
        page = await visitor.page("/tasks")
    (shown,) = page.by_class("task")
    (title,) = shown.by_tag("h2")
    words = task_words.TASKS[kind]
    who = "+1 202 555 0147" if task.thread else ""
    assert title.words == (words.title.replace("%(who)s", who) if who else words.nobody)
    assert f"{words.means} {words.to_do}" in shown.words
    assert task.detail in shown.words
    assert forms(page) == [button.format(task.public_id) for button in BUTTONS.get(kind, [CLOSE])]
    links = [link.attributes["href"] for link in shown.by_tag("a")]
    assert links == [
        *([f"/calls/{task.call.public_id}"] if task.call else []),
        *([f"/threads/{THREAD}?view=all"] if task.thread else []),
        *(["/calls?group=without_text"] if kind is TaskKind.STORM else []),
    ]


@pytest.mark.parametrize(
    ("task", "buttons"),
    [
        pytest.param(
            a_task(TaskKind.UNCONFIRMED, text=replace(DOUBT, state="delivered")),
            [CLOSE.format(task_id(2))],
            id="a receipt came meanwhile",
        ),
        pytest.param(
            a_task(TaskKind.OPT_OUT, thread=replace(BY_KIND[TaskKind.OPT_OUT].thread, opted_out=True)),
            [CLOSE.format(task_id(3))],
            id="they are opted out already",
        ),
        pytest.param(
            replace(BY_KIND[TaskKind.STORM], kind="of_2027"),
            [CLOSE.format(task_id(6))],
            id="a kind of a newer Ringback",
        ),
        pytest.param(
            a_task(done_at=at(0), done_by="shell root"), [f"Open it again: /tasks/{task_id(6)}/reopen"], id="done"
        ),
    ],
)
async def test_buttons_fit_what_became_of_it(task, buttons):
    async with visit(Tasks((task,))) as visitor:
        assert forms(await visitor.page("/tasks")) == buttons


@pytest.mark.parametrize(
    ("due", "badge"),
    [
        pytest.param(at(600), "Due 10:10", id="today"),
        pytest.param(at(90_000), "Due 2026-11-21 11:00", id="tomorrow"),
        pytest.param(at(-60), "Was due 09:59", id="late"),
    ],
)
async def test_a_task_says_when_it_is_due(due, badge):
    async with visit(Tasks((a_task(TaskKind.CALL_BACK, due_at=due),))) as visitor:
        page = await visitor.page("/tasks")
    assert [element.words for element in page.by_class("badge")] == [badge]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param({"done_by": f"user {ANA}", "done_name": "Ana Kovačević"}, "by Ana Kovačević", id="a person"),
        pytest.param({"done_by": "shell root"}, "by shell root", id="somebody on this machine"),
        pytest.param({}, "Settled itself", id="by itself"),
    ],
)
async def test_a_done_task_says_who_and_when(change, says):
    async with visit(Tasks(over=(a_task(done_at=at(0), **change),))) as visitor:
        page = await visitor.page("/tasks?view=done")
    (task,) = page.by_class("task")
    assert says in task.words
    assert "2026-11-20 10:00" in task.words


@pytest.mark.parametrize(
    ("path", "form", "did", "leads"),
    [
        pytest.param(f"{task_id(6)}/close", {}, [("close", ANA, task_id(6))], f"/tasks?about={task_id(6)}", id="done"),
        pytest.param(
            f"{task_id(6)}/reopen", {}, [("reopen", ANA, task_id(6))], f"/tasks#{task_id(6)}", id="not done after all"
        ),
        pytest.param(
            f"{task_id(2)}/resolve",
            {"how": "not_sent"},
            [("resolve", ANA, TEXT.public_id, "not_sent")],
            f"/tasks?about={task_id(2)}",
            id="it was not sent",
        ),
        pytest.param(
            f"{task_id(2)}/check",
            {},
            [("check", ANA, TEXT.public_id)],
            f"/tasks?about={task_id(2)}&settled=done",
            id="ask the carrier",
        ),
        pytest.param(
            f"{task_id(3)}/opt-out",
            {},
            [("opt_out", ANA, THREAD, "Please stop that"), ("close", ANA, task_id(3))],
            f"/tasks?about={task_id(3)}",
            id="they want no more texts",
        ),
    ],
)
async def test_a_button_does_what_it_says_and_leads_back(path, form, did, leads):
    hands = Hands()
    async with visit(Tasks(tuple(BY_KIND.values())), hands) as visitor:
        answer = await visitor.post(f"/tasks/{path}", form)
    assert (answer.status, answer.headers["Location"]) == (303, leads)
    assert hands.did == did


@pytest.mark.parametrize("state", [State.ACCEPTED, State.FAILED])
async def test_what_somebody_said_of_a_text_is_taken_back_with_its_task(state):
    said = a_task(TaskKind.UNCONFIRMED, text=replace(DOUBT, state=state), done_at=at(0), done_by=f"user {ANA}")
    hands = Hands()
    async with visit(Tasks(over=(said,)), hands) as visitor:
        await visitor.post(f"/tasks/{said.public_id}/reopen")
    assert hands.did == [("undo", ANA, TEXT.public_id)]


@pytest.mark.parametrize("settled", [settled for settled in Settled if settled is not Settled.DONE])
async def test_what_came_of_a_button_is_said_on_the_page(settled: Settled):
    async with visit(Tasks((BY_KIND[TaskKind.UNCONFIRMED],)), Hands(settled)) as visitor:
        answer = await visitor.post(f"/tasks/{task_id(2)}/check")
        page = await visitor.page(answer.headers["Location"])
    (banner,) = page.by_class("banner")
    assert banner.words.strip()


async def test_a_task_just_done_offers_to_undo_that():
    task = a_task(TaskKind.TOO_OLD, done_at=at(0), done_by=f"user {ANA}")
    async with visit(Tasks(over=(task,))) as visitor:
        page = await visitor.page(f"/tasks?about={task.public_id}")
    (banner,) = page.by_class("banner")
    assert "+1 202 555 0147 called" in banner.words
    assert [form.attributes["action"] for form in banner.by_tag("form")] == [f"/tasks/{task.public_id}/reopen"]


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        pytest.param(f"{task_id(99)}/check", {}, 404, id="no such task"),
        pytest.param("thr_1/check", {}, 404, id="not a task's id"),
        pytest.param("%00/reopen", {}, 404, id="no id at all"),
        pytest.param(f"{task_id(2)}/resolve", {"how": "perhaps"}, 400, id="neither sent nor not"),
        pytest.param(f"{task_id(2)}/resolve", {}, 400, id="nothing said"),
        pytest.param(f"{task_id(6)}/check", {}, 400, id="a task without a text"),
        pytest.param(f"{task_id(6)}/resolve", {"how": "sent"}, 400, id="a word about no text"),
        pytest.param(f"{task_id(1)}/opt-out", {}, 400, id="an opt-out nobody asked about"),
    ],
)
async def test_what_makes_no_sense_does_nothing(path, form, status):
    hands = Hands()
    async with visit(Tasks(tuple(BY_KIND.values())), hands) as visitor:
        answer = await visitor.post(f"/tasks/{path}", form)
    assert (answer.status, hands.did) == (status, [])


@pytest.mark.parametrize(
    ("problem", "status"),
    [
        pytest.param(NotThere("gone"), 404, id="gone"),
        pytest.param(StoreBusy("busy"), 503, id="the database is busy"),
        pytest.param(Denied(Reason.PERMISSION_DENIED), 403, id="not permitted"),
        pytest.param(Denied(Reason.OPTED_OUT), 409, id="not now"),
    ],
)
async def test_a_desk_that_says_no_is_an_error_page(problem, status):
    async with visit(Tasks(tuple(BY_KIND.values())), Hands(problem=problem)) as visitor:
        assert (await visitor.post(f"/tasks/{task_id(6)}/close")).status == status


async def test_a_form_of_another_page_does_nothing():
    hands = Hands()
    async with visit(Tasks((BY_KIND[TaskKind.STORM],)), hands) as visitor:
        answer = await visitor.post(f"/tasks/{task_id(6)}/close", {"csrf": "guessed"})
    assert (answer.status, hands.did) == (403, [])


@pytest.mark.parametrize("role", [role for role in Role if Action.READ_THREADS in OF_ROLE[role]])
async def test_whoever_reads_threads_may_settle(role):
    hands = Hands()
    async with visit(Tasks((BY_KIND[TaskKind.STORM],)), hands, role) as visitor:
        assert forms(await visitor.page("/tasks")) == [CLOSE.format(task_id(6))]
        await visitor.post(f"/tasks/{task_id(6)}/close")
    assert [what for what, *_ in hands.did] == ["close"]


@pytest.mark.parametrize(
    ("query", "asked", "next_page"),
    [
        pytest.param("", ("open", None), f"/tasks?after={task_id(6)}", id="what waits"),
        pytest.param(f"?after={task_id(2)}", ("open", task_id(2)), f"/tasks?after={task_id(6)}", id="further on"),
        pytest.param("?after=x%00", ("open", None), f"/tasks?after={task_id(6)}", id="from a place that is none"),
        pytest.param("?view=done", ("done", None), f"/tasks?view=done&after={task_id(6)}", id="what is done"),
        pytest.param(
            f"?view=done&after={task_id(2)}", ("done", task_id(2)), f"/tasks?view=done&after={task_id(6)}", id="older"
        ),
    ],
)
async def test_pages_follow_one_another(query, asked, next_page):
    tasks = Tasks((BY_KIND[TaskKind.STORM],), (BY_KIND[TaskKind.STORM],), more=task_id(6))
    async with visit(tasks) as visitor:
        page = await visitor.page(f"/tasks{query}")
    assert tasks.asked == [asked]
    assert [link.attributes["href"] for link in page.by_tag("a") if link.attributes.get("rel") == "next"] == [next_page]


@pytest.mark.parametrize(
    ("path", "heading"), [("/tasks", "Nothing waits for you"), ("/tasks?view=done", "Nothing was done yet")]
)
async def test_an_empty_list_says_what_will_be_there(path, heading):
    async with visit(Tasks()) as visitor:
        page = await visitor.page(path)
    assert [element.words for element in page.by_class("empty")[0].by_tag("h2")] == [heading]


@pytest.mark.parametrize("said", HOSTILE)
async def test_what_comes_from_outside_is_shown_as_text(said: str):
    tasks = tuple(a_task(kind, detail=said) for kind in TaskKind)
    stranger = replace(BY_KIND[TaskKind.PARTIAL].thread, peer=said, did=said)
    tasks += (a_task(TaskKind.PARTIAL, public_id=task_id(20), detail=said, thread=stranger),)
    async with visit(Tasks(tasks)) as visitor:
        page = await visitor.page("/tasks")
    assert {"iframe", "img", "base", "style", "video", "math"} & {element.tag for element in page.elements} == set()
    assert {script.attributes["src"].partition("?")[0] for script in page.by_tag("script")} == {
        "/static/panel.js",
        "/static/live.js",
    }
    assert [element for element in page.elements if any(name.startswith("on") for name in element.attributes)] == []
    assert [task for task in page.by_class("task") if legible(said) not in task.words] == []


async def test_a_task_that_comes_and_one_that_goes_show_without_a_reload():
    hub, tasks = Hub(), Tasks((BY_KIND[TaskKind.STORM],))
    async with visit(tasks, hub=hub) as visitor:
        page = await visitor.page("/tasks")
        (live,) = [element.attributes["data-live"] for element in page.elements if "data-live" in element.attributes]
        stream = await visitor.get(live, headers={"Accept": "text/event-stream"})
        async with asyncio.timeout(5):
            await _until(stream, '"ids": ["' + task_id(6))
            tasks.waiting = (BY_KIND[TaskKind.CALL_BACK],)
            hub.tell(frozenset({TASKS}))
            seen = await _until(stream, '"ids": ["' + task_id(1) + '"]')
        stream.close()
    assert "Call <bdi" in seen.replace("\\", "")


async def _until(stream, words: str) -> str:
    """Read a stream up to the line that has these words; returns all of it."""
    read = ""
    while words not in read:
        read += (await stream.content.readline()).decode()
    return read


@pytest.mark.parametrize("path", ["/tasks?view=done", f"/tasks?after={task_id(2)}"])
async def test_only_the_first_page_of_what_waits_is_live(path):
    async with visit(Tasks((BY_KIND[TaskKind.STORM],), (BY_KIND[TaskKind.STORM],))) as visitor:
        page = await visitor.page(path)
    assert [element for element in page.elements if "data-live" in element.attributes] == []


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOON)


async def test_an_opt_out_from_the_page_is_in_the_ledger_and_the_audit(store, clock, tmp_path):
    world = World(store, clock, tmp_path)
    desk = Desk(world.house, store, world.lanes, {"main": world.carrier}, clock)
    await move_in(store, SOMEBODY, clock.now())
    async with world.running():
        await world.says("please stop texting me so often")

        def pages(shell):
            return TaskPages(shell, ReadTasks(store), desk, Streams(shell, Hub()))

        async with client_as(Role.AGENT, pages, clock=clock) as visitor:
            (task,) = (await visitor.page("/tasks")).by_class("task")
            where = task.attributes["id"]
            await visitor.post(f"/tasks/{where}/opt-out")
            page = await visitor.page("/tasks?view=done")
            assert [shown.attributes["id"] for shown in page.by_class("task")] == [where]
            await visitor.post(f"/tasks/{where}/reopen")
            assert (await visitor.page("/tasks")).by_class("task")[0].attributes["id"] == where
    noted = await store.read(lambda connection: connection.execute(select(audit.c.who, audit.c.action)).all())
    opted = await store.read(lambda connection: connection.execute(select(pair_facts.c.opted_out_at)).scalar())
    assert [tuple(row) for row in noted] == [
        (f"user {ANA}", "opt_out"),
        (f"user {ANA}", "closed_task"),
        (f"user {ANA}", "reopened_task"),
    ]
    assert opted is not None

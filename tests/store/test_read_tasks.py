"""The list of tasks: what comes first, what each is about, and by which index, on both databases."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringback.core.grants import EVERYTHING
from ringback.store.database import reader
from ringback.store.moments import micros
from ringback.store.read_tasks import ReadTasks, due, read_done, read_open, settled, undated
from tests.conftest import NOON
from tests.store.rows import OUR_NUMBER, a_call, a_task, a_text, a_thread, plan, put, run, walks

AT = micros(NOON)
PAT = "+15125550123"
ANA = "usr_" + "a" * 26


def ids(page) -> list[int]:
    return [int(task.public_id.removeprefix("task_")) for task in page.tasks]


async def test_what_is_due_comes_first_then_the_oldest(store, url):
    put(
        url,
        {
            "task": [
                a_task(1, AT + 9),
                a_task(2, AT, due_at=AT + 50),
                a_task(3, AT + 5),
                a_task(4, AT + 7, due_at=AT + 40),
                a_task(5, AT, done_at=AT),
                a_task(6, AT, due_at=AT + 40, done_at=AT + 1),
            ]
        },
    )
    worklist = ReadTasks(store)
    assert ids(await worklist.open(EVERYTHING)) == [4, 2, 3, 1]
    assert ids(await worklist.done(EVERYTHING)) == [6, 5]


moments = st.lists(
    st.tuples(st.integers(AT, AT + 3), st.none() | st.integers(AT, AT + 3), st.none() | st.integers(AT, AT + 3)),
    min_size=1,
    max_size=14,
)


@given(moments=moments, most=st.integers(1, 5))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_have_no_gap_and_nothing_twice(url, moments, most):
    """Whatever was left, due and done at one moment, and wherever a page ends."""
    tasks = [a_task(n, at, due_at=due, done_at=done) for n, (at, due, done) in enumerate(moments, start=1)]
    run(url, "DELETE FROM task")
    put(url, {"task": tasks})
    waiting = [task for task in tasks if task["done_at"] is None]
    dated = sorted((task["due_at"], task["id"]) for task in waiting if task["due_at"] is not None)
    rest = sorted((task["at"], task["id"]) for task in waiting if task["due_at"] is None)
    over = sorted(((task["done_at"], task["id"]) for task in tasks if task["done_at"] is not None), reverse=True)
    engine = reader(url)
    with engine.connect() as connection:
        assert all_pages(connection, read_open, most) == [n for _, n in dated + rest]
        assert all_pages(connection, read_done, most) == [n for _, n in over]
    engine.dispose()


def all_pages(connection, read, most) -> list[int]:
    found, place = [], None
    while True:
        page = read(connection, EVERYTHING, place, most)
        found += ids(page)
        assert page.more is None or len(page.tasks) == most
        place = page.more
        if place is None:
            return found


@pytest.mark.parametrize("place", ["task_" + "z" * 26, "", "x' OR 1"])
async def test_an_unknown_place_to_go_on_from_is_the_first(store, url, place):
    put(url, {"task": [a_task(1, AT), a_task(2, AT, done_at=AT)]})
    worklist = ReadTasks(store)
    assert ids(await worklist.open(EVERYTHING, place)) == [1]
    assert ids(await worklist.done(EVERYTHING, place)) == [2]


async def test_a_task_brings_what_it_is_about(store, url):
    put(
        url,
        {
            "number": [OUR_NUMBER],
            "thread": [a_thread(), a_thread(2, peer="+15125550124")],
            "pair_facts": [{"thread_id": 2, "opted_out_at": AT}],
            "call": [a_call(1, AT), a_call(2, AT, peer=None, caller="anonymous")],
            "message": [a_text(1, AT, state="unconfirmed")],
            "incoming": [their_text(1, 2)],
            "task": [
                a_task(1, AT, kind="unconfirmed", message_id=1),
                a_task(2, AT + 1, kind="too_old", call_id=1),
                a_task(3, AT + 2, kind="unseen", call_id=2),
                a_task(4, AT + 3, kind="opt_out", thread_id=2, incoming_id=1, detail="pls stop calling"),
                a_task(5, AT + 4, kind="quarantined", detail="<b>"),
            ],
        },
    )
    doubt, old, unseen, stop, strange = (await ReadTasks(store).open(EVERYTHING)).tasks
    assert (doubt.text.body, doubt.text.state, doubt.thread.peer) == ("Sorry we missed you.", "unconfirmed", PAT)
    assert (old.call.outcome, old.thread.did, old.thread.opted_out) == ("missed", "+12025550101", False)
    assert (unseen.call.caller, unseen.thread) == ("anonymous", None)
    assert (stop.incoming.body, stop.thread.opted_out, stop.detail) == ("Stop it", True, "pls stop calling")
    assert (strange.thread, strange.text, strange.call, strange.incoming) == (None, None, None, None)


def their_text(n: int, thread: int) -> dict[str, object]:
    return {
        "id": n,
        "public_id": f"inb_{n:026}",
        "thread_id": thread,
        "carrier": "main",
        "at": AT,
        "received_at": AT,
        "carrier_at": AT,
        "body": "Stop it",
        "state": "whole",
    }


@pytest.mark.parametrize(
    ("by", "name"),
    [
        pytest.param(f"user {ANA}", "Ana Kovačević", id="somebody who logged in"),
        pytest.param("user usr_" + "z" * 26, "", id="somebody who is gone"),
        pytest.param("shell root", "", id="somebody on this machine"),
        pytest.param("", "", id="the daemon itself"),
    ],
)
async def test_a_done_task_says_who_settled_it(store, url, by, name):
    ana = {"public_id": ANA, "login": "ana", "name": "Ana Kovačević", "role": "agent", "password": ""}
    put(
        url,
        {"account": [ana | {"created_at": AT, "changed_at": AT}], "task": [a_task(1, AT, done_at=AT + 1, done_by=by)]},
    )
    (task,) = (await ReadTasks(store).done(EVERYTHING)).tasks
    assert (task.done_by, task.done_name) == (by, name)


async def test_one_task_is_found_open_or_done(store, url):
    put(url, {"task": [a_task(1, AT), a_task(2, AT, done_at=AT)]})
    worklist = ReadTasks(store)
    assert (await worklist.task(EVERYTHING, f"task_{1:026}")).done_at is None
    assert (await worklist.task(EVERYTHING, f"task_{2:026}")).done_at == NOON
    assert await worklist.task(EVERYTHING, "task_" + "0" * 26) is None


ROWS = 2_400


@pytest.fixture(scope="module")
def crowd(tmp_path_factory, empty_sqlite):
    """A SQLite database with many tasks, of which a third is due and a third done."""
    path = tmp_path_factory.mktemp("crowd") / "db"
    path.write_bytes(empty_sqlite.read_bytes())
    kinds = ({}, {"due_at": AT}, {"done_at": AT})
    put(f"sqlite:///{path}", {"task": [a_task(n, AT + n, **kinds[n % 3]) for n in range(1, ROWS)]})
    engine = reader(f"sqlite:///{path}")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.mark.parametrize("place", [pytest.param(None, id="from the first"), pytest.param((AT + 9, 9), id="further on")])
@pytest.mark.parametrize(
    ("statement", "index"),
    [
        pytest.param(due, "ix_task_due", id="what is due"),
        pytest.param(undated, "ix_task_open", id="the rest"),
        pytest.param(settled, "ix_task_done", id="what is done"),
    ],
)
def test_a_page_walks_along_its_own_index(crowd, statement, index, place):
    steps = plan(crowd, statement(place, 51))
    assert [(table, used) for table, used in walks(steps) if table != "some"] in ([], [("task", index)])
    assert any(index in step for step in steps)

"""What is read of our numbers is read as far as whoever asks may see, on both databases: the same rows as of everything
without the rest, in the same order, by indexes, and never a word of another number."""

import json
import re
import shutil
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import TextClause, insert

from ringback.core.grants import EVERYONE, EVERYTHING, NOTHING, Cell, Effect, Reach, Way
from ringback.core.permissions import Asker, Principal, Role
from ringback.core.search import read_query
from ringback.core.tasks import TaskKind
from ringback.flow.indexing import take_in
from ringback.flow.permits import Permits
from ringback.ports.callbook import CallFilter, Group
from ringback.ports.changes import GRANTS
from ringback.ports.messages import MessageFilter
from ringback.ports.search import Within
from ringback.ports.threads import Place, View
from ringback.store import read_overview, read_search, read_threads, tables
from ringback.store.database import Database
from ringback.store.grants import ReadGrants
from ringback.store.reach import LITE, POST
from ringback.store.read_bulks import StoredBulks
from ringback.store.read_calls import WALKS, ReadCalls, read_page
from ringback.store.read_messages import ReadMessages
from ringback.store.read_overview import ReadOverview
from ringback.store.read_search import StoredSearch
from ringback.store.read_tasks import BY_AGE, BY_DUE, BY_END, ReadTasks, read_done, read_open
from ringback.store.read_threads import PAGE_OF, StoredThreads, count_waiting
from ringback.store.read_timeline import FAR
from tests.conftest import NOON
from tests.fakes.rows import ANA, Filler, minute, put
from tests.postgres import Cluster
from tests.store.test_plans import walked

OURS = [f"+1202555010{n}" for n in range(1, 7)]
STRANGE = "+12025559999"
"""A number that was called and is none of ours."""
PEOPLE = [f"+1512555000{n}" for n in range(5)]
STATES = ("held", "delivered", "unconfirmed", "sent", "delivered")


def canary(did: str) -> str:
    """A word that stands in all that has to do with a number."""
    return f"canary{did[-4:]}"


def fill(rows: Filler) -> None:
    """The same talk on six numbers, at moments that are mixed up, and of some kinds at the same moment."""
    numbers = [1, *(rows.number(did) for did in OURS[1:])]
    moment = count()
    for turn, peer in enumerate([*PEOPLE, ANA]):
        for number, did in zip(numbers, OURS, strict=True):
            _talk(rows, (number, did), peer, (turn, next(moment) * 7 % 11))
    for at in range(3):
        rows.call(ANA, at, STRANGE, queue=canary(STRANGE))
        rows.call(ANA, at, ANA, direction="outbound", caller="101", queue=None)
    _tasks(rows, "", "house", 0)


def _talk(rows: Filler, ours: tuple[int, str], peer: str, when: tuple[int, int]) -> None:
    number, did = ours
    turn, at = when
    word = canary(did)
    waits = minute(at) if turn % 2 else None
    thread = rows.thread(peer, at, number, waits_since_at=waits, unread=1)
    decision = ("send", "none", "defer")[turn % 3]
    call = rows.call(peer, at, did, queue=word, decision=decision, reason="allowed", rule="r")
    rows.call(peer, at, did, queue=word, decision="none", outcome="answered")
    asked = {"reference": "mail", "cause": "program key_1"}
    out = rows.text_out(thread, f"hello out {word}", at, STATES[turn % 5], **asked, call_id=call, rule="r")
    rows.step(out, "sent", at, word)
    came = rows.text_in(thread, f"hello in {word}", at + 1)
    rows.ledger(thread, at=at, evidence=word)
    _tasks(rows, did, word, at, thread_id=thread, message_id=out, incoming_id=came)
    rows._put(tables.bulk, **_run(did, word, at), public_id=rows._name("blk"))


def _run(did: str, word: str, at: int) -> dict[str, object]:
    words = {"name": word, "asked_by": "program key_1", "did": did, "body": word, "class_": "promotional"}
    times = dict.fromkeys(("created_at", "changed_at", "not_before", "expires_at"), minute(at))
    return {**words, "basis": "none", "language": "en", "state": "open", **times}


def _tasks(rows: Filler, did: str, word: str, at: int, **about: int) -> None:
    for kind, more in (
        ("call_back", {"due_at": minute(at)}),
        ("opt_out", {}),
        ("partial", {"done_at": minute(at), "done_by": "user x"}),
    ):
        name = rows._name("task")
        rows._put(
            tables.task, public_id=name, key=name, kind=kind, at=minute(at), detail=word, did=did, **about, **more
        )


@pytest.fixture
async def house(url: str, store: Database) -> Database:
    put(url, fill)
    return store


REACHES = [
    pytest.param(NOTHING, id="nothing"),
    pytest.param(Reach(False, frozenset(OURS[2:3])), id="one number"),
    pytest.param(Reach(False, frozenset(OURS[1:4])), id="three numbers"),
    pytest.param(Reach(False, frozenset(OURS)), id="all that are configured"),
    pytest.param(Reach(False, frozenset([OURS[0], STRANGE, "+1999", 'x"]; --'])), id="one, and some that are none"),
]


async def every_page(page: "Callable[[object], Awaitable[tuple[list[object], object]]]") -> list[object]:
    """All rows of a list, page by page."""
    found: list[object] = []
    place: object = None
    while True:
        rows, place = await page(place)
        found += rows
        if place is None:
            return found


async def threads_of(house: Database, reach: Reach, view: View) -> list[object]:
    async def page(after: object) -> tuple[list[object], object]:
        found = await StoredThreads(house).page(reach, view, after)
        return list(found.rows), found.older

    return await every_page(page)


@pytest.mark.parametrize("reach", REACHES)
@pytest.mark.parametrize("view", View)
async def test_threads_are_those_of_everything_without_the_rest(house, reach, view, monkeypatch):
    monkeypatch.setattr(read_threads, "A_PAGE", 4)
    everything = await threads_of(house, EVERYTHING, view)
    assert len({row.did for row in everything}) == len(OURS)
    assert await threads_of(house, reach, view) == [row for row in everything if row.did in reach]


@pytest.mark.parametrize("reach", REACHES)
async def test_people_and_who_waits_are_those_of_everything_without_the_rest(house, reach):
    threads = StoredThreads(house)
    everything = (await threads.of_peer(EVERYTHING, ANA)).rows
    assert (await threads.of_peer(reach, ANA)).rows == tuple(row for row in everything if row.did in reach)
    waiting = [row for row in await threads_of(house, EVERYTHING, View.WAITING) if row.did in reach]
    assert await threads.waiting(reach, 100) == len(waiting)
    assert await threads.waiting(reach, 2) == min(2, len(waiting))


CALLS = [
    *(pytest.param(CallFilter(group), id=f"group {group}") for group in Group),
    pytest.param(CallFilter(peer=ANA), id="one person"),
    pytest.param(CallFilter(Group.UNANSWERED, peer=ANA), id="one person, unanswered"),
    pytest.param(CallFilter(since=NOON, until=NOON), id="no time at all"),
]


@pytest.mark.parametrize("reach", REACHES)
@pytest.mark.parametrize("wanted", CALLS)
async def test_calls_are_those_of_everything_without_the_rest(house, reach, wanted):
    async def all_of(seen: Reach) -> list[object]:
        async def page(before: object) -> tuple[list[object], object]:
            found = await house.read(lambda connection: read_page(connection, seen, wanted, before, 4))
            return list(found.calls), found.older

        return await every_page(page)

    everything = await all_of(EVERYTHING)
    assert await all_of(reach) == [call for call in everything if call.direction == "inbound" and call.did in reach]


@pytest.mark.parametrize("minutes", [(0, 11), (2, 5), (5, 6), (20, 30)])
async def test_a_span_of_calls_begins_and_ends_where_it_says(house, minutes):
    since, until = (NOON.replace(hour=17, minute=at) for at in minutes)
    reach, wanted = Reach(False, frozenset(OURS[:3])), CallFilter(since=since, until=until)
    everything, found = [
        (await house.read(lambda connection, seen=seen: read_page(connection, seen, wanted, None, 500))).calls
        for seen in (EVERYTHING, reach)
    ]
    assert found == tuple(call for call in everything if call.direction == "inbound" and call.did in reach)


@pytest.mark.parametrize("reach", REACHES)
@pytest.mark.parametrize("read", [read_open, read_done])
async def test_tasks_are_those_of_everything_without_the_rest(house, reach, read):
    async def all_of(seen: Reach) -> list[object]:
        async def page(after: object) -> tuple[list[object], object]:
            found = await house.read(lambda connection: read(connection, seen, after, 4))
            return list(found.tasks), found.more

        return await every_page(page)

    everything = await all_of(EVERYTHING)
    assert [task.detail for task in everything].count("house") == (2 if read is read_open else 1)
    assert await all_of(reach) == [task for task in everything if task.thread is None or task.thread.did in reach]


@pytest.mark.parametrize("indexed", [True, False], ids=["in the index", "not in it yet"])
@pytest.mark.parametrize("reach", REACHES)
@pytest.mark.parametrize("typed", ["hello", "hel", "hello canary0102"])
async def test_what_is_found_is_that_of_everything_without_the_rest(house, reach, typed, indexed, monkeypatch):
    monkeypatch.setattr(read_search, "A_PAGE", 4)
    if indexed:
        await house.commit(partial(take_in, 1_000))

    async def all_of(seen: Reach, within: Within) -> list[object]:
        async def page(after: object) -> tuple[list[object], object]:
            found = await StoredSearch(house).find(seen, read_query(typed), within, after)
            return list(found.rows), found.older

        # both sides go by their rows, and these talks did not come in the order of their times
        return sorted(await every_page(page), key=lambda row: (row.side, row.point.id))

    everything = await all_of(EVERYTHING, Within())
    assert everything
    assert await all_of(reach, Within()) == [row for row in everything if row.did in reach]
    for did in OURS[:3]:
        assert await all_of(reach, Within(did=did)) == [row for row in everything if row.did == did and did in reach]
    thread = everything[0].thread
    assert await all_of(reach, Within(thread)) == [
        row for row in everything if row.thread == thread and row.did in reach
    ]


@pytest.mark.parametrize("reach", REACHES)
@pytest.mark.parametrize("wanted", [MessageFilter(reference="mail"), MessageFilter(peer=ANA)], ids=["named", "person"])
async def test_texts_for_programs_are_those_of_everything_without_the_rest(house, reach, wanted):
    async def all_of(seen: Reach) -> list[object]:
        async def page(after: object) -> tuple[list[object], object]:
            found = await ReadMessages(house).page(seen, wanted, after or "", 4)
            return found, found[-1].public_id if len(found) == 4 else None

        return await every_page(page)

    everything = await all_of(EVERYTHING)
    assert len(everything) >= len(OURS)
    assert await all_of(reach) == [line for line in everything if line.did in reach]


async def test_a_place_to_go_on_from_must_be_one_that_they_may_see(house):
    texts, reach, named = ReadMessages(house), Reach(False, frozenset(OURS[:1])), MessageFilter(reference="mail")
    for line in await texts.page(EVERYTHING, named, "", 100):
        page = await texts.page(reach, named, line.public_id, 9)
        assert (page is None) is (line.did != OURS[0])
    for call in (await ReadCalls(house).page(EVERYTHING, CallFilter())).calls:
        if call.did != OURS[0]:
            newest = await ReadCalls(house).page(reach, CallFilter())
            assert await ReadCalls(house).page(reach, CallFilter(), call.public_id) == newest


@pytest.mark.parametrize("reach", REACHES)
async def test_runs_are_those_of_everything_without_the_rest(house, reach):
    runs = StoredBulks(house)
    everything = await runs.latest(EVERYTHING, 100)
    assert await runs.latest(reach, 100) == [run for run in everything if run.plan.did in reach]
    assert len(await runs.latest(reach, 2)) == min(2, len(await runs.latest(reach, 100)))
    for run in everything:
        assert (await runs.show(reach, run.public_id) is not None) is (run.plan.did in reach)


@pytest.mark.parametrize("reach", REACHES)
async def test_figures_are_those_of_what_can_be_listed(house, reach):
    day = await ReadOverview(house).day(reach, NOON)
    calls = ReadCalls(house)
    unanswered = (await calls.page(reach, CallFilter(Group.UNANSWERED))).calls
    texts = (await calls.page(reach, CallFilter(Group.WITH_TEXT))).calls
    assert day.unanswered == len(unanswered)
    assert day.texted == sum(call.text in ("sent", "delivered") for call in texts)
    assert day.waiting == await StoredThreads(house).waiting(reach, 100)
    tasks = await house.read(lambda connection: read_open(connection, reach, None, 500))
    assert day.tasks == len(tasks.tasks)


@pytest.mark.parametrize("reach", REACHES)
async def test_no_read_has_a_word_of_another_number(house, reach):
    await house.commit(partial(take_in, 1_000))
    found = [repr(answer) for answer in await everything_for(house, reach)]
    allowed = {canary(did) for did in reach.numbers}
    words = set(re.findall(r"canary[0-9]+", " ".join(found)))
    assert words <= allowed
    numbers = set(re.findall(r"\+1202555[0-9]{4}", " ".join(found))) - {ANA}
    assert numbers <= reach.numbers
    if reach.numbers & set(OURS):
        assert words >= {canary(did) for did in reach.numbers if did in OURS}


async def everything_for(house: Database, reach: Reach) -> list[object]:
    """Whatever can be asked, by whatever name there is of it."""
    threads, calls, tasks = StoredThreads(house), ReadCalls(house), ReadTasks(house)
    found: list[object] = []
    for row in await threads_of(house, EVERYTHING, View.ALL):
        if (head := await threads.head(reach, row.public_id)) is not None:
            found += [head, await threads.timeline(head)]
        found += [await threads.of_peer(reach, row.peer)]
        within = Within(row.public_id, row.did)
        found += [await StoredSearch(house).find(reach, read_query("hello"), within)]
    for call in (await calls.page(EVERYTHING, CallFilter())).calls:
        found += [await calls.story(reach, call.public_id), await calls.page(reach, CallFilter(), call.public_id)]
    for over in (tasks.open, tasks.done):
        for task in (await over(EVERYTHING)).tasks:
            found += [await tasks.task(reach, task.public_id), await over(reach, task.public_id)]
    for line in await ReadMessages(house).page(EVERYTHING, MessageFilter(reference="mail"), "", 100):
        found += [await ReadMessages(house).report(reach, line.public_id)]
    found += [await threads.page(reach, view) for view in View]
    found += [await calls.page(reach, CallFilter(group)) for group in Group]
    found += [await StoredBulks(house).latest(reach, 100)]
    return found


async def test_what_is_anothers_is_answered_as_what_is_not(house):
    threads, calls, tasks = StoredThreads(house), ReadCalls(house), ReadTasks(house)
    assert [await threads.head(NOTHING, row.public_id) for row in await threads_of(house, EVERYTHING, View.ALL)] == [
        None
    ] * 36
    outside = (await calls.page(EVERYTHING, CallFilter(peer=ANA))).calls
    seen = [await calls.story(Reach(False, frozenset([*OURS, ANA])), call.public_id) for call in outside]
    assert {story.direction for story in seen if story} == {"inbound"}
    assert [await tasks.task(NOTHING, task.public_id) for task in (await tasks.open(EVERYTHING)).tasks if task.thread]


async def test_texts_of_some_numbers_are_listed_by_a_name_or_a_person_only(house):
    with pytest.raises(ValueError, match="by a reference"):
        await ReadMessages(house).page(NOTHING, MessageFilter(), "", 5)


async def test_what_somebody_wrote_to_another_number_is_no_evidence_to_read(house, url):
    def stopped(rows: Filler) -> None:
        rows.text_in(1, "stop it, secretword", 30, public_id="inb_01jd3v8k6s9xq2m4n7p0r5t8wz")
        rows.ledger(1, at=30, evidence="inb_01jd3v8k6s9xq2m4n7p0r5t8wz")
        rows.ledger(2, at=30, evidence="inb_01jd3v8k6s9xq2m4n7p0r5t8wz")

    put_more(url, stopped)
    threads = StoredThreads(house)
    rows = await house.read(lambda c: c.exec_driver_sql("SELECT public_id FROM thread WHERE id < 3 ORDER BY id").all())
    first, second = [await threads.head(EVERYTHING, row[0]) for row in rows]
    assert "secretword" in repr(await threads.timeline(first))
    told = repr(await threads.timeline(second))
    assert "secretword" not in told
    assert "inb_01jd3v8k6s9xq2m4n7p0r5t8wz" not in told


def put_more(url: str, fill: Callable[[Filler], object]) -> None:
    class More(Filler):
        def __init__(self, connection):
            self._connection = connection
            self._names = count(10_000)

    from sqlalchemy import create_engine

    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.begin() as connection:
        fill(More(connection))
    engine.dispose()


# Tasks and counts


@pytest.mark.parametrize(
    ("about", "did"),
    [
        pytest.param({"thread_id": 2}, OURS[1], id="a thread"),
        pytest.param({"message_id": 2}, OURS[1], id="a text of ours"),
        pytest.param({"incoming_id": 2}, OURS[1], id="a text of theirs"),
        pytest.param({"call_id": 1}, OURS[0], id="a call"),
        pytest.param({}, "", id="nothing of a number"),
    ],
)
async def test_a_task_knows_which_number_it_is_about(house, about, did):
    await house.commit(lambda tx: tx.tasks.add(TaskKind.STORM, NOON, "new", **about))
    (found,) = await house.read(
        lambda c: c.exec_driver_sql("SELECT did FROM task WHERE kind = 'storm'").scalars().all()
    )
    assert found == did


async def test_what_waits_is_counted_by_number(house):
    threads, tasks = await house.commit(lambda tx: (tx.inbound.waiting(2), tx.tasks.open()))
    assert threads == dict.fromkeys(OURS, 2)
    assert tasks[TaskKind.CALL_BACK] == dict.fromkeys([*OURS], 6) | {"": 1}


# Plans


PLANS: dict[str, dict[str, str]] = {
    kind: {
        **{f"threads {view}": str(PAGE_OF[kind, view].text) for view in View},
        "one person": str(read_threads.OF_PEER_OF[kind].text),
        "who waits": str(read_threads.WAITING_OF[kind].text),
        **{f"calls {group}": walk.page(kind) for group, walk in WALKS.items()},
        "tasks due": BY_DUE.page(kind),
        "tasks": BY_AGE.page(kind),
        "tasks done": BY_END.page(kind),
        "unanswered": str(read_overview.UNANSWERED_OF[kind].text),
        "texted": str(read_overview.TEXTED_OF[kind].text),
        "open tasks": str(read_overview.TASKS_OF[kind].text),
    }
    for kind in (LITE, POST)
}
INDEX = {
    "threads all": "ix_thread_number_id_changed_at_id",
    "threads waiting": "ix_thread_number_waiting",
    "who waits": "ix_thread_number_waiting",
    "calls all": "ix_call_did_started_at_id",
    "calls unanswered": "ix_call_did_unanswered",
    "calls with_text": "ix_call_did_with_text",
    "calls without_text": "ix_call_did_without_text",
    "tasks due": "ix_task_did_due",
    "tasks": "ix_task_did_undated",
    "tasks done": "ix_task_did_done",
    "unanswered": "ix_call_did_unanswered",
    "texted": "ix_call_did_with_text",
}
MADE = {"t", "few", "best", "mine", "newest", "doubtful", "json_each"}
"""Rows that the statement makes itself, and the numbers it was given."""


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory, empty_sqlite: Path) -> Iterator[sqlite3.Connection]:
    path = tmp_path_factory.mktemp("reach") / "db"
    shutil.copy(empty_sqlite, path)

    def many(rows: Filler) -> None:
        each, names = range(1, 2501), ("public_id", "uniqueid", "linkedid")
        put_many(rows, tables.number, [{"id": n, "e164": f"+1{n}"} for n in range(2, 40)])
        put_many(rows, tables.thread, [thread_row(n) for n in each])
        call = {"pbx": "m", "direction": "inbound", "caller": "c", "presentation": "shown"}
        put_many(
            rows,
            tables.call,
            [call | dict.fromkeys(names, n) | {"did": f"+1{n % 39}", "peer": f"+{n}", "started_at": n} for n in each],
        )
        put_many(
            rows,
            tables.task,
            [{"public_id": n, "key": n, "kind": "storm", "at": n, "did": f"+1{n % 39}"} for n in each],
        )

    put(f"sqlite:///{path}", many)
    database = sqlite3.connect(path)
    yield database
    database.close()


def thread_row(n: int) -> dict[str, object]:
    return {"id": n, "public_id": f"t{n}", "number_id": n % 39 + 1, "peer": f"+{n}", "created_at": 0, "changed_at": n}


def put_many(rows: Filler, table, values: list[dict[str, object]]) -> None:
    rows._connection.execute(insert(table), values)


@pytest.mark.parametrize("name", PLANS[LITE])
def test_no_read_within_a_reach_walks_through_a_table(crowd, name):
    statement = PLANS[LITE][name]
    # by its own index the few texts that are in doubt
    assert {table for table in walked(crowd, statement) if table not in MADE} <= (
        {"message"} if name == "threads doubt" else set()
    )
    names = dict.fromkeys(re.findall(r"(?<![:\w]):([a-z_]+)", statement), 1) | {"reach": "[]"}
    plan = [row[3] for row in crowd.execute(f"EXPLAIN QUERY PLAN {statement}", names)]
    if name in INDEX:
        assert any(INDEX[name] in line for line in plan), plan


@pytest.mark.parametrize("name", PLANS[POST])
def test_every_read_within_a_reach_is_understood_by_postgresql(postgres: Cluster, name):
    statement = PLANS[POST][name]
    names = dict.fromkeys(re.findall(r"(?<![:\w]):([a-z_]+)", statement), 1)
    words = names | {name: "[]" for name in ("reach",) if name in names} | {"peer": "+1"}
    with psycopg.connect(postgres.conninfo("template")) as database:
        plan = database.execute("EXPLAIN " + re.sub(r"(?<![:\w]):([a-z_]+)", r"%(\1)s", statement), words).fetchall()
    assert plan


def test_a_page_of_few_numbers_looks_at_no_others(crowd):
    """Counted in steps of SQLite's own machine: three of forty numbers cost a small part of all."""
    few, all_ = (steps_of(crowd, [f"+1{n}" for n in range(2, last)]) for last in (5, 40))
    assert few * 3 < all_


def steps_of(database: sqlite3.Connection, numbers: list[str]) -> int:
    steps = count()
    database.set_progress_handler(lambda: next(steps) < 0, 10)
    values = {"reach": json.dumps(numbers), "at": FAR, "id": 0, "most": 51}
    assert len(database.execute(PLANS[LITE]["threads all"], values).fetchall()) == 51
    database.set_progress_handler(None, 0)
    return next(steps)


def test_no_read_within_a_reach_skips_or_searches_by_likeness():
    for statements in PLANS.values():
        for statement in statements.values():
            assert re.findall(r"\b(OFFSET|LIKE|ILIKE)\b", statement, re.IGNORECASE) == []
    assert all(isinstance(statement, TextClause) for statement in PAGE_OF.values())


# Who may see


@dataclass
class Told:
    """Counts how often it was told."""

    times: int = 0

    def __call__(self) -> None:
        self.times += 1


async def test_a_change_of_who_may_what_holds_at_once_in_this_process(store, clock):
    permits, told = Permits(ReadGrants(store), clock), Told()
    store.changes.at_once(GRANTS, permits.forget)
    permits.on_change(told)
    ana = await store.commit(lambda tx: tx.accounts.add("ana", "Ana", frozenset({Role.AGENT}), "x", "", NOON))
    who = Principal(Asker.USER, ana.public_id, "Ana", ana.roles, account=ana.id)
    await store.commit(lambda tx: tx.numbers.know(OURS, NOON))
    assert (await permits.of(who)).reach(Way.RECEIVE) == NOTHING
    for effect, reach in ((Effect.ALLOW, Reach(False, frozenset(OURS[:1]))), (Effect.DENY, NOTHING)):
        cell = Cell(EVERYONE, Way.RECEIVE, OURS[0])
        await store.commit(lambda tx, cell=cell, effect=effect: tx.grants.put(cell, effect, "", "chg_1", "t", NOON))
        assert (await permits.of(who)).reach(Way.RECEIVE) == reach
    assert told.times >= 2


async def test_a_page_of_nobody_counts_nothing(house):
    assert await house.read(lambda connection: count_waiting(connection, NOTHING, 100)) == 0
    assert (await StoredThreads(house).page(NOTHING, View.ALL, Place(FAR, 0))).rows == ()

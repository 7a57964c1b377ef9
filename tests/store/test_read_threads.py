"""What the inbox reads: complete page by page, in order, by indexes, on both databases."""

import re
import shutil
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import TextClause

from ringback.core.grants import EVERYTHING
from ringback.core.messages import State
from ringback.core.reasons import Reason
from ringback.ports.threads import (
    CallLine,
    Head,
    InLine,
    LedgerLine,
    LineKind,
    OutLine,
    Place,
    Point,
    ThreadPage,
    Timeline,
    View,
)
from ringback.store import read_threads, read_timeline, tables
from ringback.store.database import Database
from ringback.store.read_threads import A_PAGE, LIVE_ENTRIES, StoredThreads
from tests.fakes.rows import ANA, DID, NOON, Filler, minute, put
from tests.postgres import Cluster
from tests.store.test_plans import walked

Filled = Callable[[Callable[[Filler], object]], None]
Fresh = Callable[[], Awaitable[tuple[Database, object]]]


@pytest.fixture
def filled(url: str) -> Filled:
    return lambda fill: put(url, fill)


@pytest.fixture
def threads(store: Database) -> StoredThreads:
    return StoredThreads(store)


async def head_of(threads: StoredThreads, peer: str = ANA) -> Head:
    (row,) = (await threads.of_peer(EVERYTHING, peer)).rows
    head = await threads.head(EVERYTHING, row.public_id)
    assert head is not None
    return head


async def test_an_empty_inbox_has_no_rows(threads: StoredThreads):
    for view in View:
        assert await threads.page(EVERYTHING, view) == ThreadPage(())
    assert await threads.waiting(EVERYTHING, 100) == 0
    for unknown in ("thr_0", "thr_\x00", "\udcff"):
        assert await threads.head(EVERYTHING, unknown) is None


async def test_each_view_has_its_threads_the_newest_change_first(threads: StoredThreads, filled: Filled):
    def fill(rows: Filler) -> None:
        quiet = rows.thread("+12025550141", at=1)
        rows.text_out(quiet, state=State.DELIVERED)
        rows.thread("+12025550142", at=2, waits_since_at=minute(0))
        held = rows.thread("+12025550143", at=3)
        rows.text_out(held, state=State.HELD)
        rows.text_out(held, state=State.HELD, at=1)
        both = rows.thread("+12025550144", at=4, waits_since_at=minute(0))
        rows.text_out(both, state=State.HELD)
        rows.text_out(both, state=State.UNCONFIRMED, at=-1)

    filled(fill)
    shown = {view: [row.peer[-1] for row in (await threads.page(EVERYTHING, view)).rows] for view in View}
    assert shown == {View.ALL: ["4", "3", "2", "1"], View.WAITING: ["4", "2"], View.DOUBT: ["4", "3"]}
    assert [row.doubt for row in (await threads.page(EVERYTHING, View.ALL)).rows] == [
        State.UNCONFIRMED,
        State.HELD,
        None,
        None,
    ]
    assert await threads.waiting(EVERYTHING, 100) == 2
    assert await threads.waiting(EVERYTHING, 1) == 1


@pytest.mark.parametrize(
    ("fill", "last"),
    [
        pytest.param(lambda rows, thread: None, None, id="nothing yet"),
        pytest.param(
            lambda rows, thread: rows.text_in(thread, media=2), (LineKind.IN, "hi", "", 2), id="a text from them"
        ),
        pytest.param(
            lambda rows, thread: (rows.text_in(thread), rows.text_out(thread, at=1)),
            (LineKind.OUT, "sorry", "sent", 0),
            id="our answer",
        ),
        pytest.param(
            lambda rows, thread: (rows.text_in(thread), rows.call(at=1)), (LineKind.CALL, "", "", 0), id="a call"
        ),
        pytest.param(
            lambda rows, thread: (rows.text_in(thread), rows.call(at=1, did="+12025550102")),
            (LineKind.IN, "hi", "", 0),
            id="a call to another number of ours is another thread's",
        ),
        pytest.param(
            lambda rows, thread: (rows.text_in(thread), rows.call(at=1, did=ANA, direction="outbound")),
            (LineKind.CALL, "", "", 0),
            id="we called them",
        ),
        pytest.param(
            lambda rows, thread: (rows.text_in(thread), rows.text_in(thread, "half", at=1, state="waiting")),
            (LineKind.IN, "hi", "", 0),
            id="a text that waits for its parts is not shown",
        ),
    ],
)
async def test_a_row_shows_the_newest_line(threads: StoredThreads, filled: Filled, fill, last):
    filled(lambda rows: fill(rows, rows.thread()))
    (row,) = (await threads.page(EVERYTHING, View.ALL)).rows
    assert (row.last and (row.last.kind, row.last.text, row.last.state, row.last.media)) == last


async def test_a_person_is_found_on_each_of_our_numbers(threads: StoredThreads, filled: Filled):
    def fill(rows: Filler) -> None:
        other = rows.number("+12025550102")
        rows.thread(ANA, at=1)
        rows.thread(ANA, at=2, number=other)
        rows.thread("+12025550148", at=3)

    filled(fill)
    assert [row.did for row in (await threads.of_peer(EVERYTHING, ANA)).rows] == ["+12025550102", DID]
    assert (await threads.of_peer(EVERYTHING, "+12025550199")).rows == ()


async def test_the_head_knows_the_person(threads: StoredThreads, filled: Filled):
    def fill(rows: Filler) -> None:
        thread = rows.thread(unread=2, waits_since_at=minute(0), wrote_at=minute(1))
        rows.text_out(thread, language="es")
        rows.text_out(thread, language="fr", at=1)
        rows.text_out(thread, language="", at=2)
        for at in range(5):
            rows.call(at=at)

    filled(fill)
    head = await head_of(threads)
    assert (head.did, head.peer, head.unread, head.waits_since) == (DID, ANA, 2, NOON)
    assert (head.wrote_at, head.language, head.opted_out) == (NOON + timedelta(minutes=1), "fr", None)
    assert [call.at for call in head.calls] == [NOON + timedelta(minutes=at) for at in (4, 3, 2)]


async def test_the_head_knows_by_what_words_somebody_opted_out(threads: StoredThreads, filled: Filled):
    def fill(rows: Filler) -> None:
        thread = rows.thread()
        rows.text_in(thread, "arrêt", public_id="inb_stop")
        rows.ledger(thread, evidence="they called", method="person")
        rows.ledger(thread, at=1, evidence="inb_stop")
        rows.opted_out(thread, at=1)

    filled(fill)
    out = (await head_of(threads)).opted_out
    assert out is not None
    assert (out.at, out.method, out.words) == (NOON + timedelta(minutes=1), "text", "arrêt")


async def test_an_old_opt_out_that_was_taken_back_does_not_hold(threads: StoredThreads, filled: Filled):
    filled(lambda rows: rows.ledger(rows.thread(), evidence="they called"))
    assert (await head_of(threads)).opted_out is None


async def test_a_thread_is_one_line_of_calls_and_texts(threads: StoredThreads, filled: Filled):
    def fill(rows: Filler) -> None:
        thread = rows.thread()
        call = rows.call(rang_us=24_000_000, decision="send", reason="allowed", rule="r", queue="sales")
        text = rows.text_out(thread, call_id=call, rule="r", automatic=True, segments=2)
        rows.step(text, "submitting", detail="main")
        rows.step(text, "sent", at=1)
        rows.receipt(rows.attempt(text), "sent", at=1)
        rows.text_in(thread, "STOP", at=2, command="stop", public_id="inb_stop")
        rows.ledger(thread, at=2, evidence="inb_stop")
        mine = rows.account("Ana")
        rows.text_out(thread, "Sorry to hear", at=3, state=State.REFUSED, reason="opted_out", account_id=mine)
        rows.text_in(rows.thread("+12025550148"), "not theirs")

    filled(fill)
    found = await threads.timeline(await head_of(threads))
    call, sent, stop, note, refused = found.entries
    assert found.older is None
    assert isinstance(call, CallLine)
    assert (call.outcome, call.rang, call.reason, call.queue) == (
        "missed",
        timedelta(seconds=24),
        Reason.ALLOWED,
        "sales",
    )
    assert isinstance(sent, OutLine)
    assert (sent.state, sent.automatic, sent.segments, sent.call) == (State.SENT, True, 2, call.public_id)
    assert [step.state for step in sent.steps] == ["submitting", "sent"]
    assert [(tried.outcome, tried.carrier) for tried in sent.attempts] == [("accepted", "main")]
    assert [receipt.status for receipt in sent.receipts] == ["sent"]
    assert isinstance(stop, InLine)
    assert (stop.body, stop.command, stop.missing, stop.media) == ("STOP", "stop", (), ())
    assert isinstance(note, LedgerLine)
    assert (note.kind, note.words) == ("opt_out", "STOP")
    assert isinstance(refused, OutLine)
    assert (refused.state, refused.reason, refused.author) == (State.REFUSED, Reason.OPTED_OUT, "Ana")


async def test_a_text_in_parts_says_which_are_missing(threads: StoredThreads, filled: Filled):
    def fill(rows: Filler) -> None:
        thread = rows.thread()
        partial = rows.text_in(thread, "onethree", state="partial", pieces=3)
        rows.piece(partial, 1)
        rows.piece(partial, 3)
        rows.text_in(thread, "half of one", at=1, state="waiting", pieces=2)

    filled(fill)
    (text,) = (await threads.timeline(await head_of(threads))).entries
    assert isinstance(text, InLine)
    assert (text.pieces, text.missing) == (3, (2,))


async def test_a_text_says_what_it_repeats_and_what_photos_came_with_it(threads: StoredThreads, filled: Filled):
    def fill(rows: Filler) -> None:
        thread = rows.thread()
        first = rows.text_in(thread)
        second = rows.text_in(thread, at=1, repeats_id=first, media=2)
        rows.media(second, "image/png", seq=1)
        rows.media(second, "image/jpeg")

    filled(fill)
    first, second = (await threads.timeline(await head_of(threads))).entries
    assert isinstance(first, InLine) and isinstance(second, InLine)
    assert (first.repeats_at, first.media) == (None, ())
    assert (second.repeats_at, second.media) == (NOON, ("image/jpeg", "image/png"))


async def all_of_the_list(threads: StoredThreads, view: View) -> list[str]:
    peers: list[str] = []
    after: Place | None = None
    while True:
        page = await threads.page(EVERYTHING, view, after)
        assert len(page.rows) <= A_PAGE
        peers += [row.peer for row in page.rows]
        if page.older is None:
            return peers
        after = page.older


async def all_of_the_thread(threads: StoredThreads, head: Head) -> list[Point]:
    points: list[Point] = []
    before: Point | None = None
    while True:
        page: Timeline = await threads.timeline(head, before)
        assert len(page.entries) <= A_PAGE
        points = [entry.point for entry in page.entries] + points
        if page.older is None:
            return points
        before = page.older


# Few times, so that many rows have the same.
TIMES = st.lists(st.integers(0, 4), max_size=130)
SLOW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@SLOW
@given(times=TIMES)
async def test_all_pages_of_the_list_together_are_the_list(fresh: Fresh, times: list[int]):
    database, _clock = await fresh()

    def fill(rows: Filler) -> None:
        for last, at in enumerate(times):
            rows.text_out(rows.thread(f"{last}", at=at, waits_since_at=minute(0)), state=State.UNCONFIRMED)

    put(database.url, fill)
    ordered = sorted(range(len(times)), key=lambda last: (times[last], last), reverse=True)
    for view in View:
        assert await all_of_the_list(StoredThreads(database), view) == [str(last) for last in ordered]
    await database.close()


@SLOW
@given(kinds=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), max_size=160))
async def test_all_pages_of_a_thread_together_are_the_thread(fresh: Fresh, kinds: list[tuple[int, int]]):
    database, _clock = await fresh()

    def fill(rows: Filler) -> None:
        thread = rows.thread()
        for kind, at in kinds:
            match kind:
                case 0:
                    rows.call(at=at)
                case 1:
                    rows.text_in(thread, at=at)
                case 2:
                    rows.ledger(thread, at=at)
                case _:
                    rows.text_out(thread, at=at)

    put(database.url, fill)
    threads = StoredThreads(database)
    head = await head_of(threads)
    points = await all_of_the_thread(threads, head)
    assert points == sorted(points)
    assert len(set(points)) == len(points) == len(kinds)
    assert sorted((point.kind, point.at) for point in points) == sorted((kind, minute(at)) for kind, at in kinds)
    if 0 < len(points) <= LIVE_ENTRIES:
        middle = points[len(points) // 2]
        since = await threads.since(head, middle)
        assert [entry.point for entry in since.entries] == points[len(points) // 2 :]
    await database.close()


async def test_a_page_that_is_open_for_long_follows_only_the_newest(threads: StoredThreads, filled: Filled):
    def fill(rows: Filler) -> None:
        thread = rows.thread()
        for at in range(LIVE_ENTRIES + 1):
            rows.text_in(thread, at=at)

    filled(fill)
    head = await head_of(threads)
    found = await threads.since(head, Point(0, 0, 0))
    assert len(found.entries) == LIVE_ENTRIES
    assert found.older == found.entries[0].point


STATEMENTS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": statement
    for module in (read_threads, read_timeline)
    for name, statement in vars(module).items()
    if isinstance(statement, TextClause)
} | {f"page of {view}": statement for view, statement in read_threads.PAGE.items()}


def plain(statement: TextClause) -> str:
    """The statement as the driver gets it, with one place for a list of ids."""
    return re.sub(r"IN :these", "IN (:these)", str(statement.text))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, empty_sqlite: Path) -> Iterator[sqlite3.Connection]:
    path = tmp_path_factory.mktemp("plans") / "db"
    shutil.copy(empty_sqlite, path)

    def fill(rows: Filler) -> None:
        each = range(1, 2501)
        some = dict.fromkeys(("created_at", "changed_at"), 0)
        rows.many(
            tables.thread,
            [some | {"id": n, "public_id": f"t{n}", "number_id": 1, "peer": f"+{n}", "changed_at": n} for n in each],
        )
        times = dict.fromkeys(("not_before", "created_at", "state_at", "expires_at"), 0)
        text = {"carrier": "m", "class_": "c", "basis": "b", "language": "en", "cause": "c", "body": "b"} | times
        rows.many(
            tables.message,
            [text | {"id": n, "public_id": f"m{n}", "thread_id": n % 50 + 1, "state": "delivered"} for n in each],
        )
        came = {"carrier": "m", "received_at": 0, "carrier_at": 0, "body": "b", "state": "whole"}
        rows.many(
            tables.incoming, [came | {"id": n, "public_id": f"i{n}", "thread_id": n % 50 + 1, "at": n} for n in each]
        )
        rows.many(tables.opt_out_event, [{"thread_id": n % 50 + 1, "at": n, "kind": "k", "method": "m"} for n in each])
        rows.many(tables.message_event, [{"message_id": n, "at": n, "state": "sent"} for n in each])
        call = {"pbx": "m", "direction": "inbound", "caller": "c", "did": DID, "presentation": "shown"}
        names = ("public_id", "uniqueid", "linkedid")
        rows.many(
            tables.call,
            [call | dict.fromkeys(names, f"c{n}") | {"peer": f"+{n}", "started_at": n} for n in each],
        )

    put(f"sqlite:///{path}", fill)
    database = sqlite3.connect(path)
    yield database
    database.close()


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_read_of_the_inbox_walks_through_a_table(large: sqlite3.Connection, name: str):
    # these are made by the statement itself: one page, or no more than what is counted
    made = {"t", "few", "doubtful"}
    found = {table for table in walked(large, plain(STATEMENTS[name])) if table not in made}
    # by its own index the few texts that wait or are in doubt, which that list is made of
    assert found <= ({"message"} if name == "page of doubt" else set())


def test_the_texts_in_doubt_are_found_by_their_own_index(large: sqlite3.Connection):
    names = {"at": 1, "id": 1, "most": 1}
    plan = [row[3] for row in large.execute(f"EXPLAIN QUERY PLAN {plain(read_threads.PAGE[View.DOUBT])}", names)]
    assert [line for line in plan if line.startswith("SCAN message")] == [
        "SCAN message USING INDEX ix_message_doubtful"
    ]


@pytest.mark.parametrize("name", STATEMENTS)
def test_every_read_is_understood_by_postgresql(postgres: Cluster, name: str):
    statement = plain(STATEMENTS[name])
    names = dict.fromkeys(re.findall(r"(?<![:\w]):([a-z_]+)", statement), 1)
    words = {key: str(value) if key in ("peer", "did", "public_id") else value for key, value in names.items()}
    with psycopg.connect(postgres.conninfo("template")) as database:
        plan = database.execute("EXPLAIN " + re.sub(r"(?<![:\w]):([a-z_]+)", r"%(\1)s", statement), words).fetchall()
    assert plan


def test_no_read_skips_or_searches_by_likeness():
    for statement in STATEMENTS.values():
        assert re.findall(r"\b(OFFSET|LIKE|ILIKE)\b", str(statement.text), re.IGNORECASE) == []


def test_only_what_is_bounded_is_counted():
    counting = {name for name, statement in STATEMENTS.items() if "count(" in str(statement.text)}
    assert counting == {"read_threads.WAITING"}
    assert "LIMIT :most" in str(read_threads.WAITING.text)

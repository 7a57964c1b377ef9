"""The list of calls: what it finds, in which order, and by which index, on both databases."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringback.core.calls import UNANSWERED as NOT_ANSWERED
from ringback.core.calls import Outcome
from ringback.core.grants import EVERYTHING
from ringback.core.triggers import CallVerdict
from ringback.errors import StoreFault
from ringback.ports.callbook import CallFilter, Group
from ringback.store.database import reader
from ringback.store.moments import micros
from ringback.store.read_calls import Asked, ReadCalls, lines, read_page, read_story
from ringback.store.read_overview import ReadOverview, texted, unanswered
from tests.conftest import NOON
from tests.store.rows import OUR_NUMBER, a_call, a_task, a_text, a_thread, plan, put, run, walks

AT = micros(NOON)
MINUTE = 60_000_000
PAT, SAM = "+15125550123", "+15125550124"


def ids(page) -> list[int]:
    return [int(call.public_id.removeprefix("call_")) for call in page.calls]


def all_pages(url, wanted, most) -> list[list[int]]:
    """Every page from the newest on, asked for one after the other."""
    engine, pages, before = reader(url), [], None
    with engine.connect() as connection:
        while True:
            page = read_page(connection, EVERYTHING, wanted, before, most)
            pages.append(ids(page))
            before = page.older
            if before is None:
                break
    engine.dispose()
    return pages


UNSEEN = {"outcome": None, "decision": "none", "reason": "unseen", "rule": None}
CALLS = [
    a_call(1, AT),
    a_call(2, AT + MINUTE, decision="defer", reason="rate_number"),
    a_call(3, AT + 2 * MINUTE, decision="suppress", reason="cool_down"),
    a_call(4, AT + 3 * MINUTE, decision="none", reason="no_rule", rule=None, outcome="busy"),
    a_call(5, AT + 4 * MINUTE, decision="none", reason="answered", rule=None, outcome="answered"),
    a_call(6, AT + 5 * MINUTE, **UNSEEN),
    a_call(7, AT + 6 * MINUTE, ended_at=None, outcome=None, decision=None, reason=None, rule=None),
    a_call(8, AT + 7 * MINUTE, direction="outbound", decision="none", reason="no_rule", rule=None),
    a_call(9, AT + 8 * MINUTE, peer=SAM, caller=SAM),
    a_call(10, AT + 9 * MINUTE, outcome="failed", decision="none", reason="no_rule", rule=None),
]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param(CallFilter(), [10, 9, 8, 7, 6, 5, 4, 3, 2, 1], id="all calls, newest first"),
        pytest.param(CallFilter(Group.UNANSWERED), [9, 6, 4, 3, 2, 1], id="nobody answered, or nobody saw it"),
        pytest.param(CallFilter(Group.WITH_TEXT), [9, 2, 1], id="a text was asked for"),
        pytest.param(CallFilter(Group.WITHOUT_TEXT), [6, 4, 3], id="nobody answered and no text was asked for"),
        pytest.param(CallFilter(peer=SAM), [9], id="one person"),
        pytest.param(CallFilter(Group.WITHOUT_TEXT, peer=SAM), [], id="one person without a text"),
        pytest.param(
            CallFilter(since=NOON + timedelta(minutes=2), until=NOON + timedelta(minutes=4)), [4, 3], id="a span"
        ),
    ],
)
async def test_calls_are_found(store, url, wanted, found):
    put(url, {"call": CALLS})
    assert ids(await ReadCalls(store).page(EVERYTHING, wanted)) == found


MIXED = {
    n: (outcome, verdict)
    for n, (outcome, verdict) in enumerate(((o, v) for o in Outcome for v in CallVerdict), start=1)
}


async def test_the_groups_follow_the_outcomes_that_the_core_knows(store, url):
    put(url, {"call": [a_call(n, AT + n, outcome=o, decision=v) for n, (o, v) in MIXED.items()]})
    book = ReadCalls(store)
    missed = {n for n, (outcome, _) in MIXED.items() if outcome in NOT_ANSWERED}
    wanted = {n for n, (_, verdict) in MIXED.items() if verdict in (CallVerdict.SEND, CallVerdict.DEFER)}
    assert set(ids(await book.page(EVERYTHING, CallFilter(Group.UNANSWERED)))) == missed
    assert set(ids(await book.page(EVERYTHING, CallFilter(Group.WITH_TEXT)))) == wanted
    assert set(ids(await book.page(EVERYTHING, CallFilter(Group.WITHOUT_TEXT)))) == missed - wanted


async def test_a_line_brings_the_thread_and_the_state_of_the_text(store, url):
    put(
        url,
        {
            "number": [OUR_NUMBER],
            "thread": [a_thread()],
            "call": [a_call(1, AT), a_call(2, AT + 1, peer=SAM), a_call(3, AT + 2, rang_us=2_000_000)],
            "message": [
                a_text(1, AT, call_id=1),
                a_text(2, AT, call_id=1, rule="other"),
                a_text(3, AT, call_id=1, step=1),
            ],
            "pending_text": [waiting(2, "pending"), waiting(3, "cancelled")],
        },
    )
    third, second, first = (await ReadCalls(store).page(EVERYTHING, CallFilter())).calls
    assert (first.thread, first.text, first.waits_until) == (f"thr_{1:026}", "delivered", None)
    assert (second.thread, second.text, second.waits_until) == (None, None, NOON + timedelta(minutes=5))
    assert (third.rang, third.waits_until) == (timedelta(seconds=2), None)


def waiting(call: int, state: str) -> dict[str, object]:
    return {
        "call_id": call,
        "rule": "missed",
        "group_": "missed",
        "did": "+12025550101",
        "peer": PAT,
        "language": "en",
        "body": "Sorry",
        "cool_down_us": 0,
        "due_at": AT + 5 * MINUTE,
        "expires_at": AT,
        "state": state,
    }


@pytest.mark.parametrize("before", ["call_" + "z" * 26, "", "x' OR 1", "call_" + "0" * 5000])
async def test_an_unknown_place_to_go_on_from_is_the_newest(store, url, before):
    put(url, {"call": CALLS[:2]})
    assert ids(await ReadCalls(store).page(EVERYTHING, CallFilter(), before)) == [2, 1]


@given(moments=st.lists(st.integers(AT, AT + 4), min_size=1, max_size=12), most=st.integers(1, 5))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_have_no_gap_and_nothing_twice(url, moments, most):
    """Many calls of one moment, as after a long outage."""
    run(url, "DELETE FROM call")
    put(url, {"call": [a_call(n, at) for n, at in enumerate(moments, start=1)]})
    pages = all_pages(url, CallFilter(), most)
    newest_first = [n for at, n in sorted(((at, n) for n, at in enumerate(moments, start=1)), reverse=True)]
    assert [n for page in pages for n in page] == newest_first
    assert all(len(page) == most for page in pages[:-1])


async def test_the_story_of_a_call_is_found_by_its_own_id_only(store, url):
    put(url, {"number": [OUR_NUMBER], "thread": [a_thread()], "call": [a_call(1, AT)]})
    book = ReadCalls(store)
    story = await book.story(EVERYTHING, f"call_{1:026}")
    assert (story.linkedid, story.thread) == ("1.0", f"thr_{1:026}")
    for other in (f"call_{2:026}", "1.0", PAT, f"msg_{1:026}", ""):
        assert await book.story(EVERYTHING, other) is None


async def test_a_call_of_a_stranger_has_no_thread(store, url):
    put(url, {"number": [OUR_NUMBER], "thread": [a_thread()], "call": [a_call(1, AT, peer=None)]})
    assert (await ReadCalls(store).story(EVERYTHING, f"call_{1:026}")).thread is None


ROWS = 2_400
PLACE = (AT, 5)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory, empty_sqlite):
    """A SQLite database with many calls, their texts, and tasks."""
    path = tmp_path_factory.mktemp("crowd") / "db"
    path.write_bytes(empty_sqlite.read_bytes())
    url = f"sqlite:///{path}"
    verdicts = ("send", "defer", "suppress", "none")
    put(
        url,
        {
            "number": [OUR_NUMBER],
            "thread": [a_thread()],
            "call": [a_call(n, AT + n, decision=verdicts[n % 4]) for n in range(1, ROWS)],
            "message": [a_text(n, AT, call_id=n) for n in range(1, ROWS)],
            "task": [a_task(n, AT + n, done_at=AT if n % 2 else None) for n in range(1, ROWS)],
        },
    )
    engine = reader(url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.mark.parametrize("before", [pytest.param(None, id="from the newest"), pytest.param(PLACE, id="older")])
@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        pytest.param(CallFilter(), "ix_call_started_at_id", id="all"),
        pytest.param(CallFilter(since=NOON), "ix_call_started_at_id", id="a day"),
        pytest.param(CallFilter(Group.UNANSWERED), "ix_call_unanswered", id="unanswered"),
        pytest.param(CallFilter(Group.WITH_TEXT), "ix_call_with_text", id="with a text"),
        pytest.param(CallFilter(Group.WITHOUT_TEXT), "ix_call_without_text", id="without a text"),
        pytest.param(CallFilter(Group.WITHOUT_TEXT, NOON, NOON), "ix_call_without_text", id="without a text, one day"),
        pytest.param(CallFilter(peer=PAT), "ix_call_peer_started_at", id="one person"),
        pytest.param(CallFilter(Group.WITH_TEXT, peer=PAT), "ix_call_peer_started_at", id="one person, with a text"),
    ],
)
def test_a_page_walks_along_its_own_index(crowd, wanted, before, index):
    steps = plan(crowd, lines(Asked(wanted, before, 51)))
    assert [(table, used) for table, used in walks(steps) if table != "newest"] in ([], [("call", index)])
    assert any(index in step for step in steps)
    assert [step for step in steps if "call" in step and "TEMP B-TREE" in step] == []


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        pytest.param(unanswered(NOON), "ix_call_unanswered", id="calls nobody answered"),
        pytest.param(texted(NOON), "ix_call_with_text", id="texts that went"),
    ],
)
def test_a_figure_counts_along_its_own_index(crowd, statement, index):
    steps = plan(crowd, statement)
    assert [table for table, _ in walks(steps) if table != "newest"] == []
    assert any(index in step for step in steps)


@pytest.mark.parametrize(("most", "older"), [(ROWS - 1, False), (ROWS - 2, True)])
def test_the_last_page_knows_that_it_is(crowd, most, older):
    assert (read_page(crowd, EVERYTHING, CallFilter(), None, most).older is not None) is older


def test_a_story_of_a_crowd_is_read(crowd):
    assert read_story(crowd, EVERYTHING, f"call_{7:026}").texts[0].state == "delivered"


async def test_the_day_in_figures(store, url):
    yesterday = AT - 3600 * 1_000_000
    put(
        url,
        {
            "number": [OUR_NUMBER],
            "thread": [a_thread(), a_thread(2, peer=SAM, waits_since_at=AT)],
            "call": [
                a_call(1, yesterday),
                a_call(2, AT),
                a_call(3, AT + 1),
                a_call(4, AT + 2, decision="none"),
                a_call(5, AT + 3, outcome="answered", decision="none"),
            ],
            "message": [
                a_text(1, yesterday, call_id=1),
                a_text(2, AT, call_id=2),
                a_text(3, AT, call_id=3, state="failed"),
            ],
            "task": [a_task(1, AT), a_task(2, AT, done_at=AT), a_task(3, AT, due_at=AT)],
        },
    )
    day = await ReadOverview(store).day(EVERYTHING, NOON)
    assert (day.unanswered, day.texted, day.waiting, day.tasks) == (3, 1, 1, 2)


@pytest.mark.parametrize(
    ("rows", "past"),
    [
        pytest.param({}, (False, False), id="nothing yet"),
        pytest.param({"call": [a_call(1, AT)]}, (True, False), id="a call"),
        pytest.param(
            {"number": [OUR_NUMBER], "thread": [a_thread()], "message": [a_text(1, AT, state="failed")]},
            (False, False),
            id="a text that failed",
        ),
        pytest.param(
            {"number": [OUR_NUMBER], "thread": [a_thread()], "message": [a_text(1, AT, state="sent")]},
            (False, True),
            id="a text that went",
        ),
    ],
)
async def test_what_has_happened_at_least_once(store, url, rows, past):
    put(url, rows)
    seen = await ReadOverview(store).past()
    assert (seen.called, seen.texted) == past


async def test_a_database_that_cannot_be_read_is_a_fault_that_the_page_knows(store, url):
    run(url, "ALTER TABLE call RENAME TO gone")
    with pytest.raises(StoreFault, match="cannot be read"):
        await ReadOverview(store).day(EVERYTHING, NOON)
    with pytest.raises(StoreFault, match="cannot be read"):
        await ReadOverview(store).past()

"""Texts are found by their words on both databases, in the index and before they are in it; nothing is a command."""

from datetime import timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from ringback.core.grants import EVERYTHING
from ringback.core.permissions import at_the_shell
from ringback.core.search import read_query
from ringback.flow.indexing import Indexing, take_in
from ringback.flow.retention import age, erase, wipe_all
from ringback.ports.retention import Kept
from ringback.ports.search import FoundPlace, Side, Within
from ringback.store import read_search
from ringback.store.addresses import sqlite_path
from ringback.store.read_search import A_PAGE, StoredSearch
from tests.conftest import NOON
from tests.panel.hostile import HOSTILE
from tests.store.rows import OUR_NUMBER, a_text, a_thread, changing, put, run

BEGUN = 1_795_000_000_000_000
ANA, BEN = "+15125550123", "+15125550124"
WHO = at_the_shell("root")


def came(n, at, body, **change):
    return {
        "id": n,
        "public_id": f"inb_{n:026}",
        "thread_id": 1,
        "carrier": "main",
        "at": BEGUN + at,
        "received_at": BEGUN + at,
        "carrier_at": BEGUN + at,
        "body": body,
        "state": "whole",
    } | change


def went(n, at, body, **change):
    return a_text(n, BEGUN + at, body=body, **change)


@pytest.fixture
def search(store):
    return StoredSearch(store)


@pytest.fixture
def two(url):
    """Two people, and two numbers of ours."""
    put(
        url,
        {
            "number": [OUR_NUMBER, {"id": 2, "e164": "+12025550102"}],
            "thread": [a_thread(1, 1, ANA), a_thread(2, 2, BEN)],
        },
    )


async def index(store, limit=100):
    while await store.commit(partial(take_in, limit)):
        pass


async def found(search, typed, within=Within(), after=None):  # noqa: B008  # a tuple never changes
    page = await search.find(EVERYTHING, read_query(typed), within, after)
    return [row.public_id[:3] + row.public_id.lstrip("abcdefghijklmnopqrstuvwxyz_0") for row in page.rows]


@pytest.fixture
def talk(url, two):
    """What both wrote, and what was answered."""
    put(
        url,
        {
            "message": [
                went(1, 10, "We are sorry we missed you, the office is closed"),
                went(2, 30, "Ein Techniker kommt früh, der Boiler wird geprüft"),
                went(3, 50, "Your office door is open again", thread_id=2),
            ],
            "incoming": [
                came(1, 20, "The BOILER shows E17, don't you come?"),
                came(2, 40, "Café at nine. 東京で会いましょう"),
                came(3, 60, "boiling water everywhere", thread_id=2),
            ],
        },
    )


ROWS = [
    pytest.param("boiler", ["msg2", "inb1"], id="a word, ours and theirs, the newest first"),
    pytest.param("boil", ["inb3", "msg2", "inb1"], id="the beginning of a word"),
    pytest.param("boile", ["msg2", "inb1"], id="a longer beginning"),
    pytest.param("boil shows", [], id="only the last word is a beginning"),
    pytest.param("shows boil", ["inb1"], id="two words in any order"),
    pytest.param("fruh", ["msg2"], id="without its accent"),
    pytest.param("FRÜH", ["msg2"], id="in capitals, with it"),
    pytest.param("dont", ["inb1"], id="without its apostrophe"),
    pytest.param("e17", ["inb1"], id="letters and digits"),
    pytest.param('"the office"', ["msg1"], id="a phrase"),
    pytest.param('"office the"', [], id="a phrase the other way round"),
    pytest.param("東京", ["inb2"], id="words that have no blanks between"),
    pytest.param("京東", [], id="in another order"),
    pytest.param("nobody", [], id="what nobody wrote"),
    pytest.param("office closed nobody", [], id="each word must be there"),
    pytest.param("a", [], id="too little"),
    pytest.param("", [], id="nothing"),
]


@pytest.mark.parametrize(("typed", "rows"), ROWS)
@pytest.mark.parametrize("taken_in", ["all", "some", "none"])
async def test_texts_are_found_wherever_they_are(search, store, talk, url, typed, rows, taken_in):
    if taken_in == "all":
        await index(store)
    elif taken_in == "some":
        await store.commit(partial(take_in, 2))
    assert await found(search, typed) == rows


async def test_what_is_found_says_where_it_stands_and_what(search, store, talk):
    await index(store)
    ours, theirs = (await search.find(EVERYTHING, read_query("boiler"))).rows
    assert (ours.side, ours.state, ours.peer, ours.did, ours.thread) == (
        Side.OUT,
        "delivered",
        ANA,
        OUR_NUMBER["e164"],
        f"thr_{1:026}",
    )
    assert (ours.point, theirs.point) == ((BEGUN + 30, 3, 2), (BEGUN + 20, 1, 1))
    assert [(bit.text, bit.hit) for bit in theirs.bits] == [
        ("The ", False),
        ("BOILER", True),
        (" shows E17, don't you come?", False),
    ]


@pytest.mark.parametrize("taken_in", [True, False], ids=["in the index", "before"])
async def test_one_thread_or_one_number_is_looked_through(search, store, talk, taken_in):
    if taken_in:
        await index(store)
    assert await found(search, "office", Within(thread=f"thr_{2:026}")) == ["msg3"]
    assert await found(search, "office", Within(did="+12025550101")) == ["msg1"]
    assert await found(search, "office", Within(f"thr_{1:026}", "+12025550102")) == []
    assert await found(search, "office", Within(thread="thr_nobody")) == []
    assert await found(search, "office", Within(did="+19995550100")) == []


@pytest.mark.parametrize("taken_in", [0, 25, 1000], ids=["all new", "half in the index", "all in the index"])
async def test_pages_follow_each_other_while_texts_come_and_are_taken_in(search, store, url, two, taken_in):
    rows = 2 * A_PAGE + 5
    put(
        url,
        {
            "message": [went(n, 2 * n, f"hello {n}") for n in range(1, rows + 1)],
            "incoming": [came(n, 2 * n + 1, f"hello {n}") for n in range(1, rows + 1)],
        },
    )
    if taken_in:
        await store.commit(partial(take_in, taken_in))
    seen, place = [], None
    for new in range(rows + 1, rows + 20):
        page = await search.find(EVERYTHING, read_query("hello"), after=place)
        seen += [row.public_id for row in page.rows]
        place = page.older
        if place is None:
            break
        put(url, {"message": [went(new, 2 * new, "hello again")]})
        await store.commit(partial(take_in, 40))
    times = sorted(
        [(2 * n, f"msg_{n:026}") for n in range(1, rows + 1)]
        + [(2 * n + 1, f"inb_{n:026}") for n in range(1, rows + 1)]
    )
    assert seen == [public_id for _, public_id in reversed(times)]
    assert place is None


async def test_a_full_page_that_is_the_last_says_so(search, store, url, two):
    put(url, {"message": [went(n, n, "hello") for n in range(1, A_PAGE + 1)]})
    assert (await search.find(EVERYTHING, read_query("hello"))).older is None


async def test_a_page_says_when_too_much_is_not_taken_in(search, store, url, two, monkeypatch):
    monkeypatch.setattr(read_search, "TAIL", 3)
    put(url, {"message": [went(n, n, f"word {n}") for n in range(1, 6)]})
    page = await search.find(EVERYTHING, read_query("word"))
    assert (len(page.rows), page.whole) == (3, False)
    await index(store)
    page = await search.find(EVERYTHING, read_query("word"))
    assert (len(page.rows), page.whole) == (5, True)


async def test_old_and_rare_words_are_found_behind_many_others(search, store, url, two, monkeypatch):
    monkeypatch.setattr(read_search, "A_PAGE", 5)
    put(url, {"message": [went(n, n, "rare bird" if n < 4 else "common") for n in range(1, 40)]})
    await index(store)
    assert await found(search, "rare") == ["msg3", "msg2", "msg1"]


async def test_a_text_in_pieces_is_found_once_it_is_whole(search, store, url, two):
    put(url, {"incoming": [came(1, 1, "first half", state="waiting", pieces=2)], "search_again": [{"incoming_id": 1}]})
    assert await found(search, "half") == []
    await index(store)
    assert await found(search, "half") == []
    run(url, "UPDATE incoming SET body = 'first half and second', state = 'whole' WHERE id = 1")
    put(url, {"search_again": [{"incoming_id": 1}]})
    assert await found(search, "second half") == ["inb1"]
    await index(store)
    assert await found(search, "second half") == ["inb1"]


async def test_a_late_piece_is_found_and_the_old_words_are_not_twice(search, store, url, two):
    put(url, {"incoming": [came(1, 1, "alpha", state="partial", pieces=2)]})
    await index(store)
    run(url, "UPDATE incoming SET body = 'beta', state = 'whole' WHERE id = 1")
    put(url, {"search_again": [{"incoming_id": 1}]})
    assert (await found(search, "alpha"), await found(search, "beta")) == ([], ["inb1"])
    await index(store)
    assert (await found(search, "alpha"), await found(search, "beta")) == ([], ["inb1"])


async def test_how_far_behind_the_index_is_can_be_told(store, talk):
    assert await store.commit(lambda tx: tx.search.behind()) == 6
    await index(store)
    assert await store.commit(lambda tx: tx.search.behind()) == 0


async def test_the_part_takes_in_what_is_written(store, clock, search, url, talk):
    indexing = Indexing(store, store.changes, clock)
    assert await indexing.catch_up() == 6
    assert await indexing.catch_up() == 0


async def test_what_is_too_old_is_not_found(search, store, talk):
    await index(store)
    await store.commit(partial(age, Kept.SENT, NOON + timedelta(days=9999)))
    await store.commit(partial(age, Kept.CAME, NOON + timedelta(days=9999)))
    assert await found(search, "boiler") == []
    assert await rows_left(store) == 0


async def rows_left(store):
    return await store.read(
        lambda c: sum(
            c.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar() for name in ("search_out", "search_in")
        )
    )


async def test_an_erased_person_is_not_found_and_the_other_is(search, store, talk):
    await index(store)
    await store.commit(partial(erase, ANA, WHO, NOON))
    assert await found(search, "boiler") == []
    assert await found(search, "office") == ["msg3"]
    assert await rows_left(store) == 2


PEOPLE = 40


async def test_no_byte_of_an_erased_persons_words_is_left_in_the_index(search, store, url):
    path = sqlite_path(url)
    put(url, {"number": [OUR_NUMBER], "thread": [a_thread(n, 1, f"+1512555{n:04}") for n in range(1, PEOPLE + 1)]})
    for n in range(1, PEOPLE + 1):
        put(
            url,
            {
                "message": [went(n, n, f"hello outcanary{n:04}x", thread_id=n)],
                "incoming": [came(n, n, f"hello incanary{n:04}x", thread_id=n)],
            },
        )
        await store.commit(partial(take_in, 100))
    gone = range(1, PEOPLE + 1, 4)
    for n in gone:
        await store.commit(partial(erase, f"+1512555{n:04}", WHO, NOON))
    await store.commit(wipe_all)
    assert await store.scrub()
    for n in range(1, PEOPLE + 1):
        left = 0 if n in gone else 1
        assert len(await found(search, f"outcanary{n:04}x")) == left
        assert len(await found(search, f"incanary{n:04}x")) == left
    if path is not None:
        left = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
        # a leaf of the index holds of each word only what the word before it has not
        assert [n for n in gone if f"outcanary{n:04}x".encode() in left or f"incanary{n:04}x".encode() in left] == []
        assert all(f"outcanary{n:04}x".encode() in left for n in range(1, PEOPLE + 1) if n not in gone)
        assert await terms(store) & {f"{kind}canary{n:04}x" for n in gone for kind in ("out", "in")} == set()


async def terms(store):
    """Every word that the index of SQLite knows."""

    def known(tx):
        run = tx.search._run._driver._connection  # only FTS5 itself says which words it has
        words = set()
        for name in ("search_out", "search_in"):
            run.execute(f"CREATE VIRTUAL TABLE temp.seen_{name} USING fts5vocab('main', '{name}', 'row')")
            words |= {row[0] for row in run.execute(f"SELECT term FROM temp.seen_{name}")}
        return words

    return await store.commit(known)


SYNTAX = (
    *('"', '""', '"a', "*", "^hello", "hello*", "NEAR(a b)", "a AND", "OR", "NOT hello", "words:hello", "{words}:"),
    *(
        "-hello",
        "(",
        ")",
        "hello +",
        "'",
        "\\",
        "a & b",
        "!hello",
        "hello:*",
        "<->",
        "a | b",
        "'x':*",
        "hello\x00there",
    ),
    *("%s %(match)s", ":words", "\udcff hello", "\ud800", "🙂 hello", "' OR 1=1 --", "'); DROP TABLE message; --"),
    *("é" * 500, "x " * 500, "#t1", "t1", "n1"),
)


@pytest.mark.parametrize("typed", [*SYNTAX, *HOSTILE], ids=range(len(SYNTAX) + len(HOSTILE)))
async def test_nothing_that_is_typed_is_a_command(search, store, talk, typed):
    await index(store)
    before = await found(search, typed)
    assert before == await found(search, typed)
    assert await found(search, "boiler") == ["msg2", "inb1"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(typed=st.text(max_size=60) | st.text(alphabet="\"*^:(){}-+&|!<>\\'ANDORT hello東é", max_size=40))
async def test_any_text_is_looked_for_without_a_fault(search, talk, typed):
    page = await search.find(EVERYTHING, read_query(typed), after=FoundPlace(10**9, 10**9))
    assert all(row.bits for row in page.rows)


SENT = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00"), min_size=1, max_size=80)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=SENT, data=st.data())
async def test_the_index_and_the_tail_agree(search, store, url, talk, body, data):
    run(url, "DELETE FROM setting WHERE key IN ('search:out', 'search:in')")
    with changing(url) as connection:
        connection.execute(text("UPDATE message SET body = :body WHERE id = 1"), {"body": body})
    words = body.split() or ["x"]
    typed = " ".join(data.draw(st.lists(st.sampled_from(words), min_size=1, max_size=3)))
    tail = await found(search, typed)
    await index(store)
    assert await found(search, typed) == tail

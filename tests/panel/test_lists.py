"""The pages of lists: who may, what a press does, what a file would change, and what leaves as a file."""

import io
import re
import shutil
import sqlite3
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from aiohttp import FormData
from openpyxl import load_workbook

from ringback.core.numbers import NumberFormat, read_number
from ringback.core.permissions import Role
from ringback.flow.list_keeping import ListKeeper
from ringback.flow.lists import Turn, add, turn_staging
from ringback.panel import list_words as words
from ringback.panel.list_files import ListFiles
from ringback.panel.lists import ListPages
from ringback.panel.words import legible
from ringback.ports.lists import Entry, ListName
from ringback.store.lists import PAGE, PAGE_AFTER, ReadLists
from ringback.store.pairs import FACTS
from tests.conftest import NOON
from tests.flow.test_lists import PAT, SAM, SHELL, row
from tests.panel.hostile import HOSTILE
from tests.panel.reading import Page
from tests.panel.visiting import client_as

typed = partial(read_number, fmt=NumberFormat.AS_IS, country="US")


@asynccontextmanager
async def visit(store, clock, role=Role.SUPERVISOR):
    keeper = ListKeeper(store, ReadLists(store), clock)
    await keeper.load()
    pages = (
        lambda shell: ListPages(shell, keeper, typed),
        lambda shell: ListFiles(shell, keeper, typed, ZoneInfo("America/New_York"), clock),
    )
    async with client_as(role, *pages, clock=clock) as visitor:
        yield visitor


def main_of(page):
    """What stands on the page itself."""
    return page.by_tag("main")[0].words


async def entries(store, number=PAT):
    return [(entry.list, entry.reason) for entry in await ReadLists(store).of(number)]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/lists"),
        ("GET", "/lists/never"),
        ("POST", "/lists/never/add"),
        ("POST", "/lists/never/remove"),
        ("GET", "/lists/never/import"),
        ("POST", "/lists/never/import"),
        ("POST", "/lists/never/apply"),
        ("GET", "/lists/never/faults"),
        ("GET", "/lists/never/export"),
        ("POST", "/staging"),
    ],
)
async def test_an_agent_has_no_business_here(store, clock, method, path):
    async with visit(store, clock, Role.AGENT) as visitor:
        answer = await (visitor.get(path) if method == "GET" else visitor.post(path, {"way": "on", "number": PAT}))
        assert answer.status == 403
    assert await entries(store) == []


async def test_an_auditor_reads_and_changes_nothing(store, clock):
    await store.commit(partial(add, SHELL, ListName.NEVER, PAT, "my brother", NOON))
    async with visit(store, clock, Role.AUDITOR) as visitor:
        page = await visitor.page("/lists/never")
        assert "my brother" in main_of(page)
        assert not [
            form for form in page.by_tag("form") if str(form.attributes.get("action")).startswith("/lists/never/")
        ]
        assert (await visitor.post("/lists/never/remove", {"number": PAT})).status == 403


async def test_a_number_is_put_on_a_list_and_taken_off(store, clock):
    async with visit(store, clock) as visitor:
        answer = await visitor.post("/lists/never/add", {"number": "(512) 555-0123", "why": "my brother"})
        assert (answer.status, answer.headers["Location"]) == (303, "/lists/never?done=added")
        assert await entries(store) == [(ListName.NEVER, "my brother")]
        again = await visitor.post("/lists/never/add", {"number": PAT, "why": "x"})
        assert again.status == 409
        assert words.ALREADY in await again.text()
        answer = await visitor.post("/lists/never/remove", {"number": PAT, "why": "he asked"})
        assert answer.headers["Location"] == "/lists/never?done=removed"
        assert await entries(store) == []
        assert (await visitor.post("/lists/never/remove", {"number": PAT})).status == 409


@pytest.mark.parametrize(
    ("path", "form", "status", "says"),
    [
        pytest.param("never/add", {"number": "12 34"}, 422, words.NO_NUMBER, id="no number"),
        pytest.param("stopped/remove", {"number": PAT, "why": " "}, 422, words.NO_WHY, id="taken back without a word"),
        pytest.param("never/import", {}, 422, words.NO_FILE, id="no file"),
        pytest.param("never/apply", {"token": "x"}, 422, words.GONE, id="a preview that is gone"),
        pytest.param("friends/add", {"number": PAT}, 404, "", id="no such list"),
    ],
)
async def test_what_cannot_be_done_says_why(store, clock, path, form, status, says):
    async with visit(store, clock) as visitor:
        answer = await visitor.post(f"/lists/{path}", form)
        assert answer.status == status
        assert says in main_of(Page(await answer.text()))


async def test_the_switch_shows_and_says_who_turned_it(store, clock):
    async with visit(store, clock) as visitor:
        answer = await visitor.post("/staging", {"way": "on"})
        assert answer.headers["Location"] == "/lists/only?done=on"
        assert "Staging is on since" in main_of(await visitor.page("/lists/never"))
        assert (await visitor.post("/staging", {"way": "sideways"})).status == 400
        await visitor.post("/staging", {"way": "off"})
        assert "Staging is on since" not in main_of(await visitor.page("/lists/never"))


@pytest.mark.parametrize("said", HOSTILE)
async def test_what_people_wrote_is_shown_as_text(store, clock, said):
    stored = said.replace("\0", "").encode("utf-8", "replace").decode()
    await store.commit(lambda tx: tx.lists.put(Entry(ListName.NEVER, PAT, stored, stored, "x", NOON)))
    async with visit(store, clock) as visitor:
        page = await visitor.page("/lists/never")
        shown = " ".join(main_of(page).split())
        assert " ".join(legible(stored).split()) in shown


async def test_a_number_is_found_on_every_list(store, clock):
    for name in ListName:
        await store.commit(partial(add, SHELL, name, PAT, f"why {name}", NOON))
    async with visit(store, clock) as visitor:
        found = main_of(await visitor.page("/lists/never?q=512-555-0123"))
        assert all(f"why {name}" in found for name in ListName)
        assert "On no list" in main_of(await visitor.page(f"/lists/never?q=%2B{SAM[1:]}"))
        assert words.NO_NUMBER in main_of(await visitor.page("/lists/never?q=hello"))


async def test_later_pages_go_on_where_the_first_ends(store, clock):
    rows = [row(f"+1512555{n:04}") for n in range(120)]
    keeper = ListKeeper(store, ReadLists(store), clock)
    await keeper.bring_in(SHELL, ListName.NEVER, rows, "x")
    seen, path = [], "/lists/never"
    async with visit(store, clock) as visitor:
        while path:
            page = await visitor.page(path)
            seen += [cell.words.strip() for cell in page.by_tag("th") if "lead" in str(cell.attributes.get("class"))]
            path = next((a.attributes["href"] for a in page.by_tag("a") if a.attributes.get("rel") == "next"), "")
        assert (await visitor.get("/lists/never?after=x-y-z")).status == 200
    assert len(seen) == len(set(seen)) == 120


# Files


async def upload(visitor, data, name="old.csv", list_="stopped"):
    form = FormData()
    form.add_field("csrf", visitor.csrf)
    form.add_field("file", io.BytesIO(data), filename=name, content_type="text/csv")
    return await visitor.session.post(
        f"/lists/{list_}/import", data=form, headers={"Origin": visitor.origin}, allow_redirects=False
    )


def token_of(html):
    return next(one.attributes["value"] for one in Page(html).by_tag("input") if one.attributes.get("name") == "token")


async def test_a_file_is_looked_at_first_and_stored_then(store, clock):
    data = f"phone;date;reason\n{PAT};2024-05-06;STOP\n{SAM};;=not\n".replace("=not", "letter").encode()
    async with visit(store, clock) as visitor:
        html = await (await upload(visitor, data)).text()
        assert "Put 2 numbers on the list" in html
        assert await entries(store) == []
        done = await visitor.post("/lists/stopped/apply", {"token": token_of(html)})
        assert "2 numbers were put on the list." in await done.text()
        assert await entries(store) == [(ListName.STOPPED, "STOP")]
        assert (await visitor.post("/lists/stopped/apply", {"token": token_of(html)})).status == 422
        assert "nothing to do" in await (await upload(visitor, f"number;date\n{PAT};2024-05-06\n".encode())).text()


async def test_a_preview_of_another_list_or_of_long_ago_is_gone(store, clock):
    async with visit(store, clock) as visitor:
        token = token_of(await (await upload(visitor, f"number\n{PAT}\n".encode())).text())
        assert (await visitor.post("/lists/never/apply", {"token": token})).status == 422
        clock.move(timedelta(minutes=29))
        assert (await visitor.get(f"/lists/stopped/faults?token={token}")).status == 200
        clock.move(timedelta(minutes=2))
        assert (await visitor.post("/lists/stopped/apply", {"token": token})).status == 422


async def test_five_thousand_faulty_lines_are_told_and_nothing_is_stored(store, clock):
    lines = [f"12 34;soon;=cmd|' /C calc'!A{n}" for n in range(5000)]
    data = "\n".join(["number;date;reason", f"{PAT};;fine", *lines]).encode()
    async with visit(store, clock) as visitor:
        html = await (await upload(visitor, data)).text()
        assert "It cannot be imported as it is" in html
        assert 'name="token"' not in html
        assert html.count("The cell begins with a formula") == 200
        link = html.split("/faults?token=")[1].split('"')[0]
        faults = (await (await visitor.get(f"/lists/stopped/faults?token={link}")).read()).decode("utf-8-sig")
        assert len(faults.splitlines()) == 5001
        assert (await visitor.post("/lists/stopped/apply", {"token": link})).status == 422
    assert await entries(store) == []


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00\x01", b"PK\x03\x04broken", b'number\n"open', b"x" * 9_000_000],
    ids=["nothing", "bytes", "a broken workbook", "an open quote", "too large"],
)
async def test_what_is_no_table_is_refused_and_says_so(store, clock, data):
    async with visit(store, clock) as visitor:
        answer = await upload(visitor, data)
        assert answer.status in (200, 413, 422)
        assert "Put " not in (await answer.text()).partition("<main")[2].partition("<form")[0]


async def test_what_leaves_is_no_formula_and_comes_back_as_it_was(store, clock):
    reasons = ["=1+1", "+cmd", "-x", "@SUM(A1)", "\uff1dA1", 'quote " and ; comma,', "plain"]
    numbers = [f"+151255501{n:02}" for n in range(len(reasons))]
    rows = [row(number, clock.now(), reason) for number, reason in zip(numbers, reasons, strict=True)]
    keeper = ListKeeper(store, ReadLists(store), clock)
    await keeper.bring_in(SHELL, ListName.NEVER, rows, "x")
    async with visit(store, clock) as visitor:
        csv = await (await visitor.get("/lists/never/export?format=csv")).read()
        book = await (await visitor.get("/lists/never/export?format=xlsx")).read()
        assert csv.startswith(b"\xef\xbb\xbf")
        cells = [cell for line in load_workbook(io.BytesIO(book)).worksheets[0].iter_rows() for cell in line]
        assert {cell.data_type for cell in cells} == {"s"}
        assert {cell.value for cell in cells} >= {*numbers, *reasons}
        html = await (await upload(visitor, csv, list_="only")).text()
        assert "What is wrong" not in html, main_of(Page(html))
        await visitor.post("/lists/only/apply", {"token": token_of(html)})
    back = {entry.number: entry.reason for entry in (await ReadLists(store).page(ListName.ONLY)).entries}
    assert back == dict(zip(numbers, reasons, strict=True))
    noted = await store.read(
        lambda at: at.exec_driver_sql("SELECT detail FROM audit WHERE action='list_export'").fetchall()
    )
    assert [tuple(line) for line in noted] == [("csv",), ("xlsx",)]


async def test_staging_that_was_on_before_the_start_is_shown(store, clock):
    await store.commit(partial(turn_staging, SHELL, Turn.ON, NOON))
    async with visit(store, clock) as visitor:
        assert "turned on by root" in main_of(await visitor.page("/lists/only"))


# How they are found


def plan(path, statement):
    database = sqlite3.connect(path)
    database.execute(
        """INSERT INTO listed (key, list, reason, source, by_, at) WITH RECURSIVE few(n) AS
        (SELECT 1 UNION ALL SELECT n + 1 FROM few WHERE n < 3000) SELECT n, 'stopped', '', '', '', n FROM few"""
    )
    names = dict.fromkeys(re.findall(r"(?<![:\w]):([a-z_][a-z0-9_]*)", statement.sqlite))
    return [line[3] for line in database.execute(f"EXPLAIN QUERY PLAN {statement.sqlite}", names)]


@pytest.mark.parametrize("statement", [PAGE, PAGE_AFTER], ids=["the first page", "a later one"])
def test_a_page_of_a_long_list_is_read_in_the_order_of_its_index(tmp_path, empty_sqlite, statement):
    told = plan(shutil.copy(empty_sqlite, tmp_path / "db"), statement)
    assert any("ix_listed_list_at_key" in line for line in told)
    assert not any("TEMP B-TREE" in line for line in told)


def test_the_facts_of_a_pair_look_people_up_by_their_key(tmp_path, empty_sqlite):
    told = [line for line in plan(shutil.copy(empty_sqlite, tmp_path / "db"), FACTS) if " l " in f"{line} "]
    assert len(told) == 1
    assert "(key=?)" in told[0]

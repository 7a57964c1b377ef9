"""A person written out or erased from the thread with them: only who may, only this one, and the record says so."""

import io
import json
import zipfile
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from sqlalchemy import text

from ringback.core.grants import Effect, Grant, Level, Subject, Way
from ringback.core.permissions import Role
from ringback.flow.permits import Permits
from ringback.flow.retention import Retention
from ringback.panel.person_file import NOT_SURE, Cabinet, PersonPages
from ringback.store.late import read_person, read_threads
from ringback.store.verifying import Verifier
from tests.conftest import NOON
from tests.fakes.grants import OPEN_BOOK, Shelf, open_permits
from tests.flow.test_retention import TIMES
from tests.flow.world import PAT, SAM, World, a_call, life_of
from tests.panel.visiting import ANA, client_as


@pytest.fixture
async def world(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        yield world


@asynccontextmanager
async def pages(store, clock, folder, url, role=Role.ADMINISTRATOR, permits=open_permits):
    keeper = Retention(store, clock, TIMES, store.scrub)
    cabinet = Cabinet(read_person(store), read_threads(store), keeper, Verifier(url, folder), store, clock)
    somebody = replace(ANA, roles=frozenset({role}))
    async with client_as(somebody, lambda shell: PersonPages(shell, cabinet), clock=clock, permits=permits) as visitor:
        yield visitor


async def thread_with(store, person):
    question = text("SELECT public_id FROM thread WHERE peer = :peer")
    return await store.read(lambda connection: connection.execute(question, {"peer": person}).scalar())


async def noted(store):
    question = text("SELECT who, action, about FROM audit ORDER BY id")
    return [tuple(row) for row in await store.read(lambda connection: connection.execute(question).fetchall())]


async def test_the_file_has_everything_and_the_record_says_who_took_it(world, store, clock, tmp_path, url):
    await world.happens(*life_of(a_call("1.1", PAT, NOON)))
    await world.says("thank you <b>")
    thread = await thread_with(store, PAT)
    async with pages(store, clock, tmp_path, url) as visitor:
        page = await visitor.page(f"/threads/{thread}/person")
        assert "Write it out" in page.by_tag("main")[0].words
        answer = await visitor.post(f"/threads/{thread}/person/file")
        assert answer.headers["Content-Disposition"] == f'attachment; filename="person-{PAT[1:]}.zip"'
        with zipfile.ZipFile(io.BytesIO(await answer.read())) as file:
            assert sorted(file.namelist()) == ["manifest.json", "person.html", "person.json", "record.csv"]
            told, shown = json.loads(file.read("person.json")), file.read("person.html").decode()
    assert [came["body"] for came in told["incoming"]] == ["thank you <b>"]
    assert "thank you &lt;b&gt;" in shown
    ((who, action, about),) = await noted(store)
    assert (who, action, about.startswith("erased:")) == ("user usr_01ana", "write_out", True)


@pytest.mark.parametrize(("digits", "gone"), [("", False), ("0000", False), (PAT[-4:], True)])
async def test_nobody_is_erased_by_mistake(world, store, clock, tmp_path, url, digits, gone):
    await world.says("thank you")
    await world.says("hello", sender=SAM)
    thread = await thread_with(store, PAT)
    async with pages(store, clock, tmp_path, url) as visitor:
        answer = await visitor.post(f"/threads/{thread}/person/erase", {"digits": digits})
        assert answer.status == (303 if gone else 422)
        assert gone or NOT_SURE in await answer.text()
        assert ((await visitor.get(f"/threads/{thread}/person")).status == 404) is gone
    assert ((await thread_with(store, PAT)) is None) is gone
    assert await thread_with(store, SAM)
    assert [row[1] for row in await noted(store)] == (["erase"] if gone else [])


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
async def test_only_an_administrator_may(world, store, clock, tmp_path, url, role):
    await world.says("thank you")
    thread = await thread_with(store, PAT)
    async with pages(store, clock, tmp_path, url, role) as visitor:
        assert (await visitor.get(f"/threads/{thread}/person")).status == 403
        assert (await visitor.post(f"/threads/{thread}/person/file")).status == 403
        assert (await visitor.post(f"/threads/{thread}/person/erase", {"digits": PAT[-4:]})).status == 403
    assert await thread_with(store, PAT) == thread


async def test_what_is_no_thread_is_not_there(store, clock, tmp_path, url):
    async with pages(store, clock, tmp_path, url) as visitor:
        assert (await visitor.get(f"/threads/thr_{'0' * 26}/person")).status == 404


@pytest.mark.parametrize(
    ("way", "erases"),
    [
        pytest.param(Way.RECEIVE, False, id="who may not see another of our numbers"),
        pytest.param(Way.EXPORT, True, id="who may not take its texts away"),
    ],
)
async def test_a_whole_person_takes_the_right_to_all_numbers(world, store, clock, tmp_path, url, way, erases):
    await world.says("thank you")
    thread = await thread_with(store, PAT)
    denied = Grant(Subject(Level.USER, ANA.id), way, "+12025550109", "", Effect.DENY)
    book = replace(OPEN_BOOK, grants=(*OPEN_BOOK.grants, denied), numbers=("+12025550101", "+12025550109"))
    async with pages(store, clock, tmp_path, url, permits=lambda clock: Permits(Shelf(book), clock)) as visitor:
        page = await visitor.page(f"/threads/{thread}/person")
        buttons = [one.words.strip() for one in page.by_tag("main")[0].inside if one.tag == "button"]
        assert buttons == (["Erase"] if erases else [])
        assert (await visitor.post(f"/threads/{thread}/person/file")).status == 403
        answer = await visitor.post(f"/threads/{thread}/person/erase", {"digits": PAT[-4:]})
        assert answer.status == (303 if erases else 403)
    assert ((await thread_with(store, PAT)) is None) is erases

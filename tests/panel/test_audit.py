"""The page of the record: who did what, newest first, found and taken away; whether it is whole."""

import ast
import csv
import io
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

import ringback
from ringback.core.permissions import Role
from ringback.flow.recordkeeping import Recordkeeping
from ringback.panel.audit import AuditPages, Shelf
from ringback.panel.audit_words import DID
from ringback.store.accounts import Readers
from ringback.store.anchors import Anchors
from ringback.store.database import Database
from ringback.store.keys import Ring
from ringback.store.late import read_record
from ringback.store.verifying import Verifier
from tests.conftest import NOON
from tests.panel.visiting import ANA, Visitor, client_as

DAY = timedelta(days=1)
THREAD = "thr_" + "0" * 26
FORMULAS = ["=1+1", "+12025550147", "-2", "@SUM(A1)", "\tx", "\rx", "＝1", "＋1", "－1", "＠x"]


def words_of(page):
    return " ".join(page.by_tag("main")[0].words.split())


@dataclass
class House:
    visitor: Visitor
    store: Database
    keeping: Recordkeeping

    async def note(self, who="user usr_x", action="opt_out", about=THREAD, detail="", at=NOON, **more):
        await self.store.commit(lambda tx: tx.audit.note(who, action, about, detail, at, **more))


@pytest.fixture
async def open_house(url, clock, tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    store = Database(url, clock, state)
    await store.open()
    keeping = Recordkeeping(store, clock, Anchors(state), Verifier(url, state))
    people = Readers(store)
    shelf = Shelf(read_record(store), keeping, people, Ring(store), store, clock)

    def open_as(role=Role.AUDITOR):
        return client_as(replace(ANA, roles=frozenset({role})), lambda shell: AuditPages(shell, shelf), clock=clock)

    yield lambda visitor: House(visitor, store, keeping), open_as
    await store.close()


def test_every_action_that_is_noted_anywhere_has_words():
    missing = {action for action in noted() if action not in DID}
    assert not missing


DYNAMIC = {
    "flow/lists.py": {"list_add", "list_remove"},
    "flow/bulks.py": {"pause_run", "resume_run"},
    "flow/pauses.py": {"pause", "resume"},
    "flow/settling.py": {"said_sent", "said_not_sent"},
    "flow/denials.py": {"denied", "login_refused", "key_refused", "forged"},
    "store/audit.py": {"digest", "forget_record"},
}
"""Actions that are made of something; a new place that makes its own must say here what it makes."""


def noted():
    root = Path(ringback.__file__).parent
    for path in sorted(root.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "note"):
                continue
            if "audit" not in ast.unparse(call.func.value) and path.name != "audit.py":
                continue
            action = call.args[1]
            if isinstance(action, ast.Constant):
                yield action.value
            else:
                yield from DYNAMIC[str(path.relative_to(root))]


async def test_rows_stand_newest_first_with_who_what_and_about(open_house):
    made, open_as = open_house
    async with open_as() as visitor:
        house = made(visitor)
        await house.note("shell root", "hold_carrier", "main", "a test", before="goes", after="held")
        await house.note("user usr_x", "opt_out", THREAD, at=NOON + DAY, source="192.0.2.7", request="req_1")
        page = await visitor.page("/audit")
        rows = [row.words for row in page.by_class("record")[0].by_tag("tr")[1:]]
        assert "Recorded an opt-out" in rows[0]
        assert "192.0.2.7" in rows[0]
        assert "req_1" in rows[0]
        assert "root at the command line" in rows[1]
        assert "Held a carrier back" in rows[1]
        assert "BeforegoesAfterheld" in rows[1]
        assert f"/threads/{THREAD}" in [link.attributes.get("href") for link in page.by_tag("a")]


FOUND = [
    pytest.param("who=shell root", ["3"], id="by who"),
    pytest.param("action=opt_in", ["2"], id="by what"),
    pytest.param(f"about={THREAD}", ["2", "1"], id="about what"),
    pytest.param("since=2026-11-21", ["3", "2"], id="from a day on"),
    pytest.param("until=2026-11-20", ["1"], id="to a day, which counts"),
    pytest.param("since=2026-11-21&until=2026-11-21", ["2"], id="one day"),
    pytest.param("before=3", ["2", "1"], id="below a row"),
    pytest.param("since=nonsense", [], id="a day that is none"),
]


@pytest.mark.parametrize(("query", "rows"), FOUND)
async def test_rows_are_found(open_house, query, rows):
    made, open_as = open_house
    async with open_as() as visitor:
        house = made(visitor)
        await house.note(action="opt_out")
        await house.note(action="opt_in", at=NOON + DAY)
        await house.note("shell root", "pause", "all", at=NOON + 2 * DAY)
        page = await visitor.page(f"/audit?{query}")
        ids = [
            row.attributes.get("id") for row in page.by_tag("tr") if (row.attributes.get("id") or "").startswith("row-")
        ]
        assert ids == [f"row-{row}" for row in rows]


async def test_whether_the_record_is_whole_is_said(open_house):
    made, open_as = open_house
    async with open_as() as visitor:
        house = made(visitor)
        await house.note()
        assert "was not looked through" in words_of(await visitor.page("/audit"))
        answer = await visitor.post("/audit/check")
        assert answer.headers["Location"] == "/audit"
        assert "The record is whole: 1 rows." in words_of(await visitor.page("/audit"))
        await house.keeping.anchor()
        cut = replace(house.keeping.checked, fault=type("Fault", (), {"row": 7, "what": "was taken out"}))
        house.keeping.checked = cut
        assert "The first row that is wrong is 7: it was taken out." in words_of(await visitor.page("/audit"))


async def test_the_file_has_what_was_asked_for_and_no_formulas(open_house):
    made, open_as = open_house
    async with open_as() as visitor:
        house = made(visitor)
        for each in FORMULAS:
            await house.note(detail=each, action="opt_in")
        await house.note(action="pause")
        answer = await visitor.get("/audit/export?action=opt_in")
        rows = list(csv.reader(io.StringIO((await answer.read()).decode("utf-8-sig"), newline="")))
        assert answer.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
        assert rows[0][:5] == ["row", "at", "who", "name", "action"]
        assert [row[6] for row in rows[1:]] == [f"'{each}" for each in FORMULAS]
        assert "Took a table away as a file" in words_of(await visitor.page("/audit"))


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.AGENT, 403), (Role.SUPERVISOR, 403), (Role.INTEGRATOR, 403), (Role.AUDITOR, 200), (Role.ADMINISTRATOR, 200)],
)
async def test_only_who_may_read_the_record_sees_it(open_house, role, status):
    _made, open_as = open_house
    async with open_as(role) as visitor:
        assert (await visitor.get("/audit")).status == status
        export = await visitor.get("/audit/export")
        assert (export.status, bool(await export.read())) == (status, True)
        assert ((await visitor.post("/audit/check")).status == 303) is (status == 200)
        denied = [words[:2] for words in visitor.crowd.noted]
        assert bool(denied) is (status == 403)


async def test_what_people_wrote_is_shown_as_it_is(open_house):
    made, open_as = open_house
    async with open_as() as visitor:
        house = made(visitor)
        await house.note("shell <b>root</b>", "<i>act</i>", "<u>about</u>", "<script>alert(1)</script>")
        text = await (await visitor.get("/audit")).text()
        assert "<script>alert(1)" not in text
        assert "<b>root</b>" not in text
        assert "<u>about" not in text


@pytest.mark.parametrize("field", ["who", "action", "about"])
async def test_words_that_no_database_can_hold_find_nothing(open_house, field):
    house_of, open_as = open_house
    async with open_as() as visitor:
        house = house_of(visitor)
        await house.note()
        page = await visitor.page(f"/audit?{field}=x%00y%FF%ED%A0%80")
        assert THREAD not in words_of(page)

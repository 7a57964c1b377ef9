"""A program sends one text to many people: what it is told, what is stored, and what the handsets get."""

import asyncio
import json
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import islice

import pytest
from aiohttp import ClientSession, web

from ringback.api import bulks as bulk_rows
from ringback.api import intake
from ringback.api.app import build_api
from ringback.api.bulks import BulkRows
from ringback.api.intake import BulkParts
from ringback.api.recipients import Seen
from ringback.core.numbers import NumberFormat, read_number
from ringback.core.permissions import Scope
from ringback.errors import StoreBusy
from ringback.flow.bulks import Runs
from ringback.flow.feeding import Feeder
from ringback.flow.holds import hold
from ringback.flow.permits import Permits
from ringback.flow.put_back import keep_back, put_back
from ringback.ports.bulks import RunState
from ringback.store.grants import ReadGrants
from ringback.store.read_bulks import StoredBulks
from tests.api.conftest import Answer, Api, Program
from tests.flow.world import DID

PATH = "/v1/messages/bulk"
HEAD = {"from": DID, "text": "Hello {{ name }}, your order is ready."}
ANN, BEN = {"to": "+15125550123", "name": "Ann"}, {"to": "+15125550124", "name": "Ben", "reference": "r-2"}
TYPES = {"json": "application/json", "ndjson": "application/x-ndjson", "csv": "text/csv"}


@dataclass
class BulkApi:
    api: Api
    program: Program
    runs: Runs
    rows: BulkRows
    feeder: Feeder

    async def send(self, recipients, key: str = "", **change) -> Answer:
        body = {**HEAD, **change, "recipients": recipients}
        return await self.post(json.dumps(body).encode(), **({"Idempotency_Key": key} if key else {}))

    async def post(self, body: bytes, form: str = "json", query: str = "", **headers: str) -> Answer:
        return await self.program.post(body, PATH + query, Content_Type=TYPES[form], **headers)

    async def items(self) -> list[tuple]:
        return await self.table("SELECT seq, peer, words FROM bulk_item ORDER BY bulk_id, seq")

    async def table(self, statement: str) -> list[tuple]:
        return await self.api.store.read(lambda c: [tuple(row) for row in c.exec_driver_sql(statement).fetchall()])

    async def nothing(self) -> bool:
        """Whether no recipient and no open run is kept, once the feeder has cleared up."""
        async with self.feeding():
            return [await self.table(f"SELECT count(*) FROM {it}") for it in ("bulk", "bulk_item")] == [[(0,)]] * 2

    @asynccontextmanager
    async def feeding(self):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.feeder.run())
            for _ in range(40):
                await self.api.world.settled()
            yield
            task.cancel()


@pytest.fixture
def largest() -> int:
    return 1_000


@pytest.fixture
async def bulk(api: Api, largest: int) -> AsyncIterator[BulkApi]:
    store, clock, world = api.store, api.clock, api.world
    world.house = replace(world.house, limits=replace(world.house.limits, per_number_per_minute=60))
    runs = Runs(store, clock)
    parts = BulkParts(
        world.house,
        runs,
        StoredBulks(store),
        lambda text: read_number(text, NumberFormat.AS_IS, "US"),
        clock,
        largest,
        Permits(ReadGrants(store), clock),
    )
    rows = BulkRows(parts)
    app = web.Application()
    app.add_subapp("/v1/", build_api(api.door, [rows]))
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    feeder = Feeder(world.house, store, world.lanes, clock, store.changes, {"main": 10}, runs.coming)
    async with ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as session:
        program = await api.program(Scope.BULK, name="shop", session=session)
        yield BulkApi(api, program, runs, rows, feeder)
    await runner.cleanup()


async def test_a_run_is_on_disk_when_it_is_answered_and_everybody_gets_their_text(bulk):
    answer = await bulk.send([ANN, BEN], name="orders", campaign="ready")
    assert answer.status == 201
    made = answer.json
    assert made == {
        "id": made["id"],
        "total": 2,
        "accepted": 2,
        "rejected": 0,
        "rejects": [],
        "segments": {"least": 2, "most": 2},
        "created_at": "2026-11-20T17:00:00Z",
        "expires_at": "2026-11-21T17:00:00Z",
        "ends_at": "2026-11-20T17:00:02Z",
        "in_time": True,
        "links": {"self": f"/v1/bulks/{made['id']}", "cancel": f"/v1/bulks/{made['id']}/cancel"},
    }
    assert await bulk.items() == [
        (1, ANN["to"], '{"name":"Ann"}'),
        (2, BEN["to"], '{"name":"Ben","reference":"r-2"}'),
    ]
    async with bulk.feeding():
        pass
    assert bulk.api.world.handset(ANN["to"]) == ["Hello Ann, your order is ready."]
    assert bulk.api.world.handset(BEN["to"]) == ["Hello Ben, your order is ready."]
    told = (await bulk.program.get(f"/v1/bulks/{made['id']}")).json
    assert (told["state"], told["made"], told["segments"], told["left"]) == ("done", 2, 2, 0)
    assert (told["from"], told["class"], told["ends_at"], told["stopped"]) == (DID, "transactional", None, None)
    assert sum(told["texts"].values()) == 2
    assert await bulk.table("SELECT reference FROM message ORDER BY id") == [("",), ("r-2",)]


BODIES = {
    "json": json.dumps({**HEAD, "recipients": [ANN, BEN]}).encode(),
    "ndjson": b"\n".join(json.dumps(one).encode() for one in (HEAD, ANN, BEN)),
    "csv": b"to,name,reference\r\n+15125550123,Ann,\r\n+15125550124,Ben,r-2\r\n",
}
QUERY = {"csv": f"?from=%2B{DID[1:]}&text=Hello%20%7B%7B%20name%20%7D%7D,%20your%20order%20is%20ready."}


@pytest.mark.parametrize("form", TYPES)
async def test_each_form_says_the_same(bulk, form):
    answer = await bulk.post(BODIES[form], form, QUERY.get(form, ""))
    assert (answer.status, answer.json["accepted"]) == (201, 2), answer.body
    assert [item[:2] for item in await bulk.items()] == [(1, ANN["to"]), (2, BEN["to"])]
    assert await bulk.table("SELECT body, did, total FROM bulk") == [(HEAD["text"], DID, 2)]


@pytest.mark.parametrize("form", TYPES)
async def test_a_body_in_single_bytes_says_the_same(bulk, form, monkeypatch):
    monkeypatch.setattr(intake, "PIECE", 1)
    answer = await bulk.post(BODIES[form], form, QUERY.get(form, ""))
    assert (answer.status, answer.json["accepted"]) == (201, 2), answer.body


BAD = [
    pytest.param({"to": "5"}, "to", id="a short number"),
    pytest.param({"to": "+1512555"}, "to", id="too few digits"),
    pytest.param({"to": "anonymous"}, "to", id="no number"),
    pytest.param({"to": "+19005550123"}, "to", id="a premium number"),
    pytest.param({"to": 15125550199}, "to", id="a number without quotes"),
    pytest.param({"name": "Eve"}, "to", id="nobody"),
    pytest.param({"to": "+15125550199", "name": ["Eve"]}, "name", id="a list for a word"),
    pytest.param({"to": "+15125550199", "name": True}, "name", id="yes for a word"),
    pytest.param({"to": "+15125550199", "name": "x" * 81}, "name", id="a word too long"),
    pytest.param({"to": "+15125550199", "name": "\U0001f600" * 41}, "name", id="a word too long in UTF-16"),
    pytest.param({"to": "+15125550199"}, "name", id="a word the text needs is missing"),
    pytest.param({"to": "+15125550199", "name": " \x00\u202e "}, "name", id="a word that nobody could see"),
    pytest.param(
        {"to": "+15125550199", "name": "Eve", "reference": "a\nb"}, "reference", id="a reference of two lines"
    ),
    pytest.param({"to": "+15125550199", "name": "Eve", "reference": 5}, "reference", id="a reference that is no text"),
    pytest.param({"to": "+1 512 555 0123", "name": "Ann"}, "to", id="the same number once more, written otherwise"),
    pytest.param(["+15125550199"], "", id="a list"),
    pytest.param(7, "", id="a number alone"),
    pytest.param(None, "", id="nothing"),
    pytest.param("", "to", id="empty text"),
]


@pytest.mark.parametrize(("item", "field"), BAD)
async def test_one_that_cannot_be_used_stops_nobody_else(bulk, item, field):
    answer = await bulk.send([ANN, item, BEN])
    assert answer.status == 201
    assert (answer.json["total"], answer.json["accepted"], answer.json["rejected"]) == (3, 2, 1)
    (reject,) = answer.json["rejects"]
    assert (reject["recipient"], reject["field"]) == (2, field)
    assert len(reject["detail"]) > 10
    assert [item[:2] for item in await bulk.items()] == [(1, ANN["to"]), (2, BEN["to"])]
    assert (await bulk.program.get(f"/v1/bulks/{answer.json['id']}")).json["rejected"] == 1


async def test_strict_refuses_all_where_one_cannot_be_used(bulk):
    answer = await bulk.send([ANN, {"to": "5"}], strict=True)
    assert answer.status == 422
    assert answer.fields == ["recipient 2 to"]
    assert await bulk.nothing()


async def test_a_hundred_are_named_and_all_are_counted(bulk):
    answer = await bulk.send([ANN, *[{"to": "5", "name": "x"}] * 150])
    assert (answer.json["rejected"], len(answer.json["rejects"])) == (150, 100)


@pytest.mark.parametrize("recipients", [pytest.param([], id="none"), pytest.param([{"to": "5"}], id="none usable")])
async def test_a_run_without_anybody_is_refused(bulk, recipients):
    assert (await bulk.send(recipients)).code == "invalid_fields"
    assert await bulk.nothing()


async def test_numbers_alone_do_where_the_text_has_no_places(bulk):
    answer = await bulk.send(["+15125550123", "(512) 555-0124"], text="We close early today.")
    assert answer.status == 201
    assert await bulk.items() == [(1, "+15125550123", ""), (2, "+15125550124", "")]


HOSTILE = [
    pytest.param("=cmd|'/c calc'!A0", "=cmd|'/c calc'!A0", id="a formula"),
    pytest.param("{{ business }}{% if x %}", "{{ business }}{% if x %}", id="Liquid"),
    pytest.param("A\r\nBcc: x\x00\x1b[2J", "A Bcc: x[2J", id="line ends, NUL and escapes"),
    pytest.param("\u202eevil\u2066", "evil", id="marks of direction"),
    pytest.param("\ud800x", "x", id="half a pair"),
    pytest.param('"},{"to":"+1', '"},{"to":"+1', id="JSON"),
    pytest.param("'; DROP TABLE bulk; --", "'; DROP TABLE bulk; --", id="SQL"),
    pytest.param("\t\\.\t\\N", "\\. \\N", id="what COPY reads as ends and nothing"),
]


@pytest.mark.parametrize(("word", "shown"), HOSTILE)
async def test_words_are_only_text(bulk, word, shown):
    answer = await bulk.send([{"to": ANN["to"], "name": word}])
    assert answer.status == 201
    async with bulk.feeding():
        pass
    assert bulk.api.world.handset(ANN["to"]) == [f"Hello {shown}, your order is ready."]


def broken() -> list:
    """The body cut off, and with one letter more, at every place."""
    whole = json.dumps({**HEAD, "recipients": [ANN, BEN]})
    cuts = [pytest.param(whole[:at].encode(), id=f"cut at {at}") for at in range(0, len(whole), 5)]
    return cuts + [
        pytest.param(f"{whole[:at]}%{whole[at:]}".encode(), id=f"a sign at {at}") for at in (0, 1, 9, 75, 80)
    ]


MORE_BROKEN = [
    pytest.param(b"[" * 1_000_000, id="a million deep"),
    pytest.param(b'{"from":"x","recipients":[' + b"[" * 1_000_000, id="a million deep in the list"),
    pytest.param(b'{"from":"x","text":"y","recipients":[' + b'{"a":' * 150_000, id="objects in objects"),
    pytest.param(b'{"text":"a","text":"b","recipients":[]}', id="a name twice"),
    pytest.param(b'{"from":"' + b"9" * 200_000, id="a head without end"),
    pytest.param(b"\xff\xfe{}", id="not UTF-8"),
    pytest.param(b'{"from":"\xc3', id="half a letter"),
    pytest.param(b"null", id="null"),
    pytest.param(json.dumps({"recipients": [ANN], **HEAD}).encode(), id="the list first"),
    pytest.param(json.dumps({**HEAD, "recipients": [ANN]}).encode() + b"{}", id="more behind it"),
    pytest.param(json.dumps({**HEAD, "recipients": [ANN]}).encode()[:-2] + b",]}", id="a comma too many"),
    pytest.param(json.dumps({**HEAD, "recipients": {"to": "x"}}).encode(), id="no list"),
    pytest.param(b'{"from":"+12025550101","text":"Hi all","recipients":[NaN]}', id="NaN"),
    pytest.param(b'{"from":"+12025550101","text":"Hi all","recipients":[' + b"9" * 20_000 + b"]}", id="a long number"),
]


@pytest.mark.parametrize("body", [*broken(), *MORE_BROKEN])
async def test_what_cannot_be_read_is_refused_and_leaves_nothing(bulk, body):
    answer = await bulk.post(body)
    assert answer.status in (400, 422), answer.body
    assert answer.code in ("broken_json", "invalid_fields")
    assert await bulk.table("SELECT count(*) FROM bulk WHERE state IN ('open', 'done')") == [(0,)]


async def test_a_broken_body_is_cleared_away(bulk):
    many = [{"to": f"+1512555{n:04d}", "name": "x"} for n in range(500)]
    body = json.dumps({**HEAD, "recipients": many}).encode()
    assert (await bulk.post(body[:-3])).code == "broken_json"
    assert await bulk.nothing()
    assert await bulk.table("SELECT count(*) FROM message") == [(0,)]


@pytest.mark.parametrize(
    ("line", "field"),
    [
        pytest.param(b'{"to": ', "", id="broken JSON"),
        pytest.param(b'{"to":"+15125550199","to":"+15125550198"}', "", id="a key twice"),
        pytest.param(b"[" * 10_000, "", id="ten thousand deep"),
        pytest.param(b'{"to":"+15125550199","name":"' + b"x" * 20_000 + b'"}', "", id="a long line"),
        pytest.param(b"+15125550199", "to", id="a number without quotes"),
    ],
)
async def test_a_bad_line_stops_no_other_line(bulk, line, field):
    body = b"\n".join([json.dumps(HEAD).encode(), json.dumps(ANN).encode(), b"", line, json.dumps(BEN).encode(), b""])
    answer = await bulk.post(body, "ndjson")
    assert (answer.status, answer.json["accepted"]) == (201, 2), answer.body
    assert [(one["line"], one["field"]) for one in answer.json["rejects"]] in ([(4, field)], [(4, "")])


@pytest.mark.parametrize(
    ("row", "rejected"),
    [
        pytest.param(b'+15125550199,"Eve\nLee"', 0, id="a line end in quotes"),
        pytest.param(b'+15125550199,"Eve ""the"" Lee"', 0, id="quotes in quotes"),
        pytest.param(b"+15125550199,=1+1", 0, id="a formula"),
        pytest.param(b"+15125550199", 1, id="a field missing"),
        pytest.param(b"+15125550199,Eve,Lee", 1, id="a field too many"),
        pytest.param(b"=1+1,Eve", 1, id="a formula for a number"),
        pytest.param(b'+15125550199,"Eve" x', 1, id="words behind a quote"),
        pytest.param(b"\x00,\x00", 1, id="NUL"),
    ],
)
async def test_rows_of_csv(bulk, row, rejected):
    answer = await bulk.post(b"to,name\n" + row + b"\n+15125550123,Ann\n", "csv", QUERY["csv"])
    assert (answer.status, answer.json["rejected"]) == (201, rejected), answer.body
    assert [one["line"] for one in answer.json["rejects"]] == [2] * rejected


@pytest.mark.parametrize(
    ("body", "query"),
    [
        pytest.param(b"", "", id="nothing"),
        pytest.param(b"name,x\nAnn,+1\n", "", id="no column to"),
        pytest.param(b"to,to\n+1,+2\n", "", id="a column twice"),
        pytest.param(b'to,name\n"+15125550123,Ann\n' + b"x,y\n" * 10_000, "", id="a quote without end"),
        pytest.param(b"to,name\n+15125550123,Ann\n", "&from=x", id="from twice"),
        pytest.param(b"to,name\n+15125550123,Ann\n", "&strict=maybe", id="no yes and no no"),
        pytest.param(b"to,name\n+15125550123,Ann\n", "&colour=red", id="an unknown field"),
    ],
)
async def test_csv_that_cannot_be_used(bulk, body, query):
    answer = await bulk.post(body, "csv", QUERY["csv"] + query)
    assert answer.code == "invalid_fields", answer.body
    assert await bulk.nothing()


async def test_csv_with_semicolons_and_a_mark_of_byte_order(bulk):
    answer = await bulk.post(
        b"\xef\xbb\xbfto;name\n+15125550123;Ann\n", "csv", QUERY["csv"] + "&strict=true&validity=90"
    )
    assert answer.status == 201
    assert answer.json["expires_at"] == "2026-11-20T17:01:30Z"


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        pytest.param({"from": "+12025550199"}, ["from"], id="not our number"),
        pytest.param({"text": "{% for a in b %}{% endfor %}"}, ["text"], id="a text that is no template"),
        pytest.param({"text": ""}, ["text"], id="no text"),
        pytest.param({"validity": 3600, "expires_at": "2026-11-21T17:00:00Z"}, ["validity"], id="two ends"),
        pytest.param({"not_before": "2028-01-01T00:00:00Z"}, ["not_before"], id="too far ahead"),
        pytest.param({"expires_at": "2026-11-20T16:00:00Z"}, ["expires_at"], id="over before it begins"),
        pytest.param({"expires_at": "2030-11-20T16:00:00Z"}, ["expires_at"], id="an end too far ahead"),
        pytest.param({"class": "urgent"}, ["class"], id="no such class"),
        pytest.param({"name": "a\nb"}, ["name"], id="a name of two lines"),
        pytest.param({"colour": "red"}, ["colour"], id="an unknown field"),
    ],
)
async def test_a_head_that_cannot_be_used(bulk, change, fields):
    answer = await bulk.send([ANN], **change)
    assert answer.fields == fields
    assert await bulk.nothing()


async def test_the_same_key_again_gets_the_same_answer(bulk):
    first = await bulk.send([ANN, BEN], key="run-1")
    again = await bulk.send([ANN, BEN], key="run-1")
    assert (first.status, again.status, again.body) == (201, 200, first.body)
    assert again.headers["Idempotent-Replay"] == "true"
    assert (await bulk.send([ANN], key="run-1")).code == "idempotency_mismatch"
    assert await bulk.table("SELECT count(*) FROM bulk") == [(1,)]


async def test_two_requests_with_one_key_at_once_make_one_run(bulk):
    first, second = await asyncio.gather(*(bulk.send([ANN, BEN], key="run-1") for _ in range(2)))
    assert sorted((first.status, second.status)) == [200, 201]
    assert first.json["id"] == second.json["id"]
    assert await bulk.table("SELECT count(*) FROM bulk WHERE state = 'open'") == [(1,)]


class TestBounds:
    @pytest.fixture
    def largest(self) -> int:
        return 3

    async def test_more_than_the_most_are_refused(self, bulk):
        many = [{"to": f"+1512555012{n}", "name": "x"} for n in range(4)]
        assert (await bulk.send(many[:3])).status == 201
        answer = await bulk.send(many)
        assert (answer.status, answer.code) == (413, "too_large")
        assert "largest_run" in answer.json["detail"]

    async def test_those_that_cannot_be_used_count_too(self, bulk):
        assert (await bulk.send(["5"] * 4)).code == "too_large"

    async def test_a_body_that_is_far_too_long_is_refused(self, bulk):
        answer = await bulk.post(b'{"from":"x","text":"y","recipients":[' + b" " * 200_000)
        assert answer.code == "too_large"


async def test_a_compressed_body_is_refused(bulk):
    answer = await bulk.post(b"", Content_Encoding="gzip")
    assert answer.code == "wrong_type"
    answer = await bulk.program.post(b"x", PATH, Content_Type="text/plain")
    assert answer.code == "wrong_type"


async def test_a_body_that_stops_coming_is_refused(bulk, monkeypatch):
    monkeypatch.setattr(intake, "CHUNK_S", 0.01)

    async def slowly():
        yield json.dumps({**HEAD, "recipients": [ANN]}).encode()[:-2]
        await asyncio.Event().wait()

    async with bulk.program.session.post(
        PATH,
        data=slowly(),
        headers={"Authorization": f"Bearer {bulk.program.token}", "Content-Type": "application/json"},
    ) as answer:
        assert answer.status == 408
    assert await bulk.nothing()


async def test_only_a_few_runs_come_in_at_once(bulk, monkeypatch):
    monkeypatch.setattr(bulk_rows, "AT_THE_SAME_TIME", 0)
    answer = await bulk.send([ANN])
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "busy", "5")


async def test_a_database_that_cannot_write_is_said_so_and_nothing_stays(bulk, monkeypatch):
    commit = bulk.api.store.commit
    calls = []

    async def some(step):
        calls.append(step)
        if len(calls) == 2:
            raise StoreBusy("the disk is full")
        return await commit(step)

    monkeypatch.setattr(bulk.api.store, "commit", some)
    answer = await bulk.send([ANN])
    assert (answer.status, answer.code) == (503, "busy")
    monkeypatch.undo()
    assert await bulk.nothing()


async def test_a_run_is_called_off(bulk):
    run = (await bulk.send([{"to": f"+1512555{n:04d}", "name": "x"} for n in range(300)])).json["id"]
    off = await bulk.program.ask("POST", f"/v1/bulks/{run}/cancel")
    assert off.json == {"id": run, "state": "cancelling", "dropped": 300, "cancelled": 0, "on_their_way": 0}
    async with bulk.feeding():
        told = (await bulk.program.get(f"/v1/bulks/{run}")).json
    assert (told["state"], told["dropped"], told["left"], told["made"]) == ("cancelled", 300, 0, 0)


async def test_what_has_arrived_is_not_on_its_way_any_more(bulk):
    run = (await bulk.send([{"to": f"+1512555{n:04d}", "name": "x"} for n in range(150)])).json["id"]
    async with bulk.feeding():  # our number may send 60 a minute
        told = (await bulk.program.get(f"/v1/bulks/{run}")).json
        assert told["texts"]["delivered"] == 60
        off = (await bulk.program.ask("POST", f"/v1/bulks/{run}/cancel")).json
    assert (off["on_their_way"], off["cancelled"] + off["dropped"]) == (0, 90)


@pytest.mark.parametrize("held", [True, False], ids=["its carrier is held", "its carrier goes on"])
async def test_texts_that_may_have_been_sent_wait_for_a_person_and_not_for_a_time(bulk, held):
    store, clock = bulk.api.store, bulk.api.clock
    bulk.api.world.lane.hold("Put back.")
    run = (await bulk.send([ANN, BEN])).json["id"]
    async with bulk.feeding():
        await store.commit(partial(put_back, "a test", clock.now()))
        await store.commit(partial(keep_back, "main", clock.now()))
        if held:
            await store.commit(partial(hold, "main", "Put back.", "restore", clock.now()))
        told = (await bulk.program.get(f"/v1/bulks/{run}")).json
    assert told["waits"] == [{"reason": "put_back", "texts": 2, "until": None}]


async def test_a_run_whose_carrier_is_held_says_so(bulk):
    await bulk.api.store.commit(partial(hold, "main", "Their line is bad.", "ana", bulk.api.clock.now()))
    bulk.api.world.lane.hold("Their line is bad.")
    run = (await bulk.send([ANN, BEN])).json["id"]
    assert (await bulk.program.get(f"/v1/bulks/{run}")).json["stopped"] is None
    recipients = [{"to": f"+1512555{n:04d}", "name": "x"} for n in range(300)]
    long = (await bulk.send(recipients)).json["id"]
    async with bulk.feeding():
        told, more = [(await bulk.program.get(f"/v1/bulks/{each}")).json for each in (run, long)]
    assert told["waits"] == [{"reason": "held_back", "texts": 2, "until": None}]
    assert told["stopped"] is None  # every text of it is made
    assert (more["state"], more["stopped"]) == ("open", "held_back")
    assert more["waits"] == [{"reason": "held_back", "texts": more["made"], "until": None}]


async def test_a_run_is_paused_and_goes_on(bulk):
    run = (await bulk.send([ANN])).json["id"]
    assert (await bulk.program.ask("POST", f"/v1/bulks/{run}/pause")).json["state"] == RunState.PAUSED
    async with bulk.feeding():
        assert (await bulk.program.get(f"/v1/bulks/{run}")).json["made"] == 0
        assert (await bulk.program.ask("POST", f"/v1/bulks/{run}/resume")).json["state"] in (
            RunState.OPEN,
            RunState.DONE,
        )
        for _ in range(40):
            await bulk.api.world.settled()
        assert (await bulk.program.get(f"/v1/bulks/{run}")).json["made"] == 1


async def test_the_report_says_what_waits_and_until_when(bulk):
    run = (await bulk.send([{"to": f"+1512555{n:04d}", "name": "x"} for n in range(150)])).json["id"]
    async with bulk.feeding():  # our number may send 60 a minute
        told = (await bulk.program.get(f"/v1/bulks/{run}")).json
    assert told["left"] == 90
    assert told["segments_left"] == 90
    assert told["ends_at"] == "2026-11-20T17:01:30Z"
    assert sum(told["texts"].values()) == told["made"]


@pytest.mark.parametrize("path", ["", "/cancel", "/pause", "/resume"])
async def test_another_program_does_not_see_a_run(bulk, path):
    run = (await bulk.send([ANN])).json["id"]
    stranger = await bulk.api.program(Scope.BULK, name="other", session=bulk.program.session)
    for named in (run, "blk_0000000000000000000000000a", "msg_0000000000000000000000000a", "x" * 3_000):
        answer = await stranger.ask("POST" if path else "GET", f"/v1/bulks/{named}{path}")
        assert (answer.status, answer.code) == (404, "not_found")
    reader = await bulk.api.program(Scope.READ, name="reader", session=bulk.program.session)
    assert (await reader.get(f"/v1/bulks/{run}")).json["accepted"] == 1
    assert (await reader.ask("POST", f"/v1/bulks/{run}/cancel")).status == 403


async def test_a_key_without_the_scope_sends_no_run(bulk):
    bulk.program = await bulk.api.program(Scope.SEND, name="sender", session=bulk.program.session)
    assert (await bulk.send([ANN])).status == 403


async def test_the_time_of_a_run(bulk):
    later = (bulk.api.clock.now() + timedelta(hours=2)).isoformat()
    answer = await bulk.send([ANN], not_before=later)
    assert answer.json["ends_at"] == "2026-11-20T19:00:01Z"
    assert answer.json["expires_at"] == "2026-11-21T19:00:00Z"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"not_before": "9999-12-31T23:59:59Z"}, id="the last second of all"),
        pytest.param({"not_before": "9999-12-31T23:59:59-12:00"}, id="and one behind it"),
        pytest.param({"expires_at": "9999-12-31T23:59:59-12:00"}, id="an end behind the last second"),
        pytest.param({"expires_at": "0001-01-01T00:00:00+14:00"}, id="an end before the first"),
    ],
)
async def test_a_time_at_the_edge_of_the_calendar_is_a_fault_of_the_field(bulk, change):
    answer = await bulk.send([ANN], **change)
    assert answer.fields[0] in ("not_before", "expires_at")
    assert await bulk.nothing()


@pytest.mark.parametrize("name", ["\ud800", "\udfff x", "\u202eevil", "\x00", "1e400", "\r\nTo: +1"], ids=ascii)
async def test_a_word_of_odd_letters_is_cleaned_or_refused(bulk, name):
    answer = await bulk.send([ANN, {"to": BEN["to"], "name": name}])
    assert answer.status == 201
    async with bulk.feeding():
        pass
    assert bulk.api.world.handset(ANN["to"]) == ["Hello Ann, your order is ready."]
    for text in bulk.api.world.handset(BEN["to"]):
        assert text.isprintable()


class Counted(array):
    """An array that counts how often somebody looks into it."""

    looks = 0

    def __getitem__(self, place):
        self.looks += 1
        return super().__getitem__(place)


def test_numbers_that_were_chosen_to_meet_cost_no_more_than_others():
    """Whoever knows where each number goes could have a run look through all of them for each of them."""
    many, usual = 2_000, 0x9E3779B97F4A7C15  # what tables of this kind use everywhere
    alike = (pow(usual, -1, 1 << 35) * n % (1 << 35) for n in range(1 << 20))  # bits 20 to 34 of the product are zero
    seen = Seen(10_000)
    seen._places = Counted("Q", seen._places)
    assert all(seen.add(f"+{n}") for n in islice((n for n in alike if n > 10**10), many))
    assert seen._places.looks < 10 * many

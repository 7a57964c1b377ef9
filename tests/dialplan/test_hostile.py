"""What no dialplan of good will asks, and what a caller may put into it: a call is never held, nothing is believed."""

import asyncio
import time
from base64 import b64encode
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from ringback.dialplan import Limits
from ringback.dialplan.answering import VERBS
from ringback.dialplan.answers import LONGEST_LINE, line_of
from ringback.dialplan.words import LONGEST_NAME, READERS, Unread, fields_of, query_fields, read
from ringback.errors import StoreBusy
from ringback.flow.dialplan_words import Question
from tests.dialplan.conftest import TOKEN, environment, line, read_reply, request

FAST = Limits(head_s=0.2, answer_s=0.1, agi_s=0.1, keep_alive_s=0.2, linger_s=0.2)
OFFER = "/offer?call=1.1&kind=deflection&queue=q"
LONG = "A" * 10_000


@pytest.mark.parametrize(
    ("target", "said"),
    [
        pytest.param("/textable", b"bad|call|is missing", id="no call"),
        pytest.param("/textable?call=", b"bad|call|is missing", id="an empty call"),
        pytest.param("/textable?call=1.1&call=1.2", b"bad|call|is there twice", id="two calls"),
        pytest.param("/textable?call=1%0d%0aX", b"bad|call|is not the id of a channel", id="a call with a line end"),
        pytest.param(f"/textable?call={'1' * 151}", b"bad|call|is not the id of a channel", id="a long call"),
        pytest.param("/textable?call=1.1&pbx=a%20b", b"bad|pbx|is not the name of a PBX", id="no PBX"),
        pytest.param("/wait?call=1.1", b"bad|queue|is missing", id="no queue"),
        pytest.param("/offer?call=1.1&kind=deflection", b"bad|queue|is missing", id="no queue to be offered in"),
        pytest.param(f"/wait?call=1.1&queue={'q' * 81}", b"bad|queue|is not the name of a queue", id="a long queue"),
        pytest.param(
            "/offer?call=1.1&queue=q&kind=all",
            b"bad|kind|is none of deflection, wait_text, text_back",
            id="a kind that is not there",
        ),
        pytest.param("/accept?call=1.1&kind=deflection&queue=q&prompt=p", b"bad|key|is missing", id="no key"),
        pytest.param(
            "/accept?call=1.1&kind=deflection&queue=q&prompt=p&key=11111", b"bad|key|is not a key", id="five keys"
        ),
        pytest.param("/state?call=1.1&text=msg_x", b"bad|text|is not the id of a text", id="no text"),
        pytest.param("/send?call=1.1&body64=%25%25", b"bad|body64|is not UTF-8 in base 64", id="no base 64"),
        pytest.param("/send?call=1.1&body64=%2F%2F79", b"bad|body64|is not UTF-8 in base 64", id="no UTF-8"),
        pytest.param("/send?call=1.1&body64=ICAg", b"bad|body64|is empty", id="nothing but spaces"),
        pytest.param(
            f"/send?call=1.1&body64={b64encode(b'x' * 1601).decode().replace('=', '%3D')}",
            b"bad|body64|is longer than 1600 characters",
            id="a long text",
        ),
        pytest.param("/send?call=1.1", b"bad|body64|is missing", id="nothing to send"),
        pytest.param("/optout?call=1.1&scope=both", b"bad|scope|is none of number, all", id="no scope"),
        pytest.param(
            "/textable?call=1.1&" + "&".join(f"x{n}=1" for n in range(40)),
            b"bad|call|has too many parameters beside it",
            id="forty parameters",
        ),
    ],
)
async def test_what_makes_no_sense_is_named(door, target, said):
    reply = await door.get(target)
    assert (reply.status, reply.body) == (400, said)
    assert not reply.body.startswith(b"rb|")
    assert door.answers.asked == []


@pytest.mark.parametrize(
    ("query", "field", "value"),
    [
        pytest.param("from=%2B1%0d%0aX:%20y,%22z%22", "caller", '+1\r\nX: y,"z"', id="a number with a header in it"),
        pytest.param("from=" + "9" * 7000, "caller", "9" * 128, id="a number of 7 kB"),
        pytest.param("from=+15125550123", "caller", "+15125550123", id="a plus that nobody encoded"),
        pytest.param("from=%ff%fe", "caller", "\ufffd\ufffd", id="a number in no charset"),
        pytest.param("from=%zz%1", "caller", "%zz%1", id="broken escapes"),
        pytest.param("from=%00", "caller", "\x00", id="a NUL"),
        pytest.param("lang=../../etc", "language", "", id="no language"),
        pytest.param("name64=%21%21", "caller_name", "", id="a name in no base 64"),
        pytest.param("name64=" + "QUFB" * 1800, "caller_name", "A" * LONGEST_NAME, id="a name of 5 kB"),
        pytest.param("name64=IgosJHtTWVNURU0obHMpfQ", "caller_name", "", id="a name cut by somebody"),
        pytest.param("name64=IgosJHtTWVNURU0obHMpfQ%3D%3D", "caller_name", '" ,${SYSTEM(ls)}', id="a name with code"),
        pytest.param("ivr=" + "%0a1" * 200, "ivr_path", "1 " * 59 + "1", id="a long path"),
        pytest.param("colour=red", "caller", "", id="a parameter of another year"),
    ],
)
async def test_what_a_caller_chose_is_cut_down_and_harms_nobody(door, query, field, value):
    reply = await door.get(f"{OFFER}&{query}")
    assert reply.status == 200
    ((_verb, question),) = door.answers.asked
    assert getattr(question, field) == value


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        pytest.param(request("/textable?call=1.1", method="POST"), 405, id="another method"),
        pytest.param(request("/textable?call=1.1", headers=("Content-Length: 5",)) + b"hello", 413, id="a body"),
        pytest.param(
            request("/textable?call=1.1", headers=("Transfer-Encoding: chunked",)), 413, id="a body in chunks"
        ),
        pytest.param(request("/"), 404, id="no verb"),
        pytest.param(request("/admin?call=1.1"), 404, id="another verb"),
        pytest.param(request("/textable/?call=1.1"), 404, id="a verb and more"),
        pytest.param(request("//textable?call=1.1"), 404, id="two slashes"),
        pytest.param(request("http://evil.example/textable?call=1.1"), 404, id="a whole address"),
        pytest.param(request(f"/textable?call=1.1&from={LONG}"), 400, id="a line of 10 kB"),
        pytest.param(request("/textable?call=1.1", headers=(f"X: {LONG}",)), 400, id="a header of 10 kB"),
        pytest.param(
            request("/textable?call=1.1", headers=tuple(f"X-{n}: 1" for n in range(70))), 400, id="70 headers"
        ),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64), 400, id="TLS on a plain port"),
        pytest.param(b"agi_network: yes\nagi_network_script: textable\n\n", 400, id="FastAGI on the wrong port"),
        pytest.param(request("/textable?call=1.1").replace(b"HTTP/1.1", b"HTTP/9.9"), 400, id="HTTP of the future"),
    ],
)
async def test_any_bytes_get_an_answer_that_is_none(listening, raw, status):
    async with listening(FAST) as door:
        reply = await door.send(raw)
        assert reply.status == status
        assert not reply.body.startswith(b"rb|")
        assert door.answers.asked == []
        assert (await door.get("/textable?call=1.1")).body == b"rb|yes|."


async def test_an_answer_that_is_late_is_none(listening):
    async with listening(FAST) as door:
        door.answers.said["textable"] = asyncio.Event()
        reply = await door.get("/textable?call=1.1")
        assert (reply.status, reply.body) == (503, b"")
        assert await door.agi("textable", f"token={TOKEN}", "call=1.1") is None
        assert door.answering.counts().answers == {("textable", "late"): 2}


@pytest.mark.parametrize(
    ("problem", "status", "word"),
    [
        pytest.param(StoreBusy("the disk is full"), 503, "late", id="the database cannot write"),
        pytest.param(ZeroDivisionError("+15125550123"), 500, "fault", id="a fault of ours"),
    ],
)
async def test_a_failure_is_no_answer(door, problem, status, word):
    door.answers.said["textable"] = problem
    with capture_logs() as logs:
        reply = await door.get("/textable?call=1.1")
    assert (reply.status, reply.body) == (status, b"")
    assert door.answering.counts().answers == {("textable", word): 1}
    assert "+1512" not in str([{**one, "exc_info": None} for one in logs])


async def test_more_at_once_than_can_be_answered(listening):
    async with listening(Limits(in_hand=2, answer_s=5.0)) as door:
        gate = door.answers.said["textable"] = asyncio.Event()
        door.answers.said["textable"] = gate
        held = [asyncio.ensure_future(door.get("/textable?call=1.1")) for _ in range(2)]
        while len(door.answers.asked) < 2:
            await asyncio.sleep(0.001)
        assert (await door.get("/textable?call=1.2")).status == 503
        for one in held:
            one.cancel()


async def test_lines_are_bounded(listening):
    async with listening(Limits(connections=2, head_s=5.0)) as door:
        async with line(door.port), line(door.port):
            assert (await door.get("/textable?call=1.1")).status == 503


async def test_a_line_that_says_nothing_is_closed(listening):
    async with listening(FAST) as door, line(door.port) as (reader, writer):
        writer.write(b"GET /textable?call=1.1 HT")
        assert await asyncio.wait_for(reader.read(), 3) == b""


async def test_one_line_takes_many_questions(door):
    async with line(door.port) as (reader, writer):
        for _ in range(3):
            writer.write(request("/textable?call=1.1"))
            assert (await read_reply(reader)).body == b"rb|yes|."


async def test_each_kind_of_fault_is_told_once_a_minute(door):
    with capture_logs() as logs:
        for _ in range(5):
            await door.get("/textable?call=1.1", "wrong")
            await door.get("/wait?call=1.1")
        door.clock.move(timedelta(seconds=61))
        await door.get("/wait?call=1.1")
    told = [(one["event"], one["count"]) for one in logs if one["log_level"] == "warning"]
    assert told == [
        ("the dialplan was refused", 1),
        ("the dialplan got no answer", 1),
        ("the dialplan got no answer", 5),
    ]


# FastAGI


async def test_a_name_with_line_ends_forges_no_argument(door):
    forged = (
        "agi_calleridname: Pat",
        f"agi_arg_1: token={TOKEN}",
        "agi_arg_2: from=+15125550199",
        "agi_arg_9: to=5125550199",
    )
    assert await door.agi("textable", "call=1.1", lines=forged) is None
    assert await door.agi("textable", f"token={TOKEN}", "call=1.1", "from=%2B15125550123", lines=forged) == "rb|yes|."
    ((_verb, question),) = door.answers.asked
    assert question == Question("1.1", caller="+15125550123")


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="HTTP on the wrong port"),
        pytest.param(b"\n", id="nothing"),
        pytest.param(b"x" * 100_000, id="one long line"),
        pytest.param(b"a: b\n" * 1000, id="no end"),
        pytest.param(environment("textable", f"token={TOKEN}"), id="no call"),
        pytest.param(environment("admin", f"token={TOKEN}", "call=1.1"), id="another verb"),
        pytest.param(environment("textable", f"token={TOKEN}", "call=1.1")[:-40], id="half of it"),
        pytest.param(bytes(range(256)) * 4, id="any bytes"),
    ],
)
async def test_by_fastagi_whatever_comes_the_line_is_closed(listening, raw):
    async with listening(FAST) as door:
        begun = time.monotonic()
        async with line(door.agi_port) as (reader, writer):
            writer.write(raw)
            with suppress(ConnectionError):  # closed with bytes unread, which resets it
                assert await asyncio.wait_for(reader.read(), 3) == b""
        assert time.monotonic() - begun < 1.0
        assert await door.agi("textable", f"token={TOKEN}", "call=1.1") == "rb|yes|."


async def test_by_fastagi_a_channel_that_never_answers_holds_nobody(listening):
    async with listening(FAST) as door, line(door.agi_port) as (reader, writer):
        writer.write(environment("textable", f"token={TOKEN}", "call=1.1"))
        assert (await reader.readline()).startswith(b"SET VARIABLE")
        assert await asyncio.wait_for(reader.read(), 1) == b""


# Anything at all

queries = st.one_of(
    st.text(max_size=300),
    st.lists(st.tuples(st.sampled_from([*READERS, "x"]), st.text(max_size=40)), max_size=8).map(
        lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
    ),
)


@given(queries, st.sampled_from([*VERBS]))
def test_any_query_becomes_a_question_or_a_named_fault(query, verb):
    try:
        question = read(query_fields(query), VERBS[verb].needed)
    except Unread as problem:
        assert problem.name in READERS
        assert problem.why.isprintable()
        assert len(problem.why) < 120
        return
    assert 0 < len(question.uniqueid) <= 150
    assert len(question.caller) <= 128
    assert len(question.caller_name) <= LONGEST_NAME
    assert all(part.isprintable() for part in (question.queue, question.ivr_path, question.caller_name))


@given(st.lists(st.text(max_size=40), max_size=5))
def test_whatever_is_said_is_one_harmless_line(values):
    said = line_of(tuple(values))
    assert len(said) <= LONGEST_LINE
    assert said.startswith(b"rb")
    assert said.endswith(b"|.")
    assert not set(said) & set(b"\r\n\",;\\${}()[]&<>'`")


@given(st.lists(st.text(max_size=30), max_size=40))
def test_any_arguments_of_an_agi_are_taken_apart(pairs):
    try:
        found = fields_of(pairs)
    except Unread as problem:
        assert problem.name in READERS
    else:
        assert set(found) <= set(READERS)

"""What a carrier, or somebody who stands before it, may answer besides what it should: a clear word, and no wrong send.

Each row is a whole answer as bytes. Only "created" with an id means that the text was taken.
"""

import asyncio
import gzip
import json
import re
from pathlib import Path

import pytest

from ringback.carriers.http import LONGEST_WAIT_S, MOST_ANSWER, Reply
from ringback.carriers.twilio import build
from ringback.errors import Blocked, Rejected, SendFailed, Throttled, Unconfirmed, Unreachable
from ringback.ports import CarrierContext, CarrierRef
from tests.carriers.twilio_parts import ANA, SID, text
from tests.fakes.hand_clock import HandClock
from tests.fakes.twilio import ACCOUNT, TOKEN

LENGTH = re.compile(rb"(?i)content-length: (\d+)")
CREATED = json.dumps({"sid": SID}).encode()
HTML = b"<html><body><h1>Please log in</h1></body></html>"


def said(status: str, body: bytes = b"", *headers: str, kind: str = "application/json", length: int = -1) -> bytes:
    """A whole answer; `length` is what it says of its body."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body) if length < 0 else length}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode("latin-1") + body


def chunked(status: str, *chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    lines = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    return lines + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + end


def refused(code: object) -> bytes:
    return json.dumps({"code": code, "message": f"not {ANA}"}).encode()


ANSWERS = [
    pytest.param(said("201 Created", CREATED), CarrierRef, id="created: the only yes"),
    pytest.param(said("201 Created", CREATED, kind="text/html"), CarrierRef, id="a yes that says it is HTML"),
    pytest.param(said("201 Created", b" \n" + CREATED + b"\n"), CarrierRef, id="a yes with room around it"),
    pytest.param(chunked("201 Created", CREATED[:9], CREATED[9:]), CarrierRef, id="a yes in chunks"),
    pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + said("201 Created", CREATED), CarrierRef, id="100, then a yes"),
    pytest.param(
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n" + said("201 Created", CREATED),
        CarrierRef,
        id="103, then a yes",
    ),
    pytest.param(
        said("201 Created", CREATED) + said("400 Bad Request", refused(21614)),
        CarrierRef,
        id="a yes, and more after it",
    ),
    pytest.param(said("200 OK", refused(21614)), Unconfirmed, id="200 with the body of a refusal"),
    pytest.param(said("200 OK", CREATED), Unconfirmed, id="200 with the body of a yes"),
    pytest.param(said("200 OK", HTML, kind="text/html"), Unconfirmed, id="200: a page of somebody before the carrier"),
    pytest.param(said("200 OK"), Unconfirmed, id="200 without a body"),
    pytest.param(said("202 Accepted", b"{}"), Unconfirmed, id="202 without an id"),
    pytest.param(said("202 Accepted", CREATED), Unconfirmed, id="202 with an id: perhaps later"),
    pytest.param(said("203 Other", CREATED), Unconfirmed, id="203: somebody changed the answer"),
    pytest.param(said("204 No Content"), Unconfirmed, id="204"),
    pytest.param(said("206 Partial Content", CREATED), Unconfirmed, id="206"),
    pytest.param(said("207 Multi-Status", CREATED), Unconfirmed, id="207"),
    pytest.param(said("201 Created"), Unconfirmed, id="201 without a body"),
    pytest.param(said("201 Created", b"{}"), Unconfirmed, id="201 without an id"),
    pytest.param(said("201 Created", b'{"sid": null}'), Unconfirmed, id="201 with an empty id"),
    pytest.param(said("201 Created", b'{"sid": 17}'), Unconfirmed, id="201 with a number for an id"),
    pytest.param(said("201 Created", b'{"sid": "SM1"}'), Unconfirmed, id="201 with half an id"),
    pytest.param(said("201 Created", b'{"sid": "%s\\n"}' % SID.encode()), Unconfirmed, id="201, an id and a line end"),
    pytest.param(said("201 Created", b"[%s]" % CREATED), Unconfirmed, id="201 with a list"),
    pytest.param(said("201 Created", b"\x00\xff\xfe garbage"), Unconfirmed, id="201 with garbage"),
    pytest.param(said("201 Created", HTML, kind="text/html"), Unconfirmed, id="201 with a page"),
    pytest.param(said("201 Created", CREATED[:-1]), Unconfirmed, id="201 with JSON cut short"),
    pytest.param(said("201 Created", CREATED, length=10_000), CarrierRef, id="201 shorter than it says, and whole"),
    pytest.param(said("201 Created", CREATED, length=10), Unconfirmed, id="201 longer than it says"),
    pytest.param(chunked("201 Created", CREATED[:-1], end=b""), Unconfirmed, id="201, a chunk is missing"),
    pytest.param(
        said("201 Created", gzip.compress(CREATED), "Content-Encoding: gzip"), Unconfirmed, id="201, packed unasked"
    ),
    pytest.param(said("201 Created", b" " * MOST_ANSWER + CREATED), Unconfirmed, id="201, larger than we read"),
    pytest.param(said("201 Created", b"[" * 50_000), Unconfirmed, id="201, a list in a list in a list"),
    pytest.param(
        said("201 Created", b'{"sid": 1%s}' % (b"0" * 5000)), Unconfirmed, id="201, a number too long to read"
    ),
    pytest.param(
        said("201 Created", CREATED, "Content-Length: 3"), Unconfirmed, id="201 with two lengths: which one is true?"
    ),
    pytest.param(said("301 Moved", b"", "Location: https://x.example/"), Unconfirmed, id="301"),
    pytest.param(said("302 Found", b"", "Location: /login"), Unconfirmed, id="302 to a page for people"),
    pytest.param(said("304 Not Modified"), Unconfirmed, id="304"),
    pytest.param(said("308 Permanent", b"", "Location: //x.example"), Unconfirmed, id="308"),
    pytest.param(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", Unconfirmed, id="101"
    ),
    pytest.param(said("400 Bad Request", refused(21614)), Rejected, id="a no"),
    pytest.param(said("400 Bad Request", refused(21610)), Blocked, id="a no because of a STOP"),
    pytest.param(said("400 Bad Request", refused(21614), kind="text/plain"), Rejected, id="a no that says it is plain"),
    pytest.param(
        said("400 Bad Request", gzip.compress(refused(21614)), "Content-Encoding: gzip"), Unreachable, id="a no, packed"
    ),
    pytest.param(said("402 Payment Required", HTML), Unreachable, id="402 not in the carrier's words"),
    pytest.param(said("408 Request Timeout", b"{}"), Unconfirmed, id="408: somebody on the way gave up"),
    pytest.param(said("418 Teapot", b"{}"), Unreachable, id="418"),
    pytest.param(said("425 Too Early", b"{}"), Unreachable, id="425: not processed, says its RFC"),
    pytest.param(said("451 Legal Reasons", b"{}"), Unreachable, id="451 not in the carrier's words"),
    pytest.param(said("499 Client Closed", b"{}"), Unconfirmed, id="499: a proxy believes that we went away"),
    pytest.param(said("507 Insufficient Storage", b"{}"), Unconfirmed, id="507"),
    pytest.param(said("511 Log In", HTML), Unconfirmed, id="511: a network wants a log-in"),
    pytest.param(said("999 Nobody knows", b"{}"), Unconfirmed, id="999"),
    pytest.param(said("000 Nothing", b"{}"), Unconfirmed, id="000"),
    pytest.param(b"HTTP/1.1 abc\r\n\r\n", Unconfirmed, id="a status that is no number"),
    pytest.param(b"HTTP/1.0 201 Created\r\n\r\n" + CREATED, CarrierRef, id="HTTP/1.0, the body ends with the line"),
    pytest.param(b"HTTP/9.9 201 Created\r\n\r\n" + CREATED, Unconfirmed, id="a version nobody speaks"),
    pytest.param(b"ICY 201 Created\r\n\r\n", Unconfirmed, id="another protocol that looks alike"),
    pytest.param(CREATED, Unconfirmed, id="a body alone"),
    pytest.param(b"\r\n" * 50, Unconfirmed, id="nothing but line ends"),
    pytest.param(b"\x16\x03\x01\x02\x00", Unconfirmed, id="TLS where there is none"),
    pytest.param(said("201 Created", CREATED, "Bad header"), Unconfirmed, id="a header without a colon"),
    pytest.param(said("201 Created", CREATED, *["X: y"] * 5000), Unconfirmed, id="headers without end"),
    pytest.param(said("429 Slow Down", HTML, "Retry-After: 7", "Retry-After: 9"), Throttled, id="two times to wait"),
    pytest.param(said("429 Slow Down", b"{", "Retry-After: soon"), Throttled, id="a time that is none"),
]


@pytest.mark.parametrize(("answer", "meaning"), ANSWERS)
async def test_an_odd_answer_is_read_with_care(tmp_path: Path, answer: bytes, meaning: type):
    asked = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(LENGTH.search(head)[1]))
        asked.append(head)
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    api = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    options = {"account": ACCOUNT, "key": TOKEN, "api": api, "answer_within": "5s"}
    carrier = build("main", options, CarrierContext(HandClock(), tmp_path))
    try:
        result: CarrierRef | SendFailed = await carrier.send(text(ANA))
    except SendFailed as failure:
        result = failure
    await carrier.close()
    server.close()
    assert type(result) is meaning, str(result)
    assert len(asked) == 1, "it was sent again"
    if isinstance(result, SendFailed):
        words = str(result)
        assert words.startswith(("Twilio: ", "Twilio took the text", api))
        assert len(words) > len(api) + 10 or words.startswith("Twilio")
        assert ANA not in words


DATE = "Sun, 22 Nov 2026 06:00:00 GMT"


@pytest.mark.parametrize(
    ("retry_after", "date", "wait"),
    [
        pytest.param("30", "", 30, id="seconds"),
        pytest.param("Sun, 22 Nov 2026 06:00:30 GMT", DATE, 30, id="a date"),
        pytest.param("Sunday, 22-Nov-26 06:00:30 GMT", DATE, 30, id="a date in the form of 1987"),
        pytest.param("Sun Nov 22 06:00:30 2026", DATE, 30, id="a date in the form of C"),
        pytest.param("Sun, 22 Nov 2026 07:00:30 +0100", DATE, 30, id="a date somewhere else"),
        pytest.param("Mon, 23 Nov 2026 06:00:00 GMT", DATE, LONGEST_WAIT_S, id="tomorrow: no more than we allow"),
        pytest.param("Sun, 22 Nov 2026 05:00:00 GMT", DATE, 1, id="a date that is over: never at once"),
        pytest.param("Sun, 22 Nov 2026 06:00:30 GMT", "", 5, id="a date, and who sent it has no clock"),
        pytest.param("Sun, 22 Nov 2026 06:00:30 GMT", "today", 5, id="a date, and theirs makes no sense"),
        pytest.param("Sun, 31 Feb 2026 06:00:30 GMT", DATE, 5, id="a day that does not exist"),
        pytest.param("Sun, 22 Nov 99999 06:00:30 GMT", DATE, 5, id="a year too far"),
        pytest.param("soon", DATE, 5, id="a word"),
        pytest.param("30.5", DATE, 5, id="half a second"),
        pytest.param("-30", DATE, 5, id="less than nothing"),
        pytest.param(" 30 ", DATE, 5, id="room around it, which HTTP takes away"),
        pytest.param("30, 60", DATE, 5, id="two"),
        pytest.param("\x00", DATE, 5, id="a hole"),
        pytest.param("", DATE, 5, id="nothing"),
    ],
)
def test_how_long_to_wait(retry_after: str, date: str, wait: float):
    assert Reply(429, retry_after, b"", date).wait(5) == wait


async def test_the_time_to_wait_is_read_off_the_wire(tmp_path: Path):
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(LENGTH.search(head)[1]))
        writer.write(said("429 Slow Down", b"{}", "Retry-After: Sun, 22 Nov 2026 06:02:00 GMT", f"Date: {DATE}"))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    api = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    carrier = build("main", {"account": ACCOUNT, "key": TOKEN, "api": api}, CarrierContext(HandClock(), tmp_path))
    with pytest.raises(Throttled) as caught:
        await carrier.send(text(ANA))
    await carrier.close()
    server.close()
    assert caught.value.wait == 120

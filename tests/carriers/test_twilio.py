"""The carrier Twilio: what it asks, and what each answer and each fault of the line means."""

import asyncio
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import ThreadedResolver, web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from ringback.carriers.http import LONGEST_WAIT_S, Reply
from ringback.carriers.twilio import Twilio, build, refusal
from ringback.carriers.twilio_words import REFUSALS
from ringback.core.messages import Outgoing
from ringback.errors import Blocked, Rejected, SendFailed, Throttled, Unconfirmed, Unreachable
from ringback.ports import CarrierContext
from tests.carriers.twilio_parts import ANA, ATTEMPT, BEN, DID, HOOKS, SID, made, text
from tests.fakes.certificates import secured_by_nobody
from tests.fakes.hand_clock import START, HandClock
from tests.fakes.twilio import (
    ACCOUNT,
    API_KEY,
    API_SECRET,
    TOKEN,
    FakeTwilio,
    Manner,
    Way,
    fake_twilio,
)


async def test_what_is_asked(line: FakeTwilio, carrier: Twilio):
    ref = await carrier.send(text(words="Ő & 100% + more"))
    (message,) = line.messages
    assert (message.sid, message.sender, message.to) == (ref.provider_id, DID, ANA)
    assert message.body == "Ő & 100% + more"
    assert message.callback == f"{HOOKS}/receipt?attempt={ATTEMPT}"
    assert line.requests == [("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json")]


@pytest.mark.parametrize(
    ("lasts", "seconds"),
    [
        pytest.param(timedelta(hours=1), 3600, id="an hour"),
        pytest.param(timedelta(hours=10), 36_000, id="the longest Twilio keeps"),
        pytest.param(timedelta(days=3), 36_000, id="longer than Twilio keeps"),
        pytest.param(timedelta(seconds=1.9), 1, id="never longer than we said"),
        pytest.param(timedelta(milliseconds=1), 1, id="the shortest"),
    ],
)
async def test_twilio_keeps_a_text_no_longer_than_it_is_worth(
    line: FakeTwilio, carrier: Twilio, lasts: timedelta, seconds: int
):
    await carrier.send(text(lasts=lasts))
    assert [message.validity for message in line.messages] == [seconds]


async def test_without_a_public_address_no_receipts_are_asked_for(line: FakeTwilio, tmp_path: Path):
    carrier = made(line, tmp_path, hooks="")
    await carrier.send(text())
    await carrier.close()
    assert [message.callback for message in line.messages] == [""]
    assert not carrier.receipts


async def test_an_api_key_sends_in_place_of_the_auth_token(line: FakeTwilio, tmp_path: Path):
    carrier = made(line, tmp_path, key="not the token", api_key_sid=API_KEY, api_key_secret=API_SECRET)
    await carrier.send(text())
    await carrier.close()
    assert len(line.messages) == 1


async def test_a_wrong_token_leaves_the_text_waiting_for_a_person(line: FakeTwilio, tmp_path: Path):
    carrier = made(line, tmp_path, key="not the token")
    with pytest.raises(Unreachable, match=r"check account and key \(error 20003\)"):
        await carrier.send(text())
    await carrier.close()
    assert line.messages == []


@pytest.mark.parametrize(
    ("number", "sender", "words", "code"),
    [
        pytest.param("12025550147", DID, "hi", 21211, id="a number without its plus"),
        pytest.param("+1", DID, "hi", 21211, id="a number that is none"),
        pytest.param(ANA, "+12025550199", "hi", 21606, id="a sender that is not ours"),
        pytest.param(ANA, DID, "", 21602, id="no text"),
        pytest.param(ANA, DID, "x" * 1601, 21617, id="a text that is too long"),
    ],
)
async def test_what_twilio_checks_is_refused_for_good(
    line: FakeTwilio, carrier: Twilio, number: str, sender: str, words: str, code: int
):
    with pytest.raises(Rejected, match=f"error {code}"):
        await carrier.send(Outgoing(ATTEMPT, "msg_1", sender, number, words, START + timedelta(hours=1)))
    assert line.messages == []


async def test_who_stopped_at_twilio_is_blocked(line: FakeTwilio, carrier: Twilio):
    line.stopped_by.add((DID, ANA))
    with pytest.raises(Blocked, match="STOP"):
        await carrier.send(text())


async def test_half_a_character_is_refused_before_anything_is_sent(line: FakeTwilio, carrier: Twilio):
    with pytest.raises(Rejected, match="half a character"):
        await carrier.send(text(words="\ud83d"))
    assert line.requests == []


def reply(status: int, body: object = None, retry_after: str = "") -> Reply:
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Reply(status, retry_after, raw)


def refused(status: int, code: object) -> Reply:
    return reply(status, {"code": code, "message": f"not {BEN}", "status": status})


HTML = b"<html><body>Bad gateway</body></html>"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        *(
            pytest.param(refused(400, code), known.error, id=f"{code}: {known.words}")
            for code, known in REFUSALS.items()
        ),
        pytest.param(refused(400, 21999), Rejected, id="a refusal we do not know"),
        pytest.param(refused(422, 21999), Rejected, id="a refusal by another status"),
        pytest.param(refused(401, 20099), Unreachable, id="an account's fault we do not know"),
        pytest.param(refused(403, 20099), Unreachable, id="a right we lack"),
        pytest.param(refused(404, 20099), Unreachable, id="an address we have wrong"),
        pytest.param(refused(403, 21610), Blocked, id="a known code outranks its status"),
        pytest.param(reply(400, HTML), Unreachable, id="400 that is not in Twilio's words"),
        pytest.param(reply(400), Unreachable, id="400 without a body"),
        pytest.param(reply(400, {"code": "21610"}), Unreachable, id="a code that is text"),
        pytest.param(reply(400, {"code": None}), Unreachable, id="no code"),
        pytest.param(reply(400, [21610]), Unreachable, id="a list"),
        pytest.param(reply(400, b"[" * 100_000), Unreachable, id="a list in a list in a list"),
        pytest.param(reply(400, b"\xff\xfe{"), Unreachable, id="no UTF-8"),
        pytest.param(reply(401, HTML), Unreachable, id="a proxy wants a password"),
        pytest.param(reply(407, HTML), Unreachable, id="a proxy of ours wants a password"),
        pytest.param(reply(413, HTML), Unreachable, id="a proxy finds it too large"),
        pytest.param(refused(429, 20429), Throttled, id="too many requests"),
        pytest.param(reply(429, HTML), Throttled, id="too many requests, not in Twilio's words"),
        pytest.param(reply(429), Throttled, id="too many requests, and no more"),
        pytest.param(refused(429, 21610), Throttled, id="429 is never processed, whatever its code"),
        pytest.param(reply(408, HTML), Unconfirmed, id="408: somebody on the way gave up"),
        pytest.param(refused(500, 20500), Unconfirmed, id="500: Twilio says it may have been sent"),
        pytest.param(refused(500, 21610), Unconfirmed, id="500 with a code that would be a no"),
        pytest.param(reply(500, HTML), Unconfirmed, id="500 not in Twilio's words"),
        pytest.param(reply(502, HTML), Unconfirmed, id="502: a proxy lost the answer"),
        pytest.param(refused(503, 20503), Unconfirmed, id="503: Twilio does not say that it was not sent"),
        pytest.param(reply(503, retry_after="5"), Unconfirmed, id="503 with a time"),
        pytest.param(reply(504, HTML), Unconfirmed, id="504: the answer came too late"),
        pytest.param(reply(599), Unconfirmed, id="a status nobody knows"),
        pytest.param(reply(200, {"sid": "SM" + "0" * 32}), Unconfirmed, id="200 creates nothing, and has an id"),
        pytest.param(reply(202, {}), Unconfirmed, id="202: perhaps later"),
        pytest.param(reply(204), Unconfirmed, id="204 without a word"),
        pytest.param(reply(301, HTML), Unconfirmed, id="301: elsewhere, we do not go there"),
        pytest.param(reply(307, HTML), Unconfirmed, id="307: elsewhere again"),
    ],
)
def test_what_an_answer_means(answer: Reply, error: type[SendFailed]):
    failure = refusal(answer)
    assert type(failure) is error
    assert str(failure).startswith("Twilio: ")
    assert BEN not in str(failure)


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        pytest.param(reply(429, retry_after="7"), 7, id="what Twilio asks for"),
        pytest.param(reply(429), 1, id="a second if it does not say"),
        pytest.param(reply(429, retry_after="0"), 1, id="never at once"),
        pytest.param(reply(429, retry_after="86400"), LONGEST_WAIT_S, id="a quarter of an hour at most"),
        pytest.param(reply(429, retry_after="9" * 400), LONGEST_WAIT_S, id="a number without end"),
        pytest.param(reply(429, retry_after="-5"), 1, id="less than nothing"),
        pytest.param(reply(429, retry_after="nan"), 1, id="no number"),
        pytest.param(reply(429, retry_after="1e3"), 1, id="a number of another kind"),
        pytest.param(reply(429, retry_after="٣"), 1, id="a digit of another script"),
        pytest.param(reply(429, retry_after="Fri, 20 Nov 2026 15:00:00 GMT"), 1, id="a date"),
        pytest.param(refused(429, 21611), 300, id="a full queue takes longer"),
        pytest.param(refused(400, 14107), 30, id="a loop has to cool down"),
        pytest.param(refused(400, 63038), 900, id="a day's limit"),
    ],
)
def test_how_long_to_wait(answer: Reply, wait: float):
    failure = refusal(answer)
    assert isinstance(failure, Throttled)
    assert failure.wait == wait


def created(body: bytes, **headers: str) -> Way:
    return Way(Manner.ANSWERS, 201, body=body, headers={"Content-Type": "application/json", **headers})


@pytest.mark.parametrize(
    "way",
    [
        pytest.param(Way(Manner.CLOSES), id="the line is cut after the request"),
        pytest.param(Way(Manner.CUTS_ANSWER), id="the line is cut in the middle of the answer"),
        pytest.param(Way(Manner.HANGS), id="no answer comes"),
        pytest.param(created(b""), id="created, and no body"),
        pytest.param(created(b"{}"), id="created, and no id"),
        pytest.param(created(b'{"sid": null}'), id="created, and the id is nothing"),
        pytest.param(created(b'{"sid": ["SM"]}'), id="created, and the id is a list"),
        pytest.param(created(b'{"sid": "' + b"x" * 34 + b'"}'), id="created, and the id is none of Twilio's"),
        pytest.param(created(HTML), id="created, in HTML"),
        pytest.param(created(b"\x1f\x8b\x08", **{"Content-Encoding": "gzip"}), id="created, and packed"),
        pytest.param(created(b'{"a": "' + b"x" * 10_000_000 + b'"}'), id="created, in ten megabytes"),
        pytest.param(Way(Manner.ANSWERS, 200, body=json.dumps({"sid": SID}).encode()), id="200 with an id"),
        pytest.param(Way(Manner.ANSWERS, 500, body=HTML), id="500 after taking it"),
        pytest.param(Way(Manner.ANSWERS, 503, headers={"Retry-After": "1"}), id="503 after taking it"),
        pytest.param(Way(Manner.ANSWERS, 302, headers={"Location": "http://127.0.0.1:1/"}), id="a way elsewhere"),
    ],
)
async def test_a_text_that_may_have_gone_is_unconfirmed_and_never_sent_twice(
    line: FakeTwilio, tmp_path: Path, way: Way
):
    carrier = made(line, tmp_path, answer_within="500ms")
    line.treat(ANA, way)
    with pytest.raises(Unconfirmed):
        await carrier.send(text())
    await carrier.close()
    assert len(line.sent) == 1
    assert len(line.requests) == 1


async def test_an_answer_that_takes_its_time_is_waited_for(line: FakeTwilio, carrier: Twilio):
    line.treat(ANA, Way(Manner.DAWDLES, delay=0.3))
    assert (await carrier.send(text())).provider_id == line.messages[0].sid


async def test_a_no_whose_words_never_end_is_still_a_no(line: FakeTwilio, tmp_path: Path):
    carrier = made(line, tmp_path, answer_within="500ms")
    line.treat(ANA, Way(Manner.REFUSES, 400, None, headers={"Content-Length": "5000"}))
    with pytest.raises(Unreachable, match="status 400"):
        await carrier.send(text())
    await carrier.close()


async def test_nobody_at_the_port_means_that_nothing_was_sent(clock: HandClock, tmp_path: Path):
    async with fake_twilio(clock, DID) as gone:
        carrier = made(gone, tmp_path)
    with pytest.raises(Unreachable, match="cannot be reached"):
        await carrier.send(text())
    await carrier.close()


async def test_a_name_that_is_not_found_means_that_nothing_was_sent(
    line: FakeTwilio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async def not_found(*_: object, **__: object) -> list[object]:
        raise OSError(-2, "Name or service not known")

    monkeypatch.setattr(ThreadedResolver, "resolve", not_found)
    carrier = made(line, tmp_path, api="https://api.twilio.example")
    with pytest.raises(Unreachable, match=r"api\.twilio\.example"):
        await carrier.send(text())
    await carrier.close()


async def test_a_certificate_nobody_signed_means_that_nothing_was_sent(clock: HandClock, tmp_path: Path):
    asked: list[str] = []

    async def ask(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=201)

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", ask)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=secured_by_nobody())
    options = {"account": ACCOUNT, "key": TOKEN, "api": f"https://127.0.0.1:{server.port}"}
    carrier = build("main", options, CarrierContext(clock, tmp_path))
    with pytest.raises(Unreachable, match="certificate"):
        await carrier.send(text())
    await carrier.close()
    await server.close()
    assert asked == []


CREATED = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 45\r\n\r\n"
REFUSED = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"
TAKEN = json.dumps({"sid": SID}).encode()


@pytest.mark.parametrize(
    ("read", "answer", "error"),
    [
        pytest.param(0, b"", Unconfirmed, id="cut before a byte was read: some may have left"),
        pytest.param(20, b"", Unconfirmed, id="cut within the first line of the request"),
        pytest.param(200, b"", Unconfirmed, id="cut within the headers of the request"),
        pytest.param(-1, b"", Unconfirmed, id="cut before the answer"),
        pytest.param(-1, b"HTTP/1.1 2", Unconfirmed, id="cut within the status"),
        pytest.param(-1, b"HTTP/1.1 400 Bad Request\r\nContent-T", Unconfirmed, id="cut within the headers of a no"),
        pytest.param(-1, CREATED, Unconfirmed, id="cut before the body of a yes"),
        pytest.param(-1, CREATED + TAKEN[:-1], Unconfirmed, id="cut at the last byte of a yes"),
        pytest.param(-1, REFUSED + b'{"code": 2', Unreachable, id="cut within the body of a no: it is one"),
        pytest.param(-1, REFUSED + b'{"code": 21614}', Rejected, id="cut after all that matters of a no"),
        pytest.param(-1, b"SSH-2.0-OpenSSH_9.2\r\n", Unconfirmed, id="an answer in another language"),
        pytest.param(-1, b"HTTP/1.1 201 Created\r\n" + b"X: y\r\n" * 20_000, Unconfirmed, id="headers without end"),
    ],
)
async def test_where_the_line_is_cut(
    clock: HandClock, tmp_path: Path, read: int, answer: bytes, error: type[SendFailed]
):
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if read < 0:
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(re.search(rb"(?i)content-length: (\d+)", head)[1]))
        elif read:
            await reader.readexactly(read)
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(cut, "127.0.0.1", 0)
    api = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    carrier = build("main", {"account": ACCOUNT, "key": TOKEN, "api": api}, CarrierContext(clock, tmp_path))
    with pytest.raises(SendFailed) as caught:
        await carrier.send(text())
    await carrier.close()
    server.close()
    assert type(caught.value) is error


async def test_a_text_is_not_repeated_on_a_connection_that_was_used_before(clock: HandClock, tmp_path: Path):
    """The second request crosses with the end of the connection; a library that tries again would send it twice."""
    asked: list[bytes] = []

    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in (CREATED + TAKEN, b""):
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(re.search(rb"(?i)content-length: (\d+)", head)[1]))
            asked.append(head)
            writer.write(reply)
        writer.close()

    server = await asyncio.start_server(answer_once, "127.0.0.1", 0)
    api = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    carrier = build("main", {"account": ACCOUNT, "key": TOKEN, "api": api}, CarrierContext(clock, tmp_path))
    assert (await carrier.send(text())).provider_id == SID
    with pytest.raises(Unconfirmed):
        await carrier.send(text())
    await carrier.close()
    server.close()
    assert len(asked) == 2


async def test_tls_to_a_server_without_it_means_that_nothing_was_sent(line: FakeTwilio, tmp_path: Path):
    carrier = made(line, tmp_path, api=line.address.replace("http:", "https:"))
    with pytest.raises(Unreachable):
        await carrier.send(text())
    await carrier.close()
    assert line.requests == []


async def test_our_password_is_not_taken_elsewhere(line: FakeTwilio, carrier: Twilio, clock: HandClock):
    async with fake_twilio(clock, DID) as other:
        elsewhere = {"Location": f"{other.address}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"}
        line.treat(ANA, Way(Manner.ANSWERS, 307, headers=elsewhere))
        with pytest.raises(Unconfirmed):
            await carrier.send(text())
        assert other.requests == []


async def test_it_opens_nothing_until_it_sends_and_can_be_closed_twice(line: FakeTwilio, tmp_path: Path):
    carrier = made(line, tmp_path)
    await carrier.close()
    await carrier.send(text())
    await carrier.close()
    await carrier.close()
    assert len(line.messages) == 1


SECRETS = ("4711 is the pin", TOKEN, ANA)


@pytest.mark.parametrize(
    "way",
    [
        Way(),
        Way(Manner.REFUSES, 400, 21610),
        Way(Manner.REFUSES, 400, 21999),
        Way(Manner.REFUSES, 401, 20003),
        Way(Manner.CLOSES),
        Way(Manner.ANSWERS, 201, body=HTML),
    ],
)
async def test_neither_text_nor_number_nor_secret_is_logged_or_named(line: FakeTwilio, carrier: Twilio, way: Way):
    line.treat(ANA, way)
    with capture_logs() as logs:
        try:
            said = str(await carrier.send(text(words=SECRETS[0])))
        except SendFailed as failure:
            said = f"{failure} {failure!r} {failure.__cause__!r}"
    said += f"{logs} {carrier!r} {carrier._settings!r}"
    assert [secret for secret in SECRETS if secret in said] == []

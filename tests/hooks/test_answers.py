"""What a carrier hears, and what a stranger hears, from the real listener over a real client."""

import asyncio
import gzip
import io

import aiohttp
import pytest
from structlog.testing import capture_logs
from yarl import URL

from ringback.config import Address
from ringback.errors import StoreBusy, StoreFault
from ringback.hooks import Counts, Limits, serve
from tests.hooks.conftest import BIG, FORM, INBOUND, PUBLIC, TEXT, hook, read_answer, sign

MIB = 1024 * 1024


def sized(size):
    """A hook of exactly so many bytes."""
    start = b"id=1&from=a&to=b&text="
    return start + b"x" * (size - len(start))


async def post(door, target=INBOUND, body=TEXT, signature=None, method="POST", **headers):
    """Send a hook with aiohttp's client, signed unless told otherwise."""
    made = sign(target, body) if signature is None else signature
    sent = {"X-Pigeon": made, "Content-Type": FORM} | {name.replace("_", "-"): text for name, text in headers.items()}
    url = URL(f"http://127.0.0.1:{door.port}{target}", encoded=True)
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        async with session.request(method, url, data=io.BytesIO(body), headers=sent) as answer:
            return answer, await answer.text()


async def test_a_signed_hook_is_stored_and_answered_as_its_carrier_wants(door):
    answer, said = await post(door)
    assert (answer.status, said, answer.content_type) == (200, "<thanks/>", "text/xml")
    assert door.store.taken == [("main", "Yes please")]
    assert door.reception.counts()["main"].taken == 1


async def test_the_answer_waits_for_the_disk(door):
    door.store.gate = asyncio.Event()
    asking = asyncio.create_task(post(door))
    await door.store.waiting.get()
    assert not asking.done()
    door.store.gate.set()
    answer, _ = await asking
    assert answer.status == 200


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        pytest.param({"signature": "0" * 64}, 403, id="a signature that does not fit"),
        pytest.param({"signature": ""}, 403, id="an empty signature"),
        pytest.param({"signature": sign(INBOUND, TEXT, key=b"other")}, 403, id="signed with another key"),
        pytest.param({"signature": sign(INBOUND, TEXT + b"!")}, 403, id="signed for another body"),
        pytest.param({"signature": sign("/hooks/big/inbound", TEXT)}, 403, id="signed for another carrier here"),
        pytest.param({"signature": sign(INBOUND, TEXT, "http://sms.example.com")}, 403, id="signed for http"),
        pytest.param({"signature": "boom"}, 403, id="a signature whose check fails"),
        pytest.param({"target": "/hooks/nobody/inbound"}, 403, id="no such carrier, and nobody is told"),
        pytest.param({"method": "GET", "body": b""}, 405, id="GET"),
        pytest.param({"method": "PUT"}, 405, id="PUT"),
        pytest.param({"method": "GET", "body": b"", "target": "/hooks/nobody/inbound"}, 405, id="GET of no carrier"),
        pytest.param({"target": "/"}, 404, id="the root"),
        pytest.param({"target": "/healthz"}, 404, id="a page of the panel"),
        pytest.param({"target": "/hooks"}, 404, id="hooks of no carrier"),
        pytest.param({"target": "/hooks/main"}, 404, id="a carrier alone"),
        pytest.param({"target": "/hooks/main/"}, 404, id="nothing after the carrier"),
        pytest.param({"target": "/hooks/main/inbound/"}, 404, id="a slash too many at the end"),
        pytest.param({"target": "/hooks/main/inbound/more"}, 404, id="a part too many"),
        pytest.param({"target": "//hooks/main/inbound"}, 404, id="a double slash before"),
        pytest.param({"target": "/hooks//main/inbound"}, 404, id="a double slash within"),
        pytest.param({"target": "/hooks/main%2Finbound"}, 404, id="an encoded slash"),
        pytest.param({"target": "/%68ooks/main/inbound"}, 404, id="an encoded letter"),
        pytest.param({"target": "/hooks/main/../main/inbound"}, 404, id="dots"),
        pytest.param({"target": "/Hooks/main/inbound"}, 404, id="a capital"),
        pytest.param({"target": "/hooks/main/inbound;a=b"}, 404, id="a path parameter"),
        pytest.param({"Content_Encoding": "gzip", "body": gzip.compress(bytes(10 * MIB))}, 415, id="a gzip bomb"),
        pytest.param({"Content_Encoding": "br"}, 415, id="packed, it says"),
        pytest.param({"Content_Encoding": "identity"}, 415, id="not packed, it says"),
        pytest.param({"body": sized(MIB)}, 200, id="a MiB"),
        pytest.param({"body": sized(MIB + 1)}, 413, id="a byte more"),
        pytest.param({"target": BIG, "body": sized(3 * MIB)}, 200, id="3 MiB, where the carrier needs them"),
        pytest.param({"target": BIG, "body": sized(3 * MIB + 1)}, 413, id="more than it needs"),
    ],
)
async def test_answers(door, request_, status):
    answer, said = await post(door, **request_)
    assert answer.status == status
    assert (len(door.store.taken) == 1) == (status == 200)
    assert said.count("\n") == (0 if status == 200 else 1)


async def test_strangers_hear_the_same_whoever_they_ask_for(door):
    said = []
    for target in (INBOUND, "/hooks/nobody/inbound", "/hooks/big/receipt"):
        answer, text = await post(door, target, signature="no")
        own = {"Date": "", "X-Request-ID": ""}
        said.append((answer.status, text, {**answer.headers, **own}))
    assert said[0] == said[1] == said[2]
    assert said[0][1] == "refused\n"


@pytest.mark.parametrize("target", [INBOUND, "/", "/hooks/nobody/inbound"])
async def test_every_answer_keeps_browsers_out(door, target):
    answer, _ = await post(door, target, signature="no")
    assert answer.headers["Server"] == "Ringback"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["Cache-Control"] == "no-store"


async def test_only_post_is_offered(door):
    answer, _ = await post(door, method="DELETE")
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    "problem",
    [
        pytest.param(StoreBusy("the disk is full"), id="the store is busy"),
        pytest.param(StoreFault("the database is gone"), id="the store is away"),
    ],
)
@pytest.mark.parametrize("body", [pytest.param(TEXT, id="a text"), pytest.param(b"id=1", id="one to set aside")])
async def test_what_cannot_be_stored_shall_come_again(door, problem, body):
    door.store.fault = problem
    answer, _ = await post(door, body=body)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert door.reception.counts()["main"] == Counts(put_off=1)


async def test_what_cannot_even_be_set_aside_shall_come_again(door):
    door.store.fault = ValueError("quotes the text")
    answer, _ = await post(door)
    assert answer.status == 503


async def test_a_disk_that_takes_too_long_is_not_waited_for(listening):
    async with listening(limits=Limits(store_s=0.05)) as door:
        door.store.gate = asyncio.Event()
        answer, _ = await post(door)
        assert answer.status == 503
        door.store.gate.set()
        assert (await post(door))[0].status == 200


async def test_too_many_believed_hooks_at_once_are_put_off_and_strangers_do_not_count(listening):
    async with listening(limits=Limits(in_hand=2)) as door:
        door.store.gate = asyncio.Event()
        first = [asyncio.create_task(post(door)) for _ in range(2)]
        for _ in first:
            await door.store.waiting.get()
        assert (await post(door, signature="no"))[0].status == 403
        assert (await post(door))[0].status == 503
        door.store.gate.set()
        assert [answer.status for answer, _ in await asyncio.gather(*first)] == [200, 200]
        assert (await post(door))[0].status == 200


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param(b"id=1&from=a&to=b", "it has no text", id="the carrier's file says why"),
        pytest.param(b"boom=secret", "reading it failed: ZeroDivisionError in conftest.py:", id="its file breaks"),
        pytest.param(b"text=x", "reading it failed: KeyError in conftest.py:", id="a field is missing"),
        pytest.param(b"text=%ff", "it has no text", id="no UTF-8"),
    ],
)
async def test_what_is_signed_and_makes_no_sense_is_kept_and_acknowledged(door, body, why):
    answer, said = await post(door, body=body)
    assert (answer.status, said) == (200, "<thanks/>")
    ((carrier, raw, kept),) = door.store.aside
    assert (carrier, raw) == ("main", body)
    assert kept.startswith(why)
    assert "secret" not in kept
    assert door.reception.counts()["main"] == Counts(unreadable=1)


async def test_a_hook_that_brings_nothing_is_acknowledged(door):
    answer, _ = await post(door, body=b"text=")
    assert answer.status == 200
    assert door.store.taken == door.store.aside == []


async def test_what_the_flow_cannot_file_is_kept_and_acknowledged(door):
    async def take(*_):
        raise LookupError("quotes the text")

    door.store.take = take
    answer, _ = await post(door)
    assert answer.status == 200
    ((_, raw, why),) = door.store.aside
    assert raw == TEXT
    assert why.startswith("reading it failed: LookupError in test_answers.py:")


async def test_a_fault_of_ours_says_nothing_about_it(door, monkeypatch):
    async def receive(*_):
        raise LookupError("quotes the text")

    monkeypatch.setattr(door.reception, "receive", receive)
    with capture_logs() as told:
        answer, said = await post(door)
    assert (answer.status, said) == (500, "a fault of ours\n")
    assert [line["problem"].partition(".py")[0] for line in told] == ["LookupError in test_answers"]


SPOOFS = {
    "Host": "evil.example.net",
    "X-Forwarded-Host": "evil.example.net",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Port": "8080",
    "X-Forwarded-For": "127.0.0.1",
    "X-Forwarded-Prefix": "/other",
    "X-Original-URL": "/hooks/other/inbound",
    "X-Rewrite-URL": "/hooks/other/inbound",
    "X-HTTP-Method-Override": "GET",
    "Forwarded": "for=127.0.0.1;host=evil.example.net;proto=http",
    "Via": "1.1 evil.example.net",
    "X-Real-IP": "127.0.0.1",
    "CF-Connecting-IP": "127.0.0.1",
}


@pytest.mark.parametrize("name", SPOOFS)
async def test_no_header_moves_the_address_that_was_signed(door, name):
    spoof = {name.replace("-", "_"): SPOOFS[name]}
    assert (await post(door, **spoof))[0].status == 200
    elsewhere = sign(INBOUND, TEXT, "http://evil.example.net")
    assert (await post(door, signature=elsewhere, **spoof))[0].status == 403
    assert len(door.store.taken) == 1


@pytest.mark.parametrize(
    ("public", "target", "status"),
    [
        pytest.param("https://sms.example.com:8443", INBOUND, 200, id="a port"),
        pytest.param("https://example.com/sms", f"/sms{INBOUND}", 200, id="a path"),
        pytest.param("https://example.com/sms", INBOUND, 404, id="a proxy that cuts the path off"),
        pytest.param("https://example.com/sms", f"/smsx{INBOUND}", 404, id="a path that only begins alike"),
        pytest.param(
            "https://example.com/sms", f"/sms%2Fhooks{INBOUND[6:]}", 404, id="an encoded slash after the path"
        ),
        pytest.param(PUBLIC, f"{INBOUND}?attempt=att_1&b=%2f%2F", 200, id="a query as it came"),
        pytest.param(PUBLIC, f"{INBOUND}?a=/hooks//other", 200, id="slashes in the query"),
    ],
)
async def test_the_address_is_ours_and_the_target_is_as_it_came(listening, public, target, status):
    async with listening(public) as door:
        answer, _ = await post(door, target, signature=sign(target, TEXT, public))
        assert answer.status == status


async def test_while_it_stops_what_is_in_hand_is_stored_and_the_rest_shall_come_again(door):
    door.store.gate = asyncio.Event()
    asking = asyncio.create_task(post(door))
    await door.store.waiting.get()
    async with door.line() as (reader, writer):
        # the listener has the headers once it asks for the body
        head, _, _ = hook(headers=(("Expect", "100-continue"),)).partition(b"\r\n\r\n")
        writer.write(head + b"\r\n\r\n")
        assert (await read_answer(reader)).status == 100
        door.stop()
        assert (await read_answer(reader)).status == 503
        door.store.gate.set()
        assert (await asking)[0].status == 200
    with pytest.raises(aiohttp.ClientConnectorError):
        await post(door)


async def test_it_can_be_started_again(door):
    door.stop()
    door.reception.stopping = True
    port = asyncio.get_running_loop().create_future()
    again = asyncio.create_task(serve(Address("127.0.0.1", 0), door.reception, port.set_result))
    door.port = await port
    assert (await post(door))[0].status == 200
    again.cancel()
    await asyncio.wait((again,))

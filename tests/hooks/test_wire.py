"""Bytes that no client of good will sends: each gets an answer or loses its line, and the next caller is served."""

import asyncio
from contextlib import suppress

import pytest

from ringback.hooks import Limits
from ringback.hooks.limits import MIB
from tests.hooks.conftest import FORM, INBOUND, TEXT, hook, read_answer, sign

FAST = Limits(head_s=0.2, body_s=0.2, keep_alive_s=0.2, linger_s=0.2)


def chunked(body: bytes, *pieces: bytes, **how: object) -> bytes:
    """A signed hook whose body comes in the pieces given."""
    signed = hook(b"", headers=(("Transfer-Encoding", "chunked"),), signature=sign(INBOUND, body), **how)
    return signed.replace(b"Content-Length: 0\r\n", b"") + b"".join(pieces)


def chunk(piece: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(piece), piece)


def changed(old: bytes, new: bytes) -> bytes:
    raw = hook()
    assert old in raw
    return raw.replace(old, new)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        pytest.param(hook(), 200, id="a good one"),
        pytest.param(hook(line_end="HTTP/1.0"), 200, id="HTTP/1.0, as nginx speaks it"),
        pytest.param(hook(target=f"{INBOUND}?"), 200, id="an empty query"),
        pytest.param(chunked(TEXT, chunk(TEXT[:9]), chunk(TEXT[9:]), chunk(b"")), 200, id="in chunks"),
        pytest.param(
            chunked(TEXT, *(chunk(bytes([byte])) for byte in TEXT), chunk(b"")), 200, id="in chunks of one byte"
        ),
        pytest.param(chunked(TEXT, b"3c;a=b\r\n", TEXT, b"\r\n", chunk(b"")), 200, id="a chunk with an extension"),
        pytest.param(chunked(TEXT, b"zz\r\n" + TEXT), 400, id="a chunk of no length"),
        pytest.param(chunked(TEXT, b"-1\r\n" + TEXT), 400, id="a chunk of negative length"),
        pytest.param(chunked(TEXT, b"ffffffffffffffffffff\r\n" + TEXT), 400, id="a chunk longer than numbers go"),
        pytest.param(hook(headers=(("Transfer-Encoding", "chunked"),)), 400, id="both a length and chunks"),
        pytest.param(hook(length="27, 27"), 400, id="a length twice in one line"),
        pytest.param(hook(headers=(("Content-Length", "1"),)), 400, id="two lengths"),
        pytest.param(hook(length="-1"), 400, id="a negative length"),
        pytest.param(hook(length="1e3"), 400, id="a length in floating point"),
        pytest.param(hook(length=str(10**12)), 413, id="a terabyte, it says"),
        pytest.param(changed(b"/inbound", b"/in bound"), 400, id="a space in the target"),
        pytest.param(changed(b"POST ", b"P\x00ST "), 400, id="a NUL in the method"),
        pytest.param(changed(b"HTTP/1.1", b"HTTP/9.9"), 400, id="HTTP of the future"),
        pytest.param(changed(b"X-Pigeon:", b"X-Pigeon :"), 400, id="a space before the colon"),
        pytest.param(changed(b"Host: sms", b"Host: a\x00b"), 400, id="a NUL in a header"),
        pytest.param(changed(b"Host: ", b"Host\r\n : "), 400, id="a header on two lines"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64), 400, id="TLS on a plain port"),
        pytest.param(b"\r\n\r\n\r\n" + b"quit\r\n\r\n", 400, id="another protocol"),
        pytest.param(hook(target="/" + "a" * 9_000), 400, id="a long target"),
        pytest.param(hook(target=f"{INBOUND}?{'a' * 9_000}"), 400, id="a long query"),
        pytest.param(hook(headers=(("X-Long", "a" * 9_000),)), 400, id="a long header"),
        pytest.param(hook(headers=tuple((f"X-{n}", "a") for n in range(70))), 400, id="70 headers more"),
        pytest.param(hook(target=f"https://sms.example.com{INBOUND}"), 404, id="the whole address as the target"),
        pytest.param(hook(target=f"https://evil.example.net{INBOUND}"), 404, id="another's address as the target"),
        pytest.param(hook(target="*", method="OPTIONS"), 404, id="an asterisk"),
        pytest.param(changed(f"POST {INBOUND}".encode(), b"CONNECT sms.example.com:443"), 404, id="a tunnel"),
        pytest.param(hook(headers=(("X-Pigeon", "second"),)), 403, id="a second signature behind the good one"),
        pytest.param(changed(b"X-Pigeon: ", b"X-Pigeon: first\r\nX-Pigeon: "), 403, id="a second signature before it"),
        pytest.param(changed(b"X-Pigeon: ", b"X-Pigeon: \xff\xfe"), 403, id="a signature in no charset"),
        pytest.param(hook(headers=(("Content-Type", f"{FORM}; charset=UTF-8"),)), 200, id="UTF-8, it says"),
        pytest.param(hook(headers=(("Upgrade", "h2c"), ("Connection", "Upgrade"))), 200, id="HTTP/2 wanted, not given"),
        pytest.param(hook(headers=(("Content-Encoding", ""),)), 415, id="an empty encoding"),
    ],
)  # fmt: skip
async def test_any_bytes_get_their_answer(listening, request_, status):
    async with listening(limits=FAST) as door:
        said = await door.ask(request_)
        assert said.status == status
        assert said.headers["server"] == "ringback"
        assert len(said.body) < 60
        assert (await door.ask(hook())).status == 200


@pytest.mark.parametrize("method", ["HEAD", "TRACE", "PATCH", "PROPFIND", "OPTIONS"])
async def test_other_methods_get_no_body_and_no_echo(door, method):
    async with door.line() as (reader, writer):
        writer.write(hook(b"", method=method, headers=(("Connection", "close"),)))
        said = await reader.read()
    assert b"405" in said.partition(b"\r\n")[0]
    assert b"pigeon" not in said.lower()


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(b"", id="nothing at all"),
        pytest.param(b"POST /hooks/main/inb", id="half a first line"),
        pytest.param(hook().partition(b"\r\n\r\n")[0], id="headers without an end"),
    ],
)
async def test_a_line_without_a_whole_head_is_closed(listening, start):
    async with listening(limits=FAST) as door, door.line() as (reader, writer):
        writer.write(start)
        assert await asyncio.wait_for(reader.read(), 5) == b""


async def test_headers_that_drip_are_cut_off_although_something_always_comes(listening):
    async with listening(limits=FAST) as door, door.line() as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\n")
        with suppress(ConnectionError):
            for number in range(100):
                writer.write(b"X-%d: a\r\n" % number)
                await writer.drain()
                if reader.at_eof() or await _eof_within(reader, 0.02):
                    break
        assert number < 60


async def _eof_within(reader, seconds):
    try:
        return await asyncio.wait_for(reader.read(1), seconds) == b""
    except TimeoutError:
        return False


async def test_a_second_request_that_drips_on_a_kept_line_is_cut_off_too(listening):
    limits = Limits(head_s=0.2, keep_alive_s=60)
    async with listening(limits=limits) as door, door.line() as (reader, writer):
        writer.write(hook())
        assert (await read_answer(reader)).status == 200
        writer.write(b"POST")
        assert await asyncio.wait_for(reader.read(), 5) == b""


async def test_a_kept_line_at_rest_is_closed_after_its_time(listening):
    async with listening(limits=Limits(head_s=0.05, keep_alive_s=0.4)) as door, door.line() as (reader, writer):
        writer.write(hook())
        assert (await read_answer(reader)).status == 200
        begun = asyncio.get_running_loop().time()
        assert await asyncio.wait_for(reader.read(), 5) == b""
        # the time for headers does not count while nobody sends any
        assert asyncio.get_running_loop().time() - begun > 0.3


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(hook()[:-5], id="a body that stays short"),
        pytest.param(chunked(TEXT, chunk(TEXT)), id="chunks without an end"),
        pytest.param(chunked(TEXT, b"ff\r\nabc"), id="half a chunk"),
        pytest.param(hook(b"", length="100"), id="no body at all"),
    ],
)
async def test_a_slow_body_is_put_off(listening, start):
    async with listening(limits=FAST) as door, door.line() as (reader, writer):
        writer.write(start)
        said = await asyncio.wait_for(read_answer(reader), 5)
        assert (said.status, said.headers["connection"], said.headers["retry-after"]) == (503, "close", "5")
        assert await asyncio.wait_for(reader.read(), 5) == b""
        assert door.store.taken == []


async def test_a_body_cut_off_is_no_hook(door):
    async with door.line() as (reader, writer):
        writer.write(hook()[:-5])
        writer.write_eof()
        await asyncio.wait_for(reader.read(), 10)
    assert door.store.taken == door.store.aside == []
    assert (await door.ask(hook())).status == 200


async def test_chunks_without_end_are_cut_off_at_the_bound(listening):
    async with listening(limits=Limits(linger_s=0.2)) as door, door.line() as (reader, writer):
        writer.write(chunked(b"", chunk(b"text=")))
        sending = asyncio.create_task(_pour(writer))
        said = await asyncio.wait_for(read_answer(reader), 10)
        assert said.status == 413
        await asyncio.wait_for(sending, 10)
        assert (await door.ask(hook())).status == 200


async def _pour(writer):
    """Send chunks until the line is cut."""
    piece = chunk(b"x" * 65_536)
    with suppress(ConnectionError):
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()


async def test_all_bodies_together_are_bounded(listening):
    async with listening(limits=Limits(held=MIB, body_s=5)) as door:
        raw = hook(b"text=" + b"x" * 700_000)
        async with door.line() as one, door.line() as other:
            for _, writer in (one, other):
                writer.write(raw[:-10])
            asking = [asyncio.create_task(read_answer(reader)) for reader, _ in (one, other)]
            done, (left,) = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
            left.cancel()
            assert [task.result().status for task in done] == [503]
        assert (await door.ask(hook())).status == 200


async def test_pipelined_requests_are_answered_in_their_order(door):
    requests = [hook(), hook(signature="no"), hook(target="/", method="GET", body=b""), hook(b"id=1"), hook()]
    async with door.line() as (reader, writer):
        writer.write(b"".join(requests))
        assert [(await read_answer(reader)).status for _ in requests] == [200, 403, 404, 200, 200]
    assert len(door.store.taken) == 2


async def test_a_thousand_pipelined_requests_are_not_read_ahead_of_the_disk(door):
    door.store.gate = asyncio.Event()
    async with door.line() as (reader, writer):
        writer.write(hook() * 1_000)
        await door.store.waiting.get()
        door.store.gate.set()
        said = {(await read_answer(reader)).status for _ in range(1_000)}
    assert said == {200}


async def test_a_request_hidden_in_a_body_is_body(door):
    inner = hook(b"id=1&from=a&to=b&text=smuggled", signature="no")
    assert (await door.ask(hook(inner))).status == 200
    assert door.store.taken == []


async def test_whoever_waits_to_be_asked_is_asked_for_the_body(door):
    raw = hook(headers=(("Expect", "100-continue"),))
    head, _, body = raw.partition(b"\r\n\r\n")
    async with door.line() as (reader, writer):
        writer.write(head + b"\r\n\r\n")
        assert (await read_answer(reader)).status == 100
        writer.write(body)
        assert (await read_answer(reader)).status == 200


async def test_whoever_waits_to_be_asked_is_not_asked_for_too_much(door):
    head, _, _ = hook(headers=(("Expect", "100-continue"),), length=str(2 * MIB)).partition(b"\r\n\r\n")
    async with door.line() as (reader, writer):
        writer.write(head + b"\r\n\r\n")
        assert (await read_answer(reader)).status == 413


async def test_a_line_too_many_is_told_to_come_again(listening):
    async with listening(limits=Limits(connections=2)) as door, door.line() as first, door.line():
        # both lines are known to the listener once each had an answer
        first[1].write(hook())
        assert (await read_answer(first[0])).status == 200
        async with door.line() as (reader, _):
            said = await asyncio.wait_for(read_answer(reader), 5)
            assert (said.status, said.headers["retry-after"], said.headers["connection"]) == (503, "5", "close")
            assert await reader.read() == b""
        first[1].write(hook())
        assert (await read_answer(first[0])).status == 200


async def test_who_hangs_up_while_we_store_does_not_undo_it(door):
    door.store.gate = asyncio.Event()
    async with door.line() as (_, writer):
        writer.write(hook())
        await door.store.waiting.get()
    door.store.gate.set()
    assert (await door.ask(hook())).status == 200
    assert len(door.store.taken) == 2

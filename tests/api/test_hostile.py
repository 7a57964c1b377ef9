"""What strangers and broken programs send: each is told what is wrong, nothing is stored, and nothing breaks."""

import asyncio
import json

import pytest

from ringback.api.bodies import BODY
from tests.api.conftest import TEXT
from tests.flow.world import DID, PAT

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
"""What is turned away before the store is the same for both databases."""


def body(**change) -> bytes:
    return json.dumps({name: it for name, it in {**TEXT, **change}.items() if it is not ...}).encode()


@pytest.mark.parametrize(
    ("sent", "status", "told"),
    [
        pytest.param(b"", 400, "broken_json", id="nothing"),
        pytest.param(b"null", 422, "body", id="null"),
        pytest.param(b"[]", 422, "body", id="a list"),
        pytest.param(b'"text"', 422, "body", id="a word"),
        pytest.param(b"{", 400, "broken_json", id="half an object"),
        pytest.param(b"{}", 422, "from to text", id="an empty object"),
        pytest.param(b"\xff\xfe\x00", 400, "broken_json", id="not UTF-8"),
        pytest.param(body().replace(b"ready", b"\xc3\x28"), 400, "broken_json", id="broken UTF-8 in the text"),
        pytest.param(b"\xef\xbb\xbf" + body(), 400, "broken_json", id="a byte order mark"),
        pytest.param(body() + body(), 400, "broken_json", id="two objects"),
        pytest.param(b"{" + b'"a":{' * 5000, 400, "broken_json", id="five thousand deep"),
        pytest.param(b"[" * 60_000, 400, "broken_json", id="sixty thousand lists deep"),
        pytest.param(body().replace(b"ready", b"\\ud800"), 400, "broken_json", id="half a character"),
        pytest.param(b'{"from": NaN}', 422, "from to text", id="not a number"),
        pytest.param(body(text=...), 422, "text", id="no text"),
        pytest.param(body(text=""), 422, "text", id="an empty text"),
        pytest.param(body(text=" \n\t "), 422, "text", id="only blanks"),
        pytest.param(body(text="\u0000\u0007"), 422, "text", id="only what nobody sees"),
        pytest.param(body(text=None), 422, "text", id="a text that is null"),
        pytest.param(body(text=17), 422, "text", id="a text that is a number"),
        pytest.param(body(text=["a"]), 422, "text", id="a text that is a list"),
        pytest.param(body(text="x" * 1531), 422, "text", id="one character more than ten segments"),
        pytest.param(body(text="x" * 2001), 422, "text", id="longer than is looked at"),
        pytest.param(body(to=...), 422, "to", id="nobody to send to"),
        pytest.param(body(to=""), 422, "to", id="an empty number"),
        pytest.param(body(to="Pat"), 422, "to", id="a name for a number"),
        pytest.param(body(to="+1512555012"), 422, "to", id="a digit too few"),
        pytest.param(body(to="+15125550123" * 4), 422, "to", id="a number too long"),
        pytest.param(body(to="'; DROP TABLE message; --"), 422, "to", id="SQL for a number"),
        pytest.param(body(to="+15125550123\r\nX: y"), 422, "to", id="a line break in a number"),
        pytest.param(body(to="sip:pat@example.com"), 422, "to", id="an address for a number"),
        pytest.param(body(**{"from": "+12025550199"}), 422, "from", id="from a number that is not ours"),
        pytest.param(body(**{"from": "Northlight"}), 422, "from", id="from a name"),
        pytest.param(body(**{"from": "x", "to": "y", "text": " "}), 422, "from to text", id="all of them wrong"),
        pytest.param(body(txt="x"), 422, "txt", id="a field that is spelt wrong"),
        pytest.param(body(automatic=True), 422, "automatic", id="a field that is ours"),
        pytest.param(body(**{"class": "system"}), 422, "class", id="a class that is ours"),
        pytest.param(body(class_="promotional"), 422, "class_", id="a field by its name in the code"),
        pytest.param(body(basis="because"), 422, "basis", id="a basis there is none of"),
        pytest.param(body(on_doubt=True), 422, "on_doubt", id="a policy that is a flag"),
        pytest.param(body(language="english"), 422, "language", id="no language tag"),
        pytest.param(body(reference="x" * 201), 422, "reference", id="a reference too long"),
        pytest.param(body(reference="a\nb"), 422, "reference", id="a line break in the reference"),
        pytest.param(body(campaign="\u202e"), 422, "campaign", id="a sign that turns text round"),
        pytest.param(body(not_before="tomorrow"), 422, "not_before", id="no moment"),
        pytest.param(body(not_before="2026-11-20T18:00:00"), 422, "not_before", id="a moment without a zone"),
        pytest.param(body(not_before=1), 422, "not_before", id="a moment that is a number"),
        pytest.param(body(not_before="2028-11-20T18:00:00Z"), 422, "not_before", id="two years ahead"),
        pytest.param(body(not_before="9999-12-31T23:59:59Z"), 422, "not_before", id="the end of the calendar"),
        pytest.param(body(expires_at="2026-11-20T16:00:00Z"), 422, "expires_at", id="over already"),
        pytest.param(body(expires_at="0001-01-01T00:00:00+14:00"), 422, "expires_at", id="before the calendar"),
        pytest.param(body(expires_at="9999-12-31T23:59:59-14:00"), 422, "expires_at", id="after the calendar"),
        pytest.param(
            body(not_before="2026-11-20T19:00:00Z", expires_at="2026-11-20T18:00:00Z"),
            422,
            "expires_at",
            id="over before it begins",
        ),
        pytest.param(body(validity=59), 422, "validity", id="too short"),
        pytest.param(body(validity=10**30), 422, "validity", id="a validity of thirty digits"),
        pytest.param(body(validity="600"), 422, "validity", id="a validity in quotes"),
        pytest.param(body(validity=True), 422, "validity", id="a validity that is a flag"),
        pytest.param(body(validity=600, expires_at="2026-11-20T18:00:00Z"), 422, "validity", id="both ends"),
    ],
)
async def test_a_body_that_cannot_be_used(api, shop, sent, status, told):
    answer = await shop.post(sent)
    assert answer.status == status, answer
    assert told == (" ".join(answer.fields) if status == 422 else answer.code)
    assert await api.count("message") == 0
    assert (await shop.send()).status == 201, "it goes on"


async def test_a_misspelt_field_is_told_the_right_one(shop):
    answer = await shop.post(body(referense="x"))
    assert answer.json["errors"] == [{"field": "referense", "detail": "is no field here: did you mean reference?"}]


async def test_the_same_field_twice_is_read_once(api, shop):
    answer = await shop.post(b'{"from":"%s","to":"%s","text":"a","text":"b"}' % (DID.encode(), PAT.encode()))
    assert answer.status == 201
    await api.world.settled()
    assert api.world.handset() == ["b"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": ""},
        {"Content-Type": "application/jsonp"},
        {"Content-Encoding": "gzip"},
    ],
    ids=str,
)
async def test_a_body_of_another_type_is_refused(shop, headers):
    answer = await shop.ask(
        "POST", "/v1/messages", data=body(), headers={"Content-Type": "application/json", **headers}
    )
    assert answer.status in (400, 415)
    assert answer.status == 400 or answer.code == "wrong_type"


async def test_a_charset_beside_the_type_is_fine(shop):
    answer = await shop.post(body(), Content_Type="Application/JSON; charset=utf-8")
    assert answer.status == 201


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "in chunks"])
async def test_a_body_that_is_too_long_is_not_read_to_its_end(shop, chunked):
    async def drip():
        for _ in range(BODY // 1000 + 100):
            yield b" " * 1000

    answer = await shop.ask(
        "POST",
        "/v1/messages",
        data=drip() if chunked else b" " * (BODY + 1),
        headers={"Content-Type": "application/json"},
    )
    assert (answer.status, answer.code) == (413, "too_large")


async def test_a_body_that_does_not_come_is_not_waited_for(shop, monkeypatch):
    monkeypatch.setattr("ringback.api.bodies.BODY_S", 0.05)
    never = asyncio.Event()

    async def drip():
        yield b"{"
        await never.wait()

    answer = await shop.ask("POST", "/v1/messages", data=drip(), headers={"Content-Type": "application/json"})
    assert (answer.status, answer.code) == (408, "too_slow")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/v1/messages/x/cancel", "POST"),
        ("DELETE", "/v1/messages", "GET, POST, HEAD"),
        ("PUT", "/v1/messages/msg_1", "GET, HEAD"),
        ("PATCH", "/v1/", "GET, HEAD"),
        ("POST", "/v1/openapi.json", "GET, HEAD"),
        ("OPTIONS", "/v1/messages", "GET, POST, HEAD"),
    ],
)
async def test_a_method_that_is_not_taken(shop, method, path, allow):
    answer = await shop.ask(method, path)
    assert (answer.status, answer.code, answer.headers["Allow"]) == (405, "method_not_allowed", allow)


@pytest.mark.parametrize(
    "path",
    ["/v1/nothing", "/v1/messages/", "/v1/messages/a/b", "/v1//messages", "/v1/messages%00"],
)
async def test_an_address_that_is_none_of_ours(shop, path):
    answer = await shop.get(path)
    assert answer.status in (400, 404)
    assert answer.status == 400 or answer.code == "not_found"


@pytest.mark.parametrize("words", ["msg_" + "0" * 26, "msg_", "0", "thr_01jd3v8k6s9xq2m4n7p0r5t8wz", "%27%20OR%201=1"])
async def test_a_text_there_is_none_of(shop, words):
    for answer in (await shop.get(f"/v1/messages/{words}"), await shop.ask("POST", f"/v1/messages/{words}/cancel")):
        assert (answer.status, answer.code) == (404, "not_found")


async def test_cookies_and_other_origins_are_nothing_to_the_api(shop):
    """No cookie is read here, so no other site can use one."""
    headers = {"Origin": "https://evil.example", "Cookie": "__Host-ringback=x", "Sec-Fetch-Site": "cross-site"}
    answer = await shop.ask("POST", "/v1/messages", json=TEXT, headers=headers)
    assert answer.status == 201
    assert "Set-Cookie" not in answer.headers
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_a_fault_of_ours_says_nothing_about_itself(api, shop, monkeypatch):
    async def broken(*_):
        raise RuntimeError("secret inside")

    monkeypatch.setattr(api.asking, "send", broken)
    answer = await shop.send()
    assert (answer.status, answer.code) == (500, "failed")
    assert b"secret" not in answer.body

"""The OpenAPI document says what is served, no more and no less, and the page for people says the same."""

import json
import re
from datetime import datetime

import pytest
from aiohttp import web

from ringback.api.answers import MEANINGS, meaning
from tests.api.conftest import HOUR
from tests.conftest import NOON

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
"""The document does not know which database there is."""

TYPES = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list, "null": type(None)}


def check(value: object, schema: dict, whole: dict, where: str = "$") -> None:
    """Hold a value against the part of JSON Schema that our document uses; a word we do not know is an error."""
    if ref := schema.get("$ref"):
        check(value, whole["components"]["schemas"][ref.rpartition("/")[2]], whole, where)
    if choices := schema.get("anyOf"):
        check_any(value, choices, whole, where)
    if "enum" in schema:
        assert value in schema["enum"], where
    if kind := schema.get("type"):
        assert isinstance(value, TYPES[kind]) and not (kind == "integer" and isinstance(value, bool)), (where, value)
    if schema.get("format") == "date-time":
        assert datetime.fromisoformat(value).tzinfo is not None, where
    if isinstance(value, list) and "items" in schema:
        for place, one in enumerate(value):
            check(one, schema["items"], whole, f"{where}[{place}]")
    if isinstance(value, dict) and "properties" in schema:
        assert set(value) <= set(schema["properties"]), (where, set(value) - set(schema["properties"]))
        assert set(schema.get("required", ())) <= set(value), where
        for name, one in value.items():
            check(one, schema["properties"][name], whole, f"{where}.{name}")


def check_any(value: object, choices: list[dict], whole: dict, where: str) -> None:
    for choice in choices:
        try:
            check(value, choice, whole, where)
        except AssertionError:
            continue
        return
    raise AssertionError((where, value))


@pytest.fixture
async def whole(api) -> dict:
    async with api.session.get("/v1/openapi.json") as answer:
        assert answer.status == 200
        return await answer.json()


def served(app: web.Application) -> set[tuple[str, str]]:
    """Every method and address of the routes, but those that only say no."""
    return {
        (route.method, route.resource.canonical.removeprefix("/v1"))
        for route in app.router.routes()
        if route.method not in ("*", "HEAD") and route.resource.canonical.startswith("/v1")
    }


async def test_the_document_has_every_route_and_no_other(api, whole):
    told = {(method.upper(), path) for path, row in whole["paths"].items() for method in row}
    assert served(api.app) == told | {("GET", ""), ("GET", "/"), ("GET", "/openapi.json")}


async def test_every_answer_is_as_the_document_says(api, shop, whole):
    """One of each kind, held against the schema that the document has for this status."""

    def holds(answer, method, path) -> None:
        row = whole["paths"][path][method]["responses"][str(answer.status)]
        ((kind, body),) = row["content"].items()
        assert answer.headers["Content-Type"].partition(";")[0] == kind
        check(answer.json, body["schema"], whole)

    sent = await shop.send(key="a")
    held = await shop.send(not_before=(NOON + HOUR).isoformat())
    await api.world.settled()
    for answer in (sent, held, await shop.send(key="a"), await shop.send(to="911"), await shop.send(to="x")):
        holds(answer, "post", "/messages")
    for body in (b"{", b" " * 70_000):
        holds(await shop.post(body), "post", "/messages")
    for path in ("/v1/messages", "/v1/messages?limit=1", "/v1/messages?limit=x"):
        holds(await shop.get(path), "get", "/messages")
    for made in (sent, held):
        holds(await shop.get(made.json["links"]["self"]), "get", "/messages/{id}")
        holds(await shop.ask("POST", f"{made.json['links']['self']}/cancel"), "post", "/messages/{id}/cancel")
    holds(await shop.get("/v1/messages/msg_1"), "get", "/messages/{id}")


async def test_every_reference_leads_somewhere(whole):
    names = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(whole)))
    assert names <= set(whole["components"]["schemas"])
    assert whole["openapi"] == "3.1.0"


async def test_the_body_to_send_is_described_field_by_field(whole):
    fields = whole["components"]["schemas"]["NewMessage"]
    assert fields["required"] == ["from", "to", "text"]
    assert fields["additionalProperties"] is False
    assert all(its.get("description") for its in fields["properties"].values())


async def test_the_page_needs_no_key_and_nothing_from_elsewhere(api):
    async with api.session.get("/v1/") as answer:
        text = await answer.text()
        assert (answer.status, answer.content_type) == (200, "text/html")
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "<script" not in text
    assert set(re.findall(r'(?:src|href)="([^"#]+)"', text)) == {
        "/",
        "/static/api.css",
        "/static/mark.svg",
        "/static/panel.css",
        "/v1/openapi.json",
    }
    for css in ("panel", "api"):
        async with api.session.get(f"/static/{css}.css") as answer:
            assert answer.status == 200


async def test_the_page_names_every_operation_field_and_code(api, whole):
    async with api.session.get("/v1/") as answer:
        text = await answer.text()
    for path, row in whole["paths"].items():
        for method, operation in row.items():
            assert f"{method.upper()} /v1{path}" in text
            assert f'id="{operation["operationId"]}"' in text
    for name, schema in whole["components"]["schemas"].items():
        assert f'id="{name}"' in text
        assert all(f"<code>{field}</code>" in text for field in schema.get("properties", ()))
    links = set(re.findall(r'href="#([^"]+)"', text))
    assert links <= set(re.findall(r'id="([^"]+)"', text)), "each link inside the page leads somewhere"
    assert set(MEANINGS) <= links | {"method_not_allowed"}


async def test_the_address_without_a_slash_leads_to_the_page(api):
    async with api.session.get("/v1", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (301, "/v1/")


async def test_every_code_of_the_page_has_a_status_and_a_sentence(whole):
    told = {
        (int(status), code)
        for row in whole["paths"].values()
        for operation in row.values()
        for status, answer in operation["responses"].items()
        for code in re.findall(r"`(\w+)`: [A-Z][^;]+\.(?=;|$)", answer["description"])
    }
    assert len(told) > 20
    assert all(meaning(code).status == status >= 400 for status, code in told)

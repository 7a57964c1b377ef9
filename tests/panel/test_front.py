"""The web front: health for machines and people, its guards, its files, its errors."""

import logging
from datetime import UTC, datetime

import pytest
from aiohttp import ClientSession

from ringback.core.permissions import OF_ROLE, Action, Role
from ringback.panel.health import Finding, Health, PartState, Standing, Tone
from ringback.panel.words import STANDING, spaced
from tests.panel.conftest import Browse, Weather
from tests.panel.reading import Page
from tests.panel.visiting import client_as

SINCE = datetime(2026, 11, 20, 14, 2, tzinfo=UTC)
AWAY = Health(
    ready=False,
    parts=(
        PartState("asterisk main", Standing.AWAY, SINCE, "Connection refused.", "Start Asterisk."),
        PartState("database", Standing.WORKS, SINCE),
    ),
    findings=(Finding(Tone.WARN, "Everything is paused.", "No text leaves.", "ringback pause --off"),),
)


async def test_healthz_answers_as_long_as_the_process_lives(front: ClientSession, weather: Weather):
    weather.now = AWAY
    answer = await front.get("/healthz")
    assert (answer.status, await answer.json()) == (200, {"alive": True})


async def test_readyz_says_ready(front: ClientSession):
    answer = await front.get("/readyz")
    assert (answer.status, await answer.json()) == (200, {"ready": True, "parts": [], "findings": []})


async def test_readyz_says_what_is_missing_and_since_when(weather: Weather):
    async with client_as(Role.AGENT, health=lambda: AWAY) as visitor:
        answer = await visitor.get("/readyz")
    assert answer.status == 503
    assert await answer.json() == {
        "ready": False,
        "parts": [
            {
                "name": "asterisk main",
                "state": "away",
                "since": "2026-11-20T14:02:00+00:00",
                "detail": "Connection refused.",
                "fix": "Start Asterisk.",
            },
            {"name": "database", "state": "works", "since": "2026-11-20T14:02:00+00:00", "detail": "", "fix": ""},
        ],
        "findings": [
            {
                "tone": "warn",
                "what": "Everything is paused.",
                "means": "No text leaves.",
                "fix": "ringback pause --off",
            }
        ],
    }


async def test_readyz_tells_a_stranger_names_and_states_only(front: ClientSession, weather: Weather):
    weather.now = AWAY
    answer = await front.get("/readyz")
    assert answer.status == 503
    found = await answer.json()
    assert [(part["name"], part["state"]) for part in found["parts"]] == [
        ("asterisk main", "away"),
        ("database", "works"),
    ]
    assert {part[word] for part in found["parts"] for word in ("detail", "fix")} == {""}
    assert found["findings"] == []


@pytest.mark.parametrize("role", [role for role in Role if Action.READ_THREADS in OF_ROLE[role]])
async def test_the_start_page_is_the_inbox(role: Role):
    async with client_as(role) as visitor:
        answer = await visitor.get("/")
    assert (answer.status, answer.headers["Location"]) == (303, "/threads")


def test_every_standing_has_a_word():
    assert set(STANDING) == set(Standing)


@pytest.mark.parametrize("path", ["/handset", "/handset/+12025550147", "/handset/+12025550147/events"])
async def test_without_a_loopback_carrier_there_are_no_handsets(browse: Browse, path: str):
    front = await browse(None)
    assert (await front.get(path)).status == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/more", 303, id="a page behind the login"),
        pytest.param("/healthz", 200, id="JSON"),
        pytest.param("/handset", 200, id="the handsets"),
        pytest.param("/handset/+12025550147", 200, id="a handset"),
        pytest.param("/static/panel.css", 200, id="a file"),
        pytest.param("/nowhere", 404, id="an error"),
    ],
)
async def test_every_answer_carries_the_guards(front: ClientSession, path: str, status: int):
    answer = await front.get(path, allow_redirects=False)
    assert answer.status == status
    policy = dict(rule.split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert {policy[kind] for kind in ("script-src", "style-src", "img-src", "connect-src")} == {"'self'"}
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Server"] == "Ringback"


@pytest.mark.parametrize("path", ["/handset", "/readyz", "/nowhere"])
async def test_pages_are_not_kept_by_the_browser(front: ClientSession, path: str):
    assert (await front.get(path)).headers["Cache-Control"] == "no-store"


async def test_a_broken_part_is_an_error_without_its_inside(
    front: ClientSession, weather: Weather, caplog: pytest.LogCaptureFixture
):
    weather.now = None  # what no app should do
    with caplog.at_level(logging.CRITICAL, "aiohttp.server"):
        answer = await front.get("/readyz")
    assert answer.status == 500
    assert "NoneType" not in await answer.text()
    assert "Content-Security-Policy" in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "status", "heading"),
    [
        pytest.param("GET", "/nowhere", 404, "There is no such page", id="no such page"),
        pytest.param("GET", "/static/../ringback.toml", 404, "There is no such page", id="out of the folder"),
        pytest.param("GET", "/static/..%2f..%2fpyproject.toml", 404, "There is no such page", id="out of it, encoded"),
        pytest.param("GET", "/static/nothing.css", 404, "There is no such page", id="no such file"),
        pytest.param("POST", "/healthz", 405, "This address cannot do that", id="a page is only read"),
        pytest.param("DELETE", "/handset/+12025550147", 405, "This address cannot do that", id="so is a handset"),
    ],
)
async def test_errors_are_pages(front: ClientSession, method: str, path: str, status: int, heading: str):
    answer = await front.request(method, path)
    page = Page(await answer.text())
    assert answer.status == status
    assert [element.words for element in page.by_tag("h1")] == [heading]
    assert page.by_tag("nav") == []


async def test_errors_stand_in_the_frame_for_whoever_is_logged_in():
    async with client_as(Role.AGENT) as visitor:
        answer = await visitor.get("/nowhere")
        page = Page(await answer.text())
    assert answer.status == 404
    assert [element.words for element in page.by_tag("h1")] == ["There is no such page"]
    assert len(page.by_tag("nav")) == 1


async def test_a_refused_method_says_which_are_allowed(front: ClientSession):
    assert (await front.post("/readyz")).headers["Allow"] == "GET,HEAD"


async def linked_files(front: ClientSession, path: str) -> list[str]:
    page = Page(await (await front.get(path)).text())
    files = [element.attributes.get("href") or element.attributes.get("src") for element in page.elements]
    return [file.partition("#")[0] for file in files if file and file.startswith("/static/")]


async def test_the_files_of_a_page_are_there_and_kept_for_a_year(front: ClientSession):
    files = await linked_files(front, "/handset/+12025550147")
    assert {file.partition("?")[0].rpartition("/")[2] for file in files} == {
        "panel.css",
        "icons.svg",
        "mark.svg",
        "live.js",
    }
    for file in files:
        answer = await front.get(file)
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("name", "content_type"),
    [("panel.css", "text/css"), ("live.js", "text/javascript"), ("icons.svg", "image/svg+xml")],
)
async def test_a_file_has_its_type(front: ClientSession, name: str, content_type: str):
    assert (await front.get(f"/static/{name}")).headers["Content-Type"] == f"{content_type}; charset=utf-8"


@pytest.mark.parametrize("path", ["/static/panel.css", "/static/panel.css?v=old"])
async def test_a_file_under_another_address_is_asked_for_again(front: ClientSession, path: str):
    answer = await front.get(path)
    assert answer.headers["Cache-Control"] == "no-cache"
    again = await front.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status, await again.read()) == (304, b"")
    changed = await front.get(path, headers={"If-None-Match": '"something-else"'})
    assert changed.status == 200


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+12025550147", "+1 202 555 0147"),
        ("+4915112345678", "+4915112345678"),
        ("+1202", "+1202"),
        ("+1<b>5550147", "+1<b>5550147"),
    ],
)
def test_numbers_are_spaced_where_the_plan_is_known(number: str, shown: str):
    assert spaced(number) == shown

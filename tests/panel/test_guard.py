"""What stands in front of every page: no login, no entry; nothing from elsewhere; no stream that outlives its login."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pytest
from aiohttp import web

from ringback.core.operations import Free
from ringback.core.permissions import Role
from ringback.panel.door import Door
from ringback.panel.doors import door_pages
from ringback.panel.forgery import CSRF_HEADER, FORWARDED, local_path
from ringback.panel.logged_in import IDLE, MOST_REMEMBERED
from ringback.panel.operations import OPERATIONS
from ringback.panel.people_pages import people_pages
from ringback.panel.people_parts import Registry
from ringback.panel.shell import Shell
from ringback.panel.site import hosts_for, is_loopback
from ringback.panel.tokens import COOKIE, csrf_of
from tests.panel.reading import Page
from tests.panel.visiting import ANA, SITE, Visitor, client_as

SECOND = timedelta(seconds=1)
OPEN = frozenset(row.path for row in OPERATIONS if row.needs is Free.ANYBODY)


class Ticks:
    """A live page with nothing but a stream, a form and a JSON answer."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.left = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/ticks", self.show),
            web.post("/ticks", self.show),
            web.get("/ticks/events", self.events),
            web.get("/handset", self.show),
            web.post("/handset/{number}/texts", self.show),
        ]

    async def show(self, request: web.Request) -> web.Response:
        return self._shell.page(request, "more")

    async def events(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        await answer.write(b": here\n\n")
        try:
            await asyncio.Event().wait()
        finally:
            self.left.set()
        return answer


def everything(shell: Shell):
    """All pages of people and logins, for their routes alone."""
    door = Door(shell, *[None] * 4)

    class All:
        def routes(self) -> list[web.RouteDef]:
            clocked = replace_clock(door)
            registry = Registry(clocked, *[None] * 3, "US")
            sets = [*door_pages(clocked, None), *people_pages(registry, {}, {}, None)]
            return [route for pages in sets for route in pages.routes()]

    return All()


def replace_clock(door: Door) -> Door:
    from tests.fakes.hand_clock import HandClock

    return replace(door, clock=HandClock())


def routes_of(visitor: Visitor) -> list[tuple[str, str]]:
    found = []
    for route in visitor.app.router.routes():
        path = route.resource.canonical.replace("{id}", "usr_1").replace("{number}", "+12025550147")
        found.append((route.method, path.replace("{name}", "panel.css")))
    return found


NO_COOKIE = {"Cookie": ""}


async def test_every_page_but_the_open_ones_leads_to_the_login():
    async with client_as(Role.AGENT, Ticks, everything) as visitor:
        for method, path in routes_of(visitor):
            if method != "GET" or path in {*OPEN, "/static/panel.css"} or path.startswith("/handset"):
                continue
            answer = await visitor.get(path, headers=NO_COOKIE)
            assert answer.status == 303, path
            assert answer.headers["Location"].startswith("/login"), path


WRONG_WAYS = {
    "no token": {"token": ""},
    "a wrong token": {"token": "0" * 64},
    "the token of another login": {"token": csrf_of("another")},
    "another origin": {"Origin": "https://example.invalid"},
    "an origin that looks alike": {"Origin": "http://127.0.0.1.example.invalid"},
    "another port": {"Origin": "http://127.0.0.1:1"},
    "a null origin": {"Origin": "null"},
    "an origin that is none": {"Origin": "//"},
    "a browser that says it comes from another site": {"Sec-Fetch-Site": "cross-site"},
    "a browser that says it comes from a sister site": {"Sec-Fetch-Site": "same-site"},
    "a browser that nothing sent": {"Sec-Fetch-Site": "none"},
    "nothing that says where it comes from": {"Origin": None},
}


@pytest.mark.parametrize("how", WRONG_WAYS)
async def test_nothing_is_changed_by_a_request_that_may_be_forged(how: str):
    way = dict(WRONG_WAYS[how])
    token = way.pop("token", None)
    async with client_as(Role.ADMINISTRATOR, Ticks, everything) as visitor:
        headers = {"Origin": visitor.origin, **way}
        unsafe = [(method, path) for method, path in routes_of(visitor) if method not in ("GET", "HEAD")]
        assert len(unsafe) > 10
        for method, path in unsafe:
            sent = {name: value for name, value in headers.items() if value is not None}
            fields = {"csrf": visitor.csrf if token is None else token}
            answer = await visitor.session.request(method, path, data=fields, headers=sent, allow_redirects=False)
            assert answer.status == 403, (path, how)
            assert "did not come from our own page" in await answer.text()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"json": {"csrf": "x"}}, id="JSON"),
        pytest.param({"data": b"csrf=", "headers": {"Content-Type": "text/plain"}}, id="plain text"),
        pytest.param({"data": {"csrf": BytesIO(b"file")}}, id="a file in its place"),
    ],
)
async def test_a_token_in_another_kind_of_body_counts_for_nothing(body):
    async with client_as(Role.AGENT, Ticks) as visitor:
        headers = {"Origin": visitor.origin, **body.pop("headers", {})}
        answer = await visitor.session.post("/ticks", headers=headers, **body)
    assert answer.status == 403


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Origin": "{own}"}, id="an older browser"),
        pytest.param({"Origin": "{own}", "Sec-Fetch-Site": "same-origin"}, id="a browser"),
        pytest.param({"Sec-Fetch-Site": "same-origin"}, id="a browser that keeps its origin to itself"),
    ],
)
async def test_our_own_form_is_taken(headers):
    async with client_as(Role.AGENT, Ticks) as visitor:
        sent = {name: value.replace("{own}", visitor.origin) for name, value in headers.items()}
        answer = await visitor.session.post("/ticks", data={"csrf": visitor.csrf}, headers=sent)
        assert answer.status == 200
        # a script sends the token beside the body
        answer = await visitor.session.post("/ticks", json={}, headers={**sent, CSRF_HEADER: visitor.csrf})
        assert answer.status == 200


PUBLIC = replace(
    SITE, public_url="https://texts.example.com", hosts=hosts_for("127.0.0.1", "https://texts.example.com")
)


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        pytest.param("https://texts.example.com", "texts.example.com", 200, id="the proxy hands our name on"),
        pytest.param("https://texts.example.com", "127.0.0.1:8080", 200, id="the proxy does not"),
        pytest.param("http://127.0.0.1:8080", "127.0.0.1:8080", 200, id="past the proxy, on this machine"),
        pytest.param("http://texts.example.com", "texts.example.com", 403, id="without TLS"),
        pytest.param("https://texts.example.com:8443", "texts.example.com:8443", 403, id="another port"),
        pytest.param("https://other.example.com", "texts.example.com", 403, id="another name"),
    ],
)
async def test_behind_a_proxy_forms_come_from_the_public_address(origin: str, host: str, status: int):
    async with client_as(Role.AGENT, Ticks, site=PUBLIC) as visitor:
        headers = {"Origin": origin, "Host": host}
        answer = await visitor.session.post("/ticks", data={"csrf": visitor.csrf}, headers=headers)
    assert answer.status == status


@pytest.mark.parametrize(
    ("listen", "host", "status"),
    [
        pytest.param("127.0.0.1", "127.0.0.1:8080", 200, id="the address"),
        pytest.param("127.0.0.1", "localhost", 200, id="the name of this machine"),
        pytest.param("::1", "[::1]:8080", 200, id="IPv6"),
        pytest.param("127.8.8.8", "127.8.8.8:8080", 200, id="another address of this machine"),
        pytest.param("127.8.8.8", "evil.example", 421, id="which is as careful"),
        pytest.param("127.0.0.1", "texts.example.com", 200, id="the public name"),
        pytest.param("127.0.0.1", "TEXTS.example.com:443", 200, id="in capitals, with a port"),
        pytest.param("127.0.0.1", "evil.example", 421, id="a name that was pointed at us"),
        pytest.param("127.0.0.1", "127.0.0.1.evil.example", 421, id="one that looks alike"),
        pytest.param("0.0.0.0", "panel.lan", 200, id="any name on a net"),
    ],
)
async def test_on_this_machine_only_known_names_are_answered(listen: str, host: str, status: int):
    site = replace(SITE, hosts=hosts_for(listen, "https://texts.example.com"))
    async with client_as(Role.AGENT, Ticks, site=site) as visitor:
        assert (await visitor.get("/ticks", headers={"Host": host})).status == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"Accept": "text/event-stream"}, 401, id="a stream"),
        pytest.param({"Accept": "application/json"}, 401, id="JSON"),
        pytest.param({"Sec-Fetch-Dest": "empty"}, 401, id="a script"),
        pytest.param({"Accept": "text/html", "Sec-Fetch-Dest": "document"}, 303, id="a page"),
        pytest.param({}, 303, id="a program"),
    ],
)
async def test_without_a_login_a_page_is_redirected_and_the_rest_is_refused(headers: dict[str, str], status: int):
    async with client_as(Role.AGENT, Ticks) as visitor:
        assert (await visitor.get("/ticks", headers={**NO_COOKIE, **headers})).status == status


async def test_a_form_sent_after_the_login_ended_says_how_to_keep_what_was_written():
    async with client_as(Role.AGENT, Ticks) as visitor:
        visitor.clock.move(IDLE)
        answer = await visitor.post("/ticks", {"text": "half an hour of writing"})
        page = Page(await answer.text())
    assert answer.status == 401
    assert [heading.words for heading in page.by_tag("h1")] == ["You are logged out"]
    (link,) = [link for link in page.by_tag("a") if link.attributes["href"] == "/login"]
    assert (link.attributes["target"], link.attributes["rel"]) == ("_blank", "noopener")


async def test_a_role_that_may_not_gets_a_page_that_says_so():
    async with client_as(Role.AGENT, everything) as visitor:
        answer = await visitor.get("/users")
        page = Page(await answer.text())
    assert answer.status == 403
    assert [heading.words for heading in page.by_tag("h1")] == ["You may not do this"]


@pytest.mark.parametrize("name", FORWARDED)
async def test_handsets_are_open_on_this_machine_and_not_through_a_proxy(name: str):
    async with client_as(Role.AGENT, Ticks) as visitor:
        assert (await visitor.get("/handset", headers=NO_COOKIE)).status == 200
        assert (await visitor.get("/handset", headers={**NO_COOKIE, name: "192.0.2.7"})).status == 303


async def test_handsets_are_not_open_under_a_name_that_was_pointed_at_us():
    async with client_as(Role.AGENT, Ticks) as visitor:
        assert (await visitor.get("/handset", headers={**NO_COOKIE, "Host": "evil.example"})).status == 303


async def test_a_form_of_a_handset_needs_its_token_although_nobody_is_logged_in():
    async with client_as(Role.AGENT, Ticks) as visitor:
        answer = await visitor.get("/handset", headers=NO_COOKIE)
        door = answer.cookies["__Host-ringback-door"].value
        send = {"Cookie": f"__Host-ringback-door={door}", "Origin": visitor.origin}
        path = "/handset/+12025550147/texts"
        for token, status in ((csrf_of(door), 200), ("", 403), (csrf_of(""), 403)):
            assert (await visitor.session.post(path, data={"csrf": token}, headers=send)).status == status
        bare = {**NO_COOKIE, "Origin": visitor.origin}
        assert (await visitor.session.post(path, data={"csrf": csrf_of("")}, headers=bare)).status == 403


async def stream(visitor: Visitor):
    answer = await visitor.get("/ticks/events", headers={"Accept": "text/event-stream"})
    assert answer.status == 200
    assert await answer.content.readline() == b": here\n"
    return answer


async def test_a_stream_ends_within_two_seconds_after_its_login_and_says_why():
    made = []
    async with client_as(Role.AGENT, lambda shell: made.append(Ticks(shell)) or made[0]) as visitor:
        answer = await stream(visitor)
        await visitor.clock.until_somebody_sleeps()
        visitor.crowd.leave(visitor.token, visitor.clock.now())
        async with asyncio.timeout(5):
            for _ in range(2):
                await visitor.clock.until_somebody_sleeps()
                visitor.clock.move(SECOND)
                await asyncio.sleep(0)
            rest = await answer.content.read()
        assert rest == b'\nevent: ended\ndata: {"why": "You were logged out. Log in again to go on."}\n\n'
        assert made[0].left.is_set()


async def test_a_stream_nobody_looks_at_for_half_an_hour_ends_in_the_reader_s_language():
    async with client_as(replace(ANA, language="es"), Ticks) as visitor:
        answer = await stream(visitor)
        await visitor.clock.until_somebody_sleeps()
        visitor.clock.move(IDLE)
        async with asyncio.timeout(5):
            rest = (await answer.content.read()).decode()
        assert rest.startswith("\nevent: ended\n")
        assert " 30 minutos" in rest.encode().decode("unicode_escape")


async def test_a_stream_goes_on_as_long_as_its_login_holds():
    async with client_as(Role.AGENT, Ticks) as visitor:
        answer = await stream(visitor)
        for _ in range(20):
            await visitor.clock.until_somebody_sleeps()
            visitor.clock.move(SECOND)
        await visitor.get("/ticks")
        assert not answer.content.at_eof()
        answer.close()


async def test_a_login_is_looked_up_once_in_two_seconds():
    async with client_as(Role.AGENT, Ticks) as visitor:
        for _ in range(5):
            await visitor.get("/ticks")
        assert visitor.crowd.asked == 1
        visitor.clock.move(2 * SECOND)
        await visitor.get("/ticks")
        assert visitor.crowd.asked == 2


async def test_files_and_health_cost_no_look_up():
    async with client_as(Role.AGENT, Ticks) as visitor:
        await visitor.get("/static/panel.css")
        await visitor.get("/healthz")
        assert visitor.crowd.asked == 0


async def test_made_up_tokens_do_not_fill_the_memory():
    async with client_as(Role.AGENT, Ticks) as visitor:
        for number in range(MOST_REMEMBERED + 5):
            await visitor.guard.login_of(f"made-up-{number}")
        assert len(visitor.guard.logged_in.known) == MOST_REMEMBERED


async def test_what_a_browser_chose_comes_back_on_every_page():
    async with client_as(Role.AGENT, Ticks) as visitor:
        cookies = f"{COOKIE}={visitor.token}; ringback-theme=dark; ringback-keys=off"
        page = await visitor.page("/ticks", headers={"Cookie": cookies})
        root = page.by_tag("html")[0].attributes
        assert (root["data-theme"], root["data-keys"]) == ("dark", "off")
        cookies = f'{COOKIE}={visitor.token}; ringback-theme=x"onload=1; ringback-keys=x'
        root = (await visitor.page("/ticks", headers={"Cookie": cookies})).by_tag("html")[0].attributes
        assert "data-theme" not in root
        assert "data-keys" not in root


@pytest.mark.parametrize(
    ("address", "own"),
    [
        pytest.param("127.0.0.1", True, id="the usual one"),
        pytest.param("127.8.8.8", True, id="any of that net"),
        pytest.param("::1", True, id="IPv6"),
        pytest.param("::ffff:127.0.0.1", True, id="IPv4 in IPv6"),
        pytest.param("::ffff:192.0.2.7", False, id="another in IPv6"),
        pytest.param("192.0.2.7", False, id="another"),
        pytest.param("fe80::1%lo", False, id="of a link"),
        pytest.param("localhost", False, id="a name"),
        pytest.param("", False, id="none"),
    ],
)
def test_this_machine_is_known_by_its_addresses(address: str, own: bool):
    assert is_loopback(address) is own


@pytest.mark.parametrize("path", ["//x", "/\\x", "/ x", "/\x00", "x", "", "https://x", "/login?next=/", "/é"])
def test_what_is_no_place_of_ours_is_the_start_page(path: str):
    assert local_path(path) == "/"

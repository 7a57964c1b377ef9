"""Pages that are loaded late: they answer where their rows say, and nothing of them is there before."""

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from ringback.core.operations import Surface
from ringback.front import ADMINISTERED
from ringback.panel.late_pages import LatePages, handlers_of, is_below
from ringback.panel.operations import OPERATIONS


class Pages:
    """Some pages with every route that a place has rows for; one row may be forgotten."""

    def __init__(self, place: str, forgotten: str = "") -> None:
        self.rows = [row for row in OPERATIONS if is_below(row.path, place) and row.path != forgotten]
        self.closed = False

    def routes(self) -> list[web.RouteDef]:
        return [web.route(row.method, row.path, self.answer) for row in self.rows]

    async def answer(self, request: web.Request) -> web.Response:
        return web.Response(text=f"{request.method} {request.path}")

    async def close(self, app: web.Application) -> None:
        self.closed = True


async def served(late):
    app = web.Application()
    app.add_routes(late.routes())
    app.on_shutdown.append(late.close)
    client = TestClient(TestServer(app))
    await client.start_server()
    return client


async def test_they_are_made_once_when_the_first_is_asked_for_by_many():
    made = []

    def make():
        made.append(Pages("/lists"))
        return made

    client = await served(LatePages(("/lists",), make))
    assert made == []
    answers = await asyncio.gather(*(client.get(path) for path in ("/lists", "/lists/never", "/lists/never/export")))
    assert [await answer.text() for answer in answers] == ["GET /lists", "GET /lists/never", "GET /lists/never/export"]
    assert len(made) == 1
    assert (await client.post("/lists/never/add")).status == 200
    assert (await client.head("/lists")).status == 200
    await client.close()
    assert made[0].closed


async def test_a_place_that_is_not_theirs_is_not_there():
    client = await served(LatePages(("/lists",), lambda: [Pages("/lists")]))
    assert (await client.get("/listsandmore")).status == 404
    assert (await client.get("/audit")).status == 404
    await client.close()


async def test_a_load_that_fails_is_tried_again():
    tries = []

    def make():
        tries.append(1)
        if len(tries) == 1:
            raise OSError("the disk is gone")
        return [Pages("/lists")]

    client = await served(LatePages(("/lists",), make))
    assert [(await client.get("/lists")).status for _ in range(2)] == [500, 200]
    await client.close()


async def test_a_row_that_nothing_serves_is_a_fault_of_ours_and_not_a_page():
    client = await served(LatePages(("/lists",), lambda: [Pages("/lists", forgotten="/lists/{list}/add")]))
    assert (await client.get("/lists")).status == 500
    await client.close()


@pytest.mark.parametrize("place", ADMINISTERED)
def test_every_late_place_has_rows(place):
    assert any(is_below(row.path, place) for row in OPERATIONS)


def test_a_stream_has_no_head_of_its_own():
    routes = LatePages(("/board",), list).routes()
    streams = {row.path for row in OPERATIONS if row.surface is Surface.STREAM}
    assert {route.path for route in routes if route.path in streams}
    for route in routes:
        if route.path in streams:
            assert route.kwargs["allow_head"] is False


def test_a_page_that_is_served_by_a_class_is_refused():
    class Odd:
        def routes(self):
            return [web.get("/lists", web.View)]

    with pytest.raises(LookupError, match="/lists is served by a class"):
        handlers_of([Odd()])

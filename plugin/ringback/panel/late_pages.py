"""Pages that are loaded when somebody first asks for one of them: a call that is missed need not wait for them.

Their routes are made from the rows of panel/operations.py, so the router and the guard know them before.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.typedefs import Handler

from ringback.core.operations import Operation, Surface
from ringback.panel.operations import OPERATIONS

if TYPE_CHECKING:
    from ringback.panel.app import PageSet


class LatePages:
    """The pages below some places. `make` imports and makes them, off the loop; it must do nothing else. `but` are
    paths there that others serve."""

    def __init__(
        self, places: Sequence[str], make: "Callable[[], Sequence[PageSet]]", but: frozenset[str] = frozenset()
    ) -> None:
        below = [row for row in OPERATIONS if any(is_below(row.path, place) for place in places)]
        self._rows = [row for row in below if row.path not in but]
        self._make = make
        self._made: Sequence[PageSet] = ()
        self._handlers: dict[tuple[str, str], Handler] = {}
        self._making = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        return [self._route(row) for row in self._rows]

    def _route(self, row: Operation) -> web.RouteDef:
        if row.method != "GET":
            return web.route(row.method, row.path, self._serve)
        return web.get(row.path, self._serve, allow_head=row.surface is not Surface.STREAM)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        handlers = self._handlers or await self._load()
        resource = request.match_info.route.resource
        assert resource is not None
        method = "GET" if request.method == "HEAD" else request.method
        return await handlers[method, resource.canonical](request)

    async def _load(self) -> dict[tuple[str, str], Handler]:
        async with self._making:
            if not self._handlers:
                made = await asyncio.to_thread(self._make)
                self._handlers = self._as_promised(handlers_of(made))
                self._made = made
        return self._handlers

    def _as_promised(self, found: dict[tuple[str, str], Handler]) -> dict[tuple[str, str], Handler]:
        """Raises LookupError for a row that nothing serves, and for a route that no row is for."""
        if odd := found.keys() ^ {(row.method, row.path) for row in self._rows}:
            raise LookupError(f"rows and pages differ: {', '.join(sorted(f'{way} {path}' for way, path in odd))}")
        return found

    async def close(self, app: web.Application) -> None:
        """Close those that keep streams open."""
        for pages in self._made:
            if close := getattr(pages, "close", None):
                await close(app)


def is_below(path: str, place: str) -> bool:
    return path == place or path.startswith(f"{place}/")


def canonical(path: str) -> str:
    """A path as its row has it: without the patterns of what may stand in its places."""
    return re.sub(r"{(\w+):[^}]*}", r"{\1}", path)


def handlers_of(made: "Sequence[PageSet]") -> dict[tuple[str, str], Handler]:
    """What serves each route; raises LookupError for a handler that is no function of its own."""
    found: dict[tuple[str, str], Handler] = {}
    for pages in made:
        for route in pages.routes():
            if isinstance(route.handler, type):
                raise LookupError(f"{route.path} is served by a class")
            found[route.method, canonical(route.path)] = route.handler
    return found

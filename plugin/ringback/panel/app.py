"""The web front: how the daemon is, for machines and people, and the handsets of the loopback carrier."""

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from ringback.panel.handsets import HandsetPages
from ringback.panel.health import Health, as_json
from ringback.panel.site import Site
from ringback.panel.static import StaticFiles
from ringback.ports import Handsets
from ringback.resources import shipped

if TYPE_CHECKING:
    from ringback.panel.pages import Pages

HEARTBEAT = timedelta(seconds=15)
MOST_LINKED = 8

HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types ringback",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "Ringback",
}


def build_web(
    health: Callable[[], Health], handsets: Handsets | None, site: Site, heartbeat: timedelta = HEARTBEAT
) -> web.Application:
    """Make the web front. Without `handsets` (no loopback carrier is configured) there are no handset pages."""
    static = StaticFiles(shipped("web/static"))
    pages = _pages_when_asked(site, static)
    front = Front(health, handsets, pages)
    app = web.Application(middlewares=[_errors_as_pages(pages)])
    app.on_response_prepare.append(_guard)
    app.add_routes(front.routes())
    app.router.add_get("/static/{name}", static.serve)
    if handsets is not None:
        handset_pages = HandsetPages(handsets, pages, site, heartbeat)
        app.add_routes(handset_pages.routes())
        app.on_shutdown.append(handset_pages.close)
    return app


class Front:
    """The routes that are always there."""

    def __init__(self, health: Callable[[], Health], handsets: Handsets | None, pages: "Callable[[], Pages]") -> None:
        self._health = health
        self._handsets = handsets
        self._pages = pages

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self.start),
            web.get("/healthz", self.alive),
            web.get("/readyz", self.ready),
        ]

    async def alive(self, _: web.Request) -> web.Response:
        """200 as long as the process answers at all."""
        return web.json_response({"alive": True})

    async def ready(self, _: web.Request) -> web.Response:
        """200 if a missed call becomes a text now, else 503; both say how each part is."""
        health = self._health()
        return web.json_response(as_json(health), status=200 if health.ready else 503)

    async def start(self, _: web.Request) -> web.Response:
        """How Ringback is, for a person."""
        numbers = None if self._handsets is None else self._handsets.numbers()[:MOST_LINKED]
        page = self._pages().render("start", health=self._health(), numbers=numbers)
        return web.Response(text=page, content_type="text/html")


def _pages_when_asked(site: Site, static: StaticFiles) -> "Callable[[], Pages]":
    @cache
    def pages() -> "Pages":
        # the template engine costs 50 ms and 2 MB, which a daemon that nobody looks at need not pay
        from ringback.panel.pages import Pages  # noqa: PLC0415

        return Pages(shipped("web/templates"), site, static.url)

    return pages


async def _guard(_: web.Request, answer: web.StreamResponse) -> None:
    answer.headers.update(HEADERS)
    answer.headers.setdefault("Cache-Control", "no-store")


def _errors_as_pages(pages: "Callable[[], Pages]") -> Middleware:
    @web.middleware
    async def errors_as_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except (web.HTTPClientError, web.HTTPServerError) as problem:
            return _error_page(pages(), problem)

    return errors_as_pages


def _error_page(pages: "Pages", problem: web.HTTPException) -> web.Response:
    kept = {name: value for name, value in problem.headers.items() if name in ("Allow", "Retry-After")}
    page = pages.render("error", status=problem.status)
    return web.Response(text=page, content_type="text/html", status=problem.status, headers=kept)

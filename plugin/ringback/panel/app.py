"""The web front: the pages, what stands in front of them, and how the daemon is for machines."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, runtime_checkable

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from ringback.core.permissions import Action, may
from ringback.errors import StoreFault
from ringback.logs import REQUEST, SOURCE, new_request_id
from ringback.panel import words
from ringback.panel.guard import Guard
from ringback.panel.health import Health, as_json
from ringback.panel.operations import without_row
from ringback.panel.places import PLACES, SET_UP
from ringback.panel.shell import VISIT, Shell

log = structlog.get_logger("pages")

REQUEST_ID = web.RequestKey("request_id", str)

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
    # not `no-referrer`: with that a browser says `Origin: null` of our own forms
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "Ringback",
}


PROGRAMS = "/v1"
"""Below this programs ask. They have keys and no cookies, and want no pages when something is wrong."""


class PageSet(Protocol):
    """Some pages that belong together. One that keeps streams open also has `async close(app)`, called at the end."""

    def routes(self) -> Sequence[web.RouteDef]: ...


@runtime_checkable
class _Closes(Protocol):
    async def close(self, app: web.Application) -> None: ...


@dataclass(frozen=True, slots=True)
class WebParts:
    """What the web front is made of. `programs` answers below /v1, and asks for keys
    itself."""

    shell: Shell
    guard: Guard
    health: Callable[[], Health]
    pages: Sequence[PageSet] = ()
    programs: web.Application | None = None


def build_web(parts: WebParts) -> web.Application:
    """Make the web front. Its guard's `watch` must run beside it."""
    before_pages = _for_pages(_errors_as_pages(parts.shell, parts.guard), parts.guard.middleware)
    app = web.Application(middlewares=[_numbered, before_pages])
    app.on_response_prepare.append(_put_headers)
    app.on_response_prepare.append(parts.guard.mind_stream)
    app.add_routes(Front(parts.shell, parts.health).routes())
    app.router.add_get("/static/{name}", parts.shell.static.serve)
    for pages in parts.pages:
        app.add_routes(pages.routes())
        if isinstance(pages, _Closes):
            app.on_shutdown.append(pages.close)
    if missing := without_row(app, parts.guard.table):
        raise LookupError(f"no row of panel/operations.py says who may do this: {', '.join(missing)}")
    if parts.programs is not None:
        app.add_subapp(PROGRAMS, parts.programs)
    return app


class Front:
    """The routes that are always there."""

    def __init__(self, shell: Shell, health: Callable[[], Health]) -> None:
        self._shell = shell
        self._health = health

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self.start),
            web.get("/more", self.more),
            web.get("/healthz", self.alive),
            web.get("/readyz", self.ready),
        ]

    async def alive(self, _: web.Request) -> web.Response:
        """200 as long as the process answers at all."""
        return web.json_response({"alive": True})

    async def ready(self, request: web.Request) -> web.Response:
        """200 if a missed call becomes a text now, else 503; how each part is, and why for those who may know."""
        health = self._health()
        words = as_json(self._inside(request, health) or _outside(health))
        return web.json_response(words, status=200 if health.ready else 503)

    def _inside(self, request: web.Request, health: Health) -> Health | None:
        """What those may know who may: nothing that is about numbers of others."""
        return (
            health.within(self._shell.reach(request)) if self._shell.rights(request).may(Action.READ_HEALTH) else None
        )

    async def start(self, request: web.Request) -> web.Response:
        """To the first place that whoever asks may see."""
        principal = request[VISIT].principal
        first = next((place.path for place in PLACES + SET_UP if may(principal, place.needs)), "/profile")
        raise web.HTTPSeeOther(first)

    async def more(self, request: web.Request) -> web.Response:
        """The places that have no room on a narrow screen."""
        return self._shell.page(request, "more")


def _outside(health: Health) -> Health:
    """What a stranger may know: names and states."""
    return Health(health.ready, tuple(replace(part, detail="", fix="") for part in health.parts))


@web.middleware
async def _numbered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Each request has an id: in its answer, and in every line of the log that is written for it."""
    request[REQUEST_ID] = name = new_request_id()
    before, elsewhere = REQUEST.set(name), SOURCE.set(request.remote or "")
    try:
        return await handler(request)
    finally:
        REQUEST.reset(before)
        SOURCE.reset(elsewhere)


async def _put_headers(request: web.Request, answer: web.StreamResponse) -> None:
    answer.headers.update(HEADERS)
    answer.headers["X-Request-Id"] = request.get(REQUEST_ID) or new_request_id()
    answer.headers.setdefault("Cache-Control", "no-store")


def _for_pages(outer: Middleware, inner: Middleware) -> Middleware:
    """Two middlewares as one, for everything but programs."""

    @web.middleware
    async def for_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
        if len(request.match_info.apps) > 1:  # the application of programs is the only one within this one
            return await handler(request)
        return await outer(request, partial(inner, handler=handler))

    return for_pages


def _errors_as_pages(shell: Shell, guard: Guard) -> Middleware:
    @web.middleware
    async def errors_as_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except (web.HTTPClientError, web.HTTPServerError) as problem:
            if isinstance(problem, web.HTTPForbidden):
                guard.refused(request, problem)
            return _error_page(shell, request, problem)
        except StoreFault as problem:
            log.warning("a page could not be shown", path=request.path, problem=str(problem))
            return _error_page(shell, request, web.HTTPServiceUnavailable(headers={"Retry-After": "5"}))

    return errors_as_pages


def _error_page(shell: Shell, request: web.Request, problem: web.HTTPException) -> web.Response:
    what, why = words.error(problem.status, problem.reason)
    answer = shell.page(request, "error", status=problem.status, code=problem.status, what=what, why=why)
    answer.headers.update({name: value for name, value in problem.headers.items() if name in ("Allow", "Retry-After")})
    return answer

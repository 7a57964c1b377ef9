"""What the API can do, one row each: the routes and the OpenAPI document are made from the same rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler as WebHandler
from pydantic import BaseModel

from ringback.api.answers import Code, Problem, problem_answer
from ringback.api.door import Door, Handler
from ringback.core.grants import Way
from ringback.core.operations import About, Surface
from ringback.core.operations import Operation as Row
from ringback.core.permissions import Action
from ringback.core.reasons import Reason
from ringback.errors import StoreFault
from ringback.flow.permits import Denied, NotThere

log = structlog.get_logger("api")

BUSY = "Ask again a little later, with the same Idempotency-Key: then nothing is done twice."
RETRY = {"Retry-After": "2"}
ALWAYS = (Code.BAD_KEY, Reason.PERMISSION_DENIED, Code.QUOTA_EXCEEDED, Code.FAILED, Code.BUSY)
"""What any operation that asks for a key may answer."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A word of the query or a header. `kind` is `query` or `header`; `schema` is JSON Schema."""

    name: str
    text: str
    kind: str = "query"
    schema: Mapping[str, object] = field(default_factory=lambda: {"type": "string"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One row. `path` is below /v1. `takes` are bodies by media type, `answers` by status, `problems` are the codes
    beside those of ALWAYS. `curl` shows how to ask, without the address and the key.
    `about` and `way` are what it is about, and what it takes with that number of ours."""

    method: str
    path: str
    name: str
    summary: str
    does: Handler
    needs: Action
    answers: Mapping[int, type[BaseModel]]
    problems: tuple[str, ...] = ()
    takes: Mapping[str, type[BaseModel]] = field(default_factory=dict)
    asks: tuple[Parameter, ...] = ()
    text: str = ""
    curl: str = ""
    about: About = About.LIST
    way: Way | None = Way.RECEIVE

    @property
    def row(self) -> Row:
        """The same as a row among the operations of every surface."""
        return Row(Surface.PROGRAM, self.method, f"/v1{self.path}", self.needs, self.about, self.way)


class Rows(Protocol):
    """Some operations that belong together."""

    def operations(self) -> Sequence[Operation]: ...


def routes(door: Door, operations: Sequence[Operation]) -> list[web.RouteDef]:
    """A route for each operation, and one for every other method at the same address."""
    made = [web.route(row.method, row.path, guarded(door, row)) for row in operations]
    paths = {row.path: sorted(other.method for other in operations if other.path == row.path) for row in operations}
    return made + [web.route("*", path, refuse_method(methods)) for path, methods in paths.items()]


def guarded(door: Door, operation: Operation) -> WebHandler:
    """Ask for the key, do it, and put whatever goes wrong into words."""
    does, needs = operation.does, operation.needs

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await does(await door.let_in(request, needs), request)
        except Exception as trouble:
            return problem_answer(problem_of(trouble))

    return handle


def problem_of(trouble: Exception) -> Problem:
    """What to answer when this was raised."""
    match trouble:
        case Problem():
            return trouble
        case Denied():
            return Problem(trouble.reason, str(trouble) if trouble.told else "")
        case NotThere():
            return Problem(Code.NOT_FOUND, str(trouble))
        case web.HTTPRequestEntityTooLarge():
            return Problem(Code.TOO_LARGE)
        case StoreFault():
            log.warning("the api could not answer", problem=str(trouble))
            return Problem(Code.BUSY, BUSY, headers=RETRY)
    log.error("the api failed", exc_info=trouble)
    return Problem(Code.FAILED)


def refuse_method(methods: Sequence[str]) -> WebHandler:
    """Answer 405 with what the address does take."""
    allow = ", ".join([*methods, "HEAD"] if "GET" in methods else methods)

    async def refuse(_: web.Request) -> web.StreamResponse:
        return problem_answer(Problem(Code.METHOD_NOT_ALLOWED, f"Use {allow}.", headers={"Allow": allow}))

    return refuse


async def not_found(_: web.Request) -> web.StreamResponse:
    """Answer for every address that is none of ours."""
    return problem_answer(Problem(Code.NOT_FOUND, "Nothing is at this address. See /v1/ for what there is."))

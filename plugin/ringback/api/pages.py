"""What of the API is for everybody: the OpenAPI document, and a page for people that says the same."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from aiohttp import web

from ringback import __version__
from ringback.api.answers import JSON, Meaning, meaning
from ringback.api.openapi import document, problems, scopes
from ringback.api.operations import Operation
from ringback.resources import shipped

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup


class ApiPages:
    """Both are made when somebody first asks, since most never do."""

    def __init__(self, operations: Sequence[Operation], public_url: str) -> None:
        self._operations = operations
        self._public_url = public_url

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("", self.to_page),
            web.get("/", self.page),
            web.get("/openapi.json", self.openapi),
        ]

    async def to_page(self, _: web.Request) -> web.StreamResponse:
        raise web.HTTPMovedPermanently("/v1/")

    async def openapi(self, _: web.Request) -> web.Response:
        return web.Response(body=self._document, content_type=JSON)

    async def page(self, request: web.Request) -> web.Response:
        base = self._public_url or f"{request.scheme}://{request.host}"
        return web.Response(text=self._render(base), content_type="text/html", charset="utf-8")

    @cached_property
    def _document(self) -> bytes:
        return document(self._operations, __version__)

    def _render(self, base: str) -> str:
        known = json.loads(self._document)
        rows = [
            {
                "name": row.name,
                "method": row.method,
                "path": row.path,
                "summary": row.summary,
                "text": row.text,
                "curl": row.curl,
                "asks": row.asks,
                "scopes": scopes(row),
                "takes": {kind: model.__name__ for kind, model in row.takes.items()},
                "answers": {status: model.__name__ for status, model in row.answers.items()},
                "problems": problems(row),
            }
            for row in self._operations
        ]
        words = {"info": known["info"], "schemas": known["components"]["schemas"], "rows": rows, "base": base}
        return self._template.render(**words, errors=errors(self._operations))

    @cached_property
    def _template(self) -> "Template":
        from jinja2 import Environment, FileSystemLoader  # noqa: PLC0415 - the first call needs no template

        loader = FileSystemLoader(shipped("web/api"))
        env = Environment(loader=loader, autoescape=True, trim_blocks=True)
        env.filters["plain"] = marked_up
        return env.get_template("page.j2")


def marked_up(text: str) -> "Markup":
    """Words in backquotes as code."""
    from markupsafe import Markup, escape  # noqa: PLC0415 - comes with jinja2

    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704  # escaped a moment ago


def errors(operations: Sequence[Operation]) -> Mapping[str, Meaning]:
    """Every code that some operation may answer with, by status."""
    codes = dict.fromkeys(code for row in operations for code in problems(row))
    return dict(sorted(((code, meaning(code)) for code in codes), key=lambda one: one[1].status))

"""The API of one run, as the web application that answers below /v1."""

from collections.abc import Sequence

from aiohttp import web

from ringback.api.door import Door
from ringback.api.operations import Operation, Rows, not_found, refuse_method, routes
from ringback.api.pages import ApiPages


def build_api(door: Door, rows: Sequence[Rows], public_url: str = "") -> web.Application:
    """Make the application. `public_url` is what the examples of the page call, if that is not where we listen."""
    operations: list[Operation] = [row for one in rows for row in one.operations()]
    pages = ApiPages(operations, public_url).routes()
    app = web.Application()
    app.add_routes(pages)
    app.add_routes([web.route("*", page.path, refuse_method(["GET"])) for page in pages])
    app.add_routes(routes(door, operations))
    app.router.add_route("*", "/{rest:.*}", not_found)
    return app

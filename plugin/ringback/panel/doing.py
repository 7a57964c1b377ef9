"""Carrying out what a form asks for: what is not there, or may not be, is an error page."""

from collections.abc import Awaitable
from typing import TypeVar

from aiohttp import web

from ringback.core.reasons import Reason
from ringback.errors import StoreBusy
from ringback.flow.permits import Denied, NotThere

T = TypeVar("T")


async def done(doing: Awaitable[T]) -> T:
    """Wait for it."""
    try:
        return await doing
    except NotThere:
        raise web.HTTPNotFound from None
    except StoreBusy:
        raise web.HTTPServiceUnavailable(headers={"Retry-After": "5"}) from None
    except Denied as denied:
        raise web.HTTPForbidden if denied.reason is Reason.PERMISSION_DENIED else web.HTTPConflict from None

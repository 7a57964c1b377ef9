"""Things that are half done: somebody typed their password and not yet a code, or was sent to a provider."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from aiohttp import web

from ringback.panel.tokens import drop_cookie, hash_of, new_token, put_cookie

T = TypeVar("T")

MOST = 1_000


class Halves(Generic[T]):
    """Kept in memory, each for one browser, under a cookie of its own; a restart forgets them."""

    def __init__(self, cookie: str, lasts_s: float, monotonic: Callable[[], float]) -> None:
        self._cookie = cookie
        self._lasts_s = lasts_s
        self._monotonic = monotonic
        self._kept: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def begin(self, answer: web.StreamResponse, half: T) -> None:
        """Keep it for the browser that gets this answer."""
        token = new_token()
        self._kept[hash_of(token)] = (self._monotonic() + self._lasts_s, half)
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)
        put_cookie(answer, self._cookie, token)

    def of(self, request: web.Request) -> T | None:
        """What this browser has half done; None when that is too long ago."""
        until, half = self._kept.get(self._key(request), (0.0, None))
        return half if self._monotonic() < until else None

    def end(self, request: web.Request, answer: web.StreamResponse) -> None:
        """It is done, or given up."""
        self._kept.pop(self._key(request), None)
        drop_cookie(answer, self._cookie)

    def _key(self, request: web.Request) -> str:
        return hash_of(request.cookies.get(self._cookie, ""))

"""`/metrics`: figures for Prometheus, for programs on this machine unless the owner opens it to more."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from ringback.config.sections import MetricsFor
from ringback.panel.forgery import FORWARDED, host_of
from ringback.panel.site import LOOPBACK_NAMES, is_loopback

TYPE = "text/plain; version=0.0.4; charset=utf-8"
ONLY_HERE = "These figures are for programs on this machine; [web] metrics says for whom else.\n"


class MetricsPage:
    """The one page without a login that says more than that we live, so it looks at who asks."""

    def __init__(self, render: Callable[[], Awaitable[bytes]], allowed: MetricsFor) -> None:
        self._render = render
        self._for = allowed

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/metrics", self.show)]

    async def show(self, request: web.Request) -> web.Response:
        if not self._may(request):
            return web.Response(status=403, text=ONLY_HERE)
        return web.Response(body=await self._render(), headers={"Content-Type": TYPE})

    def _may(self, request: web.Request) -> bool:
        if self._for is not MetricsFor.LOCAL:
            return self._for is MetricsFor.OPEN
        # a proxy on this machine speaks for somebody else, whether it says so or not
        direct = not any(name in request.headers for name in FORWARDED)
        return direct and is_loopback(request.remote or "") and host_of(request.host) in LOOPBACK_NAMES

"""A reverse proxy before the hooks, which does to a request what proxies do."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import ClientError, ClientSession, web
from yarl import URL

from tests.fakes.certificates import secured_by_nobody

OF_THE_LINE = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})
"""Headers that end at the proxy."""


@asynccontextmanager
async def proxy(behind: Callable[[], str], calls_itself: str) -> AsyncIterator[str]:
    """Speak TLS before what is `behind`. Yields where the proxy is.

    It says that it is another host, that it speaks for others, and by which names it was called.
    """
    async with ClientSession() as session:

        async def forward(request: web.Request) -> web.Response:
            passed = {name: value for name, value in request.headers.items() if name.lower() not in OF_THE_LINE}
            added = {
                "Host": "ringback.internal",
                "Via": "1.1 edge",
                "X-Forwarded-For": "203.0.113.7, 10.0.0.3",
                "X-Forwarded-Host": calls_itself,
                "X-Forwarded-Port": "443",
                "X-Forwarded-Proto": "https",
            }
            to = URL(behind() + request.raw_path, encoded=True)
            try:
                async with session.post(to, data=await request.read(), headers={**passed, **added}) as answer:
                    return web.Response(
                        status=answer.status, body=await answer.read(), content_type=answer.content_type
                    )
            except ClientError:
                return web.Response(status=502)

        app = web.Application()
        app.router.add_post("/{path:.*}", forward)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=secured_by_nobody()).start()
            yield f"https://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

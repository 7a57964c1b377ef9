"""A carrier for the bench that posts to httpsink, so that Ringback does over HTTP what its peers do.

The daemon finds it by the entry point that daemon.py puts on its path; nothing of it is in Ringback.
"""

from collections.abc import Mapping

import aiohttp

from ringback.core.messages import Outgoing
from ringback.errors import Unconfirmed, Unreachable
from ringback.ports import CarrierContext, CarrierRef, OptionValue


class HttpCarrier:
    """Posts each text over a kept connection; the window is the number of connections."""

    receipts = False
    max_segments = 10
    answers_commands = False

    def __init__(self, name: str, url: str, window: int) -> None:
        self.name = name
        self.window = window
        self._url = url
        self._session: aiohttp.ClientSession | None = None

    async def send(self, text: Outgoing) -> CarrierRef:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=self.window))
        body = {"from": text.sender, "to": text.to, "text": text.text, "ref": text.attempt}
        try:
            async with self._session.post(self._url, json=body) as answer:
                await answer.json()
        except aiohttp.ClientConnectorError as problem:
            raise Unreachable(str(problem)) from problem
        except aiohttp.ClientError as problem:
            raise Unconfirmed(str(problem)) from problem
        return CarrierRef(text.attempt)  # httpsink gives every text the same id


def build(name: str, options: Mapping[str, OptionValue], _context: CarrierContext) -> HttpCarrier:
    return HttpCarrier(name, str(options["url"]), int(options.get("window", 100)))

"""What people write themselves: a panoramisk callback that posts a text. It stores nothing and decides nothing.

python -m bench.script AMI_PORT URL session|aiohttp
"""

import logging
import sys
from typing import Any

import aiohttp
import requests  # type: ignore[import-untyped]  # its stubs are not worth a dependency
from panoramisk import Manager

TEXT = "Sorry we missed your call, Northlight. Reply here and we will help. STOP to end"


def body(event: Any) -> dict[str, str]:
    return {"from": event["Exten"], "to": event["CallerIDNum"], "text": TEXT}


def with_requests(manager: Any, url: str) -> None:
    session = requests.Session()

    def missed(_manager: Any, event: Any) -> None:
        session.post(url, json=body(event), timeout=120)

    manager.register_event("QueueCallerAbandon", missed)


def with_aiohttp(manager: Any, url: str) -> None:
    sessions: list[aiohttp.ClientSession] = []

    async def missed(_manager: Any, event: Any) -> None:
        if not sessions:
            sessions.append(aiohttp.ClientSession())
        async with sessions[0].post(url, json=body(event)) as answer:
            await answer.read()

    manager.register_event("QueueCallerAbandon", missed)


def main(port: str, url: str, how: str) -> None:
    logging.disable(logging.CRITICAL)
    manager = Manager(host="127.0.0.1", port=int(port), username="ringback", secret="secret", ping_delay=1000)
    {"session": with_requests, "aiohttp": with_aiohttp}[how](manager, url)
    manager.connect(run_forever=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

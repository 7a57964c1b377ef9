"""Programs that ask for texts over the API, as careful programs do: a key for each wish, again until answered.

What they were told is on disk in `asked.jsonl` before they go on.
"""

import asyncio
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import aiohttp

from ringback import control
from tests.crash.ledgers import Book

AT_ONCE = 32
LATER = {408, 429, 500, 502, 503, 504}


@dataclass
class Programs:
    """Two programs with a key each. Neither may see what the other asked for."""

    address: str
    book: Book
    keys: tuple[str, str]
    session: aiohttp.ClientSession = field(init=False)
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def __aenter__(self) -> "Programs":
        timeout = aiohttp.ClientTimeout(total=15)
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE), timeout=timeout)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    async def send(self, key: str, did: str, to: str, body: str, in_s: float = 0.0, **more: object) -> str:
        """Ask until there is an answer; returns the id of the text, empty if it was refused."""
        wish: dict[str, object] = {"from": did, "to": to, "text": body, **more}
        not_before = 0
        if in_s:
            not_before = int((time.time() + in_s) * 1e6)
            wish["not_before"] = datetime.fromtimestamp(not_before / 1e6, UTC).isoformat()
        self.book.write("ask", key=key, did=did, to=to, body=body)
        headers = {"Authorization": f"Bearer {self.keys[0]}", "Idempotency-Key": key}
        while True:
            async with self.places:
                with suppress(aiohttp.ClientError, TimeoutError, OSError):
                    async with self.session.post(f"{self.address}/v1/messages", json=wish, headers=headers) as answer:
                        told = await answer.json()
                        if answer.status not in LATER:
                            return self._told(answer.status, told, key, did, to, body, not_before)
            await asyncio.sleep(0.1)

    def _told(self, code: int, told: dict[str, object], key: str, did: str, to: str, body: str, at: int) -> str:
        message = str(told.get("id") or told.get("message") or "")
        kind = "api" if code in (200, 201) else "refused"
        self.book.write(
            kind, code=code, id=message, key=key, did=did, to=to, body=body, not_before=at, said=told.get("code")
        )
        return message if kind == "api" else ""

    async def look(self, message: str, to: str) -> None:
        """Let the owner, the other program and somebody without a key look at a text and at all texts to a person."""
        for who, allowed in ((self.keys[0], True), (self.keys[1], False), ("", False)):
            for what in (f"/v1/messages/{message}", f"/v1/messages?to={to.replace('+', '%2B')}"):
                headers = {"Authorization": f"Bearer {who}"} if who else {}
                code, found = await self._read(what, headers)
                self.book.write("read", what=what, allowed=allowed, code=code, seen=found)

    async def _read(self, what: str, headers: dict[str, str]) -> tuple[int, int]:
        """Read until there is an answer; returns its status and how many texts it shows."""
        while True:
            with suppress(aiohttp.ClientConnectionError):  # it may be starting after the last kill
                async with self.session.get(f"{self.address}{what}", headers=headers) as answer:
                    told = await answer.json()
                if answer.status not in LATER:
                    return answer.status, len(told.get("messages", [told])) if answer.status == 200 else 0
            await asyncio.sleep(0.1)


async def make_key(state: Path, name: str) -> str:
    """Let a program in, as `ringback key add` does it with a daemon that runs."""
    token = f"rb_{name}_{secrets.token_urlsafe(32)}"
    words = {"public_id": f"key_{name:x<26}", "hashed": sha256(token.encode()).hexdigest(), "scopes": "send"}
    said = await control.ask(state, "key", change="add", name=name, by="shell drill", **words)
    assert said is not None, "no daemon listens"
    return token

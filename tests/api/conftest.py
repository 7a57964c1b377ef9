"""The API on a free port of loopback, with a real store, a lane and a loopback carrier behind it."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientResponse, ClientSession, web

from ringback.api.app import build_api
from ringback.api.door import Door
from ringback.api.messages import MessageParts, MessageRows
from ringback.core.numbers import NumberFormat, read_number
from ringback.core.permissions import Scope
from ringback.flow.asking import Asking
from ringback.flow.house import House
from ringback.flow.keys import NewKey, add_key, new_token, revoke_key
from ringback.flow.permits import Permits
from ringback.flow.sending import Lanes
from ringback.panel.app import WebParts, build_web
from ringback.panel.guard import Guard
from ringback.panel.health import Health
from ringback.panel.shell import open_shell
from ringback.ports.keys import Key
from ringback.store.database import Database
from ringback.store.grants import ReadGrants
from ringback.store.keys import Ring
from ringback.store.read_messages import ReadMessages
from tests.fakes.grants import open_permits
from tests.fakes.hand_clock import HandClock
from tests.flow.world import DID, HOUSE, PAT, World
from tests.panel.visiting import SITE, Crowd

TEXT = {"from": DID, "to": PAT, "text": "Your order is ready."}


@dataclass
class Program:
    """A program with a key, over real HTTP."""

    session: ClientSession
    token: str
    key: Key

    @property
    def label(self) -> str:
        return f"program {self.key.public_id}"

    async def ask(self, method: str, path: str, **more: object) -> "Answer":
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        async with self.session.request(method, path, headers=headers, **more) as answer:
            return await Answer.of(answer)

    async def get(self, path: str, **more: object) -> "Answer":
        return await self.ask("GET", path, **more)

    async def send(self, key: str = "", **change: object) -> "Answer":
        """Ask for a text; a field that is None is left out."""
        body = {name: value for name, value in {**TEXT, **change}.items() if value is not None}
        headers = {"Idempotency-Key": key} if key else {}
        return await self.ask("POST", "/v1/messages", json=body, headers=headers)

    async def post(self, body: bytes, path: str = "/v1/messages", **headers: str) -> "Answer":
        """The very bytes."""
        head = {"Content-Type": "application/json", **{name.replace("_", "-"): it for name, it in headers.items()}}
        return await self.ask("POST", path, data=body, headers=head)


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    async def of(cls, answer: ClientResponse) -> "Answer":
        return cls(answer.status, answer.headers, await answer.read())

    @property
    def json(self) -> dict:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of a problem, which must be one in every respect."""
        assert self.headers["Content-Type"].startswith("application/problem+json"), self
        assert self.json["status"] == self.status, self
        assert self.json["title"], self
        assert self.json["detail"], self
        assert self.json["type"] == f"/v1/#{self.json['code']}"
        return self.json["code"]

    @property
    def fields(self) -> list[str]:
        """The fields that a problem names, each with what to do."""
        assert self.code == "invalid_fields"
        assert all(len(fault["detail"]) > 10 for fault in self.json["errors"])
        return [fault["field"] for fault in self.json["errors"]]


@dataclass
class Api:
    """The API with everything behind it; `world` has the handset."""

    world: World
    store: Database
    clock: HandClock
    session: ClientSession
    door: Door
    asking: Asking
    app: web.Application
    programs: list[Program] = field(default_factory=list)

    async def program(
        self, *scopes: Scope, name: str = "", expires_at: datetime | None = None, session: ClientSession | None = None
    ) -> Program:
        """Let one more program in."""
        token = new_token(self.clock.now())
        new = NewKey(
            token.public_id, token.hashed, name or f"program {len(self.programs)}", frozenset(scopes), expires_at
        )
        key = await self.store.commit(lambda tx: add_key(new, "shell test", self.clock.now(), tx))
        self.door.forget()
        self.programs.append(Program(session or self.session, token.token, key))
        return self.programs[-1]

    async def revoke(self, program: Program) -> None:
        await self.store.commit(lambda tx: revoke_key(program.key.name, "shell test", self.clock.now(), tx))

    async def count(self, table: str) -> int:
        return await self.store.read(lambda c: c.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar())


@pytest.fixture
def house() -> House:
    """A test file may have another."""
    return HOUSE


@pytest.fixture
def per_minute() -> int:
    return 600_000


@pytest.fixture
async def api(store: Database, clock: HandClock, tmp_path: Path, house: House, per_minute: int) -> AsyncIterator[Api]:
    world = World(store, clock, tmp_path, house=replace(house, language_of={DID: "en"}))
    door = Door(Ring(store), store, clock, per_minute)
    asking = Asking(world.house, store, Lanes({"main": world.lane}), clock)
    permits = Permits(ReadGrants(store), clock)
    parts = MessageParts(
        world.house,
        asking,
        ReadMessages(store),
        lambda text: read_number(text, NumberFormat.AS_IS, "US"),
        clock,
        store,
        permits,
    )
    shell, crowd = open_shell(SITE, clock.now), Crowd()
    app = build_web(
        WebParts(
            shell,
            Guard(crowd, crowd, clock, shell, open_permits(clock)),
            lambda: Health(True, ()),
            programs=build_api(door, [MessageRows(parts)]),
        )
    )
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with world.running(), asyncio.TaskGroup() as group:
            serving = group.create_task(asking.run())
            async with ClientSession(base) as session:
                yield Api(world, store, clock, session, door, asking, app)
            serving.cancel()
    finally:
        await runner.cleanup()


@pytest.fixture
async def shop(api: Api) -> Program:
    """A program that may send and read."""
    return await api.program(Scope.SEND, Scope.READ, name="shop")


HOUR = timedelta(hours=1)

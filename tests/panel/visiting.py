"""Somebody who is logged in and looks at pages: a web front with the real guard, and people who live in memory.

async with client_as(Role.AGENT, lambda shell: ThreadPages(shell, threads, desk)) as visitor:
    page = await visitor.page("/threads")
    answer = await visitor.post("/threads/thr_1/reply", {"text": "hello"})
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

from aiohttp import ClientResponse, ClientSession, web

from ringback.core.operations import Operation, Surface
from ringback.core.permissions import Action, Principal, Role
from ringback.flow.permits import Permits
from ringback.panel.app import PageSet, WebParts, build_web
from ringback.panel.guard import Guard
from ringback.panel.health import Health
from ringback.panel.logged_in import principal_of
from ringback.panel.operations import TABLE, table_of
from ringback.panel.shell import Counts, Shell, open_shell
from ringback.panel.site import Site
from ringback.panel.tokens import COOKIE, csrf_of, hash_of
from ringback.panel.tongues import Languages
from ringback.ports import Clock
from ringback.ports.people import Account, Login
from tests.fakes.grants import open_permits
from tests.fakes.hand_clock import START, HandClock
from tests.panel.reading import Page

TOKEN = "a-token-of-a-test"
SITE = Site("Northlight", ZoneInfo("America/New_York"))
TEST_TABLE = table_of(
    Operation(Surface.PAGE, method, path, Action.READ_THREADS)
    for method, path in (("GET", "/ticks"), ("POST", "/ticks"), ("GET", "/ticks/events"), ("GET", "/board/events"))
)
"""Pages that only tests have."""
ANA = Account(7, "usr_01ana", "ana", "Ana Kovačević", frozenset({Role.AGENT}), "", "", START, None)


@dataclass(eq=False)
class Crowd:
    """People and logins in memory. Satisfies `ports.people.People`; as a store it takes what rides along."""

    logins: dict[str, Login] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    asked: int = 0
    noted: list[tuple[object, ...]] = field(default_factory=list)

    def enter(self, account: Account, token: str, now: datetime, lasts: timedelta = timedelta(hours=12)) -> None:
        self.accounts[account.login] = account
        self.logins[hash_of(token)] = Login(len(self.logins) + 1, account, now, now, now + lasts, None)

    def leave(self, token: str, now: datetime) -> None:
        key = hash_of(token)
        self.logins[key] = replace(self.logins[key], ended_at=now)

    async def of_token(self, token_hash: str) -> Login | None:
        self.asked += 1
        return self.logins.get(token_hash)

    async def find(self, login: str) -> Account | None:
        return self.accounts.get(login)

    async def everybody(self) -> list[Account]:
        return list(self.accounts.values())

    async def of_account(self, account_id: int) -> list[Login]:
        return [login for login in self.logins.values() if login.account.id == account_id]

    def ride_along(self, steps: object) -> None:
        for step in steps:
            step(SimpleNamespace(accounts=self, audit=self))

    def note(self, *words: object, **_more: object) -> None:
        self.noted.append(words)

    def seen(self, login_id: int, now: datetime) -> None:
        for key, login in self.logins.items():
            if login.id == login_id:
                self.logins[key] = replace(login, seen_at=now)


@dataclass
class Visitor:
    """A browser of somebody who is logged in; cookies are set by hand, since clients keep secure ones to themselves."""

    session: ClientSession
    account: Account
    token: str
    shell: Shell
    guard: Guard
    crowd: Crowd
    clock: HandClock
    app: web.Application

    @property
    def csrf(self) -> str:
        return csrf_of(self.token)

    @property
    def principal(self) -> Principal:
        return principal_of(self.account)

    @property
    def origin(self) -> str:
        return str(self.session._base_url).rstrip("/")

    async def get(self, path: str, **more: object) -> ClientResponse:
        return await self.session.get(path, **{"allow_redirects": False, **more})

    async def page(self, path: str, **more: object) -> Page:
        """A page as a browser reads it; it must be there."""
        answer = await self.get(path, **more)
        text = await answer.text()
        assert answer.status == 200, (answer.status, text)
        return Page(text)

    async def post(self, path: str, form: Mapping[str, str] = {}, **more: object) -> ClientResponse:
        """Send a form as our own page does. It answers with the redirect, and does not follow it."""
        headers = {"Origin": self.origin, **more.pop("headers", {})}
        data = {"csrf": self.csrf, **form}
        return await self.session.post(path, data=data, headers=headers, **{"allow_redirects": False, **more})


@asynccontextmanager
async def client_as(
    role: Role | Account,
    *sets: Callable[[Shell], PageSet],
    site: Site = SITE,
    clock: Clock | None = None,
    health: Callable[[], Health] = lambda: Health(True, ()),
    counts: Counts | None = None,
    language: str = "",
    languages: Callable[[Path], Languages] | None = None,
    permits: Callable[[Clock], Permits] = open_permits,
) -> AsyncIterator[Visitor]:
    """Open a web front with these page sets, each made from the shell, and log somebody in."""
    clock = clock or HandClock()
    shell = open_shell(site, clock.now, counts or (lambda _: {}), languages)
    crowd = Crowd()
    account = role if isinstance(role, Account) else replace(ANA, roles=frozenset({role}), language=language)
    crowd.enter(account, TOKEN, clock.now())
    guard = Guard(crowd, crowd, clock, shell, permits(clock), TABLE | TEST_TABLE)
    app = build_web(WebParts(shell, guard, health, [make(shell) for make in sets]))
    runner = web.AppRunner(app)
    await runner.setup()
    watching = asyncio.create_task(guard.watch())
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with ClientSession(base, headers={"Cookie": f"{COOKIE}={TOKEN}"}) as session:
            yield Visitor(session, account, TOKEN, shell, guard, crowd, clock, app)
    finally:
        watching.cancel()
        await runner.cleanup()

"""A browser as far as logins go: it keeps cookies, sends forms of pages it has read, and says where it comes from."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import ClientResponse, ClientSession, DummyCookieJar, web

from ringback.config import Settings
from ringback.core.permissions import Role
from ringback.flow.factors import Demand
from ringback.flow.imports import Imports
from ringback.flow.people import NewUser, add_user
from ringback.flow.permits import Permits
from ringback.panel.app import PageSet, WebParts, build_web
from ringback.panel.door import Door
from ringback.panel.doors import door_pages
from ringback.panel.guard import Guard
from ringback.panel.health import Health
from ringback.panel.numbers import Line
from ringback.panel.passwords import Hasher
from ringback.panel.people_pages import people_pages
from ringback.panel.people_parts import Registry
from ringback.panel.proving import Proving
from ringback.panel.shell import open_shell
from ringback.panel.site import Site
from ringback.ports.directories import PasswordDirectory, SendingDirectory
from ringback.ports.directory import AskPbx
from ringback.ports.people import Account
from ringback.ports.post import Post
from ringback.sealing import Sealer
from ringback.store.accounts import Readers
from ringback.store.database import Database
from ringback.store.grants import ReadGrants
from ringback.store.proofs import ProofReads
from ringback.store.read_people import StoredPeople
from tests.fakes.hand_clock import HandClock
from tests.panel.reading import Page
from tests.panel.visiting import SITE

PASSWORD = "correct horse battery"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


@dataclass
class Browser:
    """Cookies are kept by name. `origin` is what it says its own pages come from."""

    session: ClientSession
    origin: str
    headers: dict[str, str] = field(default_factory=lambda: {"User-Agent": AGENT})
    cookies: dict[str, str] = field(default_factory=dict)

    async def ask(self, method: str, path: str, **more: object) -> ClientResponse:
        cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        headers = {**self.headers, **(cookies if self.cookies else {}), **more.pop("headers", {})}
        answer = await self.session.request(method, path, headers=headers, allow_redirects=False, **more)
        for name, morsel in answer.cookies.items():
            if morsel["max-age"] == "0" or not morsel.value:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.value
        return answer

    async def get(self, path: str, **more: object) -> ClientResponse:
        return await self.ask("GET", path, **more)

    async def page(self, path: str, status: int = 200) -> Page:
        answer = await self.get(path)
        text = await answer.text()
        assert answer.status == status, (answer.status, answer.headers.get("Location"), text)
        return Page(text)

    async def send(self, path: str, fields: Mapping[str, str], **more: object) -> ClientResponse:
        """Send a form as a browser does: it names its own origin."""
        headers = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin", **more.pop("headers", {})}
        return await self.ask("POST", path, data=dict(fields), headers=headers, **more)

    async def fill(self, page: str, action: str, **fields: str) -> ClientResponse:
        """Read a page, and send its form with that action and these fields."""
        return await self.send(action, {**hidden(await self.page(page), action), **fields})

    async def log_in(self, login: str = "ana", password: str = PASSWORD, back: str = "/more") -> ClientResponse:
        return await self.fill(f"/login?next={back}", "/login", login=login, password=password)


def hidden(page: Page, action: str) -> dict[str, str]:
    """The hidden fields of the form with this action."""
    form = next(form for form in page.by_tag("form") if form.attributes.get("action") == action)
    inputs = [element.attributes for element in form.inside if element.tag == "input"]
    return {one["name"]: one["value"] or "" for one in inputs if one.get("type") == "hidden"}


def words_of(page: Page, *classes: str) -> list[str]:
    """What stands in the elements of these classes."""
    return [" ".join(element.words.split()) for name in classes for element in page.by_class(name)]


@dataclass
class Doorway:
    """A web front with logins in a real database."""

    database: Database
    clock: HandClock
    door: Door
    guard: Guard
    base: str
    sessions: list[ClientSession] = field(default_factory=list)

    async def browser(self, **headers: str) -> Browser:
        session = ClientSession(self.base, cookie_jar=DummyCookieJar())
        self.sessions.append(session)
        return Browser(session, self.base, {"User-Agent": AGENT, **headers})

    async def add(self, login: str = "ana", role: Role = Role.ADMINISTRATOR, password: str = PASSWORD) -> Account:
        hashed = await self.door.hasher.hash(password)
        new = NewUser(login, login.title(), frozenset({role}), hashed)
        return await self.database.commit(lambda tx: add_user(new, "shell test", self.clock.now(), tx))

    async def logged_in(self, login: str = "ana") -> Browser:
        browser = await self.browser()
        answer = await browser.log_in(login)
        assert answer.status == 303, await answer.text()
        return browser


@asynccontextmanager
async def doorway(
    path: Path,
    clock: HandClock,
    *more: PageSet,
    site: Site = SITE,
    settings: Settings | None = None,
    lines: Mapping[str, Line] | None = None,
    pbxs: AskPbx | None = None,
    demand: Demand = Demand.NOBODY,
    asked: PasswordDirectory | None = None,
    sending: SendingDirectory | None = None,
    post: Post | None = None,
) -> AsyncIterator[Doorway]:
    """Open a web front on a database that is there already. The key of sealed secrets lies beside it."""
    database = Database(f"sqlite:///{path}", clock)
    await database.open()
    shell = open_shell(site, clock.now)
    people = Readers(database)
    permits = Permits(ReadGrants(database), clock)
    proving = Proving(Sealer(path.parent, {}), ProofReads(database), demand, asked, sending, post)
    guard = Guard(people, database, clock, shell, permits, demand=demand)
    door = Door(shell, guard, people, database, clock, Hasher(), proving)
    registry = Registry(door, StoredPeople(database), permits, ReadGrants(database), "US")
    pages = [*door_pages(door, settings), *people_pages(registry, lines or {}, pbxs or {}, Imports(clock)), *more]
    parts = WebParts(shell, guard, lambda: Health(True, ()), pages)
    runner = web.AppRunner(build_web(parts))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found = Doorway(database, clock, door, guard, f"http://127.0.0.1:{runner.addresses[0][1]}")
    try:
        yield found
    finally:
        for session in found.sessions:
            await session.close()
        await runner.cleanup()
        await proving.close()
        await database.close()

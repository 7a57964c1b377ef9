"""A house with people in departments and numbers in groups, the pages of permissions on it, and browsers for them."""

import itertools
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from pathlib import Path

from aiohttp import ClientSession, DummyCookieJar, web

from ringback.core.grants import EVERYONE, Cell, Effect, Level, Subject, Way
from ringback.core.permissions import Role
from ringback.flow.permits import Permits
from ringback.panel.app import WebParts, build_web
from ringback.panel.guard import Guard
from ringback.panel.health import Health
from ringback.panel.permissions_pages import permission_pages
from ringback.panel.permissions_parts import GrantOffice
from ringback.panel.shell import open_shell
from ringback.panel.tokens import COOKIE, csrf_of, hash_of
from ringback.ports.people import Account, Contact
from ringback.store.accounts import Readers
from ringback.store.database import Database
from ringback.store.grants import ReadGrants
from tests.fakes.hand_clock import HandClock
from tests.panel.reading import Page
from tests.panel.visiting import SITE

MAIN, SALES, MIAMI = "+12025550100", "+12025550142", "+13055550120"
NAMES = (
    "Ana Kovačević",
    "Siobhán O’Connor",
    "María-José Fernández de la Vega y Martínez",
    "Олена Шевченко-Бондаренко",
    "Nguyễn Thị Minh Khai",
    "Jörg Müller-Lüdenscheidt",
    "Li Wei",
    "Tadeusz Brzęczyszczykiewicz",
    "Aoife Ní Dhomhnaill",
    "يوسف الحسن",
)
TREE = (
    ("Service desk", ""),
    ("Night desk", "Service desk"),
    ("Sales", ""),
    ("Field crew", ""),
    ("Miami crew", "Field crew"),
    ("Back office", ""),
)
PLACES = (("Washington", "202"), ("Miami", "305"), ("San Francisco Bay", "415"), ("New York", "212"))
LABELS = (
    "Main line",
    "Service desk",
    "Sales",
    "Reminders",
    "Repairs",
    "Parts",
    "Rentals",
    "Night",
    "Complaints",
    "Fax",
)


class Told(Page):
    """A page, and all its words with a space between elements."""

    def __init__(self, html: str) -> None:
        super().__init__(html)
        main = html.partition("<main")[2].partition("</main>")[0] or html
        self.told = " ".join(unescape(re.sub(r"<[^>]*>", " ", f"<main{main}")).split())


@dataclass
class Looker:
    """A browser with somebody logged in."""

    session: ClientSession
    base: str
    token: str

    @property
    def csrf(self) -> str:
        return csrf_of(self.token)

    async def get(self, path: str):
        return await self.session.get(path, allow_redirects=False)

    async def page(self, path: str, status: int = 200) -> Told:
        answer = await self.get(path)
        text = await answer.text()
        assert answer.status == status, (answer.status, answer.headers.get("Location"), text)
        return Told(text)

    async def post(self, path: str, form=(), **fields: str):
        pairs = [("csrf", self.csrf), *(form.items() if isinstance(form, dict) else form), *fields.items()]
        return await self.session.post(path, data=pairs, headers={"Origin": self.base}, allow_redirects=False)


@dataclass
class House:
    """What stands in it; `people` by login, `departments` by name."""

    database: Database
    clock: HandClock
    base: str
    office: GrantOffice
    guard: Guard
    people: dict[str, Account] = field(default_factory=dict)
    departments: dict[str, int] = field(default_factory=dict)
    public_ids: dict[str, str] = field(default_factory=lambda: {"": "everyone"})
    groups: dict[str, int] = field(default_factory=dict)
    numbers: list[str] = field(default_factory=list)
    sessions: list[ClientSession] = field(default_factory=list)

    async def add(self, login: str, name: str = "", *roles: Role, extension: str = "", department: str = "") -> Account:
        now = self.clock.now()

        def step(tx):
            made = tx.accounts.add(login, name, frozenset(roles or {Role.AGENT}), "", "", now)
            if extension:
                tx.accounts.describe(made.id, name, Contact(extension=extension), now)
            if department:
                tx.departments.join(made.id, self.departments[department], now, main="yes")
            return made

        self.people[login] = made = await self.database.commit(step)
        self.public_ids[login] = made.public_id
        return made

    async def department(self, name: str, parent: str = "") -> int:
        above = self.departments[parent] if parent else None
        made = await self.database.commit(lambda tx: tx.departments.add(name, above, self.clock.now()))
        self.departments[name] = made.id
        self.public_ids[name] = made.public_id
        return made.id

    async def number(self, e164: str, label: str = "", group: str = "") -> None:
        def step(tx):
            now = self.clock.now()
            if group and group not in self.groups:
                self.groups[group] = tx.numbers.add_group(group, now).id
            tx.numbers.know([e164], now)
            card = next(card for card in tx.numbers.all() if card.e164 == e164)
            tx.numbers.describe(card.id, label, self.groups.get(group), now)

        await self.database.commit(step)
        self.numbers.append(e164)

    def subject(self, name: str) -> Subject:
        """A user by login, a department by name, or everyone."""
        if name in self.people:
            return Subject(Level.USER, self.people[name].id)
        return Subject(Level.DEPARTMENT, self.departments[name]) if name else EVERYONE

    async def grant(
        self, name: str, way: Way, scope: str, effect: Effect | None = Effect.ALLOW, kind: str = ""
    ) -> None:
        cell = Cell(self.subject(name), way, scope, kind)
        now = self.clock.now()
        await self.database.commit(lambda tx: tx.grants.put(cell, effect, "seed", "chg_seed", "shell test", now))
        self.office.permits.forget()

    async def said(self, name: str, way: Way, scope: str, kind: str = "") -> Effect | None:
        cell = Cell(self.subject(name), way, scope, kind)
        grant = (await self.office.read.book()).written.get(cell)
        return grant.effect if grant else None

    async def token(self, login: str) -> str:
        account, now = self.people[login], self.clock.now()
        token = f"token-of-{login}-{len(self.sessions)}"
        until = now + timedelta(hours=12)
        await self.database.commit(
            lambda tx: tx.accounts.begin(account.id, hash_of(token), until, "127.0.0.1", "Firefox", now)
        )
        return token

    async def looker(self, login: str) -> Looker:
        token = await self.token(login)
        session = ClientSession(
            self.base, cookie_jar=DummyCookieJar(), headers={"Cookie": f"{COOKIE}={token}", "User-Agent": "Firefox"}
        )
        self.sessions.append(session)
        return Looker(session, self.base, token)


@asynccontextmanager
async def permission_house(path: Path, clock: HandClock, port: int = 0) -> AsyncIterator[House]:
    """Open the pages on a database that is there already."""
    database = Database(f"sqlite:///{path}", clock)
    await database.open()
    shell, people, read = open_shell(SITE, clock.now), Readers(database), ReadGrants(database)
    permits = Permits(read, clock)
    guard = Guard(people, database, clock, shell, permits)
    office = GrantOffice(shell, permits, read, people, database, clock, guard.watching)
    pages = permission_pages(office)
    runner = web.AppRunner(build_web(WebParts(shell, guard, lambda: Health(True, ()), pages)))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    house = House(database, clock, f"http://127.0.0.1:{runner.addresses[0][1]}", office, guard)
    try:
        yield house
    finally:
        for session in house.sessions:
            await session.close()
        await runner.cleanup()
        await database.close()


async def small(house: House) -> None:
    """Two departments, five people, three numbers; nothing is granted."""
    await house.department("Service desk")
    await house.department("Night desk", "Service desk")
    await house.add("boss", "Jörg Müller-Lüdenscheidt", Role.ADMINISTRATOR, extension="102")
    await house.add("second", "Aoife Ní Dhomhnaill", Role.ADMINISTRATOR, extension="112")
    await house.add("ana", "Ana Kovačević", extension="101", department="Service desk")
    await house.add("olena", "Олена Шевченко", extension="104", department="Night desk")
    await house.add("sup", "Li Wei", Role.SUPERVISOR, extension="110")
    await house.add("aud", "An auditor", Role.AUDITOR)
    await house.number("+12025550100", "Main line", "Washington")
    await house.number("+12025550142", "Sales", "Washington")
    await house.number("+13055550120", "Miami desk")


async def large(house: House, people: int = 200, numbers: int = 40) -> None:
    """A tree of departments with people in it, numbers in groups, and grants as they come to be over the years."""
    for name, parent in TREE:
        await house.department(name, parent)
    names = itertools.cycle(NAMES)
    for n in range(people):
        roles = {0: (Role.ADMINISTRATOR,), 1: (Role.SUPERVISOR,), 2: (Role.AUDITOR,)}.get(n, (Role.AGENT,))
        department = TREE[n % len(TREE)][0] if n % 17 else ""
        name = next(names) if n < len(NAMES) else f"{next(names)} {n}"
        await house.add(f"u{n}", name, *roles, extension=str(101 + n), department=department)
    for n in range(numbers):
        place, area = PLACES[n * len(PLACES) // numbers]
        label = LABELS[n % len(LABELS)]
        await house.number(f"+1{area}55501{n % 100:02d}" if n < 100 else f"+1{area}555{n:04d}", label, place)
    await _grants(house)


async def _grants(house: House) -> None:
    first, more = house.numbers[0], house.numbers
    allow, deny = Effect.ALLOW, Effect.DENY
    washington = f"group:{house.groups['Washington']}"
    rows = [
        ("", Way.RECEIVE, first, allow),
        ("Service desk", Way.SEND, washington, allow),
        ("Service desk", Way.RECEIVE, washington, allow),
        ("Night desk", Way.SEND, more[2], deny),
        ("Sales", Way.SEND, more[2], allow),
        ("Sales", Way.RECEIVE, more[2], allow),
        ("Field crew", Way.SEND, f"group:{house.groups['Miami']}", allow),
        ("Field crew", Way.RECEIVE, f"group:{house.groups['Miami']}", allow),
        ("u5", Way.SEND, more[3], allow),
        ("u6", Way.SEND, more[0], deny),
        ("u6", Way.SEND, more[1], deny),
        ("u12", Way.SEND, more[1], allow),
    ]
    for name, way, scope, effect in rows:
        await house.grant(name, way, scope, effect)
    await house.grant("Sales", Way.SEND, more[2], deny, "promotional")


def row_id(house: House, name: str) -> str:
    """The public id of somebody, as the matrix names them."""
    return house.public_ids[name]


def cell(house: House, name: str, wanted: str, scope: str = MAIN, way: str = "send", seen: str = "inherit", kind="-"):
    return ("cell", f"{row_id(house, name)} {way} {scope} {kind} {seen} {wanted}")


def cells_of(page: Page, name: str) -> list[tuple[str, str, str]]:
    """What stands in a row: what is set, what it comes to, and what is read out."""
    (row,) = [one for one in page.by_tag("tr") if one.attributes.get("data-name", "").endswith(name)]
    return [
        (one.attributes["data-set"], one.attributes["data-eff"], one.attributes["aria-label"])
        for one in row.inside
        if one.tag == "td"
    ]


async def preview(who: Looker) -> Page:
    return await who.page("/permissions/preview")


def hidden(page: Page, name: str) -> str:
    return next(one.attributes["value"] for one in page.by_tag("input") if one.attributes.get("name") == name)


async def apply(who: Looker, **more: str):
    return await who.post("/permissions/apply", digest=hidden(await preview(who), "digest"), **more)


def words(page: Told) -> str:
    return page.told

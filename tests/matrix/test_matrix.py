"""The permission matrix: every principal asks for every operation of the panel with every thing there is, over the real
daemon, and gets what the oracle says. Made from the operation table, so an operation cannot be forgotten."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import ClientSession, ClientTimeout

from ringback.core.operations import OF_A_NUMBER, About, Operation, Surface
from ringback.panel.operations import OPERATIONS
from ringback.panel.tokens import COOKIE, csrf_of
from tests.browser.house import House, open_house
from tests.matrix.oracle import NUMBERS, PEOPLE, A, Answer, Someone, roles_for, takes_all
from tests.matrix.seeds import CANARY, VICTIM, seed, token_of, victim_of

THIRD = '[numbers."+12025550103"]\ncarrier = "main"\n'
NEVER_WAS = {
    About.THREAD: "thr_01jd3v8k6s9xq2m4n7p0r5t8wz",
    About.TEXT: "msg_01jd3v8k6s9xq2m4n7p0r5t8wz",
    About.CALL: "call_01jd3v8k6s9xq2m4n7p0r5t8wz",
    About.TASK: "task_01jd3v8k6s9xq2m4n7p0r5t8wz",
    About.RUN: "blk_01jd3v8k6s9xq2m4n7p0r5t8wz",
    About.SESSION: "ses_01jd3v8k6s9xq2m4n7p0r5t8wz",
}
ROWS = {
    About.THREAD: "thread",
    About.TEXT: "message",
    About.CALL: "call",
    About.TASK: "task",
    About.RUN: "bulk",
    About.SESSION: "session",
}
UNKNOWN, MALFORMED = "unknown", "malformed"
LAST = ("/logout", "/profile/logout-everywhere")
"""What ends the login of whoever asks, so it is asked last."""
CHANGES = frozenset(
    {
        "/permissions/everyone",
        "/permissions/apply",
        "/permissions/undo",
        "/permissions/bulk",
        "/permissions/copy",
        "/departments/{id}/remove",
        "/numbers/groups/{id}/remove",
        "/queues/{id}/remove",
    }
)
NOTHING_TO_DO = frozenset({"POST /users/{id}/totp-off", "POST /permissions/why"})
"""What says that there is no such thing: whom it is about has no second factor, or the form names nobody."""
LETTER = {"send": "s", "receive": "r", "bulk": "b"}


@dataclass(frozen=True)
class Cell:
    """One question. `thing` is the number it belongs to, or UNKNOWN or MALFORMED, or empty where there is only one."""

    who: Someone
    operation: Operation
    thing: str
    path: str

    @property
    def name(self) -> str:
        return f"{self.who.name}: {self.operation.name} of {self.thing or 'the house'}"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, empty_sqlite: Path) -> Iterator[House]:
    """A daemon on the seeded house."""
    with open_house(tmp_path_factory.mktemp("matrix"), empty_sqlite, "America/New_York", seed, more=THIRD) as opened:
        yield opened


def expected(cell: Cell) -> Answer | None:
    """What the oracle says; None for a door that is open to anybody, and decides by what is in the form."""
    who, operation = cell.who, cell.operation
    roles = roles_for(operation.name)
    if roles is None:
        return None
    if not who.known:
        return Answer.LOGIN
    if not roles & who.roles:
        return Answer.FORBIDDEN
    if operation.about in OF_A_NUMBER:
        if cell.thing not in NUMBERS or not who.may("r", cell.thing):
            return Answer.NOT_THERE
        if operation.way is not None and not who.may(LETTER[operation.way], cell.thing):
            return Answer.FORBIDDEN
        if (letter := takes_all(operation.name)) and not all(who.may(letter, number) for number in NUMBERS):
            return Answer.FORBIDDEN
    elif cell.thing in (UNKNOWN, MALFORMED) or operation.name in NOTHING_TO_DO:
        return Answer.NOT_THERE
    return Answer.LET_IN


def things_of(house: House, operation: Operation, who: Someone) -> dict[str, str]:
    """The path of an operation for each thing it can be about."""
    path = operation.path
    if "{" not in path:
        return {"": path}
    head, _, rest = path.partition("{")
    tail = rest.partition("}")[2].replace("{way}", "pause")
    if operation.about in OF_A_NUMBER:
        column = "t.id" if operation.about is About.THREAD else "x.thread_id"
        found = dict(_numbered(house, ROWS[operation.about], column))
        found |= {UNKNOWN: NEVER_WAS[operation.about], MALFORMED: "x%22%3E"}
        return {thing: f"{head}{id_}{tail}" for thing, id_ in found.items()}
    one = _one_of(house, operation, who)
    return {UNKNOWN if one == "nothing" else "": f"{head}{one}{tail}"}


def _numbered(house: House, table: str, column: str) -> list[tuple[str, str]]:
    """A public id of this kind for each number."""
    wheres = {
        "bulk": "SELECT x.did, x.public_id FROM bulk x",
        "call": "SELECT x.did, x.public_id FROM call x",
        "session": "SELECT x.did, x.public_id FROM session x",
        "thread": "SELECT n.e164, t.public_id FROM thread t JOIN number n ON n.id = t.number_id",
    }
    other = f"""SELECT n.e164, x.public_id FROM {table} x JOIN thread t ON t.id = {column}
        JOIN number n ON n.id = t.number_id ORDER BY x.id"""
    return [(str(number), str(id_)) for number, id_ in house.daemon.rows(wheres.get(table, other))]


ONES = {
    "/users/import/": "SELECT 'of-yesterday'",
    "/users/": f"SELECT public_id FROM account WHERE login = '{VICTIM}'",
    "/departments/": "SELECT public_id FROM department WHERE name = '{victim}'",
    "/numbers/groups/": "SELECT public_id FROM number_group WHERE name = '{victim}'",
    "/queues/": "SELECT public_id FROM text_queue WHERE name = '{victim}'",
    "/board/agents/": f"SELECT public_id FROM account WHERE login = '{VICTIM}'",
    "/permissions/of/": f"SELECT public_id FROM account WHERE login = '{VICTIM}'",
    "/api/keys/": "",
    "/static/": "SELECT 'panel.css'",
    "/health/carriers/": "SELECT 'main'",
    "/handset/": f"SELECT '{A}'",
    "/numbers/": f"SELECT '{A}'",
    "/permissions/number/": f"SELECT '{A}'",
    "/lists/": "SELECT 'never'",
}
"""How to find what an operation of nobody's number is asked about; the longest that fits. Empty: there is none."""


def _one_of(house: House, operation: Operation, who: Someone) -> str:
    head = max((head for head in ONES if operation.path.startswith(head)), key=len)
    if not ONES[head]:
        return "nothing"
    return str(house.daemon.rows(ONES[head].format(victim=victim_of(who.name)))[0][0])


def cells(house: House) -> list[Cell]:
    """Every question there is; what changes who may what comes after all others, and what ends a login last."""
    found = [
        Cell(who, operation, thing, path)
        for who in PEOPLE
        for operation in OPERATIONS
        for thing, path in things_of(house, operation, who).items()
    ]
    return sorted(found, key=lambda cell: (cell.operation.path in LAST, cell.operation.path in CHANGES))


async def test_the_matrix_of_the_panel(house: House):
    wrong, asked, leaks = [], 0, []
    async with ClientSession(house.base, timeout=ClientTimeout(total=20)) as session:
        for cell in cells(house):
            answer, body = await ask(session, house, cell)
            asked += 1
            if expected(cell) not in (None, answer):
                wrong.append(f"{cell.name}: {answer}, not {expected(cell)}")
            leaks += [f"{cell.name}: shows {word!r}" for word in leaked(cell, body)]
    print(f"\n{asked} cells: {len(PEOPLE)} principals, {len(OPERATIONS)} operations")
    assert not wrong, "\n".join([f"{len(wrong)} of {asked} are wrong", *wrong[:60]])
    assert not leaks, "\n".join(leaks[:60])
    assert asked > 1_000


def leaked(cell: Cell, body: str) -> list[str]:
    """Words of numbers that whoever asks may not see."""
    if cell.operation.path.startswith("/handset"):
        return []
    return [word for number, word in CANARY.items() if word in body and not cell.who.may("r", number)]


async def ask(session: ClientSession, house: House, cell: Cell) -> tuple[Answer, str]:
    """Ask as their browser would; of a stream, what comes in the first moment."""
    operation = cell.operation
    token = token_of(cell.who.name, LAST.index(operation.path) + 1 if operation.path in LAST else 0)
    headers = {"Cookie": f"{COOKIE}={token}", "Origin": house.base}
    if operation.surface is Surface.STREAM:
        headers["Accept"] = "text/event-stream"
    form = (
        {"csrf": csrf_of(token), "text": "hello", "key": cell.name, "how": "sent"}
        if operation.method == "POST"
        else None
    )
    async with session.request(
        operation.method, cell.path, headers=headers, data=form, allow_redirects=False
    ) as answer:
        where = answer.headers.get("Location", "")
        body = (
            await _read(answer.content)
            if answer.content_type == "text/event-stream"
            else await answer.text(errors="replace")
        )
        login = answer.status == 401 or (
            answer.status == 303 and where.startswith("/login") and operation.path not in LAST
        )
        named = {403: Answer.FORBIDDEN, 404: Answer.NOT_THERE}
        assert answer.status < 500, f"{cell.name}: {answer.status} {body[:300]}"
        return Answer.LOGIN if login else named.get(answer.status, Answer.LET_IN), body


async def _read(content) -> str:
    """What a stream says at once."""
    try:
        async with asyncio.timeout(0.05):
            return (await content.readany()).decode()
    except TimeoutError:
        return ""

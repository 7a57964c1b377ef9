"""The permission matrix of the API: every key asks for every operation with every thing, over the real daemon."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from aiohttp import ClientSession, ClientTimeout

from ringback.api.bulks import BulkRows
from ringback.api.messages import MessageRows
from ringback.core.operations import About, Operation
from tests.browser.house import House, open_house
from tests.matrix.oracle import NUMBERS, PROGRAMS, Answer, Someone, scopes_for
from tests.matrix.seeds import CANARY, PEERS, secret_of, seed
from tests.matrix.test_matrix import MALFORMED, NEVER_WAS, THIRD, UNKNOWN

OPERATIONS = [operation.row for rows in (MessageRows, BulkRows) for operation in rows(Mock()).operations()]
LATER = "2026-12-24T10:00:00Z"
LETTER = {"send": "s", "receive": "r", "bulk": "b"}
SEEDED = {
    About.TEXT: """SELECT n.e164, x.public_id FROM message x JOIN thread t ON t.id = x.thread_id
        JOIN number n ON n.id = t.number_id WHERE x.automatic ORDER BY x.id DESC""",
    About.RUN: "SELECT did, public_id FROM bulk WHERE asked_by = 'program key_of_nobody'",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, empty_sqlite: Path) -> Iterator[House]:
    """A daemon on the seeded house."""
    folder = tmp_path_factory.mktemp("programs")
    with open_house(folder, empty_sqlite, "America/New_York", seed, more=THIRD) as opened:
        yield opened


def expected(who: Someone, operation: Operation, thing: str, mine: str) -> Answer:
    """What the oracle says of a thing of this number, which may be one that the program asked for itself."""
    if not who.known:
        return Answer.LOGIN
    if not scopes_for(operation.name) & who.roles:
        return Answer.FORBIDDEN
    letter = LETTER[operation.way] if operation.way else "r"
    match operation.about:
        case About.NUMBER:
            return Answer.LET_IN if who.may(letter, thing) else Answer.FORBIDDEN
        case About.TEXT | About.RUN:
            reads = "read" in who.roles
            if thing not in NUMBERS or not who.may("r", thing) or not (mine or reads):
                return Answer.NOT_THERE
            if mine or operation.method == "GET":
                return Answer.LET_IN
            # a text of another is seen, and not called off; runs of others are not there for whoever would change them
            return Answer.FORBIDDEN if operation.about is About.TEXT else Answer.NOT_THERE
    return Answer.LET_IN


class Program:
    """One key over HTTP."""

    def __init__(self, session: ClientSession, who: Someone) -> None:
        self._session = session
        self.who = who

    async def asks(self, method: str, path: str, body: object = None) -> tuple[int, str, Any]:
        headers = {} if self.who.name == "no key" else {"Authorization": f"Bearer {secret_of(self.who.name)}"}
        async with self._session.request(method, path, headers=headers, json=body) as answer:
            return answer.status, await answer.text(), await answer.json()


NAMED = {401: Answer.LOGIN, 403: Answer.FORBIDDEN, 404: Answer.NOT_THERE}


def body_of(operation: Operation, number: str) -> object:
    """A wish that can be carried out."""
    if operation.about is not About.NUMBER:
        return None
    words = {"from": number, "text": "hello", "not_before": LATER}
    peer = PEERS.get(number, "+15125550129")
    return words | ({"recipients": [{"to": peer}]} if operation.path.endswith("bulk") else {"to": peer})


async def test_the_matrix_of_programs(house: House):
    seeded = {about: dict(house.daemon.rows(query)) for about, query in SEEDED.items()}
    wrong, leaks, asked = [], [], 0
    async with ClientSession(house.base, timeout=ClientTimeout(total=20)) as session:
        for who in PROGRAMS:
            program = Program(session, who)
            made: dict[tuple[About, str], str] = {}
            for operation in sorted(OPERATIONS, key=lambda row: row.about is not About.NUMBER):
                for thing, id_, mine in _things(operation, seeded, made):
                    path = operation.path.replace("{id}", id_)
                    query = f"?number={PEERS[NUMBERS[0]].replace('+', '%2B')}" if operation.about is About.LIST else ""
                    status, text, told = await program.asks(operation.method, path + query, body_of(operation, thing))
                    asked += 1
                    assert status < 500, f"{who.name}: {operation.name}: {text}"
                    got = NAMED.get(status, Answer.LET_IN)
                    wanted = expected(who, operation, thing, mine)
                    if got is not wanted:
                        cell = f"{who.name}: {operation.name} of {mine}{thing}"
                        wrong.append(f"{cell}: {status}, not {wanted}: {text[:150]}")
                    if operation.about is About.NUMBER and status == 201:
                        kind = About.RUN if operation.path.endswith("bulk") else About.TEXT
                        made[kind, thing] = told["id"]
                    leaks += [
                        f"{who.name}: {operation.name}: {word}"
                        for number, word in CANARY.items()
                        if word in text and not who.may("r", number)
                    ]
    print(f"\n{asked} cells: {len(PROGRAMS)} programs, {len(OPERATIONS)} operations")
    assert not wrong, "\n".join([f"{len(wrong)} of {asked} are wrong", *wrong[:60]])
    assert not leaks, "\n".join(leaks[:60])
    assert asked > 400


def _things(
    operation: Operation, seeded: dict[About, dict[str, str]], made: dict[tuple[About, str], str]
) -> Iterator[tuple[str, str, str]]:
    """A number, the id of a thing of it, and whether the program asked for that itself."""
    match operation.about:
        case About.NUMBER:
            yield from ((number, "", "") for number in NUMBERS)
        case About.TEXT | About.RUN:
            yield from ((number, id_, "") for number, id_ in seeded[operation.about].items())
            yield from ((number, id_, "own ") for (about, number), id_ in made.items() if about is operation.about)
            yield UNKNOWN, NEVER_WAS[operation.about], ""
            yield MALFORMED, "x%22%3E", ""
        case _:
            yield "", "", ""

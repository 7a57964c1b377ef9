"""The rows of R2: every place where a crash may fall, what leads there, and what must be true after the restart.

A cell is (place, moment, carrier kind, database). Its text goes to a person nobody wrote to before, so that many cells
can share one house, one after another.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from tests.crash.house import NUMBERS, House
from tests.crash.points import CARRIERS, MOMENTS, STEPS, Point, arm

RECEIVE = Point(STEPS, ("receive",))
ANSWER = Point(STEPS, ("answer", "answer_all"))
CONCLUDE = Point(STEPS, ("conclude", "take_all"))
CLAIM = Point(STEPS, ("claim",))
SEND = Point(CARRIERS, ("send",))
RECORD = Point(STEPS, ("record", "record_all"))
RECEIPT = Point(STEPS, ("apply_receipt", "apply_receipts"))
RECOVER = Point(STEPS, ("recover",))
QUIET = "no_receipts"


@dataclass(frozen=True, slots=True)
class After:
    """What must be true: the states of this person's texts in order, and how many the carrier got."""

    states: tuple[str, ...]
    arrived: int


@dataclass(slots=True)
class Cell:
    """One crash about to happen."""

    house: House
    place: str
    moment: str
    number: int

    @property
    def peer(self) -> str:
        return f"+1512{4_000_000 + self.number:07}"

    @property
    def did(self) -> str:
        return NUMBERS[self.number % len(NUMBERS)]

    @property
    def file(self) -> Path:
        return self.house.folder / "armed"

    # -- what leads there

    async def treats(self, way: str, behaviour: str) -> None:
        """Let the carrier treat this person's next text so, and the ones after it well."""
        if self.house.kind == "http":
            await self.house.tell("ways", {self.peer: [way, "takes"]})
        elif behaviour != self.house.behaviour:
            await self.house.stops()
            self.house.behaviour = behaviour
            self.house.fault("line", to=self.peer)
            self.house.write_settings()
            await self.starts()

    async def starts(self) -> None:
        await self.house.start(CRASH_ARMED=str(self.file))

    def arms(self, point: Point) -> None:
        arm(self.file, point, self.moment)

    async def writes(self, words: str = "HELP") -> None:
        await self.house.write_in([(self.peer, self.did, words)])

    async def dies(self) -> None:
        await self.house.until(lambda: not self.house.running, f"dies {self.moment} {self.place}", 20)
        self.house.fault("kill")
        self.file.unlink(missing_ok=True)
        self.house.behaviour = QUIET
        self.house.write_settings()
        await self.starts()

    async def becomes(self, *states: str) -> None:
        await self.house.until(lambda: self.states() == states, f"texts of {self.peer} become {states}", 20)

    # -- what came of it

    def states(self) -> tuple[str, ...]:
        query = f"""SELECT m.state FROM message m JOIN thread t ON t.id = m.thread_id
            WHERE t.peer = '{self.peer}' ORDER BY m.id"""
        return tuple(str(row["state"]) for row in self.house.ask(query))

    def arrived(self) -> int:
        return sum(line["to"] == self.peer for line in self.house.ledgers().accepted)


Lead = Callable[[Cell], Awaitable[None]]


async def by_hook(cell: Cell, point: Point) -> None:
    cell.arms(point)
    await cell.writes()
    await cell.dies()


async def by_program(cell: Cell) -> None:
    """A program asks, and asks again with the same key until it is answered."""
    assert cell.house.programs is not None
    cell.arms(ANSWER)
    asking = asyncio.ensure_future(cell.house.programs.send(f"cell-{cell.number}", cell.did, cell.peer, "It is ready."))
    await cell.dies()
    await asking


async def by_call(cell: Cell) -> None:
    """A caller gives up; the person of this cell is the caller."""
    await cell.house.until(lambda: any(client.logged_in for client in cell.house.pbx._clients), "it hears the PBX")
    await asyncio.to_thread(cell.house.ask, "SELECT 1 AS one")
    cell.house.calls = 2_000_000 + cell.number
    cell.arms(CONCLUDE)
    cell.house.ring(1)
    await cell.dies()


async def by_answer(cell: Cell, way: str, behaviour: str) -> None:
    """The carrier treats a text in some way, and the record of that is where it falls."""
    await cell.treats(way, behaviour)
    await by_hook(cell, RECORD)


async def by_receipt(cell: Cell) -> None:
    if cell.house.kind == "http":
        await cell.writes()
        await cell.becomes("accepted")
        cell.arms(RECEIPT)
        await cell.house.tell("tell", {cell.peer: ["delivered"]})
    else:
        await cell.treats("takes", "delivers")
        cell.arms(RECEIPT)
        await cell.writes()
    await cell.dies()


async def by_evidence(cell: Cell) -> None:
    """Nobody knows what became of a text, and then its receipt comes."""
    if cell.house.kind == "http":
        await cell.treats("cut", "")
        await cell.writes()
        await cell.becomes("unconfirmed")
        cell.arms(RECEIPT)
        await cell.house.tell("tell", {cell.peer: ["delivered"]})
    else:
        await cell.treats("", "answer_lost")
        await cell.writes()
        await cell.becomes("unconfirmed")
        cell.arms(RECEIPT)
    await cell.dies()


async def by_stop(cell: Cell) -> None:
    """A text waits for a carrier that is away, and its reader says STOP."""
    await cell.treats("away", "away")
    await cell.writes()
    await cell.becomes("held")
    cell.arms(RECEIVE)
    await cell.writes("STOP")
    await cell.dies()


async def by_recovery(cell: Cell) -> None:
    """Killed with a text on its way, and again while it looks at what it left."""
    await cell.treats("silent", "silent")
    await cell.writes()
    await cell.house.until(lambda: cell.arrived() == 1, "the text arrives", 20)
    cell.house.kill()
    cell.arms(RECOVER)
    cell.house.starts_up(CRASH_ARMED=str(cell.file))
    await cell.dies()


SENT = After(("accepted",), 1)
LOST_SIGHT = After(("unconfirmed",), 1)
NEVER_LEFT = After(("unconfirmed",), 0)
NOTHING = After((), 0)
KNOWN = After(("delivered",), 1)
HELD = After(("held",), 0)


@dataclass(frozen=True, slots=True)
class Place:
    """A durable point, what leads there, and what is true after a crash before it, within it and after it.

    `loop` differs where the loopback's memory of a receipt dies with the daemon.
    """

    durable: str
    lead: Lead
    then: tuple[After, After, After]
    loop: tuple[After, After, After] | None = None

    def expected(self, moment: str, kind: str) -> After:
        rows = self.loop if self.loop is not None and kind == "loopback" else self.then
        return rows[MOMENTS.index(moment)]


PLACES: dict[str, Place] = {
    "a text comes in that wants an answer": Place(
        "I-D1 I-D2 I-D3 D1", lambda cell: by_hook(cell, RECEIVE), (SENT, SENT, SENT)
    ),
    "a program asks for a text": Place("D1 D2", by_program, (SENT, SENT, NEVER_LEFT)),
    "a call ends that wants a text": Place("D1 D2", by_call, (NOTHING, NOTHING, NEVER_LEFT)),
    "an attempt is opened": Place("D2", lambda cell: by_hook(cell, CLAIM), (SENT, SENT, NEVER_LEFT)),
    "a text goes over the wire": Place("wire", lambda cell: by_hook(cell, SEND), (NEVER_LEFT, LOST_SIGHT, LOST_SIGHT)),
    "the carrier took it": Place("D3", lambda cell: by_answer(cell, "takes", QUIET), (LOST_SIGHT, LOST_SIGHT, SENT)),
    "the carrier is away": Place(
        "D3 not sent", lambda cell: by_answer(cell, "busy", "throttles"), (NEVER_LEFT, NEVER_LEFT, SENT)
    ),
    "the carrier refuses it": Place(
        "D3 rejected",
        lambda cell: by_answer(cell, "rejects", "refuses"),
        (NEVER_LEFT, NEVER_LEFT, After(("failed",), 0)),
    ),
    "the carrier takes it and says nothing": Place(
        "D5", lambda cell: by_answer(cell, "cut", "answer_lost"), (LOST_SIGHT, LOST_SIGHT, LOST_SIGHT)
    ),
    "a receipt comes": Place("D4", by_receipt, (KNOWN, KNOWN, KNOWN), (SENT, SENT, KNOWN)),
    "a receipt ends a doubt": Place("D6", by_evidence, (KNOWN, KNOWN, KNOWN), (LOST_SIGHT, LOST_SIGHT, KNOWN)),
    "a STOP comes while a text waits": Place("I-D1 cancel", by_stop, (After(("cancelled", "accepted"), 1),) * 3),
    "what was left open is found": Place("D5 recover", by_recovery, (LOST_SIGHT, LOST_SIGHT, LOST_SIGHT)),
}


async def crash(cell: Cell) -> tuple[After, After]:
    """Let it happen; returns what must be true and what is."""
    place = PLACES[cell.place]
    await place.lead(cell)
    wanted = place.expected(cell.moment, cell.house.kind)

    def found() -> bool:
        return cell.states() == wanted.states and cell.arrived() == wanted.arrived

    try:
        await cell.house.until(found, "", 20)
    except Exception:  # what is there instead says more than that it did not come
        return wanted, After(cell.states(), cell.arrived())
    await cell.house.settles()
    return wanted, After(cell.states(), cell.arrived())

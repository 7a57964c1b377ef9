"""Power cuts, made afterwards: the files as a disk might hold them at a moment of the record, and what is missing then.

What was flushed is there. What was written later may be: nothing of it, all of it, some writes and not others, or all
but the end of the last one, as a seed says. The index of the WAL in shared memory is gone.
"""

import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from ringback.flow.attempts import recover
from ringback.store.sqlite import SqliteConnection
from tests.conftest import NOON
from tests.crash.power_vfs import Deed, Line, read_record

DATABASE = "ringback.db"
AT_WRITES = frozenset({Deed.WRITE, Deed.CUT, Deed.FLUSH, Deed.DELETE})


class Rest(StrEnum):
    """What is on the disk of that which was not flushed."""

    NONE = "none"
    ALL = "all"
    SOME = "some"
    TORN = "torn"


class Disk:
    """Files with what is surely on the disk, and what was written since."""

    def __init__(self, database: bytes) -> None:
        self._sure: dict[str, bytearray] = {DATABASE: bytearray(database)}
        self._since: dict[str, list[Line]] = {}

    def take(self, line: Line) -> None:
        match line.deed:
            case Deed.WRITE | Deed.CUT:
                self._since.setdefault(line.name, []).append(line)
            case Deed.FLUSH:
                image = self._sure.setdefault(line.name, bytearray())
                for change in self._since.pop(line.name, ()):
                    put(image, change)
            case Deed.DELETE:
                self._sure.pop(line.name, None)
                self._since.pop(line.name, None)

    def lay_down(self, folder: Path, rest: Rest, dice: random.Random) -> None:
        """Write the files as they are after a power cut now."""
        for name in {*self._sure, *self._since}:
            image = bytearray(self._sure.get(name, b""))
            for change in left_of(self._since.get(name, ()), rest, dice):
                put(image, change)
            (folder / name).write_bytes(image)


def left_of(changes: Sequence[Line], rest: Rest, dice: random.Random) -> list[Line]:
    match rest:
        case Rest.NONE:
            return []
        case Rest.ALL:
            return list(changes)
        case Rest.SOME:
            return [change for change in changes if dice.random() < 0.5]
    whole, last = list(changes[:-1]), list(changes[-1:])
    return whole + [
        Line(line.deed, line.name, line.place, line.data[: dice.randrange(len(line.data) + 1)]) for line in last
    ]


def put(image: bytearray, change: Line) -> None:
    if change.deed is Deed.CUT:
        del image[change.place :]
        image.extend(bytes(change.place - len(image)))
        return
    end = change.place + len(change.data)
    if len(image) < end:
        image.extend(bytes(end - len(image)))
    image[change.place : end] = change.data


@dataclass(slots=True)
class Told:
    """What somebody relies on, so far."""

    names: dict[str, set[str]] = field(default_factory=dict)
    count: int = 0

    def take(self, line: Line) -> None:
        if line.deed is Deed.LEFT:
            self.of("left").add(line.name)
        elif line.deed is Deed.TOLD:
            kind, name = line.name.split(" ", 1)
            self.of(kind).add(name)
            self.count += 1

    def of(self, kind: str) -> set[str]:
        return self.names.setdefault(kind, set())


THERE = {
    "message": "SELECT public_id FROM message",
    "incoming": """SELECT r.provider_id FROM inbound_raw r JOIN incoming i ON i.id = r.incoming_id
                   WHERE r.state = 'done'""",
    "outcome": "SELECT public_id FROM attempt WHERE outcome IS NOT NULL",
    "receipt": """SELECT provider_id || ' ' || status FROM receipt
                  UNION SELECT provider_id || ' ' || status FROM receipt_parked""",
    "stopped": """SELECT r.provider_id || ' ' || t.peer FROM opt_out_event o JOIN thread t ON t.id = o.thread_id
                  JOIN pair_facts f ON f.thread_id = t.id AND f.opted_out_at IS NOT NULL
                  JOIN incoming i ON i.thread_id = t.id JOIN inbound_raw r ON r.incoming_id = i.id""",
    "left": """SELECT a.public_id FROM attempt a JOIN message m ON m.id = a.message_id
               WHERE a.outcome IS NOT NULL OR m.state = 'submitting'""",
}
"""How each kind is found again. Bytes that left belong to an attempt that is open, or whose outcome is known."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What a power cut did. `faults` says what is wrong afterwards."""

    place: int
    rest: Rest
    told: int
    faults: tuple[str, ...]


def faults_after(folder: Path, told: Told) -> Iterator[str]:
    """Open the files as the next start does, and compare."""
    with closing(sqlite3.connect(folder / DATABASE)) as database:
        (said,) = database.execute("PRAGMA integrity_check").fetchone()
        if said != "ok":
            yield f"integrity_check: {said}"
            return
        for kind, names in told.names.items():
            if gone := names - {row[0] for row in database.execute(THERE[kind])}:
                yield f"{len(gone)} of {len(names)} {kind} gone, like {min(gone)}"
    yield from faults_of_recovery(folder)


def faults_of_recovery(folder: Path) -> Iterator[str]:
    """The lane's first step must find each open attempt, and leave its text in doubt."""
    connection = SqliteConnection(folder / DATABASE)
    try:
        connection.begin()
        recover("main", NOON, connection.nouns)
        connection.commit(1)
    finally:
        connection.close()
    with closing(sqlite3.connect(folder / DATABASE)) as database:
        (left,) = database.execute("SELECT count(*) FROM attempt WHERE outcome IS NULL").fetchone()
        (sending,) = database.execute("SELECT count(*) FROM message WHERE state = 'submitting'").fetchone()
        if left or sending:
            yield f"{left} attempts open and {sending} texts on their way after a start"


def places(record: Path, many: int, dice: random.Random) -> list[int]:
    """Where to cut: anywhere, with a quarter of the cuts among the writes to the database itself, a checkpoint's."""
    anywhere, checkpoints = [], []
    for place, line in enumerate(read_record(record)):
        if line.deed in AT_WRITES:
            anywhere.append(place)
            if line.name == DATABASE:
                checkpoints.append(place)
    quarter = min(many // 4, len(checkpoints))
    chosen = set(dice.sample(checkpoints, quarter))
    chosen |= set(dice.sample(sorted(set(anywhere) - chosen), min(many - quarter, len(anywhere) - quarter)))
    return sorted(chosen)


def cuts(before: bytes, record: Path, many: int, seed: int, folder: Callable[[], Path]) -> Iterator[Cut]:
    """Cut the power so often in one life. `before` is the database as it began, `folder` makes an empty folder."""
    dice = random.Random(seed)
    wanted = places(record, many, dice)
    disk, told, following = Disk(before), Told(), iter(wanted)
    here = next(following, None)
    for place, line in enumerate(read_record(record)):
        (disk.take if line.deed in AT_WRITES else told.take)(line)
        if place == here:
            rest, ground = dice.choice(list(Rest)), folder()
            disk.lay_down(ground, rest, dice)
            yield Cut(place, rest, told.count, tuple(faults_after(ground, told)))
            for file in ground.iterdir():
                file.unlink()
            here = next(following, None)

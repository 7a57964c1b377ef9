"""Imports that somebody looks at and has not carried out yet: kept in memory, each for whoever began it."""

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ringback.core.formulas import defused
from ringback.core.people_rows import Column, Sheet, read_rows
from ringback.entropy import entropy
from ringback.flow.contacts import read_mail
from ringback.flow.departments import read_department_name
from ringback.flow.people import in_a_line, in_words, read_name
from ringback.flow.planning_people import Merge, Origin, Person, Plan
from ringback.flow.refusing import Because, Refused
from ringback.ports import Clock
from ringback.ports.directory import Asked, Found

KEPT_FOR = timedelta(minutes=30)
MOST_KEPT = 20
TOKEN_BYTES = 16
FILE = "file"


@dataclass(frozen=True, slots=True)
class Begun:
    """One of them, as it was read. `notes` are about what was asked: devices left out, actions that were refused."""

    sheet: Sheet
    origin: Origin
    by: str
    at: datetime
    notes: Asked | None = None


class Imports:
    """Forgotten after half an hour, and at a restart."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._begun: OrderedDict[str, Begun] = OrderedDict()

    def begin(self, sheet: Sheet, origin: Origin, by: str, notes: Asked | None = None) -> str:
        """Keep one; returns what it is asked for by."""
        token = entropy(TOKEN_BYTES).hex()
        self._begun[token] = Begun(sheet, origin, by, self._clock.now(), notes)
        while len(self._begun) > MOST_KEPT:
            self._begun.popitem(last=False)
        return token

    def of(self, token: str, by: str) -> Begun | None:
        """What somebody began; None when it is another's, done, or too long ago."""
        begun = self._begun.get(token)
        if begun is None or begun.by != by or self._clock.now() - begun.at > KEPT_FOR:
            return None
        return begun

    def end(self, token: str) -> None:
        self._begun.pop(token, None)


def readable(asked: Asked) -> Asked:
    """The same without what cannot be taken. Nobody can mend a line of a PBX, so one must not keep out all others."""
    people, unread = [], list[str]()
    for one in asked.people:
        left = _taken(read_name, one, one.name, unread), _taken(read_mail, one, one.mail, unread)
        queues = tuple(queue for queue in one.queues if _taken(_read_queue, one, queue, unread))
        people.append(replace(one, name=left[0], mail=left[1], queues=queues))
    return replace(asked, people=tuple(people), unread=tuple(unread))


def _taken(read: Callable[[str], str], of: Found, text: str, unread: list[str]) -> str:
    try:
        read(text)
    except Refused:
        unread.append(f"{of.extension}: {text}")
        return ""
    return text


def _read_queue(name: str) -> str:
    if ";" in name:
        raise Refused(Because.BAD_DEPARTMENT)
    return read_department_name(name)


def sheet_of_pbx(asked: Asked) -> Sheet:
    """People of a PBX as a table; each queue is suggested as a department."""
    head = [Column.EXTENSION, Column.ENDPOINT, Column.NAME, Column.MAIL, Column.DEPARTMENTS]
    rows = [[one.extension, one.endpoint, one.name, one.mail, "; ".join(one.queues)] for one in asked.people]
    # what a PBX says is no table program's: a name may begin like a formula
    sheet = read_rows([head, *([defused(cell) for cell in row] for row in rows)])
    return replace(sheet, troubles=()) if not asked.people else sheet


def origin_of_pbx(pbx: str, country: str) -> Origin:
    return Origin(f"asterisk:{pbx}", Merge.FILLS, country)


def pack(table: list[list[str]]) -> str:
    """A table as the control socket carries it."""
    return json.dumps(table, ensure_ascii=False, separators=(",", ":"))


def unpack(text: str) -> list[list[str]]:
    """Raises ValueError for what is no table."""
    table = json.loads(text)
    if not isinstance(table, list) or not all(isinstance(row, list) for row in table):
        raise ValueError("no table")
    return [[str(cell) for cell in row] for row in table]


LINES_TOLD = 200


def in_lines(plan: Plan, notes: Asked | None, stored: str) -> str:
    """A plan as a command prints it."""
    if plan.troubles:
        return _more([str(one) for one in plan.troubles], "Nothing is stored.")
    changed = [f"{one.login}: {in_a_line(one.changes)}" for one in plan.changed]
    added = [f"{one.login}: new, {in_words(one.roles)}{_called(one)}" for one in plan.new]
    told = f"{len(plan.new)} new, {len(plan.changed)} changed, {plan.same} as before"
    end = f"{told}. Everything is stored." if stored else f"{told}. Nothing is stored yet: add --apply."
    if notes is not None and notes.left_out:
        end = f"left out, since they look like trunks: {', '.join(notes.left_out)}\n{end}"
    if notes is not None and notes.refused:
        end = f"Asterisk does not let us ask for: {', '.join(notes.refused)}\n{end}"
    if notes is not None and notes.unread:
        end = f"left empty, since it cannot be taken: {'; '.join(notes.unread)}\n{end}"
    departments = [f"{path}: a new department" for path in plan.departments]
    return _more([*departments, *changed, *added], end)


def _called(person: Person) -> str:
    parts = [person.said.get("name", ""), *person.joins]
    return "".join(f", {part}" for part in parts if part)


def _more(lines: list[str], end: str) -> str:
    shown = lines[:LINES_TOLD]
    rest = [f"and {len(lines) - LINES_TOLD} more"] if len(lines) > LINES_TOLD else []
    return "\n".join([*shown, *rest, end])

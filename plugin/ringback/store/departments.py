"""Departments and their members, and what is said of our numbers. Each change turns the book of grants."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from ringback.core.grants import Department, Group
from ringback.core.ids import Kind
from ringback.ports.grants import NumberCard
from ringback.store.book import turn
from ringback.store.moments import micros
from ringback.store.sql import insert, sql
from ringback.store.tx import Runner, new_id

ADD = insert("department", "public_id name parent_id created_at", "ON CONFLICT (name) DO NOTHING RETURNING id")
TAKEN = sql("SELECT id FROM department WHERE name = :name")
RENAME = sql("UPDATE department SET name = :name WHERE id = :id")
MOVE = sql("UPDATE department SET parent_id = :parent_id WHERE id = :id")
PARENT = sql("SELECT parent_id FROM department WHERE id = :id")
MOVE_UP = sql("UPDATE department SET parent_id = :parent_id WHERE parent_id = :id")
EMPTY = sql("DELETE FROM member WHERE department_id = :id")
UNGRANT = sql("DELETE FROM grant_ WHERE level = 'department' AND subject_id = :id")
UNALLOW = sql("DELETE FROM allowance WHERE level = 'department' AND subject_id = :id")
UNDRAFT = sql(
    """DELETE FROM grant_draft WHERE account_id IN (SELECT a.id FROM account a) AND level = 'department'
    AND subject_id = :id"""
)
REMOVE = sql("DELETE FROM department WHERE id = :id")
NOT_MAIN = sql("UPDATE member SET main = :no WHERE account_id = :account_id")
JOIN = insert(
    "member",
    "account_id department_id main since_at",
    "ON CONFLICT (account_id, department_id) DO UPDATE SET main = excluded.main",
)
LEAVE = sql("DELETE FROM member WHERE account_id = :account_id AND department_id = :department_id")

KNOW = insert("number", "e164", "ON CONFLICT (e164) DO NOTHING")
KNOWN = sql("SELECT e164 FROM number")
ALL = sql("SELECT id, e164, label, group_id, owner, fallback, outbound FROM number ORDER BY e164")
DESCRIBE = sql("UPDATE number SET label = :label, group_id = :group_id WHERE id = :id")
OWN = sql("UPDATE number SET owner = :owner, fallback = :fallback WHERE id = :id")
SEND_FROM = sql("UPDATE number SET outbound = (id = :id)")
ADD_GROUP = insert("number_group", "public_id name", "ON CONFLICT (name) DO NOTHING RETURNING id")
GROUP_TAKEN = sql("SELECT id FROM number_group WHERE name = :name")
RENAME_GROUP = sql("UPDATE number_group SET name = :name WHERE id = :id")
LEAVE_GROUP = sql("UPDATE number SET group_id = NULL WHERE group_id = :id")
UNGRANT_GROUP = sql("DELETE FROM grant_ WHERE scope = :scope")
UNDRAFT_GROUP = sql("DELETE FROM grant_draft WHERE account_id IN (SELECT a.id FROM account a) AND scope = :scope")
REMOVE_GROUP = sql("DELETE FROM number_group WHERE id = :id")


class Departments:
    """Satisfies `ports.grants.Departments`."""

    def __init__(self, run: Runner) -> None:
        self._run = run

    def add(self, name: str, parent: int | None, now: datetime) -> Department | None:
        public_id = new_id(Kind.DEPARTMENT, now)
        row = self._run.one(ADD, public_id=public_id, name=name, parent_id=parent, created_at=micros(now))
        if row is None:
            return None
        turn(self._run, "", now)
        return Department(row[0], public_id, name, parent)

    def rename(self, department: int, name: str, now: datetime) -> bool:
        if (row := self._run.one(TAKEN, name=name)) is not None and row[0] != department:
            return False
        self._run.change(RENAME, id=department, name=name)
        turn(self._run, "", now)
        return True

    def move(self, department: int, parent: int | None, now: datetime) -> None:
        self._run.change(MOVE, id=department, parent_id=parent)
        turn(self._run, "", now)

    def remove(self, department: int, now: datetime) -> None:
        (parent,) = self._run.one(PARENT, id=department) or (None,)
        self._run.change(MOVE_UP, id=department, parent_id=parent)
        for statement in (EMPTY, UNGRANT, UNALLOW, UNDRAFT, REMOVE):
            self._run.change(statement, id=department)
        turn(self._run, "", now)

    def join(self, account: int, department: int, now: datetime, main: str = "") -> None:
        if main:
            self._run.change(NOT_MAIN, account_id=account, no=False)
        at = micros(now)
        self._run.change(JOIN, account_id=account, department_id=department, main=bool(main), since_at=at)
        turn(self._run, "", now)

    def join_all(self, joining: Sequence[tuple[int, int, str]], now: datetime) -> None:
        at = micros(now)
        rows: list[dict[str, object]] = [
            {"account_id": account, "department_id": department, "main": bool(main), "since_at": at}
            for account, department, main in joining
        ]
        self._run.many(JOIN, rows)
        turn(self._run, "", now)

    def leave(self, account: int, department: int, now: datetime) -> bool:
        left = self._run.change(LEAVE, account_id=account, department_id=department) == 1
        turn(self._run, "", now)
        return left


class Numbers:
    """Satisfies `ports.grants.Numbers`."""

    def __init__(self, run: Runner) -> None:
        self._run = run

    def know(self, numbers: Iterable[str], now: datetime) -> None:
        known = {row[0] for row in self._run.all(KNOWN)}
        for number in sorted(set(numbers) - known):
            self._run.change(KNOW, e164=number)
            turn(self._run, "", now)

    def all(self) -> list[NumberCard]:
        rows = self._run.all(ALL)
        return [
            NumberCard(id_, e164, label, group, owner, fallback, bool(outbound))
            for id_, e164, label, group, owner, fallback, outbound in rows
        ]

    def describe(self, number: int, label: str, group: int | None, now: datetime) -> None:
        self._run.change(DESCRIBE, id=number, label=label, group_id=group)
        turn(self._run, "", now)

    def own(self, number: int, owner: str, fallback: str, now: datetime) -> None:
        self._run.change(OWN, id=number, owner=owner, fallback=fallback)
        turn(self._run, "", now)

    def send_from(self, number: int) -> None:
        self._run.change(SEND_FROM, id=number)

    def add_group(self, name: str, now: datetime) -> Group | None:
        public_id = new_id(Kind.GROUP, now)
        row = self._run.one(ADD_GROUP, public_id=public_id, name=name)
        if row is None:
            return None
        turn(self._run, "", now)
        return Group(row[0], public_id, name)

    def rename_group(self, group: int, name: str, now: datetime) -> bool:
        if (row := self._run.one(GROUP_TAKEN, name=name)) is not None and row[0] != group:
            return False
        self._run.change(RENAME_GROUP, id=group, name=name)
        turn(self._run, "", now)
        return True

    def remove_group(self, group: int, now: datetime) -> None:
        self._run.change(LEAVE_GROUP, id=group)
        for statement in (UNGRANT_GROUP, UNDRAFT_GROUP):
            self._run.change(statement, scope=f"group:{group}")
        self._run.change(REMOVE_GROUP, id=group)
        turn(self._run, "", now)

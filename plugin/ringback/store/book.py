"""The book of grants as it stands in the tables. It has another version after each change, so that it is read anew
only then; a version is a random word, so that one that was rolled back is never taken for a later one."""

from datetime import datetime

from ringback.core.allowances import NUMBER, Limit, key_of
from ringback.core.book import Book
from ringback.core.grants import ANY_CLASS, Department, Effect, Grant, Group, Level, Subject, Way
from ringback.core.permissions import Role
from ringback.entropy import entropy
from ringback.ports.changes import GRANTS as CHANGED
from ringback.store.moments import micros, moment_of
from ringback.store.sql import insert, sql
from ringback.store.tx import Row, Runner

KEY = "grants:version"
WORD_BYTES = 10
OWNED_WAYS = (Way.SEND, Way.RECEIVE)
"""What owning a number gives."""

VERSION = sql("SELECT value FROM setting WHERE key = 'grants:version'")
TURN = insert(
    "setting",
    "key value changed_at changed_by",
    """ON CONFLICT (key) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at,
    changed_by = excluded.changed_by""",
)
GRANTS = sql("SELECT level, subject_id, way, scope, class_, effect, note, set_by, set_at FROM grant_ ORDER BY id")
DEPARTMENTS = sql("SELECT id, public_id, name, parent_id FROM department ORDER BY id")
MEMBERS = sql("SELECT account_id, department_id FROM member ORDER BY account_id, main DESC, department_id")
GROUPS = sql("SELECT id, public_id, name FROM number_group ORDER BY id")
NUMBERS = sql("SELECT e164, group_id, owner FROM number ORDER BY e164")
LIMITS = sql(
    """SELECT a.level, a.subject_id, n.e164, a.soft, a.hard FROM allowance a
    LEFT JOIN number n ON n.id = a.subject_id AND a.level = 'number'"""
)
ACCOUNTS = sql("SELECT id, public_id, role FROM account WHERE disabled_at IS NULL")


def version(run: Runner) -> str:
    """Which book holds now; empty before the first change."""
    row = run.one(VERSION)
    return row[0] if row else ""


def turn(run: Runner, by: str, now: datetime) -> None:
    """Something the book is made of changes: from now on it is another."""
    run.touch(CHANGED)
    run.change(TURN, key=KEY, value=entropy(WORD_BYTES).hex(), changed_at=micros(now), changed_by=by)


def load(run: Runner) -> Book:
    """Read all of it: some thousand rows at most, of people and numbers, never of texts."""
    # first, so that what changes meanwhile makes it an old one
    held = version(run)
    departments = {row[0]: Department(*row) for row in run.all(DEPARTMENTS)}
    accounts = run.all(ACCOUNTS)
    numbers = run.all(NUMBERS)
    members: dict[int, tuple[int, ...]] = {}
    for account, department in run.all(MEMBERS):
        members[account] = (*members.get(account, ()), department)
    known = {public_id: Subject(Level.USER, id_) for id_, public_id, _role in accounts}
    known |= {one.public_id: Subject(Level.DEPARTMENT, one.id) for one in departments.values()}
    owned = [grant for e164, _group, owner in numbers if owner in known for grant in _owning(known[owner], e164)]
    return Book(
        version=held,
        grants=(*(_grant(row) for row in run.all(GRANTS)), *owned),
        departments=departments,
        members=members,
        groups={row[0]: Group(*row) for row in run.all(GROUPS)},
        group_of={e164: group for e164, group, _owner in numbers if group is not None},
        roles={id_: frozenset(Role(word) for word in role.split()) for id_, _public_id, role in accounts},
        numbers=tuple(e164 for e164, _group, _owner in numbers),
        limits=dict(_limit(row) for row in run.all(LIMITS)),
    )


def _grant(row: Row) -> Grant:
    level, subject, way, scope, class_, effect, note, by, at = row
    return Grant(Subject(Level(level), subject), Way(way), scope, class_, Effect(effect), note, by, moment_of(at))


def _limit(row: Row) -> tuple[str, Limit]:
    level, subject, number, soft, hard = row
    return key_of(level, number if level == NUMBER else subject), Limit(soft, hard)


def _owning(owner: Subject, number: str) -> tuple[Grant, ...]:
    return tuple(Grant(owner, way, number, ANY_CLASS, Effect.ALLOW, owner=True) for way in OWNED_WAYS)

"""For stories: who did what, and what was left for a person to do."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, Row, select

from ringback.core.permissions import Asker
from ringback.core.tasks import TaskKind
from ringback.ports.stories import DeedStory, JournalStory, PersonStory, TaskStory
from ringback.store.moments import maybe_moment_of, moment_of
from ringback.store.tables import account, audit, inbound_raw, task

MOST = 20
EXCERPT = 300
"""Bytes of what nobody could read."""

USER = f"{Asker.USER} "
OF_A_CALL = (TaskKind.TOO_OLD, TaskKind.UNSEEN)
OF_A_TEXT = (TaskKind.UNCONFIRMED,)
OF_AN_INCOMING = (TaskKind.CALL_BACK, TaskKind.OPT_OUT, TaskKind.PARTIAL)


def person(connection: Connection, label: str) -> PersonStory:
    """Whoever has this label; somebody who is not in the panel, or no longer, has nothing more."""
    if not label.startswith(USER):
        return PersonStory(label)
    return _account(connection, account.c.public_id == label.removeprefix(USER)) or PersonStory(label)


def author(connection: Connection, account_id: int | None) -> PersonStory | None:
    """Whoever wrote a text by hand."""
    return None if account_id is None else _account(connection, account.c.id == account_id)


def _account(connection: Connection, condition: ColumnElement[bool]) -> PersonStory | None:
    row = connection.execute(select(account.c.public_id, account.c.login, account.c.name).where(condition)).first()
    return PersonStory(f"{USER}{row.public_id}", row.login, row.name) if row else None


def deeds(connection: Connection, about: str, most: int = MOST) -> tuple[DeedStory, ...]:
    """The newest lines of the audit about one thing, oldest first."""
    query = select(audit).where(audit.c.about == about).order_by(audit.c.id.desc()).limit(most)
    return tuple(
        DeedStory(moment_of(row.at), person(connection, row.who), row.action, row.detail)
        for row in reversed(connection.execute(query).all())
    )


def tasks(connection: Connection, kinds: Sequence[TaskKind], about: int) -> tuple[TaskStory, ...]:
    """What was left about one call or text. `about` is its row."""
    keys = [f"{kind}:{about}" for kind in kinds]
    rows = connection.execute(select(task).where(task.c.key.in_(keys)).order_by(task.c.id)).all()
    return tuple(task_story(connection, row) for row in rows)


def task_story(connection: Connection, row: "Row[tuple[object, ...]]") -> TaskStory:
    return TaskStory(
        public_id=row.public_id,
        kind=row.kind,
        at=moment_of(row.at),
        due_at=maybe_moment_of(row.due_at),
        detail=row.detail,
        done_at=maybe_moment_of(row.done_at),
        done_by=person(connection, row.done_by) if row.done_by else None,
        deeds=deeds(connection, row.public_id),
        journal=_quarantined(connection, row.key) if row.kind == TaskKind.QUARANTINED else (),
    )


def _quarantined(connection: Connection, key: str) -> tuple[JournalStory, ...]:
    """What such a task is about, as long as the journal keeps it."""
    about = int(key.removeprefix(f"{TaskKind.QUARANTINED}:"))
    rows = connection.execute(select(inbound_raw).where(inbound_raw.c.id == about))
    return tuple(journal_story(row, bytes(row.body)[:EXCERPT].decode("utf-8", "replace")) for row in rows)


def journal(connection: Connection, incoming_id: int) -> tuple[JournalStory, ...]:
    """How a text came in: one row, or one for each of its pieces."""
    query = select(inbound_raw).where(inbound_raw.c.incoming_id == incoming_id)
    rows = connection.execute(query.order_by(inbound_raw.c.received_at, inbound_raw.c.id)).all()
    return tuple(journal_story(row) for row in rows)


def journal_story(row: "Row[tuple[object, ...]]", body: str = "") -> JournalStory:
    return JournalStory(moment_of(row.received_at), row.carrier, row.provider_id, row.state, row.why, body)

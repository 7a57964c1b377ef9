"""For stories: texts of ours, each with every state, every attempt, who wrote it and who spoke for it."""

from sqlalchemy import ColumnElement, Connection, Row, select

from ringback.core.permissions import Asker
from ringback.flow.holds import PREFIX
from ringback.ports.holds import Held
from ringback.ports.stories import AttemptStory, StepStory, TextStory
from ringback.store.moments import maybe_moment_of, moment_of
from ringback.store.story_people import MOST, OF_A_TEXT, author, deeds, tasks
from ringback.store.tables import api_key, attempt, incoming, message, message_event, number, setting, thread


def texts(connection: Connection, condition: ColumnElement[bool], most: int = MOST) -> tuple[TextStory, ...]:
    """The newest texts that fit, oldest first."""
    query = (
        select(message, thread.c.peer, thread.c.public_id.label("thread"), number.c.e164)
        .join(thread, thread.c.id == message.c.thread_id)
        .join(number, number.c.id == thread.c.number_id)
        .where(condition)
        .order_by(message.c.created_at.desc(), message.c.id.desc())
        .limit(most)
    )
    return tuple(_text(connection, row) for row in reversed(connection.execute(query).all()))


def _text(connection: Connection, row: "Row[tuple[object, ...]]") -> TextStory:
    steps = connection.execute(
        select(message_event).where(message_event.c.message_id == row.id).order_by(message_event.c.id)
    )
    attempts = connection.execute(select(attempt).where(attempt.c.message_id == row.id).order_by(attempt.c.id))
    return TextStory(
        public_id=row.public_id,
        did=row.e164,
        peer=row.peer,
        body=row.body,
        segments=row.segments,
        state=row.state,
        reason=row.reason,
        cause=row.cause,
        carrier=row.carrier,
        created_at=moment_of(row.created_at),
        expires_at=moment_of(row.expires_at),
        not_before=moment_of(row.not_before),
        steps=tuple(StepStory(moment_of(step.at), step.state, step.reason, step.detail) for step in steps),
        attempts=tuple(_attempt(tried) for tried in attempts),
        thread=row.thread,
        command=row.command,
        answers=incoming_id(connection, row.answers_id),
        author=author(connection, row.account_id),
        deeds=deeds(connection, row.public_id),
        tasks=tasks(connection, OF_A_TEXT, row.id),
        program=_program(connection, row.cause),
        held=_held(connection, row.carrier),
    )


def _held(connection: Connection, carrier: str) -> Held | None:
    held = connection.execute(select(setting).where(setting.c.key == PREFIX + carrier)).one_or_none()
    return None if held is None else Held(carrier, held.value, moment_of(held.changed_at), held.changed_by)


def _program(connection: Connection, cause: str) -> str:
    kind, _, public_id = cause.partition(" ")
    if kind != Asker.PROGRAM:
        return ""
    return connection.scalar(select(api_key.c.name).where(api_key.c.public_id == public_id)) or ""


def incoming_id(connection: Connection, row: int | None) -> str | None:
    """Return the public id of a text from a handset."""
    return None if row is None else connection.scalar(select(incoming.c.public_id).where(incoming.c.id == row))


def _attempt(row: "Row[tuple[object, ...]]") -> AttemptStory:
    return AttemptStory(
        row.public_id,
        row.carrier,
        moment_of(row.opened_at),
        maybe_moment_of(row.closed_at),
        row.outcome,
        row.cause,
        row.provider_id,
    )

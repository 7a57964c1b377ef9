"""Texts that a queue sends by itself: what it says, in whose language, through the one door out."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import structlog

from ringback.core.messages import Basis, MessageClass, Wanted
from ringback.core.note_texts import read_note
from ringback.core.policy import Refuse
from ringback.core.schedules import is_open, next_windows, say_windows
from ringback.core.segments import normalise
from ringback.core.sessions import Session
from ringback.core.templates import TemplateFault
from ringback.core.text_queues import Note, TextQueue, Texts
from ringback.core.windows import write_windows
from ringback.flow.house import House
from ringback.flow.outbound import Submitted, submit
from ringback.ports.storage import Tx

log = structlog.get_logger("sessions")

NO_VALUES: Mapping[str, str] = {}


class Words(NamedTuple):
    """A text of a queue, filled in. `windows` are the call-back times it offers, as they are stored."""

    language: str
    text: str
    windows: str = ""


def compose(
    house: House,
    queue: TextQueue,
    note: Note,
    did: str,
    language: str,
    now: datetime,
    values: Mapping[str, str] = NO_VALUES,
) -> Words | None:
    """What a queue says on an occasion; None where it says nothing, or where it cannot be filled in."""
    texts = queue.plan.notes.get(note)
    if not texts:
        return None
    chosen = _language(texts, (language, house.language_of.get(did, ""), *house.languages))
    calendar = house.calendars.get(queue.plan.calendar) if note is Note.OUT_OF_HOURS else None
    windows = next_windows(calendar, now) if calendar is not None else ()
    known = {"business": house.business, "queue": queue.name, "did": did, **values}
    if windows:
        known["windows"] = say_windows(windows, now, chosen)
    try:
        text = read_note(note, texts[chosen]).render({name: value for name, value in known.items() if value})
    except TemplateFault as fault:
        log.error("a text of a queue cannot be filled in", queue=queue.name, note=str(note), problem=str(fault))
        return None
    return Words(chosen, normalise(text), write_windows(windows))


def _language(texts: Texts, wanted: tuple[str, ...]) -> str:
    """The first wanted one there is (`es-MX`, which Asterisk writes `es_MX`, falls back to `es`), else the first
    written."""
    tags = (one.replace("_", "-") for one in wanted)
    forms = (form for tag in tags for form in (tag, tag.partition("-")[0]))
    return next((form for form in forms if form in texts), next(iter(texts)))


def say(
    house: House, session: Session, note: Note, now: datetime, tx: Tx, values: Mapping[str, str] = NO_VALUES
) -> Submitted | None:
    """Send what the queue of a session says on an occasion, if it says anything. All gates are asked."""
    queue = tx.queues.all().get(session.queue)
    words = compose(house, queue, note, session.did, session.language, now, values)
    if words is None:
        return None
    wanted = Wanted(
        did=session.did,
        peer=house.read("", session.peer),
        text=words.text,
        language=words.language,
        class_=MessageClass.SYSTEM,
        basis=Basis.CONVERSATION,
        cause=f"queue {queue.name}",
        automatic=True,
        expires_at=now + house.validity(session.did),
        windows=words.windows,
    )
    return submit(house, None, wanted, None, now, tx)


def is_closed(house: House, queue: TextQueue, now: datetime) -> bool:
    """Whether nobody works in this queue at this hour. A calendar that the file does not name is always open."""
    calendar = house.calendars.get(queue.plan.calendar)
    return calendar is not None and not is_open(calendar, now)


def waits_on(sent: Submitted | None) -> str:
    """The carrier whose lane has to look, if any."""
    return sent.waits_on if sent is not None else ""


def told(sent: Submitted | None) -> str:
    """What the story of a session says of such a text: its id, and why it was not sent if a gate refused it."""
    if sent is None:
        return "not filled in"
    return f"{sent.message} {sent.verdict.reason}" if isinstance(sent.verdict, Refuse) else sent.message

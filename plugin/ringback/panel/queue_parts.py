"""What the pages of text queues share: what stands behind them, and a form as it was typed."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from ringback.core.note_texts import KIND_OF
from ringback.core.queue_forms import (
    OFFERING,
    PLAN,
    Fault,
    Surroundings,
    languages_of,
    parts_of,
    text_word,
    write_plan,
)
from ringback.core.queue_marks import mark_of
from ringback.core.templates import NAMES
from ringback.core.text_queues import Note, Plan, TextQueue, VoiceName
from ringback.flow.queues import standing
from ringback.panel.door import Door, Wrong
from ringback.panel.queue_words import BESIDE, FIELDS, NOTES, Field
from ringback.ports.directory import Directory
from ringback.ports.exchange import Exchange
from ringback.ports.grants import NumberCard
from ringback.ports.people import Account
from ringback.ports.queues import ReadQueues

MOST_VOICE = 300
"""Queues of Asterisk's that can be ticked; others can be written."""


@dataclass(frozen=True, slots=True)
class QueueOffice:
    """What stands behind the pages. `exchanges` are the PBXs as they are now."""

    door: Door
    read: ReadQueues
    directory: Directory
    numbers: Callable[[], Awaitable[Sequence[NumberCard]]]
    around: Surroundings
    exchanges: Mapping[str, Exchange]

    async def queue(self, request: web.Request) -> TextQueue:
        """The queue in the address; else a 404 page."""
        wanted = request.match_info["id"]
        found = next((one for one in (await self.read.queues()).all if one.public_id == wanted), None)
        if found is None:
            raise web.HTTPNotFound
        return found


@dataclass(frozen=True, slots=True)
class Typed:
    """A form of a queue as it stands in the browser; nothing of it is lost when some of it is wrong.

    `members` are public ids of users, `voice` queues of Asterisk's as `PBX/queue`; what starts with `more_` was
    written beside what could be ticked.
    """

    name: str
    words: Mapping[str, str]
    members: tuple[str, ...] = ()
    voice: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    more_members: str = ""
    more_voice: str = ""
    seen: str = ""
    """The mark of what its writer was shown."""
    faults: Mapping[str, Wrong] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NoteText:
    """One text in one language: its word, and how many parts it takes as it stands."""

    word: str
    language: str
    source: str
    parts: int


@dataclass(frozen=True, slots=True)
class NoteShown:
    """One kind of text in all its languages. `open`: something about it is wrong."""

    note: Note
    title: str
    says: str
    texts: tuple[NoteText, ...]
    open: bool
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Turned:
    """Something that another changed: its name on the page, and its field or the language of the text."""

    word: str
    label: str
    field: Field | None = None
    language: str = ""


def typed_of(queue: TextQueue, members: Sequence[Account], around: Surroundings) -> Typed:
    """The form of a queue as it is."""
    return Typed(
        queue.name,
        write_plan(queue.plan, around.known),
        tuple(one.public_id for one in members),
        tuple(written(one) for one in queue.voice),
        queue.numbers,
        seen=mark_of(standing(queue, around.known)),
    )


async def read_typed(request: web.Request, plan: Plan, around: Surroundings) -> Typed:
    """What was sent; fields that the form does not have are not read."""
    form = await request.post()

    def one(name: str) -> str:
        value = form.get(name, "")
        return value if isinstance(value, str) else ""

    def several(name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(value) for value in form.getall(name, ())))

    known = (*PLAN, *OFFERING, *(word for word in write_plan(plan, around.known) if word.startswith("text.")))
    words = {word: one(word) for word in known if word in form}
    more = one("more_members"), one("more_voice")
    return Typed(one("name"), words, several("member"), several("voice"), several("number"), *more, one("seen"))


def turned(words: Sequence[str]) -> list[Turned]:
    """These words of a queue by their names on the page."""
    return [_turned(word) for word in words]


def _turned(word: str) -> Turned:
    if word in BESIDE:
        return Turned(word, BESIDE[word])
    if word in FIELDS:
        return Turned(word, FIELDS[word].label, FIELDS[word])
    _, note, language = word.split(".", 2)
    return Turned(word, NOTES[Note(note)][0], language=language)


def wrong_of(fault: Fault) -> Wrong:
    """A fault of the form as pages show it."""
    return Wrong(fault.word, fault.why, fault.values)


def notes_of(typed: Typed, plan: Plan, around: Surroundings, business: str) -> list[NoteShown]:
    """Every text of the form, with what it costs."""
    shown = []
    for note, (title, says) in NOTES.items():
        texts = []
        for language in languages_of(plan.notes.get(note, {}), around.known.languages):
            word = text_word(note, language)
            source = typed.words.get(word, "")
            texts.append(NoteText(word, language, source, parts_of(note, source, business)))
        wrong = any(text.word in typed.faults for text in texts)
        shown.append(NoteShown(note, title, says, tuple(texts), wrong, tuple(NAMES[KIND_OF[note]])))
    return shown


def written(voice: VoiceName) -> str:
    """A queue of Asterisk's as forms send it."""
    return f"{voice.pbx}/{voice.queue}"


def several_of(text: str) -> list[str]:
    """What was written with commas or lines between."""
    return [part.strip() for part in text.replace("\n", ",").split(",") if part.strip()]

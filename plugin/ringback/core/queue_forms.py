"""How a text queue works, read from the words of a form or a command, and written as such words.

A word is named after what it sets: `offer_for` is a field of the plan, `if_wait` one of what callers are offered, and
`text.wait.en` what is said in a language. What cannot be read names its word and what to write instead.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum

from ringback.core.note_texts import read_note
from ringback.core.segments import measure
from ringback.core.spans import parse_duration, write_duration
from ringback.core.templates import TemplateFault
from ringback.core.text_queues import AfterHangUp, ForLandlines, Note, Plan, Strategy, Texts

NO_SPAN = '%(given)s is no span of time: write a number with d, h, m or s, as in "20s" or "1h30m".'
BAD_SPAN = "%(given)s is too short or too long: write %(least)s to %(most)s."
BAD_SPAN_OR_OFF = "%(given)s is too short or too long: write %(least)s to %(most)s, or 0 for never."
NO_COUNT = "%(given)s is no number: write one of %(least)s to %(most)s."
NO_CHOICE = "%(given)s is none of these: %(choices)s."
NO_CALENDAR = "There is no calendar %(given)s in ringback.toml. Write one of %(choices)s, or nothing for any hour."
NO_CALENDARS = "There is no calendar in ringback.toml yet. Add one there first, or write nothing for any hour."
BAD_TEXT = "The text in %(language)s cannot be used: %(problem)s."
NO_LANGUAGE = "%(given)s is no language of this business. Write one of %(choices)s."
NO_NOTE = "A queue says nothing of the kind %(given)s. Write one of %(choices)s."
NO_WORD = "%(given)s is nothing that a queue has. Write one of %(choices)s."
WARN_TOO_EARLY = "The warning must come later than the last text: write less than %(most)s."
WARN_OF_NOTHING = "Sessions are not closed by themselves here, so there is nothing to warn of. Write 0, or say when."
SENTENCES = (
    *(NO_SPAN, BAD_SPAN, BAD_SPAN_OR_OFF, NO_COUNT, NO_CHOICE, NO_CALENDAR, NO_CALENDARS, BAD_TEXT, NO_LANGUAGE),
    *(NO_NOTE, NO_WORD, WARN_TOO_EARLY, WARN_OF_NOTHING),
)
YES, NO = "yes", "no"
_SECOND, _MINUTE, _HOUR, _DAY = (timedelta(seconds=size) for size in (1, 60, 3600, 86400))


@dataclass(frozen=True, slots=True)
class Known:
    """What the owner's file names: the languages of the business, the first first, and its calendars."""

    languages: tuple[str, ...]
    calendars: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The same, the names of the PBXs, and our numbers."""

    known: Known
    pbxs: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """A word that cannot be taken: which, and a sentence with places to say why and what to write."""

    word: str
    why: str
    values: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.word}: {self.why % self.values}"


class _Unfit(ValueError):
    def __init__(self, why: str, **values: str) -> None:
        super().__init__(why)
        self.why, self.values = why, values


Read = Callable[[str, Known], object]
Write = Callable[[object], str]


def _span(least: timedelta, most: timedelta) -> Read:
    def read(text: str, _: Known) -> timedelta:
        span = _parse(text)
        if not least <= span <= most:
            raise _Unfit(BAD_SPAN, given=text, least=write_duration(least), most=write_duration(most))
        return span

    return read


def _span_or_off(least: timedelta, most: timedelta) -> Read:
    def read(text: str, _: Known) -> timedelta:
        span = _parse(text or "0")
        if span and not least <= span <= most:
            raise _Unfit(BAD_SPAN_OR_OFF, given=text, least=write_duration(least), most=write_duration(most))
        return span

    return read


def _maybe_span(least: timedelta, most: timedelta) -> Read:
    inner = _span_or_off(least, most)
    return lambda text, known: inner(text, known) or None


def _parse(text: str) -> timedelta:
    span = timedelta(0) if text == "0" else parse_duration(text)
    if span is None or span % _SECOND:
        raise _Unfit(NO_SPAN, given=text or '""')
    return span


def _count(most: int) -> Read:
    def read(text: str, _: Known) -> int:
        text = text or "0"
        if not (text.isascii() and text.isdigit() and len(text) < 9 and int(text) <= most):
            raise _Unfit(NO_COUNT, given=text, least="0", most=str(most))
        return int(text)

    return read


def _share(text: str, known: Known) -> float:
    number = _count(90)(text.removesuffix("%").strip(), known)
    assert isinstance(number, int)
    return number / 100


def _one_of(choices: type[StrEnum]) -> Read:
    def read(text: str, _: Known) -> StrEnum:
        try:
            return choices(text)
        except ValueError:
            raise _Unfit(NO_CHOICE, given=text or '""', choices=", ".join(choices)) from None

    return read


def _yes_or_no(text: str, _: Known) -> bool:
    if text not in (YES, NO):
        raise _Unfit(NO_CHOICE, given=text or '""', choices=f"{YES}, {NO}")
    return text == YES


def _calendar(text: str, known: Known) -> str:
    if text and text not in known.calendars:
        if not known.calendars:
            raise _Unfit(NO_CALENDARS)
        raise _Unfit(NO_CALENDAR, given=text, choices=", ".join(known.calendars))
    return text


def _write(value: object) -> str:
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, timedelta):
        return write_duration(value) if value else "0"
    if isinstance(value, float):
        return str(round(value * 100))
    return "" if value is None else str(value)


PLAN: Mapping[str, Read] = {
    "strategy": _one_of(Strategy),
    "offer_for": _span(5 * _SECOND, 10 * _MINUTE),
    "at_once": _yes_or_no,
    "calendar": _calendar,
    "queued_expiry": _span_or_off(_MINUTE, 30 * _DAY),
    "agent_idle": _span_or_off(_MINUTE, 7 * _DAY),
    "customer_idle": _span_or_off(_MINUTE, 30 * _DAY),
    "warn_before": _span_or_off(_MINUTE, _DAY),
    "dismissed_for": _span_or_off(_MINUTE, 30 * _DAY),
    "wrap_up": _span_or_off(_SECOND, _HOUR),
    "transfer_for": _span(10 * _SECOND, _HOUR),
    "agent_gone": _span_or_off(5 * _SECOND, _DAY),
    "after_hang_up": _one_of(AfterHangUp),
}
"""Words of the plan itself, and how each is read."""
OFFERING: Mapping[str, tuple[str, Read]] = {
    "if_wait": ("if_wait", _maybe_span(_SECOND, 6 * _HOUR)),
    "if_waiting": ("if_waiting", _count(500)),
    "if_agents": ("agents", _count(500)),
    "if_unknown": ("unknown", _yes_or_no),
    "if_open": ("calendar", _calendar),
    "every": ("every", _span(_SECOND, 10 * _MINUTE)),
    "margin": ("margin", _share),
    "landline": ("landline", _one_of(ForLandlines)),
}
"""Words of what callers are offered: the field of each, and how it is read."""
SWITCHES = ("at_once", "if_unknown")
TEXT = "text"
WORDS = (*PLAN, *OFFERING)


def text_word(note: Note, language: str) -> str:
    """The word of one text."""
    return f"{TEXT}.{note}.{language}"


def read_plan(words: Mapping[str, str], old: Plan, known: Known) -> tuple[Plan, tuple[Fault, ...]]:
    """What these words make of a plan. What is not among them stays, and so does what cannot be read."""
    faults: list[Fault] = []
    plan: dict[str, object] = {}
    offering: dict[str, object] = {}
    notes = {note: dict(texts) for note, texts in old.notes.items()}
    for word, raw in words.items():
        text = raw.strip()
        try:
            if word in PLAN:
                plan[word] = PLAN[word](text, known)
            elif word in OFFERING:
                attribute, read = OFFERING[word]
                offering[attribute] = read(text, known)
            else:
                _read_text(word, raw, notes, known)
        except _Unfit as unfit:
            faults.append(Fault(word, unfit.why, unfit.values))
    ordered = {note: _ordered(notes[note], known) for note in Note if notes.get(note)}
    # each value was read by the reader of its own field
    new = replace(old, **plan, offering=replace(old.offering, **offering), notes=ordered)  # type: ignore[arg-type]
    return new, (*faults, *_together(new, {fault.word for fault in faults}))


def _read_text(word: str, raw: str, notes: dict[Note, dict[str, str]], known: Known) -> None:
    kind, _, rest = word.partition(".")
    name, _, language = rest.partition(".")
    if kind != TEXT:
        raise _Unfit(NO_WORD, given=word, choices=", ".join((*WORDS, "text.wait.en")))
    if name not in set(Note):
        raise _Unfit(NO_NOTE, given=name or '""', choices=", ".join(Note))
    note, source = Note(name), raw.replace("\r\n", "\n").strip()
    texts = notes.setdefault(note, {})
    if not source:
        texts.pop(language, None)
        return
    if language not in (*known.languages, *texts):
        raise _Unfit(NO_LANGUAGE, given=language or '""', choices=", ".join(known.languages))
    try:
        read_note(note, source)
    except TemplateFault as problem:
        raise _Unfit(BAD_TEXT, language=language, problem=str(problem)) from problem
    texts[language] = source


def _ordered(texts: Texts, known: Known) -> Texts:
    """The languages of the business first and as it has them, since the first is the fall-back."""
    order = (*(one for one in known.languages if one in texts), *(one for one in texts if one not in known.languages))
    return {language: texts[language] for language in order}


def _together(plan: Plan, wrong: set[str]) -> Iterator[Fault]:
    if wrong & {"warn_before", "customer_idle"} or not plan.warn_before:
        return
    if not plan.customer_idle:
        yield Fault("warn_before", WARN_OF_NOTHING)
    elif plan.warn_before >= plan.customer_idle:
        yield Fault("warn_before", WARN_TOO_EARLY, {"most": write_duration(plan.customer_idle)})


def write_plan(plan: Plan, known: Known) -> dict[str, str]:
    """The words that make this plan; of the texts all in the languages of the business, and others that are there."""
    words = {word: _write(getattr(plan, word)) for word in PLAN}
    words |= {word: _write(getattr(plan.offering, attribute)) for word, (attribute, _) in OFFERING.items()}
    for note in Note:
        texts = plan.notes.get(note, {})
        for language in languages_of(texts, known.languages):
            words[text_word(note, language)] = texts.get(language, "")
    return words


def languages_of(texts: Texts, languages: Sequence[str]) -> tuple[str, ...]:
    """In which languages a text is asked for: those of the business, and those it has beside."""
    return (*languages, *(one for one in texts if one not in languages))


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Words whose value is another: each with what it was and what it became."""
    return [(word, before.get(word, ""), now) for word, now in after.items() if before.get(word, "") != now]


SAMPLE = {"agent": "Ana", "minutes": "15", "windows": "10:00-11:00", "did": "+12025550100", "queue": "Service"}


def parts_of(note: Note, source: str, business: str) -> int:
    """How many parts a text takes on the air with usual values in it; 0 for none and for what cannot be used."""
    if not source.strip():
        return 0
    try:
        return measure(read_note(note, source).render_once({**SAMPLE, "business": business})).segments
    except TemplateFault:
        return 0

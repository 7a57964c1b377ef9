"""One call as its page tells it: what was seen, what that makes it, and each thing that was asked about a text."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ringback.core.calls import Direction, Outcome, Presentation, Rang
from ringback.core.messages import State
from ringback.core.offers import Offer, OfferAnswer
from ringback.core.reasons import Reason
from ringback.core.triggers import CallVerdict
from ringback.panel import call_words as words
from ringback.panel.call_line import Decided, code_of, decided, named, outcome_of, said, sentence
from ringback.panel.call_words import Mark
from ringback.panel.offer_words import offer_says
from ringback.panel.say import Say
from ringback.panel.words import N_
from ringback.ports.callbook import CallLine
from ringback.ports.stories import CallStory, LegStory, StepStory, TextStory

if TYPE_CHECKING:
    from ringback.panel.tongues import Formats

OFFER_MARKS: Mapping[OfferAnswer, tuple[str, str]] = {
    OfferAnswer.NONE: ("skipped", "dash"),
    OfferAnswer.YES: ("yes", "check"),
    OfferAnswer.NO: ("skipped", "stop"),
    OfferAnswer.NOT_SENT: ("no", "warn"),
}
Leaf = str | datetime


@dataclass(frozen=True, slots=True)
class Point:
    """One line below a step of the chain; `kind` is a class of the chain, `at` when it was, if that is known."""

    kind: str
    icon: str
    says: tuple[Say, ...]
    at: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """What was asked about the text, up to what decided; `kind` is a class of the chain."""

    kind: str
    icon: str
    title: str
    says: tuple[Say, ...]
    asked: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class TextTold:
    """A text that followed the call, and each state it was in."""

    text: TextStory
    mark: Mark
    kind: str
    steps: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Values as they are recorded, by the names that `ringback explain --json` gives them."""

    name: str
    values: tuple[tuple[str, Leaf], ...]
    inside: "tuple[Facts, ...]"


@dataclass(frozen=True, slots=True)
class Told:
    """All of the page."""

    story: CallStory
    line: CallLine
    outcome: Mark
    means: str
    decided: Decided
    seen: tuple[Say, ...]
    legs: tuple[Point, ...]
    ended: tuple[Say, ...]
    rules: tuple[Point, ...]
    held: Held | None
    texts: tuple[TextTold, ...]
    offers: tuple[Point, ...]
    way_on: tuple[Say, ...]
    command: str
    """What prints the same on a terminal."""
    facts: Facts


def tell(story: CallStory, formats: "Formats") -> Told:
    """Put a story into the words of its page."""
    line = line_of(story)
    return Told(
        story=story,
        line=line,
        outcome=outcome_of(line),
        means=what_it_means(line),
        decided=decided(line, formats),
        seen=tuple(what_was_seen(story)),
        legs=tuple(leg(each, formats) for each in story.legs),
        ended=tuple(how_it_ended(story, formats)),
        rules=tuple(rules(story)),
        held=what_was_asked(story, formats),
        texts=tuple(text(each, formats) for each in story.texts),
        offers=tuple(offered(each, formats) for each in story.offers),
        way_on=tuple(what_would_change_it(story, formats)),
        command=f"ringback explain {shlex.quote(story.linkedid)}",
        facts=facts_of("call", story),
    )


def line_of(story: CallStory) -> CallLine:
    """The call as the list has it; its text is the one that the rule sent."""
    sent = next((each for each in story.texts if each.cause == f"rule {story.rule}"), None)
    waits = story.pending is not None and story.pending.state == "pending"
    return CallLine(
        public_id=story.public_id,
        direction=story.direction,
        caller=story.caller,
        did=story.did,
        peer=story.peer,
        presentation=story.presentation,
        started_at=story.started_at,
        ended_at=story.ended_at,
        rang=story.rang,
        waited=story.waited,
        outcome=story.outcome,
        decision=story.decision,
        reason=story.reason,
        rule=story.rule,
        until_at=story.until_at,
        thread=story.thread,
        text=sent.state if sent else None,
        text_reason=sent.reason if sent else None,
        waits_until=story.pending.due_at if story.pending and waits else None,
    )


def what_it_means(call: CallLine) -> str:
    """The outcome in a sentence."""
    if call.ended_at is None:
        return words.LIVE_MEANS
    if call.direction == Direction.OUTBOUND:
        return words.WE_CALLED_MEANS
    return named(words.OUTCOME_MEANS, Outcome, call.outcome) or words.UNSEEN_MEANS


def what_was_seen(story: CallStory) -> Iterator[Say]:
    """Whether the number may be used, and who was asked."""
    if story.direction == Direction.INBOUND:
        yield Say(named(words.PRESENTATION, Presentation, story.presentation) or words.PRESENTATION_ELSE)
    if story.vetoed:
        yield Say(N_("The dialplan said no to a text (RINGBACK=no)."))
    if story.queue:
        yield Say(N_("The call came into queue %(queue)s."), {"queue": story.queue})
    if not story.legs:
        yield Say(N_("No phone was seen to ring."))


def leg(seen: LegStory, formats: "Formats") -> Point:
    """One phone: how long it rang, and how that ended."""
    mark = named(words.RANG, Rang, seen.rang) or words.RANG_ELSE
    rang = Say(N_("%(phone)s rang until the end."), {"phone": seen.phone})
    if seen.ended_at is not None:
        span = formats.duration(seen.ended_at - seen.at)
        rang = Say(N_("%(phone)s rang for %(span)s."), {"phone": seen.phone, "span": span})
    return Point(mark.tone, mark.icon, (rang, Say(mark.word)), exact(seen.at, formats))


def how_it_ended(story: CallStory, formats: "Formats") -> Iterator[Say]:
    """When it was answered and ended, how long it rang and waited."""
    if story.rang:
        yield Say(N_("It rang for %(span)s."), {"span": formats.duration(story.rang)})
    if story.waited is not None:
        yield Say(N_("They waited for %(span)s."), {"span": formats.duration(story.waited)})
    if story.answered_at is not None:
        yield Say(N_("It was answered at %(at)s."), {"at": exact(story.answered_at, formats)})
    if story.transfer_unanswered:
        yield Say(N_("They were sent on to somebody who did not answer."))
    if story.ended_at is not None:
        yield Say(N_("It ended at %(at)s."), {"at": exact(story.ended_at, formats)})


def rules(story: CallStory) -> Iterator[Point]:
    """Each rule that was tried, and why it did not fit."""
    for rule, reason in story.tried:
        says, kind = named(words.OF_A_RULE, Reason, reason) or (words.OF_A_RULE_ELSE, "skipped")
        yield Point(kind, "check" if kind == "yes" else "dash", (Say(says, {"rule": rule}),))


def what_was_asked(story: CallStory, formats: "Formats") -> Held | None:
    """What the gates and guards said, where a rule wanted a text."""
    if not story.rule:
        return None
    asked = tuple(questions(code_of(Reason, story.reason)))
    if story.decision == CallVerdict.SEND:
        return Held("yes", "check", N_("Nothing held the text back"), (), asked)
    if story.decision == CallVerdict.DEFER:
        until = (Say(N_("It waits until %(at)s."), {"at": said(story.until_at, formats)}),) if story.until_at else ()
        return Held("wait", "clock", N_("Put off"), (sentence(story.reason), *until), asked)
    return Held("no", "stop", N_("Held back"), (sentence(story.reason),), asked)


def questions(reason: Reason | None) -> Iterator[Point]:
    """What was asked and stood open, up to the question that this reason answers."""
    last = next((at for at, question in enumerate(words.QUESTIONS) if reason in question.held_by), len(words.QUESTIONS))
    if last == len(words.QUESTIONS) and reason not in words.AFTER_ALL_QUESTIONS:
        return
    for question in words.QUESTIONS[:last]:
        yield Point("yes", "check", (Say(question.open),))


def offered(offer: Offer, formats: "Formats") -> Point:
    """What the dialplan offered, what was known then, and what they chose."""
    kind, icon = OFFER_MARKS[offer.answer] if offer.reason is Reason.ALLOWED else ("skipped", "dash")
    return Point(kind, icon, tuple(offer_says(offer, formats.duration)), exact(offer.at, formats))


def text(story: TextStory, formats: "Formats") -> TextTold:
    """A text in the words of its state."""
    mark = mark_of(story.state)
    steps = tuple(step(each, formats) for each in story.steps)
    return TextTold(story, mark, words.CHAIN_OF_TONE.get(mark.tone, "skipped"), steps)


def step(story: StepStory, formats: "Formats") -> Point:
    """One state a text was in, and why."""
    mark = mark_of(story.state)
    says = (Say(mark.word), *((sentence(story.reason),) if story.reason else ()))
    if story.detail:
        says += (Say("(%(detail)s)", {"detail": story.detail}),)
    return Point(words.CHAIN_OF_TONE.get(mark.tone, "skipped"), mark.icon, says, exact(story.at, formats))


def mark_of(state: str) -> Mark:
    """The words of a text's state."""
    return named(words.TEXT, State, state) or Mark(state, "dash")


def what_would_change_it(story: CallStory, formats: "Formats") -> Iterator[Say]:
    """For a no: what it would have taken, and what to do."""
    if story.reason == Reason.COOL_DOWN and story.until_at is not None:
        yield Say(N_("A call after %(at)s may get a text again."), {"at": said(story.until_at, formats)})
    if story.direction == Direction.INBOUND and (way := named(words.WAY_ON, Reason, story.reason)):
        yield Say(way)


def exact(at: datetime, formats: "Formats") -> str:
    """The time of day to the second, as a log has it."""
    return f"{at.astimezone(formats.zone):%H:%M:%S}"


def facts_of(name: str, thing: object) -> Facts:
    """All fields of a story, and of the stories inside it."""
    assert is_dataclass(thing)
    values = [(field.name, getattr(thing, field.name)) for field in fields(thing)]
    inside = [
        facts_of(f"{key} {index}", each)
        for key, value in values
        for index, each in enumerate(value if isinstance(value, tuple) else (value,), start=1)
        if is_dataclass(each)
    ]
    plain = tuple((key, leaf(value)) for key, value in values if not _has_facts(value))
    return Facts(name, plain, tuple(inside))


def _has_facts(value: object) -> bool:
    return is_dataclass(value) or (isinstance(value, tuple) and any(is_dataclass(each) for each in value))


def leaf(value: object) -> Leaf:
    """A value as the JSON has it; what is not known stays empty."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, timedelta):
        return f"{value.total_seconds()}"
    if isinstance(value, tuple):
        return ", ".join(" ".join(pair) for pair in value)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)

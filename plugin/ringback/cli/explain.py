"""`ringback explain`: what was seen of a call, which rule spoke, what the gates said, and what became of its text."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Annotated

import typer

from ringback.assembly import make_reader
from ringback.cli.shared import ConfigOption, check_schema, visible
from ringback.config import Settings, load
from ringback.core.ids import kind_of
from ringback.core.reasons import OF_A_RULE, SENTENCES, Reason
from ringback.store.database import reader

if TYPE_CHECKING:
    from ringback.store.stories import CallStory, Stories, TextStory

NOTHING = "nothing is known of {what}; give a linkedid, a message id (msg_...), a call id (call_...) or a phone number"


def explain_command(
    what: Annotated[str, typer.Argument(help="A linkedid, a message or call id, or a phone number.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    config: ConfigOption = None,
) -> None:
    """Tell the whole story of a call, a text or a person, with the reason of every step."""
    settings = load(config)
    stories = _look_up(settings, what)
    if not stories.calls and not stories.texts:
        typer.echo(NOTHING.format(what=visible(what)), err=True)
        raise typer.Exit(1)
    if as_json:
        print(json.dumps(asdict(stories), default=_plain))
    else:
        told = _told(stories, settings.business.zone)
        # numbers, names and texts come from anywhere: nothing in them may move the cursor or begin a line
        print("\n\n".join("\n".join(map(visible, lines)) for lines in told))


def _look_up(settings: Settings, what: str) -> "Stories":
    """Ids as they stand; phone numbers in any form people write."""
    # brings SQLAlchemy along, for which `ringback run` should not wait
    from ringback.store.stories import Stories, find

    check_schema(settings)
    wanted = [what.strip()]
    if kind_of(wanted[0]) is None and (number := make_reader(settings)("", what).e164):
        wanted.append(number)
    engine = reader(settings.database.url)
    try:
        with engine.connect() as connection:
            found = (find(connection, each) for each in wanted)
            return next((stories for stories in found if stories.calls or stories.texts), Stories())
    finally:
        engine.dispose()


def _plain(value: object) -> str | float:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _told(stories: "Stories", zone: tzinfo) -> Iterator[list[str]]:
    for call in stories.calls:
        yield list(tell_call(call, zone))
    for text in stories.texts:
        yield list(tell_text(text, zone))


def tell_call(call: "CallStory", zone: tzinfo) -> Iterator[str]:
    """The story of a call, line by line, as it happened."""
    yield f"Call {call.linkedid} on {call.pbx} ({call.public_id})"
    yield f"  {_at(call.started_at, zone)}  {call.direction}: {call.caller or 'no number'} called {call.did}"
    yield f"  {'':19}  caller's number is {call.presentation}{', vetoed by the dialplan' if call.vetoed else ''}"
    for leg in call.legs:
        rang = _for(leg.ended_at - leg.at) if leg.ended_at else "until the end"
        yield f"  {_at(leg.at, zone)}  {leg.phone} rang {rang}: {leg.rang.replace('_', ' ')}"
    for event in call.events:
        yield f"  {_at(event.at, zone)}  {event.kind.replace('_', ' ')} {event.detail}".rstrip()
    if call.ended_at is None:
        yield "  the call is still going on"
        return
    waited = f", waited {_for(call.waited)}" if call.waited is not None else ""
    rang_for = f", rang {_for(call.rang)}" if call.rang else ""
    left = ", sent on to somebody who did not answer" if call.transfer_unanswered else ""
    yield f"  {_at(call.ended_at, zone)}  ended: {call.outcome or 'unseen'}{rang_for}{waited}{left}"
    yield from _decision(call, zone)
    for text in call.texts:
        yield from tell_text(text, zone)


def _decision(call: "CallStory", zone: tzinfo) -> Iterator[str]:
    for rule, reason in call.tried:
        yield f"    rule {rule}: {OF_A_RULE.get(Reason(reason), reason)}"
    version = f" (version {call.rule_version})" if call.rule_version else ""
    rule_name = f" by rule {call.rule}{version}" if call.rule else ""
    yield f"  Decision: {call.decision}, {call.reason}{rule_name}"
    yield f"    {sentence(call.reason)}"
    if call.until_at is not None:
        yield f"    until {_at(call.until_at, zone)}"
    if call.pending is not None and not call.texts:
        cause = f": {sentence(call.pending.cause)}" if call.pending.cause else ""
        yield f"    the text was due {_at(call.pending.due_at, zone)}, {call.pending.state}{cause}"


def tell_text(text: "TextStory", zone: tzinfo) -> Iterator[str]:
    """The story of a text: its words, every state, every attempt."""
    yield f"  Text {text.public_id} from {text.did} to {text.peer}, asked for by {text.cause}, segments {text.segments}"
    yield f"    | {text.body}"
    for step in text.steps:
        why = f": {sentence(step.reason)}" if step.reason else ""
        detail = f" ({step.detail})" if step.detail else ""
        yield f"  {_at(step.at, zone)}  {step.state}{why}{detail}"
    for tried in text.attempts:
        cause = f" ({tried.cause})" if tried.cause else ""
        known_as = f", the carrier calls it {tried.provider_id}" if tried.provider_id else ""
        yield f"    attempt {tried.public_id} on {tried.carrier}: {tried.outcome or 'open'}{cause}{known_as}"


def sentence(code: str | None) -> str:
    """The sentence of a reason code; a code of a newer Ringback stands for itself."""
    try:
        return SENTENCES[Reason(code or "")]
    except ValueError:
        return code or ""


def _at(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _for(span: timedelta) -> str:
    return f"{span.total_seconds():.1f} s"

"""How `ringback explain` tells of sessions with agents, of offers to callers, and of what somebody said yes to."""

from collections.abc import Iterator, Mapping
from datetime import tzinfo

from ringback.cli.telling import at, tell_offer
from ringback.core.consents import ConsentEvent, ConsentKind, Method
from ringback.panel.say import Say
from ringback.panel.session_words import BEGAN, NEXT, STARTED, holds, step
from ringback.ports.sessions import SessionStory, StepRow

SAID: Mapping[ConsentKind, str] = {
    ConsentKind.GIVEN: "said yes to {class_} texts about {scope}",
    ConsentKind.WITHDRAWN: "said no to {class_} texts about {scope}",
}
BY: Mapping[Method, str] = {
    Method.KEY_PRESS: "by a key in a call",
    Method.REPLY: "by a text",
    Method.AGENT: "to one of us",
    Method.KEYWORD: "by a keyword",
    Method.WRITTEN: "in writing",
}


def tell_session(story: SessionStory, zone: tzinfo) -> Iterator[str]:
    """A session from its beginning: how it came, what was offered before, each step, and what holds now."""
    session = story.row.session
    yield f"Session {session.public_id} of {session.did} and {session.peer}, in {story.row.thread}"
    began = BEGAN.get(session.origin) or STARTED[session.start]
    yield f"  {at(session.opened_at, zone)}  {began}{f' ({story.call})' if story.call else ''}"
    if session.caller_name or session.ivr_path:
        yield f"    called {session.caller_name or '-'}, came by {session.ivr_path or '-'}"
    if story.offer is not None:
        yield from tell_offer(story.offer, zone)
    for line in story.steps:
        yield f"  {at(line.at, zone)}  {_step(line)}"
    yield f"    {holds(story.row, None)}"
    if session.due_at is not None:
        yield f"    {Say(NEXT[session.due], {'time': at(session.due_at, zone)})}"


def _step(line: StepRow) -> str:
    says = str(step(line))
    by = f", by {line.by}" if line.by and line.by not in says else ""
    return f"{says} ({line.state}{by})"


def tell_consent(event: ConsentEvent, zone: tzinfo) -> Iterator[str]:
    """A line of the ledger of what somebody said yes to."""
    said = SAID[event.kind].format(class_=event.class_, scope="anything" if event.scope == "*" else event.scope)
    until = f", until {at(event.until, zone)}" if event.until else ""
    words = f", having heard {event.prompt}" if event.prompt else ""
    yield f"  {at(event.at, zone)}  {said} {BY[event.method]}{words}{until}"

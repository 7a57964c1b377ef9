"""How `ringback explain` tells of a person: texts from handsets and what they did, opt-outs, and all of it in order."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo

from ringback.cli.telling import at, name, tell_call, tell_deed, tell_journal, tell_task, tell_text
from ringback.cli.telling_sessions import tell_consent, tell_session
from ringback.core.tasks import TaskKind
from ringback.ports.lists import Entry, ListName
from ringback.ports.stories import IncomingStory, LedgerStory, Stories, ThreadStory, Unanswered

READ_AS = {
    TaskKind.OPT_OUT: "reads like STOP and does not say it, so a person decides",
    TaskKind.CALL_BACK: "chooses a time to be called back",
}
OPTED = {"opt_out": "opted out", "opt_in": "opted in again"}
METHODS = {
    "text": "by a text of theirs",
    "carrier": "by a block of the carrier",
    "person": "by word of mouth",
    "call": "by what they said on the phone",
    "voicemail": "by what they said on the voicemail",
    "key": "by a key they pressed",
    "everywhere": "for all our numbers",
    "import": "as a former system had it",
}
UNANSWERED = {
    Unanswered.SAID_BEFORE: "not answered: they were opted out before, and that is confirmed once",
    Unanswered.CARRIER_ANSWERS: "not answered by us: carrier {carrier} does that itself",
}
Told = tuple[datetime, list[str]]


def in_order(stories: Stories, zone: tzinfo) -> list[list[str]]:
    """Paragraphs: how each thread stands, then what happened, then tasks about nothing of that."""
    heads = [list(tell_thread(thread, zone)) for thread in stories.threads]
    entries: list[Told] = [(call.started_at, list(tell_call(call, zone))) for call in stories.calls]
    entries += [(text.created_at, list(tell_text(text, zone))) for text in stories.texts]
    entries += [(one.row.session.opened_at, list(tell_session(one, zone))) for one in stories.sessions]
    entries += [(text.at, list(tell_incoming(text, zone))) for text in stories.incoming]
    told = {text.public_id for text in stories.incoming}
    for thread in stories.threads:
        entries += _of_thread(thread, told, zone)
    entries.sort(key=lambda entry: entry[0])
    tasks = [list(tell_task(task, zone)) for task in stories.tasks]
    lists = [list(tell_list(entry, zone)) for entry in stories.lists]
    return [*lists, *heads, *(lines for _, lines in entries), *tasks]


ON_A_LIST: Mapping[ListName, str] = {
    ListName.NEVER: "never texted",
    ListName.ONLY: "texted while staging is on",
    ListName.STOPPED: "wants no texts from any of our numbers",
}


def tell_list(entry: Entry, zone: tzinfo) -> Iterator[str]:
    """That somebody is on a list, who put them there, when and why."""
    yield f"{entry.number or 'Somebody who was erased'} is on the list {entry.list}: {ON_A_LIST[entry.list]}"
    source = f", from {entry.source}" if entry.source else ""
    yield f"  {at(entry.at, zone)}  listed by {entry.name or entry.by}{source}"
    if entry.reason:
        yield f"    | {entry.reason}"


def _of_thread(thread: ThreadStory, told: set[str], zone: tzinfo) -> Iterator[Told]:
    """What was noted of a thread. An opt-out stands with the text that said it; one by hand is told by the ledger."""
    for entry in thread.ledger:
        if entry.evidence not in told:
            yield entry.at, list(tell_ledger(entry, zone))
    for event in thread.consents:
        yield event.at, list(tell_consent(event, zone))
    for deed in thread.deeds:
        if deed.action not in OPTED:
            yield deed.at, [tell_deed(deed, zone)]


def tell_thread(thread: ThreadStory, zone: tzinfo) -> Iterator[str]:
    """How a thread stands now."""
    yield f"Thread {thread.public_id} of {thread.did} and {thread.peer}"
    yield f"  {at(thread.begun_at, zone)}  begun"
    if thread.opted_out_at:
        yield f"  {at(thread.opted_out_at, zone)}  opted out: they get no texts from {thread.did}"
    if thread.waits_since:
        yield f"  {at(thread.waits_since, zone)}  has waited for an answer since then"
    if thread.unread:
        yield f"  {'':19}  unread texts: {thread.unread}"
    if thread.told_at:
        yield f"  {at(thread.told_at, zone)}  told what they get, and how to stop it"


def tell_incoming(text: IncomingStory, zone: tzinfo) -> Iterator[str]:
    """The story of a text from a handset: when it came, what it was read as, what it did."""
    yield f"  Incoming text {text.public_id} from {text.peer} to {text.did}, in {text.thread}"
    yield f"    | {text.body}"
    if text.media:
        yield f"    with files: {', '.join(text.media)}"
    yield f"  {at(text.carrier_at, zone)}  written, says the clock of {text.carrier}"
    for row in text.journal:
        yield tell_journal(row, zone)
    if not text.journal:
        yield f"  {at(text.received_at, zone)}  came in over {text.carrier}; no longer in the journal"
    if text.at != text.carrier_at:
        yield f"  {at(text.at, zone)}  is its place in the thread, since that clock cannot be right"
    if text.came:
        yield f"    {_pieces(text)}"
    yield f"    {_read_as(text)}"
    yield from _did(text, zone)
    if text.read_at:
        yield f"  {at(text.read_at, zone)}  somebody looked at it"


def _did(text: IncomingStory, zone: tzinfo) -> Iterator[str]:
    if text.ledger:
        yield from tell_ledger(text.ledger, zone)
    if text.answer:
        yield from tell_text(text.answer, zone)
    if text.unanswered:
        yield f"    {UNANSWERED[text.unanswered].format(carrier=text.carrier)}"
    for task in text.tasks:
        yield from tell_task(task, zone)


def _pieces(text: IncomingStory) -> str:
    count = f"in {text.pieces} pieces"
    if not text.missing:
        return f"{count}, all of which came"
    shown = "shown as it is" if text.state == "partial" else "waits for them"
    return f"{count}: {_list(text.came)} came, missing {_list(text.missing)}; {shown}"


def _list(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def _read_as(text: IncomingStory) -> str:
    if text.repeats:
        return f"looks the same as {text.repeats}, which came just before, so it does nothing"
    if text.command:
        return f"read as {text.command.upper()}"
    if text.missing:
        return "does nothing before it is whole"
    words = (READ_AS[TaskKind(task.kind)] for task in text.tasks if task.kind in READ_AS)
    return next(words, "read as an ordinary text")


def tell_ledger(entry: LedgerStory, zone: tzinfo) -> Iterator[str]:
    """An entry of the ledger: how it came about, the evidence, and what was called off."""
    method = METHODS.get(entry.method, f"by {entry.method}")
    by = f", noted by {name(entry.by)}" if entry.by else ""
    yield f"  {at(entry.at, zone)}  {OPTED.get(entry.kind, entry.kind)}, {method}{by}"
    words = entry.evidence.partition(": ")[2] if entry.by else entry.evidence
    if words:
        yield f"    evidence: {words}"
    if entry.called_off:
        yield f"    called off: {', '.join(entry.called_off)}"

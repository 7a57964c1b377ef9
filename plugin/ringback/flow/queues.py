"""Text queues: making, changing and removing them; each change is one step with its line in the audit."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ringback.core.note_texts import suggested
from ringback.core.plurals import count_of
from ringback.core.queue_forms import Known, changes, write_plan
from ringback.core.queue_marks import all_of, turned_meanwhile
from ringback.core.sessions import Session
from ringback.core.text_queues import Plan, Strategy, TextQueue, VoiceName
from ringback.flow.agents import takes_sessions
from ringback.flow.refusing import Because, Refused
from ringback.flow.session_leaving import empty_queue
from ringback.ports.people import Account
from ringback.ports.storage import Tx

LONGEST_NAME = 60
LONGEST_SAID = 200
"""So much of one value the record keeps."""
NOTHING = "nothing"
MADE = Plan(strategy=Strategy.LONGEST_IDLE)
"""How a queue works that somebody makes: sessions are given to its members; until it has some they are on the list."""


@dataclass(frozen=True, slots=True)
class Draft:
    """All that is said of a queue. `members` are rows of accounts, `numbers` our own in E.164."""

    name: str
    plan: Plan
    members: tuple[int, ...] = ()
    voice: tuple[VoiceName, ...] = ()
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """A queue as it is now, and what of it somebody else changed since it was shown."""

    queue: TextQueue
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Removal:
    """What goes when a queue does: its sessions go to the main queue; numbers and voice queues have none any more."""

    queue: TextQueue
    sessions: tuple[Session, ...]


def read_queue_name(text: str) -> str:
    """A queue's name. Raises Refused."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    strange = any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in text)
    if not 0 < len(name) <= LONGEST_NAME or strange:
        raise Refused(Because.BAD_QUEUE)
    return name


def known_queue(words: str, tx: Tx) -> TextQueue:
    """A queue by its public id or its name. Raises Refused."""
    return queue_of(words, tx.queues.all().all)


def queue_of(words: str, queues: Iterable[TextQueue]) -> TextQueue:
    """The same among those that are known."""
    wanted = words.strip().casefold()
    found = next((one for one in queues if wanted in (one.public_id, one.name.casefold())), None)
    if found is None:
        raise Refused(Because.NO_QUEUE)
    return found


def add_queue(name: str, plan: Plan, known: Known, by: str, now: datetime, tx: Tx) -> TextQueue:
    """Make one that says what we suggest, unless its plan has texts already. Raises Refused."""
    name = _free(name, None, tx)
    plan = plan if plan.notes else replace(plan, notes=suggested(known.languages))
    made = tx.queues.make(name, plan, now)
    tx.audit.note(by, "queue_add", made.public_id, f"{name}, {plan.strategy}", now, after=name)
    return made


def change_queue(public_id: str, draft: Draft, known: Known, by: str, now: datetime, tx: Tx) -> TextQueue:
    """Have all of it be as drafted; what is the same already leaves no trace. Raises Refused."""
    rename_queue(public_id, draft.name, by, now, tx)
    change_plan(public_id, draft.plan, known, by, now, tx)
    put_members(public_id, draft.members, by, now, tx)
    put_voice(public_id, draft.voice, by, now, tx)
    put_numbers(public_id, draft.numbers, by, now, tx)
    return known_queue(public_id, tx)


def meanwhile(public_id: str, draft: Draft, seen: str, known: Known, tx: Tx) -> Meanwhile | None:
    """What a draft would undo that its writer never saw; `seen` is the mark of what they were shown. Raises Refused."""
    queue = known_queue(public_id, tx)
    wanted = all_of(read_queue_name(draft.name), draft.plan, draft.members, draft.voice, draft.numbers, known)
    words = turned_meanwhile(seen, standing(queue, known), wanted)
    return Meanwhile(queue, words) if words else None


def standing(queue: TextQueue, known: Known) -> dict[str, str]:
    """All that is said of a queue now."""
    return all_of(queue.name, queue.plan, queue.members, queue.voice, queue.numbers, known)


def rename_queue(public_id: str, name: str, by: str, now: datetime, tx: Tx) -> None:
    """Call it something else. Raises Refused."""
    queue = known_queue(public_id, tx)
    name = _free(name, queue.id, tx)
    if name != queue.name:
        tx.queues.rename(queue, name, now)
        detail = f"{queue.name} to {name}"
        tx.audit.note(by, "queue_rename", queue.public_id, detail, now, before=queue.name, after=name)


def change_plan(public_id: str, plan: Plan, known: Known, by: str, now: datetime, tx: Tx) -> None:
    """Have it work in another way. Sessions that are open keep the deadline they have. Raises Refused."""
    queue = known_queue(public_id, tx)
    if plan == queue.plan:
        return
    turned = changes(write_plan(queue.plan, known), write_plan(plan, known))
    tx.queues.change(queue, plan, now)
    before = "; ".join(f"{word} {_said(was)}" for word, was, _ in turned)
    after = "; ".join(f"{word} {_said(became)}" for word, _, became in turned)
    detail = f"{queue.name}: {', '.join(word for word, _, _ in turned)}"
    tx.audit.note(by, "queue_change", queue.public_id, detail, now, before=before, after=after)


def put_members(public_id: str, accounts: Sequence[int], by: str, now: datetime, tx: Tx) -> None:
    """These and no others serve it; sessions that somebody has stay with them. Raises Refused for who cannot."""
    queue, wanted = known_queue(public_id, tx), tuple(dict.fromkeys(accounts))
    if wanted == queue.members:
        return
    people = {one.id: one for one in tx.accounts.all()}
    for account in wanted:
        if account not in queue.members:
            check_taker(people.get(account))
    tx.queues.put_members(queue, wanted, now)
    names = [", ".join(sorted(people[one].login for one in some if one in people)) for some in (queue.members, wanted)]
    was, became = (one or NOTHING for one in names)
    detail = _turned(queue, was, became)
    tx.audit.note(by, "queue_members", queue.public_id, detail, now, before=was, after=became)


def check_taker(account: Account | None) -> None:
    """Raise Refused for somebody who cannot take sessions."""
    if account is None:
        raise Refused(Because.UNKNOWN)
    if not takes_sessions(account):
        raise Refused(Because.NO_TAKER, who=account.called)


def put_voice(public_id: str, voice: Sequence[VoiceName], by: str, now: datetime, tx: Tx) -> None:
    """It stands beside these queues of Asterisk's and no others; one that another queue had comes over."""
    queue, wanted = known_queue(public_id, tx), tuple(dict.fromkeys(voice))
    if set(wanted) == set(queue.voice):
        return
    tx.queues.put_voice(queue, wanted, now)
    was, became = in_a_line(queue.voice) or NOTHING, in_a_line(wanted) or NOTHING
    detail = _turned(queue, was, became)
    tx.audit.note(by, "queue_voice", queue.public_id, detail, now, before=was, after=became)


def put_numbers(public_id: str, numbers: Sequence[str], by: str, now: datetime, tx: Tx) -> None:
    """Texts to these numbers of ours come here when nobody has them. Raises Refused."""
    queue, wanted = known_queue(public_id, tx), tuple(dict.fromkeys(numbers))
    if set(wanted) == set(queue.numbers):
        return
    if queue.main and wanted:
        raise Refused(Because.MAIN_HAS_REST)
    ours = {card.e164 for card in tx.numbers.all()}
    if not ours.issuperset(wanted):
        raise Refused(Because.NO_NUMBER)
    tx.queues.put_numbers(queue, wanted, now)
    was, became = (", ".join(sorted(some)) or NOTHING for some in (queue.numbers, wanted))
    detail = _turned(queue, was, became)
    tx.audit.note(by, "queue_numbers", queue.public_id, detail, now, before=was, after=became)


def what_goes(public_id: str, tx: Tx) -> Removal:
    """What removing a queue would take along. Raises Refused."""
    queue = known_queue(public_id, tx)
    if queue.main:
        raise Refused(Because.MAIN_STAYS)
    return Removal(queue, tuple(tx.sessions.of_queue(queue.id)))


def remove_queue(public_id: str, by: str, now: datetime, tx: Tx) -> Removal:
    """Take it away; its open sessions go to the main queue, and whoever has one keeps it. Raises Refused."""
    goes = what_goes(public_id, tx)
    empty_queue(goes.queue, now, tx, by)
    tx.queues.remove(goes.queue, now)
    detail = f"{goes.queue.name}, with {count_of(len(goes.sessions), 'open session')}"
    tx.audit.note(by, "queue_remove", goes.queue.public_id, detail, now, before=goes.queue.name)
    return goes


def voice_of(text: str, pbxs: Sequence[str]) -> VoiceName:
    """A queue of Asterisk's as `PBX/queue`, or its name alone where there is one PBX. Raises Refused."""
    pbx, parted, name = text.strip().partition("/")
    if not parted and len(pbxs) == 1:
        pbx, name = pbxs[0], text.strip()
    if not name or not name.isprintable() or len(name) > 80:
        raise Refused(Because.BAD_VOICE, given=text.strip() or '""')
    if pbx not in pbxs:
        raise Refused(Because.NO_PBX, given=pbx, choices=", ".join(pbxs) or NOTHING)
    return VoiceName(pbx, name)


def in_a_line(voice: Iterable[VoiceName]) -> str:
    """Queues of Asterisk's as one writes them."""
    return ", ".join(sorted(f"{one.pbx}/{one.queue}" for one in voice))


def _free(name: str, own: int | None, tx: Tx) -> str:
    name = read_queue_name(name)
    if any(one.id != own and one.name.casefold() == name.casefold() for one in tx.queues.all().all):
        raise Refused(Because.QUEUE_TAKEN)
    return name


def _turned(queue: TextQueue, was: str, became: str) -> str:
    return f"{queue.name}: {_said(was)} to {_said(became)}"


def _said(value: str) -> str:
    """A value as the record keeps it: in one line, and not all of a long text."""
    line = " ".join(value.split()) or NOTHING
    return line if len(line) <= LONGEST_SAID else f"{line[: LONGEST_SAID - 1]}…"

"""Changes to text queues and agents that came as words from a command."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from ringback.core.plurals import count_of
from ringback.core.presence import AtDesk
from ringback.core.queue_forms import NO, SWITCHES, YES, Fault, Known, Surroundings, read_plan
from ringback.core.queue_mapping import Sketch
from ringback.core.text_queues import Plan, TextQueue
from ringback.errors import RingbackError
from ringback.flow.agents import load_of, put_at_desk, read_load, set_up_agent
from ringback.flow.queues import (
    MADE,
    Removal,
    add_queue,
    change_plan,
    in_a_line,
    known_queue,
    put_members,
    put_numbers,
    put_voice,
    remove_queue,
    rename_queue,
    voice_of,
)
from ringback.flow.refusing import Because, Refused
from ringback.ports.people import Account
from ringback.ports.storage import Tx

Words = Mapping[str, str]
T = TypeVar("T")


class Unreadable(RingbackError):
    """Words that set nothing: a line each."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


def change_queues_by_words(words: Words, around: Surroundings, now: datetime, tx: Tx) -> str:
    """Carry out a change: `change`, `by`, and what it needs. Returns what to say. Raises Refused, Unreadable."""
    try:
        return CHANGES[words["change"]](words, around, now, tx)
    except KeyError as problem:
        raise Refused(Because.STRANGE) from problem


def plan_of(words: Words, old: Plan, known: Known) -> Plan:
    """The plan that these words make of the old one. Raises Unreadable."""
    plan, faults = read_plan(words, old, known)
    if faults:
        raise Unreadable(faults)
    return plan


def _said(words: Words) -> Words:
    """What was written as WORD=VALUE."""
    try:
        read = json.loads(words["words"])
    except ValueError as problem:
        raise Refused(Because.STRANGE) from problem
    return {
        word: {"true": YES, "false": NO}.get(value, value) if word in SWITCHES else value
        for word, value in read.items()
    }


def somebody(login: str, tx: Tx) -> Account:
    """Who has this login or extension. Raises Refused."""
    found = tx.accounts.named(login.strip().casefold())
    if len(found) != 1:
        raise Refused(Because.UNKNOWN)
    return found[0]


def _add(words: Words, around: Surroundings, now: datetime, tx: Tx) -> str:
    made = add_queue(words["queue"], MADE, around.known, words["by"], now, tx)
    plan = plan_of(_said(words), made.plan, around.known)
    change_plan(made.public_id, plan, around.known, words["by"], now, tx)
    return f"added {made.name}"


def _set(words: Words, around: Surroundings, now: datetime, tx: Tx) -> str:
    queue = known_queue(words["queue"], tx)
    plan = plan_of(_said(words), queue.plan, around.known)
    change_plan(queue.public_id, plan, around.known, words["by"], now, tx)
    return f"{queue.name} is changed" if plan != queue.plan else f"{queue.name} is so already"


def _rename(words: Words, _around: Surroundings, now: datetime, tx: Tx) -> str:
    queue = known_queue(words["queue"], tx)
    rename_queue(queue.public_id, words["name"], words["by"], now, tx)
    return f"{queue.name} is called {known_queue(queue.public_id, tx).name} now"


def _take_away(words: Words, _around: Surroundings, now: datetime, tx: Tx) -> str:
    queue = known_queue(words["queue"], tx)
    goes = remove_queue(queue.public_id, words["by"], now, tx)
    return f"removed {queue.name}; {count_of(len(goes.sessions), 'open session')} now in the main queue"


def _member(words: Words, _around: Surroundings, now: datetime, tx: Tx) -> str:
    queue, account = known_queue(words["queue"], tx), somebody(words["login"], tx)
    put_members(queue.public_id, _turned(queue.members, account.id, words), words["by"], now, tx)
    return f"{account.login} {'does not serve' if words['out'] else 'serves'} {queue.name}"


def _voice(words: Words, around: Surroundings, now: datetime, tx: Tx) -> str:
    queue, voice = known_queue(words["queue"], tx), voice_of(words["voice"], around.pbxs)
    put_voice(queue.public_id, _turned(queue.voice, voice, words), words["by"], now, tx)
    return f"{queue.name} stands beside {in_a_line(known_queue(queue.public_id, tx).voice) or 'no queue of Asterisk'}"


def _number(words: Words, around: Surroundings, now: datetime, tx: Tx) -> str:
    queue, number = known_queue(words["queue"], tx), words["number"]
    if number in around.numbers:
        tx.numbers.know([number], now)  # a number that was just configured has no row before the daemon runs
    put_numbers(queue.public_id, _turned(queue.numbers, number, words), words["by"], now, tx)
    return f"texts to {number} go to {tx.queues.all().of_number(number).name}"


def _turned(some: tuple[T, ...], one: T, words: Words) -> tuple[T, ...]:
    rest = tuple(each for each in some if each != one)
    return rest if words["out"] else (some if one in some else (*some, one))


def _agent(words: Words, _around: Surroundings, now: datetime, tx: Tx) -> str:
    """What is not named stays as it is."""
    account = somebody(words["login"], tx)
    old = load_of(tx.queues.agent(account.id))
    capacity = words.get("capacity") or str(old.capacity)
    weight = words.get("voice_weight") or str(old.voice_weight)
    follows = words.get("follows_phone") or (YES if old.follows_phone else NO)
    load = read_load(capacity, weight, follows_phone=follows == YES)
    set_up_agent(account, load, words["by"], now, tx)
    return f"{account.login}: {load}"


def _desk(words: Words, _around: Surroundings, now: datetime, tx: Tx) -> str:
    account, desk = somebody(words["login"], tx), AtDesk(words["desk"])
    if tx.queues.agent(account.id) is None:
        raise Refused(Because.NO_AGENT, who=account.called)
    put_at_desk(account, desk, words["by"], now, tx)
    return f"{account.login} is {desk}"


Change = Callable[[Words, Surroundings, datetime, Tx], str]
CHANGES: Mapping[str, Change] = {
    "add": _add,
    "set": _set,
    "rename": _rename,
    "remove": _take_away,
    "member": _member,
    "voice": _voice,
    "number": _number,
    "agent": _agent,
    "desk": _desk,
}


def told_of(goes: Removal) -> list[str]:
    """What a removal takes along, a line each."""
    queue = goes.queue
    return [
        f"{count_of(len(goes.sessions), 'open session')} would go to the main queue; who has one keeps it",
        *(f"texts to {number} would go to the main queue" for number in queue.numbers),
        *(f"no text queue would stand beside {one.pbx}/{one.queue}" for one in queue.voice),
    ]


def told_of_sketch(drawn: Sketch) -> list[str]:
    """What would be made of queues of Asterisk's, a line each."""
    lines = []
    for one in drawn.queues:
        where = f"{one.voice.pbx}/{one.voice.queue}"
        kind = "is beside" if one.beside else "would stand beside" if one.text else "would make"
        lines.append(f"{where} {kind} text queue {one.name}")
        lines += [f"  {who.name} would serve it" for who in one.join]
        lines += [f"  {who.name} serves it" for who in one.inside]
        lines += [f"  {who.name} could not: their role does not include it" for who in one.cannot]
        lines += [f"  {who.interface} ({who.name}) is no user here" for who in one.unknown]
    if drawn.unknown:
        lines.append("Bring in whom nobody knows: `ringback user import`, or add users with their extension.")
    return lines


def in_words(queue: TextQueue) -> str:
    """A queue in a line."""
    parts = [str(queue.plan.strategy), count_of(len(queue.members), "member")]
    parts += [in_a_line(queue.voice)] if queue.voice else []
    return f"{queue.name}  ({', '.join((*parts, *queue.numbers))})"

"""`ringback explain --user`: may somebody do a thing with a number, who decided it, and what would change it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from ringback.assembly import make_house, make_reader
from ringback.cli.shared import check_schema, visible
from ringback.cli.telling import sentence
from ringback.clock import SystemClock
from ringback.config import Settings
from ringback.core.book import Book
from ringback.core.grants import ALL_NUMBERS, ANY_CLASS, SENDING, Cell, Grant, Level, Right, Subject, Way
from ringback.core.messages import MessageClass
from ringback.core.policy import BORN_IN_FLIGHT, Defer, GateAnswer, answers
from ringback.core.right_words import told
from ringback.flow import allowances
from ringback.flow.grants_by_words import INHERIT, Unclear, subject_of
from ringback.flow.outbound import Text, gate_facts
from ringback.flow.why import Asked, Explained, Place, Remedy, explain
from ringback.ports.storage import Tx
from ringback.store.database import peek

SUBJECTS = {Level.USER: "the user", Level.ROLE: "their roles"}


@dataclass(frozen=True, slots=True)
class Question:
    """May `user` do `way` with `number`, for texts of `class_`; and what do the other gates say to a text to `to`?"""

    user: str
    number: str
    way: Way
    class_: str = ANY_CLASS
    to: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """`name` is whom it is about; `gates` is empty where nobody asked what a text would meet."""

    question: Question
    name: str
    explained: Explained
    book: Book
    setters: dict[str, str]
    gates: tuple[GateAnswer, ...] = ()


def explain_right(settings: Settings, asked: Question, *, as_json: bool) -> None:
    """Print the answer. Raises Unclear for somebody or some number that is not ours."""
    check_schema(settings)
    read = make_reader(settings)
    number = read("", asked.number).e164 or asked.number
    class_ = asked.class_ or (MessageClass.CONVERSATIONAL if asked.way in (Way.SEND, Way.MMS) else ANY_CLASS)
    to = read("", asked.to).e164 or asked.to
    question = Question(asked.user, number, asked.way, str(class_) if asked.way in SENDING else ANY_CLASS, to)
    found = peek(settings.database.url, partial(answer, settings, question))
    print(as_line(found) if as_json else "\n".join(map(visible, as_lines(found))))


def answer(settings: Settings, question: Question, tx: Tx) -> Answered:
    book = tx.grants.book()
    who = subject_of(question.user, tx)
    if who.subject.level is not Level.USER:
        raise Unclear(f"{question.user!r} is no user; write a login or an extension")
    if question.number not in book.numbers and question.number not in settings.numbers:
        raise Unclear(f"{question.number!r} is none of our numbers")
    explained = explain(book, who.subject.id, question.way, question.number, question.class_)
    gates = met(settings, question, who.subject.id, explained.right, tx) if question.to else ()
    setters = {f"user {one.public_id}": one.login for one in tx.accounts.all()}
    return Answered(question, who.name, explained, book, setters, gates)


def met(settings: Settings, question: Question, account: int, right: Right, tx: Tx) -> tuple[GateAnswer, ...]:
    """What each gate would say to a short text of theirs now. Changes nothing."""
    house, now = make_house(settings), SystemClock().now()
    peer = house.read("", question.to)
    pair = tx.pairs.facts(question.number, peer.e164 or peer.raw, "", "", now)
    uses = allowances.uses_of(house, account, question.number, "", now, tx)
    asked = Text(automatic=False, permitted=right.allowed, over=allowances.over(uses, 1, tx))
    return answers(gate_facts(house, question.number, peer, asked, pair, now), BORN_IN_FLIGHT)


def as_lines(found: Answered) -> list[str]:
    """For people."""
    question, right = found.question, found.explained.right
    said = told(right, question.way, question.number, found.book, found.name)
    lines = [f"{'Yes' if right.allowed else 'No'}: {said.say(str)}"]
    if (grant := right.origin.grant) is not None and not grant.owner:
        lines.append(f"  {_set(grant, found)}")
    lines.append("Asked, the nearest first:")
    lines += [f"  {asked.way} {_called(asked.subject, found.book)}: {_says(asked)}" for asked in found.explained.chain]
    lines += _remedy(found)
    if found.gates:
        lines += [f"A text to {question.to}:", *_gates(found.gates), "Nothing was sent or stored."]
    return lines


def _set(grant: Grant, found: Answered) -> str:
    at = f" on {grant.set_at:%Y-%m-%d %H:%M} UTC" if grant.set_at else ""
    note = f": {grant.note}" if grant.note else ", without a note"
    return f"set by {found.setters.get(grant.set_by, grant.set_by)}{at}{note}"


def _called(subject: Subject, book: Book) -> str:
    if subject.level is Level.DEPARTMENT and subject.id in book.departments:
        return f"department {book.departments[subject.id].name}"
    return SUBJECTS.get(subject.level, str(subject.level))


def _says(asked: Asked) -> str:
    said = str(asked.effect) if asked.effect else "says nothing"
    return f"{said}, and decides" if asked.place is Place.DECIDES else said


def _remedy(found: Answered) -> Iterator[str]:
    if not found.explained.remedies:
        yield "No grant can change this: it takes another role, or an account that is not disabled."
        return
    remedy = found.explained.remedies[0]
    people = f"{remedy.people} {'person notices' if remedy.people == 1 else 'people notice'}"
    yield f"The smallest change, which {people}:"
    for change in remedy.changes:
        yield f"  ringback grant {_command(change.cell, found)} {change.effect or INHERIT}{_class(change.cell)}"


def _command(cell: Cell, found: Answered) -> str:
    book = found.book
    match cell.subject.level:
        case Level.USER:
            who = found.question.user
        case Level.DEPARTMENT:
            who = book.departments[cell.subject.id].name
        case _:
            who = "everyone"
    return " ".join(f"'{word}'" if " " in word else word for word in (who, cell.way, _scope(cell.scope, book)))


def _scope(scope: str, book: Book) -> str:
    if scope == ALL_NUMBERS:
        return "all"
    group = scope.removeprefix("group:")
    return book.groups[int(group)].name if group != scope else scope


def _class(cell: Cell) -> str:
    return f" --class {cell.class_}" if cell.class_ else ""


def _gates(gates: tuple[GateAnswer, ...]) -> Iterator[str]:
    for gate in gates:
        if not gate.asked:
            return
        if gate.verdict is None:
            yield f"  {gate.gate}: yes"
            continue
        until = f" until {gate.verdict.until.isoformat(timespec='seconds')}" if isinstance(gate.verdict, Defer) else ""
        yield f"  {gate.gate}: {gate.verdict.reason}{until}. {sentence(gate.verdict.reason)}"


def as_line(found: Answered) -> str:
    """For programs."""
    question, right = found.question, found.explained.right
    verdict = next((gate.verdict for gate in found.gates if gate.verdict is not None), None)
    words: dict[str, object] = {
        "user": found.name,
        "number": question.number,
        "way": question.way,
        "class": question.class_,
        "allowed": right.allowed,
        "why": told(right, question.way, question.number, found.book, found.name).say(str),
        "level": right.origin.level,
        "grant": _grant(right.origin.grant, found),
        "asked": [
            {
                "way": asked.way,
                "who": _called(asked.subject, found.book),
                "effect": asked.effect,
                "decides": asked.place is Place.DECIDES,
            }
            for asked in found.explained.chain
        ],
        "change": _change(found.explained.remedies[0], found) if found.explained.remedies else None,
    }
    if found.gates:
        asked_of = [gate for gate in found.gates if gate.asked]
        words["to"] = question.to
        words["gates"] = {gate.gate: gate.verdict.reason if gate.verdict else None for gate in asked_of}
        words["reason"] = verdict.reason if verdict else None
    return json.dumps(words, default=_plain)


def _grant(grant: Grant | None, found: Answered) -> dict[str, object] | None:
    if grant is None:
        return None
    return {
        "who": _called(grant.subject, found.book),
        "effect": grant.effect,
        "scope": _scope(grant.scope, found.book),
        "class": grant.class_,
        "owner": grant.owner,
        "set_by": found.setters.get(grant.set_by, grant.set_by),
        "set_at": grant.set_at,
        "note": grant.note,
    }


def _change(remedy: Remedy, found: Answered) -> dict[str, object]:
    changes = [
        {
            "who": _called(one.cell.subject, found.book),
            "way": one.cell.way,
            "scope": _scope(one.cell.scope, found.book),
            "class": one.cell.class_,
            "effect": one.effect or INHERIT,
        }
        for one in remedy.changes
    ]
    return {"people": remedy.people, "changes": changes}


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")

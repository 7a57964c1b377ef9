"""Grants and allowances that came as words from a command, with a daemon or without one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ringback.core.allowances import NUMBER
from ringback.core.book import Book
from ringback.core.department_tree import by_words
from ringback.core.grants import ALL_NUMBERS, EVERYONE, Cell, Effect, Level, Subject, Way
from ringback.errors import RingbackError
from ringback.flow.granting import Meanwhile, Wanted, apply, is_scope
from ringback.flow.overlay import said_in
from ringback.ports.storage import Tx

Words = Mapping[str, str]
ALL, EVERYBODY, INHERIT = "all", "everyone", "inherit"
MOST_SEGMENTS = 1_000_000_000


class Unclear(RingbackError):
    """A command that cannot be carried out; the text says what to write instead."""


@dataclass(frozen=True, slots=True)
class Named:
    """Whom a command means, and what they are called."""

    subject: Subject
    name: str


def grant_by_words(words: Words, now: datetime, tx: Tx) -> str:
    """Change one grant: `subject`, `way`, `number`, `effect`, `class`, `note`, `by`. Returns what to say."""
    book = tx.grants.book()
    try:
        who = subject_of(words["subject"], tx)
        cell = Cell(who.subject, Way(words["way"]), scope_of(words["number"], book), words["class"])
        effect = None if words["effect"] == INHERIT else Effect(words["effect"])
    except (KeyError, ValueError) as problem:
        raise Unclear("this makes no grant; is the daemon older than the command?") from problem
    before = said_in(book, cell)
    wanted = Wanted(cell, effect, before)
    done = apply([wanted], words.get("note", ""), words["by"], now, tx, Meanwhile.GO_OVER)
    what = " ".join(filter(None, (cell.way, words["number"], cell.class_)))
    if not done.changes:
        return f"{who.name}: {what} says {effect or INHERIT} already"
    return f"{who.name}: {what} says {effect or INHERIT} now, and said {before or INHERIT} before"


def allowance_by_words(words: Words, now: datetime, tx: Tx) -> str:
    """Set an allowance: `subject`, `soft`, `hard`, `by`. Returns what to say."""
    level, subject, name = holder_of(words.get("subject", ""), tx)
    soft, hard = read_segments(words.get("soft", "")), read_segments(words.get("hard", ""))
    if soft and hard and soft > hard:
        raise Unclear("the soft limit warns before the hard one refuses, so it cannot be larger")
    tx.grants.allow_segments(level, subject, soft, hard, words["by"], now)
    tx.audit.note(words["by"], "allowance", name, f"soft {soft}, hard {hard}", now)
    return f"{name}: {in_words(soft, hard)}"


def in_words(soft: int, hard: int) -> str:
    """An allowance as a command says it."""
    warns = f"{soft} segments a month are free" if soft else "no soft limit"
    return f"{warns}, {f'no more than {hard} go' if hard else 'no hard limit'}"


def read_segments(text: str) -> int:
    """A count of segments. Raises Unclear."""
    if not (text.isascii() and text.isdecimal()) or int(text) > MOST_SEGMENTS:
        raise Unclear(f"{text!r} is no number of segments; write a whole number, 0 for no limit")
    return int(text)


def subject_of(words: str, tx: Tx) -> Named:
    """A user by login, extension or id, a department by name or path, or everyone. Raises Unclear."""
    if words == EVERYBODY:
        return Named(EVERYONE, EVERYBODY)
    department = by_words(tx.grants.book().departments, words)
    found = [Named(Subject(Level.USER, one.id), one.called) for one in tx.accounts.named(words.strip().casefold())]
    if department is not None:
        found.append(Named(Subject(Level.DEPARTMENT, department.id), f"department {department.name}"))
    if len(found) != 1:
        raise Unclear(
            f"{words!r} is {'nobody' if not found else 'more than one'}: write a login, an extension, "
            f"a department, or {EVERYBODY}"
        )
    return found[0]


def holder_of(words: str, tx: Tx) -> tuple[str, int, str]:
    """Whose allowance it is, as (level, row, name): a subject of a grant, or one of our numbers. Raises Unclear."""
    card = next((one for one in tx.numbers.all() if one.e164 == words), None)
    if card is not None:
        return NUMBER, card.id, card.e164
    who = subject_of(words, tx)
    return str(who.subject.level), who.subject.id, who.name


def scope_of(number: str, book: Book) -> str:
    """One of our numbers, a group of them by its name, or all. Raises Unclear."""
    if number == ALL:
        return ALL_NUMBERS
    group = next((one for one in book.groups.values() if one.name.casefold() == number.casefold()), None)
    scope = number if group is None else f"group:{group.id}"
    if not is_scope(scope, book):
        raise Unclear(f"{number!r} is none of our numbers, and no group of them; write {ALL!r} for all")
    return scope

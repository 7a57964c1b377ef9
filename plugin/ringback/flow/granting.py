"""Deciding who may text whom: several grants are changed in one step or none is, and each leaves its line in the audit.

Panel, files and commands all come through here. What somebody else changed meanwhile is never gone over in silence.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ringback.core.book import Book
from ringback.core.grants import ALL_NUMBERS, CLASSES, SENDING, Cell, Effect, Level, Subject, Way
from ringback.core.ids import ENTROPY_BYTES, Kind, make_id
from ringback.core.permissions import Role
from ringback.entropy import entropy
from ringback.errors import RingbackError
from ringback.flow.overlay import said_in
from ringback.ports.grants import Change, Draft
from ringback.ports.people import Account, Noted
from ringback.ports.storage import Tx

UNDO_FOR = timedelta(minutes=10)
LONGEST_NOTE = 500
INHERIT = "inherit"
"""What the audit calls a cell that says nothing."""
MOST_AT_ONCE = 20_000
"""More cells than this are no edit of a person; they are a mistake."""


class Unfit(StrEnum):
    """What is wrong with a grant that somebody wants; the value is the field it is about."""

    SUBJECT = "subject"
    SCOPE = "scope"
    CLASS = "class"
    NOTE = "note"
    MANY = "many"
    BATCH = "batch"
    OVER = "over"


SENTENCES: Mapping[Unfit, str] = {
    Unfit.SUBJECT: "There is no such user or department any more.",
    Unfit.SCOPE: "This is none of our numbers, and no group of them.",
    Unfit.CLASS: "Only sending goes by kinds of text; the other rights are for every kind.",
    Unfit.NOTE: "A note has five hundred characters at most.",
    Unfit.MANY: "That is more than twenty thousand changes at once. Change a department or a group of numbers instead.",
    Unfit.BATCH: "There are no such changes.",
    Unfit.OVER: "These changes are older than ten minutes. Change them by hand; the history says what was before.",
}


class Unsuitable(RingbackError):
    """A change that cannot be made; `why` names the field."""

    def __init__(self, why: Unfit, about: str = "") -> None:
        super().__init__(f"{about}: {SENTENCES[why]}" if about else SENTENCES[why])
        self.why = why
        self.about = about


@dataclass(frozen=True, slots=True)
class Wanted:
    """A cell and what it shall say, None for nothing. `seen` is what it said when its author decided that."""

    cell: Cell
    effect: Effect | None
    seen: Effect | None


@dataclass(frozen=True, slots=True)
class Conflict:
    """Somebody else changed a cell after its author looked: it says `now`; `last` is that change, if it is kept."""

    wanted: Wanted
    now: Effect | None
    last: Change | None


class Meanwhile(StrEnum):
    """What to do about cells that somebody else changed meanwhile."""

    ASK = "ask"
    GO_OVER = "go_over"


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done. With conflicts nothing was: `batch` is empty then. `kept` are cells that an undo left alone."""

    batch: str
    changes: tuple[Change, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    kept: tuple[Change, ...] = ()


def apply(
    wanted: Sequence[Wanted], note: str, by: str, now: datetime, tx: Tx, meanwhile: Meanwhile = Meanwhile.ASK
) -> Applied:
    """Make all these changes, or none. Raises Unsuitable for one that makes no sense."""
    note = read_note(note)
    if len(wanted) > MOST_AT_ONCE:
        raise Unsuitable(Unfit.MANY)
    book = tx.grants.book()
    check(wanted, book, tx)
    if meanwhile is Meanwhile.ASK and (found := conflicts(wanted, book, tx)):
        return Applied("", conflicts=found)
    return _write([(one.cell, one.effect) for one in wanted], note, by, now, tx)


def conflicts(wanted: Iterable[Wanted], book: Book, tx: Tx) -> tuple[Conflict, ...]:
    """Cells that say neither what their author saw, nor what they shall say."""
    found = []
    for one in wanted:
        said = said_in(book, one.cell)
        if said is not one.seen and said is not one.effect:
            found.append(Conflict(one, said, tx.grants.latest(one.cell)))
    return tuple(found)


def check(wanted: Iterable[Wanted], book: Book, tx: Tx) -> None:
    """Raise Unsuitable for a cell that there cannot be."""
    cells = [one.cell for one in wanted]
    there = _who_is_there([cell.subject for cell in cells], book, tx)
    for cell in cells:
        if cell.subject not in there:
            raise Unsuitable(Unfit.SUBJECT)
        if not is_scope(cell.scope, book):
            raise Unsuitable(Unfit.SCOPE, cell.scope)
        if cell.class_ and (cell.way not in SENDING or cell.class_ not in CLASSES):
            raise Unsuitable(Unfit.CLASS, cell.class_)


def is_scope(scope: str, book: Book) -> bool:
    """Whether these are numbers of ours."""
    if scope == ALL_NUMBERS:
        return True
    kind, _, group = scope.partition(":")
    if kind == "group":
        return group.isascii() and group.isdigit() and int(group) in book.groups
    return scope in book.numbers


def read_note(text: str) -> str:
    """A note as it is kept. Raises Unsuitable."""
    note = " ".join(text.split())
    if len(note) > LONGEST_NOTE:
        raise Unsuitable(Unfit.NOTE)
    return note


def undo(batch: str, by: str, now: datetime, tx: Tx) -> Applied:
    """Take back what was changed at once, but for cells that were changed again since. Raises Unsuitable."""
    made = tx.grants.changes_of(batch)
    if not made:
        raise Unsuitable(Unfit.BATCH)
    if now - made[0].at > UNDO_FOR:
        raise Unsuitable(Unfit.OVER)
    book = tx.grants.book()
    there = _who_is_there([change.cell.subject for change in made], book, tx)
    last = tx.grants.last_changes(batch)
    back: list[Change] = []
    kept: list[Change] = []
    for change in reversed(made):
        stands = change.id in last
        can = change.cell.subject in there and is_scope(change.cell.scope, book)
        (back if stands and can else kept).append(change)
    done = _write([(change.cell, change.before) for change in back], "", by, now, tx)
    return Applied(done.batch, done.changes, kept=tuple(reversed(kept)))


def _who_is_there(subjects: Iterable[Subject], book: Book, tx: Tx) -> frozenset[Subject]:
    """Those of them that there are, also users who cannot act."""
    asked = frozenset(subjects)
    there = {one for one in asked if _is_in(book, one)}
    # the book knows those who can act; the others are looked up, all at once
    if any(one.level is Level.USER for one in asked - there):
        there |= asked & {Subject(Level.USER, one.id) for one in tx.accounts.all()}
    return frozenset(there)


def _is_in(book: Book, subject: Subject) -> bool:
    match subject.level:
        case Level.EVERYONE:
            return subject.id == 0
        case Level.DEPARTMENT:
            return subject.id in book.departments
        case Level.USER:
            return subject.id in book.roles
    return False


def _write(cells: Sequence[tuple[Cell, Effect | None]], note: str, by: str, now: datetime, tx: Tx) -> Applied:
    batch = make_id(Kind.CHANGE, now, entropy(ENTROPY_BYTES))
    tx.grants.put_all(cells, note, batch, by, now)
    changes = tuple(tx.grants.changes_of(batch))
    names = _names(changes, tx)
    notes = [
        Noted(
            names.get(change.cell.subject, str(Level.EVERYONE)),
            _in_words(change),
            change.before or INHERIT,
            change.after or INHERIT,
        )
        for change in changes
    ]
    tx.audit.note_all(by, "grant", notes, now)
    return Applied(batch if changes else "", changes)


def _in_words(change: Change) -> str:
    what = " ".join(filter(None, (change.cell.way, change.cell.scope, change.cell.class_)))
    return f"{what}, {change.batch}" + (f": {change.note}" if change.note else "")


def _names(changes: Sequence[Change], tx: Tx) -> Mapping[Subject, str]:
    """The public ids of those who are concerned."""
    book = tx.grants.book()
    names = {Subject(Level.DEPARTMENT, one.id): one.public_id for one in book.departments.values()}
    if any(change.cell.subject.level is Level.USER for change in changes):
        names |= {Subject(Level.USER, one.id): one.public_id for one in tx.accounts.all()}
    return names


def own_loss(changes: Iterable[Wanted], account: Account | None) -> bool:
    """Whether somebody takes from themselves, which is allowed, and which they are told."""
    if account is None or Role.ADMINISTRATOR not in account.roles:
        return False
    own = Subject(Level.USER, account.id)
    return any(one.cell.subject == own and one.effect is Effect.DENY for one in changes)


def have_in_mind(account: int, wanted: Sequence[Wanted], now: datetime, tx: Tx) -> None:
    """Keep changes for later. What a cell says already is no change, so it is not kept."""
    book = tx.grants.book()
    check(wanted, book, tx)
    same = [one.cell for one in wanted if said_in(book, one.cell) is one.effect]
    tx.grants.drop_drafts(account, same)
    left = set(same)
    kept = [Draft(one.cell, one.effect, one.seen) for one in wanted if one.cell not in left]
    tx.grants.draft_all(account, kept, now)
    if len(tx.grants.drafts(account)) > MOST_AT_ONCE:
        raise Unsuitable(Unfit.MANY)


def wanted_of(drafts: Iterable[Draft]) -> list[Wanted]:
    """Changes somebody had in mind, as they are applied."""
    return [Wanted(draft.cell, draft.effect, draft.seen) for draft in drafts]


def copied(source: Subject, targets: Iterable[Subject], book: Book) -> list[Wanted]:
    """Have others say what one says, and nothing else. What follows from owning a number is not copied."""
    said = _places(source, book)
    wanted = []
    for target in dict.fromkeys(targets):
        theirs = _places(target, book)
        for place in dict.fromkeys((*said, *theirs)):
            if said.get(place) is not theirs.get(place):
                wanted.append(Wanted(Cell(target, *place), said.get(place), theirs.get(place)))
    return wanted


def for_all(
    subjects: Iterable[Subject], places: Sequence[tuple[Way, str, str]], effect: Effect | None, book: Book
) -> list[Wanted]:
    """Have many say the same of some ways, scopes and classes; those that do already are left out."""
    cells = [Cell(subject, *place) for subject in dict.fromkeys(subjects) for place in places]
    return [Wanted(cell, effect, said) for cell in cells if (said := said_in(book, cell)) is not effect]


def _places(subject: Subject, book: Book) -> dict[tuple[Way, str, str], Effect]:
    return {cell[1:]: grant.effect for cell, grant in book.written.items() if cell.subject == subject}

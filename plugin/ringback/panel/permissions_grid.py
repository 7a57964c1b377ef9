"""The cells of the permission matrix. Thousands are drawn at once, so each look of a cell is written out once."""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup, escape

from ringback.core.book import Book
from ringback.core.grants import Cell, Effect, Level, Right, Subject, Way
from ringback.core.right_words import told
from ringback.flow.overlay import differs_by_kind, effective, likeness, said_in, with_own
from ringback.flow.roster import Row
from ringback.panel.permissions_window import View
from ringback.panel.permissions_words import Say, origin_in_words, row_name
from ringback.panel.words import N_

BY_KIND = N_("Some kinds of text differ")
NOT_APPLIED = N_("Not applied yet")
WRONG_ROLE = N_("Their role does not include it, whatever is granted.")


@dataclass(frozen=True, slots=True)
class Line:
    """One row as it is drawn. `again` marks one that stands there only since others are under it."""

    row: Row
    again: bool
    name: str
    cells: Markup
    folded: bool


class Grid:
    """Draws the cells of a view. `before` is the book as it holds, `after` as it would with what is in mind."""

    def __init__(self, before: Book, after: Book, changes: Mapping[Cell, Effect | None], say: Say) -> None:
        self._before = before
        self._after = after
        self._changes = changes
        self._say = say
        self._own = with_own(before, after) | {cell.subject.id for cell in changes if cell.subject.level is Level.USER}
        self._rows: dict[object, Markup] = {}
        self._looks: dict[tuple[object, ...], str] = {}
        self._origins: dict[tuple[object, ...], int] = {}
        self.origins: list[tuple[str, str]] = []
        """What is said of where a cell has its value from: short, and in full. Cells point at it by its place."""

    def lines(self, view: View) -> list[Line]:
        """Every row of a view."""
        window, folded = view.window, set(view.window.fold)
        plan = [
            (column.scope, way, window.class_of(way), way is window.ways[0])
            for column in view.columns
            for way in window.ways
        ]
        return [
            Line(row, again, row_name(row, self._say), self._row(row.subject, plan), row.public_id in folded)
            for row, again in view.rows
        ]

    def _row(self, subject: Subject, plan: list[tuple[str, Way, str, bool]]) -> Markup:
        alike = subject.level is Level.USER
        key: object = likeness(self._after, subject.id, self._own) if alike else subject
        if key not in self._rows:
            cells = [self._cell(Cell(subject, way, scope, kind), first) for scope, way, kind, first in plan]
            # every part was escaped when its look was written out
            self._rows[key] = Markup("".join(cells))  # noqa: S704
        return self._rows[key]

    def _cell(self, cell: Cell, first: bool) -> str:
        subject, way, scope, kind = cell
        right = effective(self._after, subject, way, scope, kind)
        said = said_in(self._after, cell)
        origin = self._origin(right, cell, said)
        was = (said_in(self._before, cell) or "inherit") if cell in self._changes else ""
        classes = "tri"
        if first:
            classes += " first"
        if was:
            classes += " changed"
        if not kind and differs_by_kind(self._after, subject, way, scope):
            classes += " kinds"
        look = (classes, said, right.effect, origin, was)
        drawn = self._looks.get(look)
        if drawn is None:
            drawn = self._looks[look] = self._draw(*look)
        return drawn

    def _draw(self, classes: str, said: Effect | None, effect: Effect, origin: int, was: str) -> str:
        words = [self.origins[origin][0]]
        if "kinds" in classes:
            words.append(self._say(BY_KIND))
        if was:
            words.append(self._say(NOT_APPLIED))
        seen = f' data-was="{was}"' if was else ""
        return (
            f'<td class="{classes}" data-set="{said or "inherit"}" data-eff="{effect}" data-o="{origin}"{seen}'
            f' aria-label="{escape(". ".join(words))}"><i></i></td>'
        )

    def _origin(self, right: Right, cell: Cell, said: Effect | None) -> int:
        origin = right.origin
        own = origin.grant is not None and origin.grant.subject == cell.subject
        key = (origin.level, id(origin.grant), origin.under, right.effect, said, own, cell.way, origin.role)
        place = self._origins.get(key)
        if place is None:
            place = self._origins[key] = len(self.origins)
            short = origin_in_words(right, cell.subject, said, self._after, self._say)
            self.origins.append((short, right_in_full(right, cell.way, cell.scope, self._after, self._say)))
        return place


def right_in_full(right: Right, way: Way, number: str, book: Book, say: Say) -> str:
    """Where a right comes from, in whole sentences."""
    if right.origin.level is Level.ROLE and right.origin.role is None:
        return say(WRONG_ROLE)
    answer = told(right, way, number, book)
    return " ".join(say(sentence, **answer.values) for sentence in answer.sentences[1:])

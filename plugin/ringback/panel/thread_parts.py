"""The parts of the inbox's pages, each by itself, so that a page and its live stream show the same."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from aiohttp import web

from ringback.core.numbers import Number
from ringback.core.permissions import Action, may
from ringback.panel import consent_words, list_words, thread_words
from ringback.panel.live import Part
from ringback.panel.person import Person, person
from ringback.panel.shell import VISIT, Shell
from ringback.panel.timeline import Item, Line, items
from ringback.ports import Clock
from ringback.ports.threads import Head, Place, Point, ThreadPage, ThreadRow, View

LIST, ENTRIES = "threads", "entries"
"""The boxes of the page that live parts go into."""


@dataclass(frozen=True, slots=True)
class MayNot:
    """Why somebody may not write from a number, and whom to ask for it."""

    why: str
    ask: Sequence[str]


@dataclass(frozen=True, slots=True)
class Pane:
    """The list of threads. `after` is set on a later page, which is not kept live; `sought` is what was looked for."""

    view: View
    page: ThreadPage
    after: Place | None = None
    sought: str = ""
    number: str = ""

    @property
    def whole(self) -> bool:
        """Whether this is the beginning of a view, which is kept live."""
        return self.after is None and not self.sought


class ThreadParts:
    """Makes the parts for one visitor's page."""

    def __init__(self, shell: Shell, read: Callable[[str], Number], clock: Clock) -> None:
        self._shell = shell
        self._read = read
        self._clock = clock

    def lay(self, request: web.Request, entries: Iterable[Line]) -> list[Item]:
        return items(entries, request[VISIT].principal, self._shell.site.zone, self._clock.now())

    def rows(self, request: web.Request, pane: Pane, thread: str = "") -> list[Part]:
        """The list, each row behind the one before it; `thread` is the one that is open."""
        today = self._clock.now().astimezone(self._shell.site.zone).date()

        def html(row: ThreadRow) -> Callable[[], str]:
            return lambda: self._fill(request, "thread_item", row=row, view=pane.view, current=thread)

        parts: list[Part] = []
        for row in pane.page.rows:
            # where it stands is said by the order of all rows, so a row that only moved is not sent again
            seen = (replace(row, place=Place(0, 0)), today)
            parts.append(Part(f"row-{row.public_id}", seen, html(row), LIST, parts[-1].id if parts else ""))
        return parts

    def entries(self, request: web.Request, laid: Iterable[Item]) -> list[Part]:
        """The line of calls and texts."""

        def html(item: Item) -> Callable[[], str]:
            return lambda: self._fill(request, item.template, item=item, settled={}, thread=thread, view=view)

        thread, view = request.match_info["thread"], request.query.get("view", "")

        parts: list[Part] = []
        for item in laid:
            parts.append(Part(item.id, item, html(item), ENTRIES, parts[-1].id if parts else None))
        return parts

    def about(self, request: web.Request, head: Head, may_not: MayNot | None) -> list[Part]:
        """What stands over and beside the line, and over the box for an answer."""
        view = request.query.get("view", "")

        def top() -> str:
            return self._fill(request, "thread_head", head=head, view=view)

        def aside() -> str:
            return self._fill(request, "about", head=head, view=view, person=self.person(request, head))

        def why() -> str:
            return self._fill(request, "may_not", may_not=may_not)

        still = replace(head, unread=0, calls=())
        parts = [Part("thread-head", still, top), Part("about", (still, head.calls), aside)]
        if may(request[VISIT].principal, Action.REPLY):
            parts.append(Part("may-not", may_not, why))
        return parts

    def person(self, request: web.Request, head: Head) -> Person:
        locale = self._shell.pages().formats(request[VISIT].language).locale
        return person(self._read(head.peer), head.language, locale, self._clock.now())

    def _fill(self, request: web.Request, template: str, **values: object) -> str:
        return self._shell.html(request, template, W=thread_words, L=list_words, C=consent_words, **values)


def read_point(words: str) -> Point | None:
    """Read a place in a thread from an address; None for none."""
    numbers = read_numbers(words, 3)
    return Point(*numbers) if numbers else None


def read_place(words: str) -> Place | None:
    """Read a place in the list from an address; None for none."""
    numbers = read_numbers(words, 2)
    return Place(*numbers) if numbers else None


def read_numbers(words: str, count: int) -> list[int]:
    """Whole numbers with hyphens between them, none larger than a database takes."""
    parts = words.split("-")
    if len(parts) != count or not all(part.isascii() and part.isdigit() and len(part) <= 18 for part in parts):
        return []
    return [int(part) for part in parts]

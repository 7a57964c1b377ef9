"""The pages of calls: the list, newest first, and one call with all that was seen and decided."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from aiohttp import web

from ringback.core.ids import Kind, kind_of
from ringback.core.permissions import Action
from ringback.panel import list_words
from ringback.panel.call_line import Decided, decided, outcome_of
from ringback.panel.call_story import tell
from ringback.panel.call_words import Mark
from ringback.panel.shell import VISIT, Shell
from ringback.panel.words import N_
from ringback.ports.callbook import Callbook, CallFilter, CallLine, CallsPage, Group
from ringback.ports.lists import Entry

if TYPE_CHECKING:
    from ringback.panel.tongues import Formats

ReadNumber = Callable[[str], str | None]
"""Reads a number in whatever form people write it; None for what is none."""

ReadLists = Callable[[str], Awaitable[tuple[Entry, ...]]]
"""The lists that a person is on."""


async def on_no_list(_number: str) -> tuple[Entry, ...]:
    return ()


GROUPS: Mapping[Group, str] = {
    Group.ALL: N_("All"),
    Group.UNANSWERED: N_("Not answered"),
    Group.WITH_TEXT: N_("With a text"),
    Group.WITHOUT_TEXT: N_("Without a text"),
}
NO_NUMBER = N_("This is no phone number. Write it like +1 202 555 0147.")
NO_DAY = N_("This is no day. Write it like 2026-11-20.")
FIRST_YEAR, LAST_YEAR = 2000, 2100
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the reader asked for, as they wrote it, and what was wrong with it. `calls` is None if something was."""

    group: Group
    day: str
    number: str
    calls: CallFilter | None
    day_fault: str = ""
    number_fault: str = ""

    def link(self, **change: str) -> str:
        """The address of the list with something changed."""
        asked = {"group": "" if self.group is Group.ALL else self.group, "day": self.day, "number": self.number}
        query = urlencode({name: value for name, value in (asked | change).items() if value}, errors="replace")
        return f"/calls?{query}" if query else "/calls"


@dataclass(frozen=True, slots=True)
class Row:
    """One call of the list."""

    call: CallLine
    outcome: Mark
    text: Decided


class CallPages:
    """`book` reads calls, `read_number` what somebody typed to find a person's calls."""

    def __init__(self, shell: Shell, book: Callbook, read_number: ReadNumber, listed: ReadLists = on_no_list) -> None:
        self._shell = shell
        self._book = book
        self._read_number = read_number
        self._listed = listed

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/calls", self.list), web.get("/calls/{call}", self.one)]

    async def list(self, request: web.Request) -> web.Response:
        """Calls, newest first, fifty a page."""
        self._shell.allow(request, Action.READ_CALLS)
        formats = formats_of(self._shell, request)
        reach = self._shell.reach(request)
        asked = read_filter(request.query, formats, self._read_number)
        before = request.query.get("before", "")
        page = CallsPage(())
        if asked.calls is not None:
            page = await self._book.page(reach, asked.calls, before if kind_of(before) is Kind.CALL else None)
        days = [
            (day, [Row(call, outcome_of(call), decided(call, formats)) for call in calls])
            for day, calls in groupby(page.calls, lambda call: formats.day(call.started_at))
        ]
        return self._shell.page(
            request, "calls", asked=asked, days=days, older=page.older, before=before, groups=GROUPS
        )

    async def one(self, request: web.Request) -> web.Response:
        """One call, and why it got a text or did not."""
        self._shell.allow(request, Action.READ_CALLS)
        story = await self._book.story(self._shell.reach(request), request.match_info["call"])
        if story is None:
            raise web.HTTPNotFound
        told = tell(story, formats_of(self._shell, request))
        lists = await self._listed(story.peer) if story.peer else ()
        return self._shell.page(request, "call", call=told, lists=lists, L=list_words, done=request.query.get("done"))


def formats_of(shell: Shell, request: web.Request) -> "Formats":
    """How this visitor's language writes dates."""
    return shell.pages().formats(request[VISIT].language)


def read_filter(query: Mapping[str, str], formats: "Formats", read_number: ReadNumber) -> Asked:
    """Read the form; what cannot be read is said beside its field, and then no call is shown."""
    group = next((group for group in Group if group == query.get("group")), Group.ALL)
    written_day, written_number = query.get("day", "").strip(), query.get("number", "").strip()
    day, peer = read_day(written_day), read_number(written_number) if written_number else None
    day_fault = NO_DAY if written_day and day is None else ""
    number_fault = NO_NUMBER if written_number and peer is None else ""
    calls = None
    if not day_fault and not number_fault:
        since, until = (None, None) if day is None else ends_of(day, formats)
        calls = CallFilter(group, since, until, peer)
    return Asked(group, written_day, written_number, calls, day_fault, number_fault)


def read_day(written: str) -> date | None:
    try:
        day = date.fromisoformat(written)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year < LAST_YEAR else None


def ends_of(day: date, formats: "Formats") -> tuple[datetime, datetime]:
    """When a day begins and ends where the business is; on two days of the year that is not 24 hours."""
    return datetime.combine(day, time(), formats.zone), datetime.combine(day + DAY, time(), formats.zone)

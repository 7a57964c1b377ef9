"""Who decided what when: the changes of grants, each with what was before and after."""

from dataclasses import dataclass
from datetime import date

from aiohttp import web

from ringback.core.permissions import Action
from ringback.flow.granting import UNDO_FOR
from ringback.panel.permissions_parts import PLACE, GrantOffice, Scene
from ringback.panel.permissions_words import BECAME, BECAME_CLASS, KINDS, WAYS, Say
from ringback.ports.grants import Change

AT_ONCE = 100
LOOKED_THROUGH = 5_000
"""How many changes are looked through for what somebody seeks; beyond that they are told to go on from there."""
STEP = 500
LONGEST_ROW = 19
"""Digits of the id of a row at most."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One change as it is shown. `undo` is its batch, once for each that can be taken back."""

    change: Change
    who: str
    path: str
    numbers: str
    way: str
    kind: str
    author: str
    undo: str


@dataclass(frozen=True, slots=True)
class Filter:
    """What somebody seeks: changes of one subject, made by one person, until the end of a day."""

    who: str = ""
    by: str = ""
    until: date | None = None
    before: int = 0


class HistoryPages:
    """The route of the history."""

    def __init__(self, office: GrantOffice) -> None:
        self._office = office
        self._shell = office.shell

    def routes(self) -> list[web.RouteDef]:
        return [web.get(f"{PLACE}/history", self.show)]

    async def show(self, request: web.Request) -> web.Response:
        """The newest changes first."""
        self._shell.allow(request, Action.READ_PERMISSIONS)
        sought, scene = _read(request), await self._office.scene(request)
        changes, older = await self._seek(sought, scene)
        say, authors = self._office.voice(request), sorted({one.called for one in scene.roster.accounts})
        values = {
            "entries": self._entries(changes, scene, say, self._office.may_change(request)),
            "sought": sought,
            "older": older,
            "rows": scene.roster.rows,
            "authors": authors,
            "BECAME": BECAME,
            "BECAME_CLASS": BECAME_CLASS,
        }
        return self._shell.page(request, "permissions_history", status=200, **values)

    async def _seek(self, sought: Filter, scene: Scene) -> tuple[list[Change], int]:
        """What is sought, and from which change to go on; 0 where there is no more."""
        row = scene.roster.by_id.get(sought.who)
        level, subject = (row.subject.level, row.subject.id) if row else (None, 0)
        found: list[Change] = []
        before, looked = sought.before, 0
        while looked < LOOKED_THROUGH:
            changes = await self._office.read.history(level, subject, before, STEP)
            for change in changes:
                if self._fits(change, sought, scene):
                    found.append(change)
                if len(found) == AT_ONCE:
                    return found, change.id
            if len(changes) < STEP:
                return found, 0
            before, looked = changes[-1].id, looked + STEP
        return found, before

    def _fits(self, change: Change, sought: Filter, scene: Scene) -> bool:
        if sought.by and sought.by.casefold() not in scene.author(change.by).casefold():
            return False
        if sought.until is None:
            return True
        return change.at.astimezone(self._shell.site.zone).date() <= sought.until

    def _entries(self, changes: list[Change], scene: Scene, say: Say, may_change: bool) -> list[Entry]:
        now, offered = self._office.clock.now(), set[str]()
        entries = []
        for change in changes:
            cell, fresh = change.cell, may_change and now - change.at <= UNDO_FOR and change.batch not in offered
            offered.add(change.batch)
            entries.append(
                Entry(
                    change,
                    scene.name(cell.subject, say),
                    scene.path(cell.subject),
                    scene.numbers(cell.scope, say),
                    say(WAYS[cell.way][1]),
                    say(KINDS[cell.class_]) if cell.class_ else "",
                    scene.author(change.by),
                    change.batch if fresh else "",
                )
            )
        return entries


def _read(request: web.Request) -> Filter:
    query = request.query
    before = query.get("before", "")
    known = before.isascii() and before.isdigit() and len(before) < LONGEST_ROW
    try:
        until = date.fromisoformat(query.get("until", ""))
    except ValueError:
        until = None
    return Filter(query.get("who", ""), query.get("by", "").strip()[:100], until, int(before) if known else 0)

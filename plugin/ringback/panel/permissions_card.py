"""One person, one department or everyone: what they may do with each number, as three-state choices in a form.

This is the page without script, and the page on a phone.
"""

from dataclasses import dataclass

from aiohttp import web

from ringback.core.grants import EVERYONE, Cell, Level, Subject, Way
from ringback.core.permissions import Action
from ringback.flow.granting import Unsuitable, Wanted
from ringback.flow.overlay import effective, said_in
from ringback.flow.roster import Column, Row
from ringback.panel.permissions_allowances import Allowances, Shown
from ringback.panel.permissions_grid import right_in_full
from ringback.panel.permissions_parts import CHOSEN, PLACE, WRONG, GrantOffice, Scene
from ringback.panel.permissions_window import WAYS_SHOWN, Window, read_window
from ringback.panel.permissions_words import CHOICES, KINDS, WAY_CHOICES, WAYS, Say, column_name
from ringback.panel.words import N_, ROLE

NOT_SO_MANY = 500
"""How many numbers a card shows at most; the filter finds the others."""
DONE = {"allowance": N_("The allowance is set. It counts from this month on.")}


@dataclass(frozen=True, slots=True)
class Choice:
    """One way of a number: what is set, what it comes to, and where from. `field` names it in the form."""

    field: str
    word: str
    icon: str
    legend: str
    said: str
    seen: str
    allowed: bool
    origin: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Numbered:
    """One number, or several, with a choice for each way."""

    name: str
    scope: str
    number: str
    choices: tuple[Choice, ...]


class CardPages:
    """The routes of one subject."""

    def __init__(self, office: GrantOffice) -> None:
        self._office = office
        self._shell = office.shell
        self._allowances = Allowances(office)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{PLACE}/of/{{id}}", self.show),
            web.post(f"{PLACE}/of/{{id}}", self.change),
            web.post(f"{PLACE}/of/{{id}}/allowance", self.allow),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """What they may do."""
        self._shell.allow(request, Action.READ_PERMISSIONS)
        return await self._show(request, await self._office.scene(request))

    async def change(self, request: web.Request) -> web.Response:
        """Keep in mind what was chosen otherwise than it was shown, and show what it would do."""
        self._shell.allow(request, Action.MANAGE_PERMISSIONS)
        form, scene = await request.post(), await self._office.scene(request)
        row = self._row(request, scene)
        wanted = []
        for name, value in form.items():
            kind, _, place = name.partition(" ")
            if kind != "set" or str(value) == str(form.get(f"shown {place}", "")):
                continue
            try:
                way, scope, class_ = place.split(" ")
                cell = Cell(row.subject, Way(way), scope, "" if class_ == "-" else class_)
                wanted.append(Wanted(cell, CHOSEN[str(value)], CHOSEN[str(form.get(f"seen {place}"))]))
            except (ValueError, KeyError) as problem:
                raise web.HTTPBadRequest from problem
        try:
            await self._office.keep_in_mind(request, wanted)
        except Unsuitable as problem:
            return await self._show(request, scene, WRONG, wrong=self._office.explain(request, problem))
        raise web.HTTPSeeOther(f"{PLACE}/preview")

    async def allow(self, request: web.Request) -> web.Response:
        """Set how many segments they have a month."""
        who, scene = self._shell.allow(request, Action.MANAGE_PERMISSIONS), await self._office.scene(request)
        row = self._row(request, scene)
        about = row.public_id
        wrong = await self._allowances.put(request, who, row.subject.level, row.subject.id, about)
        if wrong is not None:
            return await self._show(request, scene, WRONG, limit=wrong)
        raise web.HTTPSeeOther(f"{PLACE}/of/{row.public_id}?done=allowance")

    def _row(self, request: web.Request, scene: Scene) -> Row:
        row = scene.roster.by_id.get(request.match_info["id"])
        if row is None:
            raise web.HTTPNotFound
        return row

    async def _show(
        self, request: web.Request, scene: Scene, status: int = 200, wrong: str = "", limit: Shown | None = None
    ) -> web.Response:
        row, say = self._row(request, scene), self._office.voice(request)
        window = read_window(request.query)
        columns = _columns(row, scene, window, "all" in request.query)
        account = next((one for one in scene.roster.accounts if one.public_id == row.public_id), None)
        level, id_ = row.subject.level, row.subject.id
        values = {
            "row": row,
            "name": _called(row, say),
            "account": account,
            "above": [(one, scene.name(one, say), scene.path(one)) for one in row.above if one != EVERYONE],
            "roles": [say(ROLE[role][0]) for role in sorted(account.roles)] if account else [],
            "numbers": [_numbered(row, column, window, scene, say) for column in columns[:NOT_SO_MANY]],
            "all": len(scene.roster.cards),
            "whole": "all" in request.query,
            "window": window,
            "may_change": self._office.may_change(request),
            "drafts": scene.drafts,
            "limit": limit or await self._allowances.of(level, id_),
            "wrong": wrong,
            "done": DONE.get(request.query.get("done", "")),
            "CHOICES": CHOICES,
            "KINDS": KINDS,
            "WAY_CHOICES": WAY_CHOICES,
            "members": [one for one in scene.roster.rows if one.above and one.above[-1] == row.subject and one.is_user],
        }
        html = self._shell.html(request, "permissions_card", **values)
        return web.Response(text=html, content_type="text/html", status=status)


ICONS = {Way.SEND: "up", Way.RECEIVE: "down", Way.BULK: "people", Way.MMS: "photo", Way.EXPORT: "out"}


def _called(row: Row, say: Say) -> str:
    return row.name if row.subject.level is not Level.EVERYONE else say(N_("Everyone"))


def _columns(row: Row, scene: Scene, window: Window, whole: bool) -> list[Column]:
    """All numbers and the groups first; then the numbers where something is allowed or set, or every one."""
    roster = scene.roster
    groups = [band.columns[0] for band in roster.bands if band.group]
    numbers = [column for _, column in roster.seek_numbers(window.numbers)]
    if whole or window.numbers:
        return [roster.all_numbers, *groups, *numbers] if not window.numbers else numbers
    return [roster.all_numbers, *groups, *(one for one in numbers if _matters(row.subject, one.scope, window, scene))]


def _matters(subject: Subject, scope: str, window: Window, scene: Scene) -> bool:
    """Whether a number is worth a line: something is allowed, or set, or in mind."""
    for way in window.ways:
        cell = Cell(subject, way, scope, window.class_of(way))
        if said_in(scene.after, cell) is not None or cell in scene.changes:
            return True
        if effective(scene.after, subject, way, scope, cell.class_).allowed:
            return True
    return False


def _numbered(row: Row, column: Column, window: Window, scene: Scene, say: Say) -> Numbered:
    choices = tuple(_choice(row, column, way, window.class_of(way), scene, say) for way in WAYS_SHOWN[window.way])
    return Numbered(column_name(column, say), column.scope, column.number, choices)


def _choice(row: Row, column: Column, way: Way, class_: str, scene: Scene, say: Say) -> Choice:
    cell = Cell(row.subject, way, column.scope, class_)
    right = effective(scene.after, row.subject, way, column.scope, class_)
    said = said_in(scene.after, cell)
    word, says = WAYS[way]
    return Choice(
        field=f"{way} {column.scope} {class_ or '-'}",
        word=say(word),
        icon=ICONS[way],
        legend=f"{say(says)}: {column_name(column, say)}",
        said=str(said or "inherit"),
        seen=str(said_in(scene.book, cell) or "inherit"),
        allowed=right.allowed,
        origin=right_in_full(right, way, column.scope, scene.after, say),
        changed=cell in scene.changes,
    )

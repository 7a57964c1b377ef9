"""Many at once: one right for all that match a filter, and the rights of one for others. The server works out whom."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from aiohttp import web

from ringback.core.department_tree import branches
from ringback.core.grants import CLASSES, SENDING, Subject, Way
from ringback.core.permissions import Action
from ringback.flow.granting import Unsuitable, Wanted, copied, for_all
from ringback.flow.roster import Column, Row
from ringback.panel.permissions_parts import CHOSEN, PLACE, WRONG, GrantOffice, Scene
from ringback.panel.permissions_window import Window, read_window, sought_of
from ringback.panel.permissions_words import CHOICES, KINDS, WAYS, column_name, row_name
from ringback.panel.words import N_

WHICH: Mapping[str, str] = {
    "people": N_("People"),
    "departments": N_("Departments"),
    "rows": N_("People and departments"),
}
NOBODY = N_("Nobody matches this filter.")
NO_NUMBER = N_("Choose one of our numbers, a group or all of them.")
NO_WAY = N_("Choose at least one right.")
NO_SOURCE = N_("Choose whose rights are copied.")
NO_TARGET = N_("Choose at least one who gets them, and not the same as those they are copied from.")
Again = Callable[[str], Awaitable[web.Response]]
"""Shows the form once more, with what is wrong."""
SAME = N_("They say so already, so there is nothing to change.")


class BulkPages:
    """The routes of bulk edits. What they work out goes among the changes somebody has in mind."""

    def __init__(self, office: GrantOffice) -> None:
        self._office = office
        self._shell = office.shell

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{PLACE}/bulk", self.show),
            web.post(f"{PLACE}/bulk", self.change),
            web.get(f"{PLACE}/copy", self.show_copy),
            web.post(f"{PLACE}/copy", self.copy),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """The form for all that match."""
        self._shell.allow(request, Action.MANAGE_PERMISSIONS)
        return await self._bulk(request)

    async def change(self, request: web.Request) -> web.Response:
        """Have one right in mind for all that match."""
        self._shell.allow(request, Action.MANAGE_PERMISSIONS)
        form, scene = await request.post(), await self._office.scene(request)
        scope, effect = str(form.get("number", "")), str(form.get("effect", ""))
        class_ = kind if (kind := str(form.get("class", ""))) in CLASSES else ""
        ways = [Way(str(way)) for way in form.getall("right", []) if way in set(Way)]
        subjects = [row.subject for row in _matching(scene, read_window(request.query), str(form.get("which", "")))]
        if scene.roster.column_of(scope) is None or effect not in CHOSEN:
            return await self._bulk(request, "number", NO_NUMBER)
        if not ways:
            return await self._bulk(request, "right", NO_WAY)
        if not subjects:
            return await self._bulk(request, "which", NOBODY)
        places = [(way, scope, class_ if way in SENDING else "") for way in ways]
        wanted = for_all(subjects, places, CHOSEN[effect], scene.book)
        return await self._keep(request, wanted, partial(self._bulk, request, "right"))

    async def show_copy(self, request: web.Request) -> web.Response:
        """The form that copies."""
        self._shell.allow(request, Action.MANAGE_PERMISSIONS)
        return await self._copy(request)

    async def copy(self, request: web.Request) -> web.Response:
        """Have in mind that others say what one says, and nothing else."""
        self._shell.allow(request, Action.MANAGE_PERMISSIONS)
        form, scene = await request.post(), await self._office.scene(request)
        source = scene.roster.by_id.get(str(form.get("from", "")))
        if source is None:
            return await self._copy(request, "from", NO_SOURCE)
        targets = _rows([str(one) for one in form.getall("to", [])], scene)
        targets = [one for one in targets if one != source.subject]
        if not targets:
            return await self._copy(request, "to", NO_TARGET)
        return await self._keep(
            request, copied(source.subject, targets, scene.book), partial(self._copy, request, "to")
        )

    async def _keep(self, request: web.Request, wanted: Sequence[Wanted], again: "Again") -> web.Response:
        if not wanted:
            return await again(SAME)
        try:
            await self._office.keep_in_mind(request, wanted)
        except Unsuitable as problem:
            return await again(self._office.explain(request, problem))
        raise web.HTTPSeeOther(f"{PLACE}/preview")

    async def _bulk(self, request: web.Request, field: str = "", why: str = "") -> web.Response:
        scene, window, say = await self._office.scene(request), read_window(request.query), self._office.voice(request)
        values = {
            "window": window,
            "counts_of": {which: len(_matching(scene, window, which)) for which in WHICH},
            "departments": branches(scene.book.departments),
            "columns": _columns(scene),
            "column_words": {one.scope: column_name(one, say) for one in _columns(scene)},
            "typed": await request.post() if request.method == "POST" else {},
            "field": field,
            "why": why,
            "WHICH": WHICH,
            "WAYS": WAYS,
            "KINDS": KINDS,
            "CHOICES": CHOICES,
        }
        return self._page(request, "permissions_bulk", values, field)

    async def _copy(self, request: web.Request, field: str = "", why: str = "") -> web.Response:
        scene, say = await self._office.scene(request), self._office.voice(request)
        chosen = set(request.query.get("to", "").split("."))
        form = await request.post() if request.method == "POST" else None
        if form is not None:
            chosen = {str(one) for one in form.getall("to", [])}
        values = {
            "rows": [(row, row_name(row, say)) for row in scene.roster.rows],
            "chosen": chosen,
            "source": str(form.get("from", "")) if form is not None else request.query.get("from", ""),
            "field": field,
            "why": why,
        }
        return self._page(request, "permissions_copy", values, field)

    def _page(self, request: web.Request, template: str, values: Mapping[str, object], field: str) -> web.Response:
        html = self._shell.html(request, template, **values)
        return web.Response(text=html, content_type="text/html", status=WRONG if field else 200)


def _matching(scene: Scene, window: Window, which: str) -> list[Row]:
    """Whom a filter finds, folded departments and all."""
    sought = sought_of(
        scene.roster, Window(window.words, department=window.department, only=window.only), scene.changes
    )
    found = scene.roster.seek(sought)
    if which == "people":
        return [row for row in found if row.is_user]
    if which == "departments":
        return [row for row in found if not row.is_user and row.depth]
    return [row for row in found if row.depth]


def _rows(ids: Sequence[str], scene: Scene) -> list[Subject]:
    return [scene.roster.by_id[one].subject for one in ids if one in scene.roster.by_id]


def _columns(scene: Scene) -> list[Column]:
    return [scene.roster.all_numbers, *(column for band in scene.roster.bands for column in band.columns)]

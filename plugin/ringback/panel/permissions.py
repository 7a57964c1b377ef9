"""The permission matrix: who may send and receive texts on which number, and the changes somebody has in mind."""

from dataclasses import replace

from aiohttp import web

from ringback.core.department_tree import branches
from ringback.core.permissions import Action
from ringback.flow.granting import Unsuitable, for_all
from ringback.flow.overlay import Impact, impact
from ringback.panel.permissions_grid import Grid
from ringback.panel.permissions_parts import CHOSEN, PLACE, WRONG, GrantOffice, Scene, Unread, read_cell
from ringback.panel.permissions_window import View, Window, look, read_window
from ringback.panel.permissions_words import CHOICES, KINDS, WAY_CHOICES, WAYS, column_name
from ringback.panel.words import N_

HERE = {"": N_("All rows"), "set": N_("Only where something is set"), "changed": N_("Only changes")}
DONE = {
    "dropped": N_("Your changes are dropped. Nothing was applied."),
    "nothing": N_("There was nothing to apply: everything says so already."),
    "undone": N_("Taken back. It is as it was before."),
    "undone-partly": N_("Taken back, but for what was changed again since. The history shows what stands."),
}


class PermissionPages:
    """The routes of the matrix itself."""

    def __init__(self, office: GrantOffice) -> None:
        self._office = office
        self._shell = office.shell

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(PLACE, self.index),
            web.post(f"{PLACE}/draft", self.draft),
            web.post(f"{PLACE}/drop", self.drop),
            web.post(f"{PLACE}/everyone", self.everyone),
        ]

    async def index(self, request: web.Request) -> web.Response:
        """The part of the matrix that the address names."""
        self._shell.allow(request, Action.READ_PERMISSIONS)
        window, scene = read_window(request.query), await self._office.scene(request)
        return web.Response(text=self._html(request, "permissions", window, scene), content_type="text/html")

    async def draft(self, request: web.Request) -> web.Response:
        """Keep changes in mind; answers with the part of the page that shows them."""
        self._shell.allow(request, Action.MANAGE_PERMISSIONS)
        form = await request.post()
        roster, cells = await self._office.roster(), [str(cell) for cell in form.getall("cell", [])]
        try:
            wanted = [read_cell(text, roster) for text in cells]
        except Unread as problem:
            raise web.HTTPBadRequest from problem
        try:
            await self._office.keep_in_mind(request, wanted)
        except Unsuitable as problem:
            return web.Response(text=self._office.explain(request, problem), status=WRONG)
        window, scene = read_window(request.query), await self._office.scene(request)
        return web.Response(text=self._html(request, "permissions_live", window, scene), content_type="text/html")

    async def drop(self, request: web.Request) -> web.Response:
        """Forget all that whoever asks has in mind."""
        who = self._shell.allow(request, Action.MANAGE_PERMISSIONS)
        if who.account is not None:
            account = who.account
            await self._office.commit(lambda tx: tx.grants.drop_drafts(account))
        window = replace(read_window(request.query), only="")
        raise web.HTTPSeeOther(f"{PLACE}{window.query(done='dropped')}")

    async def everyone(self, request: web.Request) -> web.Response:
        """Have in mind that everyone may send and receive on every number, and show what that would do."""
        self._shell.allow(request, Action.MANAGE_PERMISSIONS)
        scene = await self._office.scene(request)
        everyone, scope = scene.roster.rows[0].subject, scene.roster.all_numbers.scope
        places = [(way, scope, "") for way in Window().ways]
        wanted = for_all([everyone], places, CHOSEN["allow"], scene.book)
        await self._office.keep_in_mind(request, wanted)
        raise web.HTTPSeeOther(f"{PLACE}/preview")

    def _html(self, request: web.Request, template: str, window: Window, scene: Scene) -> str:
        return self._shell.html(request, template, **self._values(request, window, scene))

    def _values(self, request: web.Request, window: Window, scene: Scene) -> dict[str, object]:
        say, changes = self._office.voice(request), scene.changes
        view = look(scene.roster, window, changes)
        grid = Grid(scene.book, scene.after, changes, say)
        lines = grid.lines(view)
        groups = sorted(scene.book.groups.values(), key=lambda one: one.name.casefold())
        return {
            "window": window,
            "view": view,
            "lines": lines,
            "origins": grid.origins,
            "may_change": self._office.may_change(request),
            "drafts": scene.drafts,
            "impact": impact_of(scene),
            "departments": branches(scene.book.departments),
            "groups": groups,
            "nobody": not scene.book.grants,
            "heads": [[(column, column_name(column, say)) for column in band.columns] for band in view.bands],
            "ways": [(way, *WAYS[way]) for way in window.ways],
            "WAY_CHOICES": WAY_CHOICES,
            "KINDS": KINDS,
            "CHOICES": CHOICES,
            "HERE": HERE,
            "last_row": last_row(view),
            "last_col": min(view.col + window.cols, view.all_numbers),
            "done": DONE.get(request.query.get("done", "")),
            "batch": request.query.get("batch", ""),
            "at": f"{PLACE}{window.query()}",
        }


def last_row(view: View) -> int:
    """The place of the last row that is shown."""
    return min(view.start + view.window.rows, len(view.found))


def impact_of(scene: Scene) -> Impact:
    """Whom what somebody has in mind would reach."""
    if not scene.drafts:
        return Impact(frozenset(), frozenset())
    return impact(scene.book, scene.after, scene.changes)

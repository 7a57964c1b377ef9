"""People from files and from the PBX: first a preview of what would change, then all of it or nothing; and people as
a file."""

import asyncio
from functools import partial

from aiohttp import web

from ringback.core.people_rows import Column, read_rows
from ringback.core.permissions import Action
from ringback.core.plurals import count_of
from ringback.errors import PbxAway
from ringback.flow.importing_people import Faulty, Ready, import_people
from ringback.flow.imports import FILE, Begun, Imports, origin_of_pbx, readable, sheet_of_pbx
from ringback.flow.planning_people import Known, Merge, Origin, Plan, row_of
from ringback.flow.recordkeeping import note_export
from ringback.panel.door import WRONG_FORM, Wrong, read_form
from ringback.panel.people_parts import Registry, departments_of, read_asked
from ringback.panel.words import N_
from ringback.ports.directory import AskPbx
from ringback.sheets import BadSheet, read_sheet, write_csv, write_xlsx

SHOWN = 500
"""Lines of each kind that a preview shows."""
A_TIME = 500
DONE = N_("Done. Everything below is stored.")
NO_FILE = N_("Choose a file.")
AWAY = N_("The PBX does not answer now. Health says why.")
GONE = N_("This preview has run out, or is somebody else's. Begin again.")
WHAT = {
    "login": N_("Login"),
    "name": N_("Name"),
    "extension": N_("Extension"),
    "endpoint": N_("Endpoint"),
    "mail": N_("Mail"),
    "mobile": N_("Mobile"),
    "roles": N_("Role"),
    "departments": N_("Departments"),
    "language": N_("Language"),
}
"""What each column is called on a page."""
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class PeopleFiles:
    """The routes under /users/import, and /users/export."""

    def __init__(self, registry: Registry, pbxs: AskPbx, imports: Imports) -> None:
        self._registry = registry
        self._pbxs = pbxs
        self._imports = imports
        self._door = registry.door
        self._shell = registry.door.shell

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/users/export", self.export),
            web.get("/users/import", self.choose),
            web.post("/users/import", self.begin),
            web.get("/users/import/{id}", self.preview),
            web.post("/users/import/{id}", self.apply),
        ]

    async def choose(self, request: web.Request) -> web.Response:
        """Where from."""
        self._shell.allow(request, Action.MANAGE_USERS)
        return self._choose(request)

    async def begin(self, request: web.Request) -> web.Response:
        """Read a file, or ask a PBX."""
        who = self._shell.allow(request, Action.MANAGE_USERS)
        (pbx,) = await read_form(request, "pbx")
        try:
            token = await (self._ask(pbx, who.label) if pbx else self._read(request, who.label))
        except Wrong as wrong:
            return self._choose(request, wrong)
        raise web.HTTPSeeOther(f"/users/import/{token}")

    async def _read(self, request: web.Request, by: str) -> str:
        chosen = (await request.post()).get("file")
        if not isinstance(chosen, web.FileField) or not chosen.filename:
            raise Wrong("file", NO_FILE)
        with chosen.file as file:
            data = await asyncio.to_thread(file.read)
        try:
            sheet = await asyncio.to_thread(lambda: read_rows(read_sheet(data)))
        except BadSheet as problem:
            raise Wrong("file", problem.why, problem.values) from problem
        languages = self._shell.pages().languages.codes()
        return self._imports.begin(sheet, Origin(FILE, Merge.SAYS, self._registry.country, languages), by)

    async def _ask(self, pbx: str, by: str) -> str:
        if pbx not in self._pbxs:
            raise web.HTTPNotFound
        try:
            asked = readable(await self._pbxs[pbx]())
        except PbxAway as problem:
            raise Wrong("pbx", AWAY) from problem
        origin = origin_of_pbx(pbx, self._registry.country)
        return self._imports.begin(sheet_of_pbx(asked), origin, by, asked)

    async def preview(self, request: web.Request) -> web.Response:
        """What would change, line by line."""
        begun = self._begun(request)
        if begun is None:
            return self._choose(request, Wrong("file", GONE))
        return await self._show(request, begun, (await self._ready(begun)).plan)

    async def apply(self, request: web.Request) -> web.Response:
        """All of it, or nothing."""
        begun = self._begun(request)
        if begun is None:
            return self._choose(request, Wrong("file", GONE))
        now, ready = self._door.clock.now(), await self._ready(begun)
        step = partial(import_people, begun.sheet, begun.origin, begun.by, now, ready=ready)
        try:
            plan = await self._door.change(step)
        except Faulty as faulty:
            return await self._show(request, begun, faulty.plan, status=WRONG_FORM)
        except Wrong as wrong:
            return await self._show(request, begun, (await self._ready(begun)).plan, wrong, WRONG_FORM)
        self._imports.end(request.match_info["id"])
        return await self._show(request, begun, plan, done=DONE)

    def _begun(self, request: web.Request) -> Begun | None:
        who = self._shell.allow(request, Action.MANAGE_USERS)
        return self._imports.of(request.match_info["id"], who.label)

    async def _ready(self, begun: Begun) -> Ready:
        people, book = await self._door.people.everybody(), await self._registry.permits.book()
        # a number is read in some microseconds, and there may be thousands
        return await asyncio.to_thread(Ready.make, begun.sheet, begun.origin, Known(people, book))

    async def _show(
        self,
        request: web.Request,
        begun: Begun,
        plan: Plan,
        wrong: Wrong | None = None,
        status: int = 200,
        done: str = "",
    ) -> web.Response:
        values = {
            "begun": begun,
            "plan": plan,
            "new": plan.new[:SHOWN],
            "changed": plan.changed[:SHOWN],
            "troubles": plan.troubles[:SHOWN],
            "token": request.match_info["id"],
            "wrong": wrong,
            "done": done,
            "WHAT": WHAT,
        }
        return self._shell.page(request, "people_preview", status=status, **values)

    def _choose(self, request: web.Request, wrong: Wrong | None = None) -> web.Response:
        values = {"pbxs": sorted(self._pbxs), "columns": list(Column), "wrong": wrong}
        return self._shell.page(request, "people_import", status=WRONG_FORM if wrong else 200, **values)

    async def export(self, request: web.Request) -> web.StreamResponse:
        """Those a list shows, as CSV or XLSX, in the columns that an import reads. It stands in the record first."""
        who = self._shell.allow(request, Action.MANAGE_USERS)
        self._shell.allow(request, Action.EXPORT)
        kind = request.query.get("format", "csv")
        if kind not in TYPES:
            raise web.HTTPNotFound
        rows = await self._rows(request)
        detail = f"{kind}, {count_of(len(rows) - 1, 'line')}"
        await self._door.store.commit(partial(note_export, who, "people", detail, self._door.clock.now()))
        body = await asyncio.to_thread(write_xlsx, rows, "people") if kind == "xlsx" else b"".join(write_csv(rows))
        headers = {"Content-Disposition": f'attachment; filename="people.{kind}"', "Content-Type": TYPES[kind]}
        return web.Response(body=body, headers=headers)

    async def _rows(self, request: web.Request) -> list[list[str]]:
        asked, book = read_asked(request), await self._registry.permits.book()
        rows: list[list[str]] = [[str(column) for column in Column]]
        after = ""
        while True:
            page = await self._registry.directory.page(asked.sought(book), after, A_TIME)
            rows += [row_of(one, departments_of(book, one.id)) for one in page.people]
            after = page.after
            if not after:
                return rows

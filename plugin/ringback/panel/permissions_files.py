"""Grants as CSV and XLSX, out and in. What comes in is looked at line by line, and is taken whole or not at all."""

import asyncio
from collections.abc import Iterable

from aiohttp import web

from ringback.core.permissions import Action
from ringback.flow import grant_files
from ringback.flow.grant_files import HEAD, MOST_FAULTS, Plan
from ringback.flow.granting import Unsuitable
from ringback.panel.permissions_parts import PLACE, WRONG, GrantOffice
from ringback.panel.permissions_window import WAYS_SHOWN
from ringback.panel.permissions_words import WAY_CHOICES
from ringback.panel.words import N_
from ringback.sheets import BadSheet, read_sheet, write_csv, write_xlsx

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NO_FILE = N_("Choose a file first: CSV or XLSX.")


class FilePages:
    """The routes of files."""

    def __init__(self, office: GrantOffice) -> None:
        self._office = office
        self._shell = office.shell

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{PLACE}/files", self.show),
            web.get(f"{PLACE}/export", self.export),
            web.post(f"{PLACE}/import", self.take),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """Both ways."""
        self._shell.allow(request, Action.READ_PERMISSIONS)
        return self._page(request)

    async def export(self, request: web.Request) -> web.Response:
        """Every grant, or with `effective` what everybody may do in effect. It stands in the record before it goes."""
        who = self._shell.allow(request, Action.EXPORT)
        self._shell.allow(request, Action.READ_PERMISSIONS)
        roster = await self._office.roster()
        kind = "xlsx" if request.query.get("as") == "xlsx" else "csv"
        ways = WAYS_SHOWN.get(request.query.get("way", ""), WAYS_SHOWN["both"])
        effective = "effective" in request.query
        rows = grant_files.write_effective(roster, ways) if effective else grant_files.write(roster)
        body = await asyncio.to_thread(_as_file, rows, kind)
        what = "rights" if effective else "grants"
        now = self._office.clock.now()
        await self._office.store.commit(lambda tx: tx.audit.note(who.label, "grant_export", what, kind, now))
        headers = {"Content-Disposition": f'attachment; filename="{what}.{kind}"'}
        return web.Response(body=body, content_type=XLSX if kind == "xlsx" else "text/csv", headers=headers)

    async def take(self, request: web.Request) -> web.Response:
        """Have in mind what a file wants, or say line by line what is wrong with it."""
        self._shell.allow(request, Action.MANAGE_PERMISSIONS)
        chosen = (await request.post()).get("file")
        if not isinstance(chosen, web.FileField) or not chosen.filename:
            return self._page(request, problem=self._shell.say(request, NO_FILE))
        with chosen.file as file:
            data = await asyncio.to_thread(file.read)
        roster = await self._office.roster()
        try:
            table = await asyncio.to_thread(read_sheet, data)
        except BadSheet as problem:
            return self._page(request, problem=self._shell.say(request, problem.why, **problem.values))
        plan = await asyncio.to_thread(grant_files.read, table, roster)
        if plan.wrong or not plan.wanted:
            return self._page(request, plan=plan, name=chosen.filename)
        try:
            await self._office.keep_in_mind(request, plan.wanted)
        except Unsuitable as problem:
            return self._page(request, problem=self._office.explain(request, problem))
        raise web.HTTPSeeOther(f"{PLACE}/preview")

    def _page(self, request: web.Request, problem: str = "", plan: Plan | None = None, name: str = "") -> web.Response:
        values: dict[str, object] = {
            "problem": problem,
            "plan": plan,
            "name": name,
            "head": HEAD,
            "most": MOST_FAULTS,
            "FAULTS": grant_files.SENTENCES,
            "WAY_CHOICES": WAY_CHOICES,
            "may_change": self._office.may_change(request),
        }
        html = self._shell.html(request, "permissions_files", **values)
        status = WRONG if problem or (plan and plan.wrong) else 200
        return web.Response(text=html, content_type="text/html", status=status)


def _as_file(rows: Iterable[list[str]], kind: str) -> bytes:
    return write_xlsx(rows, "Ringback") if kind == "xlsx" else b"".join(write_csv(rows))

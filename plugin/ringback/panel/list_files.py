"""Lists from files and as files: first a preview that says what is wrong line by line, then all of it or nothing."""

import asyncio
import zlib
from collections.abc import Callable
from datetime import tzinfo
from itertools import islice

from aiohttp import web

from ringback.core.list_rows import Listing, Reading
from ringback.core.numbers import Number
from ringback.core.permissions import Action
from ringback.flow.list_files import Uploads, faults_as_rows, read_file, rows_of, source_of
from ringback.flow.list_keeping import ListKeeper, Plan
from ringback.panel import list_words as words
from ringback.panel.doing import done
from ringback.panel.door import WRONG_FORM, Wrong, read_form
from ringback.panel.lists import HERE, list_of
from ringback.panel.shell import Shell
from ringback.panel.words import legible
from ringback.ports import Clock
from ringback.ports.lists import ListName
from ringback.sheets import BadSheet, write_csv, write_xlsx

SHOWN = 200
"""Faults that a page shows; all of them are in the file beside."""
MOST_OF_XLSX = 100_000
"""A workbook is made whole in memory."""
CSV, XLSX = "text/csv; charset=utf-8", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ListFiles:
    """The routes under /lists that bring files and take them away."""

    def __init__(
        self, shell: Shell, keeper: ListKeeper, typed: Callable[[str], Number], zone: tzinfo, clock: Clock
    ) -> None:
        self._shell = shell
        self._keeper = keeper
        self._typed = typed
        self._zone = zone
        self._clock = clock
        self._uploads = Uploads(clock)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{HERE}/{{list}}/import", self.choose),
            web.post(f"{HERE}/{{list}}/import", self.preview),
            web.post(f"{HERE}/{{list}}/apply", self.apply),
            web.get(f"{HERE}/{{list}}/faults", self.faults),
            web.get(f"{HERE}/{{list}}/export", self.export),
        ]

    async def choose(self, request: web.Request) -> web.Response:
        """Which file."""
        self._shell.allow(request, Action.MANAGE_LISTS)
        return self._page(request, list_of(request))

    async def preview(self, request: web.Request) -> web.Response:
        """What the file would change, and what is wrong with it. Nothing is stored yet."""
        who, list_ = self._shell.allow(request, Action.MANAGE_LISTS), list_of(request)
        chosen = (await request.post()).get("file")
        if not isinstance(chosen, web.FileField) or not chosen.filename:
            return self._page(request, list_, WRONG_FORM, wrong=Wrong("file", words.NO_FILE))
        with chosen.file as file:
            data = await asyncio.to_thread(file.read)
        try:
            listing = await self._read(data)
        except BadSheet as problem:
            return self._page(request, list_, WRONG_FORM, wrong=Wrong("file", problem.why, problem.values))
        packed = await asyncio.to_thread(zlib.compress, data)
        token = self._uploads.keep(list_, source_of(chosen.filename), packed, who.label)
        plan = await self._keeper.plan(list_, listing)
        return self._page(request, list_, plan=plan, token=token, name=chosen.filename)

    async def apply(self, request: web.Request) -> web.Response:
        """Carry it out: all of it. A file that anything is wrong with is not offered, and not taken either."""
        who, list_ = self._shell.allow(request, Action.MANAGE_LISTS), list_of(request)
        (token,) = await read_form(request, "token")
        upload = self._uploads.of(token, list_, who.label)
        if upload is None:
            return self._page(request, list_, WRONG_FORM, wrong=Wrong("file", words.GONE))
        listing = await self._read(upload.data)
        if listing.troubles:
            return self._page(
                request, list_, WRONG_FORM, plan=await self._keeper.plan(list_, listing), name=upload.name
            )
        did = await done(self._keeper.bring_in(who, list_, listing.rows, upload.name))
        self._uploads.end(token)
        return self._page(request, list_, did=did)

    async def faults(self, request: web.Request) -> web.Response:
        """Everything that is wrong with a file, as a table."""
        who, list_ = self._shell.allow(request, Action.MANAGE_LISTS), list_of(request)
        upload = self._uploads.of(request.query.get("token", ""), list_, who.label)
        if upload is None:
            return self._page(request, list_, WRONG_FORM, wrong=Wrong("file", words.GONE))
        listing = await self._read(upload.data)
        rows = await asyncio.to_thread(lambda: b"".join(write_csv(faults_as_rows(listing.troubles))))
        return web.Response(body=rows, headers=_as_file(f"faults-{list_}.csv", CSV))

    async def export(self, request: web.Request) -> web.StreamResponse:
        """A list as CSV, row by row as it is read, or as XLSX."""
        who, list_ = self._shell.allow(request, Action.EXPORT), list_of(request)
        self._shell.allow(request, Action.READ_LISTS)
        await done(self._keeper.note_export(who, list_, request.query.get("format", "")))
        if request.query.get("format") == "xlsx":
            return await self._workbook(request, list_)
        answer = web.StreamResponse(headers=_as_file(f"{list_}.csv", CSV))
        await answer.prepare(request)
        skip = 0
        async for rows in rows_of(self._keeper.read, list_):
            # the mark that says UTF-8 stands once, at the start
            await answer.write(b"".join(islice(write_csv(rows), skip, None)))
            skip = 1
        await answer.write_eof()
        return answer

    async def _workbook(self, request: web.Request, list_: ListName) -> web.Response:
        rows: list[list[str]] = []
        async for more in rows_of(self._keeper.read, list_):
            rows += more
            if len(rows) > MOST_OF_XLSX:
                return self._page(request, list_, WRONG_FORM, wrong=Wrong("file", words.TOO_MANY_FOR_XLSX))
        return web.Response(
            body=await asyncio.to_thread(write_xlsx, rows, str(list_)), headers=_as_file(f"{list_}.xlsx", XLSX)
        )

    async def _read(self, data: bytes) -> Listing:
        return await asyncio.to_thread(read_file, data, Reading(self._typed, self._zone, self._clock.now()))

    def _page(
        self,
        request: web.Request,
        list_: ListName,
        status: int = 200,
        *,
        plan: Plan | None = None,
        **more: object,
    ) -> web.Response:
        values = {"wrong": None, "token": "", "name": "", "did": None} | more
        troubles = [
            (one, {place: legible(word) for place, word in one.values.items()})
            for one in (plan.listing.troubles[:SHOWN] if plan else ())
        ]
        return self._shell.page(
            request, "list_import", status=status, which=list_, plan=plan, troubles=troubles, W=words, **values
        )


def _as_file(name: str, content_type: str) -> dict[str, str]:
    return {"Content-Type": content_type, "Content-Disposition": f'attachment; filename="{name}"'}

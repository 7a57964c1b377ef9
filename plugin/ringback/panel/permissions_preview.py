"""What somebody has in mind, before it holds: where, before and after, how many people. Then it is applied at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256

from aiohttp import web

from ringback.core.book import Book
from ringback.core.grants import Effect, Level, Subject
from ringback.core.permissions import Action
from ringback.flow.granting import Applied, Meanwhile, Unsuitable, apply, conflicts, own_loss, undo, wanted_of
from ringback.flow.overlay import Impact, Reckoner, effective, said_in
from ringback.panel.permissions_parts import PLACE, WRONG, GrantOffice, Scene
from ringback.panel.permissions_window import read_count
from ringback.panel.permissions_words import BECAME, BECAME_CLASS, KINDS, WAYS, Say, origin_in_words
from ringback.panel.shell import VISIT
from ringback.panel.words import N_
from ringback.ports.grants import Change, Draft
from ringback.ports.storage import Tx

AT_ONCE = 100
MOVED = N_("Something changed since you looked. Here is what it would do now; nothing was applied.")


@dataclass(frozen=True, slots=True)
class Line:
    """One change as it is shown. `now` is what somebody else made of the cell meanwhile, `last` when and who."""

    who: str
    numbers: str
    way: str
    kind: str
    before: str
    after: str
    effect: Effect | None
    people: int
    moved: bool
    now: Effect | None
    last: Change | None
    author: str


@dataclass(frozen=True, slots=True)
class Moved:
    """What would be applied is not what was shown."""


class PreviewPages:
    """The routes that show, apply and take back changes."""

    def __init__(self, office: GrantOffice) -> None:
        self._office = office
        self._shell = office.shell

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{PLACE}/preview", self.show),
            web.post(f"{PLACE}/apply", self.apply),
            web.post(f"{PLACE}/undo", self.undo),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """What would be true after applying; with `part` only what a dialog needs."""
        self._shell.allow(request, Action.MANAGE_PERMISSIONS)
        return await self._show(request, moved=MOVED if "moved" in request.query else "")

    async def _show(self, request: web.Request, status: int = 200, **more: object) -> web.Response:
        scene, say = await self._office.scene(request), self._office.voice(request)
        template = "permissions_changes" if "part" in request.query else "permissions_preview"
        values = await self._values(request, scene, say)
        html = self._shell.html(request, template, **{"moved": "", "wrong": "", "note": "", **values, **more})
        return web.Response(text=html, content_type="text/html", status=status)

    async def _values(self, request: web.Request, scene: Scene, say: Say) -> dict[str, object]:
        page = read_count(request.query.get("page", ""), 0, len(scene.drafts))
        start = min(page * AT_ONCE, max(0, len(scene.drafts) - 1) // AT_ONCE * AT_ONCE)
        reckoner = Reckoner(scene.book, scene.after)
        total = reckoner.of(scene.changes)
        last = await self._office.commit(partial(_last, scene.drafts))
        lines = [_line(draft, scene, reckoner, last, say) for draft in scene.drafts[start : start + AT_ONCE]]
        account = next((one for one in scene.roster.accounts if one.id == request[VISIT].principal.account), None)
        return {
            "lines": lines,
            "drafts": scene.drafts,
            "start": start,
            "at_once": AT_ONCE,
            "impact": total,
            "moves": sum(said_in(scene.book, one.cell) not in (one.seen, one.effect) for one in scene.drafts),
            "own": own_loss(wanted_of(scene.drafts), account),
            "open": self._open(total, scene, say),
            "in_dialog": "part" in request.query,
            "digest": digest(scene.drafts, scene.book),
            "BECAME": BECAME,
            "BECAME_CLASS": BECAME_CLASS,
        }

    def _open(self, total: Impact, scene: Scene, say: Say) -> list[str]:
        """Who is looking at a page now and may do less afterwards."""
        watching = sorted(total.lose & self._office.watching())
        return [scene.name(Subject(Level.USER, one), say) for one in watching]

    async def apply(self, request: web.Request) -> web.Response:
        """Have it hold: all of it or nothing, and only what was shown."""
        who, form = self._shell.allow(request, Action.MANAGE_PERMISSIONS), await request.post()
        if who.account is None:
            raise web.HTTPForbidden
        note, shown = str(form.get("note", "")), str(form.get("digest", ""))
        meanwhile = Meanwhile.GO_OVER if "over" in form else Meanwhile.ASK
        step = partial(_apply, who.account, shown, note, who.label, self._office.clock.now(), meanwhile)
        try:
            done = await self._office.commit(step)
        except Unsuitable as problem:
            return await self._show(request, WRONG, wrong=self._office.explain(request, problem), note=note)
        if isinstance(done, Moved) or done.conflicts:
            raise web.HTTPSeeOther(f"{PLACE}/preview?moved=1")
        raise web.HTTPSeeOther(f"{PLACE}?batch={done.batch}" if done.batch else f"{PLACE}?done=nothing")

    async def undo(self, request: web.Request) -> web.Response:
        """Take back what was applied a moment ago."""
        who, form = self._shell.allow(request, Action.MANAGE_PERMISSIONS), await request.post()
        step = partial(undo, str(form.get("batch", "")), who.label, self._office.clock.now())
        try:
            done = await self._office.commit(step)
        except Unsuitable as problem:
            return self._shell.page(
                request, "permissions_not_undone", status=WRONG, why=self._office.explain(request, problem)
            )
        raise web.HTTPSeeOther(f"{PLACE}?done={'undone-partly' if done.kept else 'undone'}")


def digest(drafts: Sequence[Draft], book: Book) -> str:
    """What somebody saw of changes: what each wants, and what holds now."""
    seen = [(draft.cell, draft.effect, said_in(book, draft.cell)) for draft in drafts]
    return sha256(
        repr([tuple(map(str, (*cell.subject, *cell[1:], *more))) for cell, *more in seen]).encode()
    ).hexdigest()


def _apply(
    account: int, shown: str, note: str, by: str, now: datetime, meanwhile: Meanwhile, tx: Tx
) -> Applied | Moved:
    drafts = tx.grants.drafts(account)
    if digest(drafts, tx.grants.book()) != shown:
        return Moved()
    done = apply(wanted_of(drafts), note, by, now, tx, meanwhile)
    if not done.conflicts:
        tx.grants.drop_drafts(account)
    return done


def _last(drafts: Sequence[Draft], tx: Tx) -> dict[object, Change | None]:
    found = conflicts(wanted_of(drafts), tx.grants.book(), tx)
    return {one.wanted.cell: one.last for one in found}


def _line(draft: Draft, scene: Scene, reckoner: Reckoner, moved: dict[object, Change | None], say: Say) -> Line:
    cell, last = draft.cell, moved.get(draft.cell)
    return Line(
        who=scene.name(cell.subject, say),
        numbers=scene.numbers(cell.scope, say),
        way=say(WAYS[cell.way][1]),
        kind=say(KINDS[cell.class_]) if cell.class_ else "",
        before=in_effect(draft, scene.book, say),
        after=in_effect(draft, scene.after, say),
        effect=draft.effect,
        people=reckoner.of([cell]).people,
        moved=cell in moved,
        now=said_in(scene.book, cell),
        last=last,
        author=scene.author(last.by) if last else "",
    )


def in_effect(draft: Draft, book: Book, say: Say) -> str:
    """What a cell comes to, and where from."""
    cell = draft.cell
    right = effective(book, cell.subject, cell.way, cell.scope, cell.class_)
    return origin_in_words(right, cell.subject, said_in(book, cell), book, say)

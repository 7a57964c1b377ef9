"""What I may do: one's own rights in words, whom to ask for more, and a button that asks them."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from aiohttp import web

from ringback.core.grants import Level, Right, Subject, Way
from ringback.core.permissions import Action, Principal, Role
from ringback.core.tasks import TaskKind
from ringback.flow.overlay import effective, role_lets
from ringback.flow.roster import Column
from ringback.panel.door import read_form
from ringback.panel.permissions_allowances import Allowances
from ringback.panel.permissions_grid import right_in_full
from ringback.panel.permissions_parts import PLACE, WRONG, GrantOffice, Scene
from ringback.panel.permissions_words import WAYS, Say, column_name, row_name
from ringback.panel.words import N_, ROLE
from ringback.ports.storage import Tx

MOST_ASKED = 10
"""Whom to ask are named up to so many."""
LONGEST = 300
TOO_LONG = N_("Write what you need in three hundred characters or less.")
EMPTY = N_("Write what you need.")
DONE = {"asked": N_("Asked. The administrators see it among their tasks.")}


@dataclass(frozen=True, slots=True)
class Mine:
    """One number that whoever asks has to do with. `rights` are answers by way; `ask` names what can be asked for."""

    name: str
    scope: str
    rights: tuple[tuple[str, bool, str], ...]
    ask: tuple[tuple[Way, str], ...]


class MinePages:
    """The routes of one's own rights."""

    def __init__(self, office: GrantOffice) -> None:
        self._office = office
        self._shell = office.shell
        self._allowances = Allowances(office)

    def routes(self) -> list[web.RouteDef]:
        return [web.get(f"{PLACE}/mine", self.show), web.post(f"{PLACE}/ask", self.ask)]

    async def show(self, request: web.Request) -> web.Response:
        """What whoever asks may do."""
        who = self._shell.allow(request, Action.READ_OWN)
        return await self._show(request, who)

    async def ask(self, request: web.Request) -> web.Response:
        """Leave a task for the administrators."""
        who = self._shell.allow(request, Action.READ_OWN)
        way, scope, words = (text.strip() for text in await read_form(request, "way", "number", "words"))
        scene = await self._office.scene(request)
        asked = self._asked(request, who, scene, way, scope) if way else " ".join(words.split())
        if not asked or len(asked) > LONGEST:
            return await self._show(request, who, WRONG, EMPTY if not asked else TOO_LONG, words)
        now = self._office.clock.now()
        await self._office.commit(partial(_ask, who, asked, f"{way} {scope}" if way else asked, now))
        raise web.HTTPSeeOther(f"{PLACE}/mine?done=asked")

    def _asked(self, request: web.Request, who: Principal, scene: Scene, way: str, scope: str) -> str:
        """A request for one right, as long as it is for a number they know of."""
        say = self._office.voice(request)
        known = {one.scope: one for one in self._mine(who, scene, say)}
        if scope not in known or way not in set(Way):
            raise web.HTTPNotFound
        return f"{say(WAYS[Way(way)][1])}: {known[scope].name}"

    async def _show(
        self, request: web.Request, who: Principal, status: int = 200, wrong: str = "", words: str = ""
    ) -> web.Response:
        scene, say = await self._office.scene(request), self._office.voice(request)
        administrators = [
            row_name(row, say)
            for row in scene.roster.rows
            if row.is_user and Role.ADMINISTRATOR in scene.book.roles.get(row.subject.id, ())
        ]
        mine = self._mine(who, scene, say)
        values = {
            "mine": mine,
            "roles": [(say(ROLE[role][0]), say(ROLE[role][1])) for role in sorted(who.roles)],
            "departments": [scene.name(one, say) for level in _levels(who, scene) for one in level],
            "administrators": administrators[:MOST_ASKED],
            "limit": await self._allowances.of(Level.USER, who.account or 0),
            "wrong": wrong,
            "words": words,
            "done": DONE.get(request.query.get("done", "")),
        }
        html = self._shell.html(request, "permissions_mine", **values)
        return web.Response(text=html, content_type="text/html", status=status)

    def _mine(self, who: Principal, scene: Scene, say: Say) -> list[Mine]:
        """Only numbers with which they may do something: others they need not know of."""
        if who.account is None:
            return []
        subject = Subject(Level.USER, who.account)
        found = []
        for _, column in scene.roster.seek_numbers():
            rights = {way: effective(scene.book, subject, way, column.scope) for way in Way}
            if any(right.allowed for right in rights.values()):
                found.append(_one(who, column, rights, scene, say))
        return found


def _one(who: Principal, column: Column, rights: dict[Way, Right], scene: Scene, say: Say) -> Mine:
    told = tuple(
        (say(WAYS[way][0]), right.allowed, right_in_full(right, way, column.scope, scene.book, say))
        for way, right in rights.items()
    )
    ask = tuple(
        (way, say(WAYS[way][1])) for way, right in rights.items() if not right.allowed and role_lets(who.roles, way)
    )
    return Mine(column_name(column, say), column.scope, told, ask)


def _levels(who: Principal, scene: Scene) -> list[tuple[Subject, ...]]:
    """The departments they are in, without everyone."""
    return [] if who.account is None else list(scene.book.levels_of(who.account))[:-1]


def _ask(who: Principal, asked: str, about: str, now: datetime, tx: Tx) -> None:
    """The same is asked once a day."""
    tx.tasks.add(TaskKind.ASKED, now, f"{who.name}: {asked}", about=f"{who.id} {now:%Y-%m-%d} {about}")
    tx.audit.note(who.label, "permission_ask", who.id, asked, now)

"""One of our numbers: who has something set for it, how many may use it, and how much it may send a month."""

from dataclasses import dataclass

from aiohttp import web

from ringback.core.allowances import NUMBER
from ringback.core.grants import ALL_NUMBERS, Grant, Way
from ringback.core.head_count import Heads
from ringback.core.permissions import Action
from ringback.panel.permissions_allowances import Allowances, Shown
from ringback.panel.permissions_card import DONE
from ringback.panel.permissions_parts import PLACE, WRONG, GrantOffice, Scene
from ringback.panel.permissions_words import BECAME, BECAME_CLASS, KINDS, WAYS, Say, column_name
from ringback.panel.words import N_
from ringback.ports.grants import NumberCard

OWNER = N_("Owns the number")


@dataclass(frozen=True, slots=True)
class Said:
    """One grant that is about this number."""

    grant: Grant
    who: str
    path: str
    numbers: str
    way: str
    kind: str
    author: str


class NumberPages:
    """The routes of one number."""

    def __init__(self, office: GrantOffice) -> None:
        self._office = office
        self._shell = office.shell
        self._allowances = Allowances(office)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{PLACE}/number/{{number}}", self.show),
            web.post(f"{PLACE}/number/{{number}}/allowance", self.allow),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """Who may use it."""
        self._shell.allow(request, Action.READ_PERMISSIONS)
        return await self._show(request, await self._office.scene(request))

    async def allow(self, request: web.Request) -> web.Response:
        """Set how many segments it may send a month."""
        who, scene = self._shell.allow(request, Action.MANAGE_PERMISSIONS), await self._office.scene(request)
        card = _card(request, scene)
        wrong = await self._allowances.put(request, who, NUMBER, card.id, card.e164)
        if wrong is not None:
            return await self._show(request, scene, WRONG, wrong)
        raise web.HTTPSeeOther(f"{PLACE}/number/{card.e164}?done=allowance")

    async def _show(
        self, request: web.Request, scene: Scene, status: int = 200, limit: Shown | None = None
    ) -> web.Response:
        card, say, heads = _card(request, scene), self._office.voice(request), Heads(scene.book)
        column = scene.roster.column_of(card.e164)
        assert column is not None
        scopes = {card.e164, ALL_NUMBERS, f"group:{card.group}"}
        grants = [grant for grant in scene.book.grants if grant.scope in scopes]
        values = {
            "card": card,
            "name": column_name(column, say),
            "how_many": [(say(WAYS[way][1]), heads.allowed(way, card.e164)) for way in Way],
            "grants": sorted((_said(grant, scene, say) for grant in grants), key=lambda one: (one.who, one.way)),
            "limit": limit or await self._allowances.of(NUMBER, card.id, card.e164),
            "may_change": self._office.may_change(request),
            "done": DONE.get(request.query.get("done", "")),
            "BECAME": BECAME,
            "BECAME_CLASS": BECAME_CLASS,
            "OWNER": OWNER,
        }
        html = self._shell.html(request, "permissions_number", **values)
        return web.Response(text=html, content_type="text/html", status=status)


def _card(request: web.Request, scene: Scene) -> NumberCard:
    wanted = request.match_info["number"]
    found = next((card for card in scene.roster.cards if card.e164 == wanted), None)
    if found is None:
        raise web.HTTPNotFound
    return found


def _said(grant: Grant, scene: Scene, say: Say) -> Said:
    return Said(
        grant,
        scene.name(grant.subject, say),
        scene.path(grant.subject),
        scene.numbers(grant.scope, say),
        say(WAYS[grant.way][1]),
        say(KINDS[grant.class_]) if grant.class_ else "",
        scene.author(grant.set_by),
    )

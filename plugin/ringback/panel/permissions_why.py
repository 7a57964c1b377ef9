"""Why can somebody not text from a number? The answer, who was asked, and the smallest change that would alter it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from ringback.core.grants import ALL_NUMBERS, CLASSES, SENDING, Level, Way
from ringback.core.permissions import Action
from ringback.core.right_words import THEY
from ringback.flow.advice import Advice
from ringback.flow.granting import Unsuitable
from ringback.flow.overlay import role_lets
from ringback.flow.roster import Column, Row
from ringback.flow.why import Asked, Explained, Place, Remedy, explain
from ringback.panel import thread_words
from ringback.panel.permissions_grid import right_in_full
from ringback.panel.permissions_parts import PLACE, GrantOffice, Scene
from ringback.panel.permissions_words import BECAME, KINDS, WAYS, Say, column_name, row_name
from ringback.panel.words import N_, ROLE
from ringback.ports.people import Account

AskGates = Callable[[Account, str, str], Awaitable[Advice | None]]
"""What every gate would say to a text of this account, from this number of ours, to somebody; None for no number."""
MOST_CHOICES = 20

SAYS = {"allow": N_("allow"), "deny": N_("deny")}
PLACES = {
    Place.DECIDES: N_("This decides."),
    Place.SECOND: N_("Said at the same level; a denial there outranks it, or it says the same."),
    Place.BEYOND: N_("Not reached: something nearer decided."),
    Place.SILENT: N_("Nothing set."),
}
LOOKS = {Place.SECOND: "skipped", Place.BEYOND: "skipped", Place.SILENT: "skipped"}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the chain, as it is drawn."""

    look: str
    title: str
    says: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A change that would alter the answer; `place` is its number."""

    place: int
    allow: bool
    own: bool
    name: str
    people: int
    removes: bool


class WhyPages:
    """The routes of the question."""

    def __init__(self, office: GrantOffice, ask_gates: AskGates | None) -> None:
        self._office = office
        self._shell = office.shell
        self._ask_gates = ask_gates

    def routes(self) -> list[web.RouteDef]:
        return [web.get(f"{PLACE}/why", self.show), web.post(f"{PLACE}/why", self.remedy)]

    async def show(self, request: web.Request) -> web.Response:
        """The form, and the answer where everything is there to be answered."""
        self._shell.allow(request, Action.READ_PERMISSIONS)
        asked, scene = _Question(request.query), await self._office.scene(request)
        people = scene.roster.find(asked.who)
        numbers = _numbers(asked.number, scene)
        say = self._office.voice(request)
        answer = None
        if len(people) == 1 and len(numbers) == 1:
            answer = await self._answer(people[0], numbers[0], asked, scene, say)
        values = {
            "asked": asked,
            "who": row_name(people[0], say) if len(people) == 1 else asked.who,
            "number": numbers[0].number or column_name(numbers[0], say) if len(numbers) == 1 else asked.number,
            "people": [(row, row_name(row, say)) for row in people[:MOST_CHOICES]],
            "numbers": [(one, column_name(one, say)) for one in numbers[:MOST_CHOICES]],
            "answer": answer,
            "may_change": self._office.may_change(request),
            "WAYS": WAYS,
            "KINDS": KINDS,
            "W": thread_words,
        }
        return web.Response(text=self._shell.html(request, "permissions_why", **values), content_type="text/html")

    async def remedy(self, request: web.Request) -> web.Response:
        """Keep one of the offered changes in mind, and show what it would do."""
        self._shell.allow(request, Action.MANAGE_PERMISSIONS)
        form, scene = await request.post(), await self._office.scene(request)
        asked = _Question({name: str(value) for name, value in form.items()})
        row = scene.roster.by_id.get(asked.who)
        if row is None or not row.is_user:
            raise web.HTTPNotFound
        found = explain(scene.book, row.subject.id, asked.way, asked.number, asked.class_).remedies
        place = str(form.get("remedy", ""))
        chosen = next((one for n, one in enumerate(found) if str(n) == place), None)
        if chosen is None:
            raise web.HTTPBadRequest
        try:
            await self._office.keep_in_mind(request, chosen.changes)
        except Unsuitable as problem:
            raise web.HTTPBadRequest from problem
        raise web.HTTPSeeOther(f"{PLACE}/preview")

    async def _answer(self, row: Row, column: Column, asked: "_Question", scene: Scene, say: Say) -> dict[str, object]:
        account = next(one for one in scene.roster.accounts if one.public_id == row.public_id)
        found = explain(scene.book, row.subject.id, asked.way, column.scope, asked.class_)
        gates = None
        if asked.to and self._ask_gates is not None and asked.way in SENDING and column.number:
            gates = await self._ask_gates(account, column.number, asked.to)
        name = row_name(row, say)
        grant = found.right.origin.grant
        return {
            "row": row,
            "scope": column.scope,
            "allowed": found.right.allowed,
            "says": say(THEY[asked.way, found.right.effect], who=name, number=column_name(column, say)),
            "because": right_in_full(found.right, asked.way, column.scope, scene.book, say),
            "grant": grant if grant is not None and not grant.owner else None,
            "author": scene.author(grant.set_by) if grant else "",
            "steps": [_role_step(account, asked.way, say), *_steps(found, asked.way, scene, say)],
            "offers": [_offer(n, one, scene, say) for n, one in enumerate(found.remedies)],
            "gates": gates,
            "no_gates": bool(asked.to) and gates is None,
        }


class _Question:
    """What is asked, as the address or a form has it."""

    def __init__(self, words: Mapping[str, str]) -> None:
        self.who = words.get("who", "")[:120]
        self.number = words.get("number", "").strip()[:120]
        way, class_ = words.get("way", ""), words.get("class", "")
        self.way = Way(way) if way in set(Way) else Way.SEND
        self.class_ = class_ if class_ in CLASSES and self.way in SENDING else ""
        self.to = words.get("to", "").strip()[:40]


def _numbers(words: str, scene: Scene) -> list[Column]:
    """A number by its digits or its label, or a scope as the matrix names it."""
    if words and (column := scene.roster.column_of(words)) is not None:
        return [column]
    if words.casefold() in ("all", ALL_NUMBERS):
        return [scene.roster.all_numbers]
    return [column for _, column in scene.roster.seek_numbers(words)] if words else []


def _role_step(account: Account, way: Way, say: Say) -> Step:
    """Whether what they work as lets them do this at all."""
    names = ", ".join(say(ROLE[role][0]) for role in sorted(account.roles))
    if account.disabled_at is not None:
        return Step("no", names, say(N_("The account is disabled, so nothing else counts.")))
    if role_lets(account.roles, way):
        return Step("yes", names, say(N_("This role includes it, where a grant allows it.")))
    return Step("no", names, say(N_("This role does not include it, so no grant can give it.")))


def _steps(found: Explained, way: Way, scene: Scene, say: Say) -> list[Step]:
    steps = []
    for asked in found.chain:
        if asked.subject.level is Level.ROLE and asked.effect is None:
            continue
        steps.append(_step(asked, way, scene, say))
    if found.right.origin.level is Level.NOTHING:
        steps.append(
            Step("no", say(N_("Nobody granted it")), say(N_("Where nothing is said, it is not allowed. This decides.")))
        )
    return steps


def _step(asked: Asked, way: Way, scene: Scene, say: Say) -> Step:
    name = say(N_("Administrator")) if asked.subject.level is Level.ROLE else scene.name(asked.subject, say)
    title = name if asked.effect is None else f"{name}: {say(SAYS[asked.effect])}"
    if asked.way is not way:
        title = f"{say(WAYS[asked.way][0])} · {title}"
    about = "; ".join(_about(asked, scene, say))
    look = LOOKS.get(asked.place) or ("yes" if asked.effect == "allow" else "no")
    return Step(
        look,
        title,
        f"{about}. {say(PLACES[asked.place])}" if about else say(PLACES[asked.place]),
        scene.path(asked.subject),
    )


def _about(asked: Asked, scene: Scene, say: Say) -> list[str]:
    return [
        ", ".join(filter(None, (scene.numbers(one.scope, say), say(KINDS[one.class_]), say(BECAME[one.effect]))))
        for one in asked.grants
    ]


def _offer(place: int, remedy: Remedy, scene: Scene, say: Say) -> Offer:
    return Offer(
        place,
        remedy.effect == "allow",
        remedy.subject.level is Level.USER,
        scene.name(remedy.subject, say),
        remedy.people,
        all(one.effect is None for one in remedy.changes),
    )

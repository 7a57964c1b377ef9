"""The health page: what needs a person, the day in figures, how each part is, and the switch that pauses texts."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time

from aiohttp import web

from ringback.core.grants import Reach
from ringback.core.permissions import Action, Principal
from ringback.errors import StoreFault
from ringback.flow.pauses import Pause, Paused, Scope, Turn
from ringback.panel import health_words as words
from ringback.panel.call_line import code_of
from ringback.panel.carriers import Reins
from ringback.panel.doing import done
from ringback.panel.handset_rows import used_within
from ringback.panel.health import Health, PartState, Standing
from ringback.panel.shell import VISIT, Shell
from ringback.ports.handsets import Handsets
from ringback.ports.overview import MOST, Day, Overview, Past

HERE = "/health"
MOST_LINKED = 8
NOTHING_YET = Past(called=False, texted=False)


@dataclass(frozen=True, slots=True)
class Switch:
    """The pauses: what can be paused by name, what is paused now, and how to turn it."""

    names: Mapping[Scope, Collection[str]]
    in_force: Callable[[], Sequence[Paused]]
    turn: Callable[[Pause, Turn, Principal], Awaitable[object]]

    def free(self, scope: Scope, reach: Reach) -> list[str]:
        """What could be paused and is not, as far as somebody may know of it."""
        paused = {each.pause for each in self.in_force()}
        could = (Pause(scope, name) for name in sorted(self.names.get(scope, ())))
        return [pause.name for pause in could if pause not in paused and pause.within(reach)]

    def knows(self, what: Pause) -> bool:
        """Whether there is such a thing, or it is paused although it is gone from the configuration."""
        there = what.scope is Scope.ALL or what.name in self.names.get(what.scope, ())
        return there or what in {each.pause for each in self.in_force()}


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure of the day; `link` shows what it counts."""

    word: str
    n: int
    link: str

    @property
    def most(self) -> bool:
        """Whether there are more than are counted."""
        return self.n > MOST


@dataclass(frozen=True, slots=True)
class Step:
    """One of the first steps of a fresh installation."""

    word: str
    to_do: str
    done: bool


class HealthPages:
    """`health` says how everything is; `handsets` are those of the loopback carrier, if there is one."""

    def __init__(
        self,
        shell: Shell,
        health: Callable[[], Health],
        overview: Overview,
        switch: Switch,
        reins: Reins,
        handsets: Handsets | None = None,
    ) -> None:
        self._shell = shell
        self._health = health
        self._overview = overview
        self._switch = switch
        self._reins = reins
        self._handsets = handsets
        self._past = NOTHING_YET

    def routes(self) -> list[web.RouteDef]:
        return [web.get(HERE, self.show), web.post("/pause", self.pause)]

    async def show(self, request: web.Request) -> web.Response:
        self._shell.allow(request, Action.READ_HEALTH)
        reach = self._shell.reach(request)
        health, today = self._health().within(reach), await self._today(request, reach)
        paused = [each for each in self._switch.in_force() if each.pause.within(reach)]
        return self._shell.page(
            request,
            "health",
            health=health,
            tiles=() if today is None else today,
            steps=first_steps(health, self._switch, await self._seen()),
            paused=paused,
            free={scope: self._switch.free(scope, reach) for scope in Scope},
            all_paused=any(each.pause.scope is Scope.ALL for each in paused),
            carriers=self._reins.all(),
            numbers=None if self._handsets is None else used_within(self._handsets, reach, MOST_LINKED),
            W=words,
        )

    async def pause(self, request: web.Request) -> web.Response:
        """Pause what `scope` and `name` say, or with `off` resume it."""
        who = self._shell.allow(request, Action.PAUSE)
        form = await request.post()
        scope = code_of(Scope, str(form.get("scope", "")))
        what = None if scope is None else Pause(scope, "" if scope is Scope.ALL else str(form.get("name", "")))
        if what is None or not self._switch.knows(what) or not what.within(self._shell.reach(request)):
            raise web.HTTPBadRequest
        await done(self._switch.turn(what, Turn.RESUME if form.get("off") else Turn.PAUSE, who))
        raise web.HTTPSeeOther(f"{HERE}#pause")

    async def _today(self, request: web.Request, reach: Reach) -> Sequence[Tile] | None:
        """The figures since midnight where the business is; none while the database cannot be read."""
        formats = self._shell.pages().formats(request[VISIT].language)
        now = formats.now().astimezone(formats.zone)
        midnight = datetime.combine(now.date(), time(), formats.zone)
        try:
            day = await self._overview.day(reach, midnight)
        except StoreFault:
            return None
        return tiles(day, now.date().isoformat())

    async def _seen(self) -> Past:
        """What has happened once has happened for ever, so it is asked only until then."""
        if not (self._past.called and self._past.texted):
            try:
                self._past = await self._overview.past()
            except StoreFault:
                return self._past
        return self._past


def tiles(day: Day, today: str) -> tuple[Tile, ...]:
    return (
        Tile(words.UNANSWERED, day.unanswered, f"/calls?group=unanswered&day={today}"),
        Tile(words.TEXTED, day.texted, f"/calls?group=with_text&day={today}"),
        Tile(words.WAITING, day.waiting, "/threads"),
        Tile(words.OPEN_TASKS, day.tasks, "/tasks"),
    )


def first_steps(health: Health, switch: Switch, past: Past) -> tuple[Step, ...]:
    """What makes a missed call a text, in the order in which it is set up; empty when all is done."""
    ticked = (
        True,  # whoever reads this is a user
        bool(switch.names.get(Scope.NUMBER)),
        bool(switch.names.get(Scope.RULE)),
        _works(health.parts, "asterisk"),
        _works(health.parts, "carrier"),
        past.called,
        past.texted,
    )
    steps = tuple(Step(*said, tick) for said, tick in zip(words.FIRST_STEPS, ticked, strict=True))
    return () if all(ticked) else steps


def _works(parts: Sequence[PartState], kind: str) -> bool:
    return any(part.name.split()[:1] == [kind] and part.standing is Standing.WORKS for part in parts)

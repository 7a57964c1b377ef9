"""Holding a carrier back, and letting it go on: the health page shows which, and each has a page that asks first."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from ringback.core.permissions import Action, Principal
from ringback.core.writing import clean
from ringback.flow.put_back import RESTORE
from ringback.panel import hold_words
from ringback.panel.doing import done
from ringback.panel.door import WRONG_FORM, Wrong, read_form
from ringback.panel.shell import Shell
from ringback.panel.words import N_
from ringback.ports.holds import Held

HERE = "/health/carriers"
CHANGED = 409
NO_WHY = N_("Write why. Whoever lets it go on reads it.")
OTHER_HOLD = N_("It is held for another reason now. Read it, then decide again.")


@dataclass(frozen=True, slots=True)
class Reins:
    """`held` says what is held back now; `change` takes what `flow.holds.change_by_words` does."""

    names: Collection[str]
    held: Callable[[], Sequence[Held]]
    change: Callable[[Mapping[str, str], Principal], Awaitable[str]]

    def all(self) -> tuple[tuple[str, Held | None], ...]:
        """Every carrier with what holds it back; also one that is held and not configured any more."""
        held = {each.carrier: each for each in self.held()}
        return tuple((name, held.get(name)) for name in sorted({*self.names, *held}))

    def of(self, name: str) -> Held | None:
        return next((each for each in self.held() if each.carrier == name), None)


class CarrierPages:
    """The routes under /health/carriers."""

    def __init__(self, shell: Shell, reins: Reins) -> None:
        self._shell = shell
        self._reins = reins

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{HERE}/{{name}}", self.show),
            web.post(f"{HERE}/{{name}}/hold", self.hold),
            web.post(f"{HERE}/{{name}}/release", self.release),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """What a change would do, and the button that makes it."""
        self._allow(request)
        return self._page(request)

    async def hold(self, request: web.Request) -> web.Response:
        """Let nothing leave by it from now on."""
        who, name = self._allow(request)
        (why,) = await read_form(request, "why")
        if self._reins.of(name) is not None:
            raise _back()
        if not clean(why):
            return self._page(request, WRONG_FORM, Wrong("why", NO_WHY))
        await done(self._reins.change({"change": "hold", "name": name, "why": why}, who))
        raise _back()

    async def release(self, request: web.Request) -> web.Response:
        """Let it go on, unless it is held for another reason than the one that was read."""
        who, name = self._allow(request)
        (since,) = await read_form(request, "since")
        held = self._reins.of(name)
        if held is None:
            raise _back()
        if held.since.isoformat() != since:
            return self._page(request, CHANGED, Wrong("since", OTHER_HOLD))
        await done(self._reins.change({"change": "release", "name": name}, who))
        raise _back()

    def _allow(self, request: web.Request) -> tuple[Principal, str]:
        who, name = self._shell.allow(request, Action.MANAGE_CARRIERS), request.match_info["name"]
        if name not in dict(self._reins.all()):
            raise web.HTTPNotFound
        return who, name

    def _page(self, request: web.Request, status: int = 200, wrong: Wrong | None = None) -> web.Response:
        name = request.match_info["name"]
        held = self._reins.of(name)
        restored = held is not None and held.by == RESTORE
        values = {"name": name, "held": held, "restored": restored, "wrong": wrong, "W": hold_words}
        return self._shell.page(request, "carrier", status=status, **values)


def _back() -> web.HTTPSeeOther:
    return web.HTTPSeeOther("/health#carriers")

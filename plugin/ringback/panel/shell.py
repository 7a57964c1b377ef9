"""What every page needs of its request: who asks, whether they may, and a page in their language."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from ringback.core.permissions import Action, Asker, Principal, may
from ringback.panel.site import Now, Site
from ringback.panel.static import StaticFiles
from ringback.resources import shipped

if TYPE_CHECKING:
    from ringback.panel.pages import Pages
    from ringback.panel.tongues import Languages

NOBODY = Principal(Asker.NOBODY, "", "", frozenset())

Counts = Callable[[Principal], Mapping[str, int]]
"""What waits at a place of the navigation for somebody, by the place's path: {"/tasks": 3}. Asked for every page."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request, and who makes it. `csrf` goes into every form as the hidden field `csrf`.

    `theme` is `light`, `dark` or empty for the system's own; `keys` is `off` when single keys shall do nothing. `login`
    is the row of the browser's login, 0 where nobody is logged in.
    """

    principal: Principal = NOBODY
    csrf: str = ""
    language: str = ""
    theme: str = ""
    keys: str = ""
    login: int = 0

    @property
    def known(self) -> bool:
        """Whether somebody is logged in."""
        return self.principal.kind is not Asker.NOBODY


VISIT: web.RequestKey[Visit] = web.RequestKey("visit", Visit)
"""Set by the guard, for every request that a handler sees."""


def _nothing_waits(_: Principal) -> Mapping[str, int]:
    return {}


@dataclass(frozen=True, slots=True)
class Shell:
    """Handed to every page. Unsafe methods have passed the CSRF and origin checks before a handler runs."""

    pages: "Callable[[], Pages]"
    site: Site
    static: StaticFiles
    counts: Counts = _nothing_waits

    def allow(self, request: web.Request, action: Action) -> Principal:
        """Who asks, if they may; else a 403 page that says so."""
        principal = request[VISIT].principal
        if not may(principal, action):
            raise web.HTTPForbidden
        return principal

    def page(self, request: web.Request, template: str, *, status: int = 200, **values: object) -> web.Response:
        """Fill in a template for this visitor. It knows `visit`, and `may('action')` for what to show."""
        return web.Response(text=self.html(request, template, **values), content_type="text/html", status=status)

    def html(self, request: web.Request, template: str, **values: object) -> str:
        """The same as text, for fragments of a live stream."""
        visit = request.get(VISIT, Visit())
        counts = self.counts(visit.principal) if visit.known else {}
        allowed = partial(may, visit.principal)
        return self.pages().render(template, visit=visit, here=request.path, counts=counts, may=allowed, **values)

    def say(self, request: web.Request, text: str, **values: object) -> str:
        """Translate a text that N_ marked, and fill in its `%(places)s`, as `_()` does in a template."""
        return self.pages().say(request.get(VISIT, Visit()).language, text) % values


def open_shell(
    site: Site, now: Now, counts: Counts = _nothing_waits, languages: "Callable[[Path], Languages] | None" = None
) -> Shell:
    """Make the shell of the shipped templates and files. `languages` stands in for the shipped ones in tests."""
    static = StaticFiles(shipped("web/static"))

    @cache
    def pages() -> "Pages":
        # the template engine and the languages cost 100 ms and some MB, which a daemon nobody looks at need not pay
        from ringback.panel.pages import Pages  # noqa: PLC0415
        from ringback.panel.tongues import Languages  # noqa: PLC0415

        spoken = (languages or Languages)(shipped("web/locale"))
        return Pages(shipped("web/templates"), site, static.url, now, spoken)

    return Shell(pages, site, static, counts)

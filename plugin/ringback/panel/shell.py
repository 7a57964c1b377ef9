"""What every page needs of its request: who asks, whether they may, and a page in their language."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from ringback.core.book import Book
from ringback.core.grants import Reach, Way
from ringback.core.permissions import Action, Asker, Principal, may
from ringback.core.rights import Rights
from ringback.panel.site import Now, Site
from ringback.panel.static import StaticFiles
from ringback.resources import shipped

if TYPE_CHECKING:
    from ringback.panel.pages import Pages
    from ringback.panel.tongues import Languages

NOBODY = Principal(Asker.NOBODY, "", "", frozenset())
NO_RIGHTS = Rights(NOBODY, Book())

Counts = Callable[[Rights], Mapping[str, int]]
"""What waits at a place of the navigation for somebody, by the place's path: {"/tasks": 3}. Asked for every page."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request, and who makes it. `csrf` goes into every form as the hidden field `csrf`.

    `theme` is `light`, `dark` or empty for the system's own; `keys` is `off` when single keys shall do nothing. `login`
    is the row of the browser's login, 0 where nobody is logged in. `owes`: they must set up a second factor first.
    """

    principal: Principal = NOBODY
    csrf: str = ""
    language: str = ""
    theme: str = ""
    keys: str = ""
    login: int = 0
    rights: Rights = NO_RIGHTS
    owes: bool = False

    @property
    def known(self) -> bool:
        """Whether somebody is logged in."""
        return self.principal.kind is not Asker.NOBODY


VISIT: web.RequestKey[Visit] = web.RequestKey("visit", Visit)
"""Set by the guard, for every request that a handler sees."""
Again = Callable[[], Awaitable[None]]
AGAIN: web.RequestKey[Again] = web.RequestKey("again")
"""Takes the rights of whoever asks anew, for what lasts longer than a page. Set by the guard; raises as for a new
request when it is not theirs any more."""


def _nothing_waits(_: Rights) -> Mapping[str, int]:
    return {}


class NotPermitted(web.HTTPForbidden):
    """Whoever asks may not do this at all; the guard leaves it in the record."""

    def __init__(self, action: Action) -> None:
        super().__init__()
        self.action = action


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
            raise NotPermitted(action)
        return principal

    def rights(self, request: web.Request) -> Rights:
        """What whoever asks may do, and where."""
        return request[VISIT].rights

    def reach(self, request: web.Request, way: Way = Way.RECEIVE) -> Reach:
        """The numbers of ours with which whoever asks may do this."""
        return self.rights(request).reach(way)

    def page(self, request: web.Request, template: str, *, status: int = 200, **values: object) -> web.Response:
        """Fill in a template for this visitor. It knows `visit`, and `may('action')` for what to show."""
        return web.Response(text=self.html(request, template, **values), content_type="text/html", status=status)

    def html(self, request: web.Request, template: str, **values: object) -> str:
        """The same as text, for fragments of a live stream."""
        visit = request.get(VISIT, Visit())
        counts = self.counts(visit.rights) if visit.known else {}
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

"""Who is asking: finds the login of each request, and turns away what a browser was tricked into sending."""

from dataclasses import replace
from functools import partial
from urllib.parse import quote, urlsplit

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from ringback.core.operations import Free, Operation
from ringback.core.permissions import Action
from ringback.flow.denials import FORGED, NOBODY_KNOWN, Refusal, note_refused
from ringback.flow.factors import Demand
from ringback.flow.permits import Permits
from ringback.panel.forgery import FORWARDED, SAFE, check_form, check_host, host_of
from ringback.panel.languages import choose, languages_in
from ringback.panel.logged_in import LoggedIn, principal_of
from ringback.panel.open_streams import OpenStreams
from ringback.panel.operations import TABLE, Table, operation_of
from ringback.panel.shell import AGAIN, VISIT, Again, NotPermitted, Shell, Visit
from ringback.panel.site import LOOPBACK_NAMES, is_loopback
from ringback.panel.tokens import COOKIE, DOOR_COOKIE, KEYS_COOKIE, THEME_COOKIE, csrf_of, new_token, put_cookie
from ringback.panel.words import FROM_ELSEWHERE, THEMES
from ringback.ports import Clock
from ringback.ports.people import Login, People
from ringback.ports.storage import Store
from ringback.resources import shipped

log = structlog.get_logger("pages")

FREE = frozenset({"/static/{name}", "/healthz", "/metrics"})
"""What is the same for everybody, so nobody is looked up."""
FACTOR = "/profile/second-factor"
OWING = frozenset({FACTOR, f"{FACTOR}/begin", "/logout", "/theme", "/login", "/readyz"})
"""Where somebody may go who must set up a second factor first."""
FROM_PROVIDER = "oidc"
"""The method of a login that a provider vouched for."""
HANDSETS = "/handset"
"""These pages show texts that never left this machine, so whoever sits at it may see them."""


class Guard:
    """The middleware before every handler. `watch` runs as a part of its own: it ends streams whose login ended, or
    whose page is not for them any more."""

    def __init__(
        self,
        people: People,
        store: Store,
        clock: Clock,
        shell: Shell,
        permits: Permits,
        table: Table = TABLE,
        demand: Demand = Demand.NOBODY,
    ) -> None:
        self.table = table
        self.logged_in = LoggedIn(people, store, clock)
        self._streams = OpenStreams(self.logged_in, clock, shell)
        self._demand = demand
        self._permits = permits
        self._store = store
        self._clock = clock
        self._shell = shell
        self._site = shell.site
        self._public = urlsplit(shell.site.public_url)
        self._codes = languages_in(shipped("web/locale"))

    def forget(self) -> None:
        """Look everybody up anew; called after logins, accounts or grants changed."""
        self.logged_in.forget()
        self._permits.forget()

    async def login_of(self, token: str) -> Login | None:
        """Return the login that a token stands for, if it holds; what is known of it is at most two seconds old."""
        return await self.logged_in.of(token)

    def watching(self) -> frozenset[int]:
        """The accounts that have a page open which follows what happens."""
        found = map(self.logged_in.account_of, self._streams.tokens())
        return frozenset(account for account in found if account is not None)

    async def watch(self) -> None:
        """End each stream within two seconds after its login ended or its page was taken away, and say in it why."""
        while True:
            await self._streams.next_look()
            await self._permits.look()
            await self._streams.end_those_over()

    async def mind_stream(self, request: web.Request, answer: web.StreamResponse) -> None:
        """Take note of an event stream that begins; a signal of the application."""
        token = request.cookies.get(COOKIE, "")
        if answer.content_type == "text/event-stream" and token and request[VISIT].known:
            self._streams.begin(token, answer, operation_of(request, self.table))

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Host, login, forged requests, in this order; then the handler."""
        path, row = _path(request), operation_of(request, self.table)
        check_host(request, self._site)
        if path in FREE:
            return await handler(request)
        visit, door = await self._visit(request)
        request[VISIT] = visit
        again: Again = partial(self._again, request, row)
        request[AGAIN] = again
        if not visit.known and not self._is_open(request, path, row):
            raise _to_the_door(request)
        if visit.owes and path not in OWING and request.match_info.http_exception is None:
            raise _to_the_factor(request)
        self._check_row(request, row)
        if row is not None and row.body:
            request = request.clone(client_max_size=row.body)
        if request.method not in SAFE and request.match_info.http_exception is None:
            await check_form(request, visit.csrf, self._public)
        answer = await self._streams.handle(request, handler)
        if door and not answer.prepared:
            put_cookie(answer, DOOR_COOKIE, door)
        return answer

    def refused(self, request: web.Request, problem: web.HTTPException) -> None:
        """Leave in the log and in the record who was refused what. Whose number a page is about is in neither."""
        visit = request.get(VISIT, Visit())
        who = visit.principal.label if visit.known else NOBODY_KNOWN
        if isinstance(problem, NotPermitted):
            refusal = Refusal(who, str(problem.action), words=f"{request.method} {_path(request)}")
        elif problem.reason == FROM_ELSEWHERE:
            refusal = Refusal(who, f"{request.method} {_path(request)}", kind=FORGED)
        else:
            return
        log.warning("refused", who=who, what=refusal.what, kind=refusal.kind)
        note_refused(self._store, refusal, self._clock.now())

    async def _again(self, request: web.Request, row: Operation | None) -> None:
        """Whoever asks, as they are now. Their login is not used by that, so it ends in time."""
        visit = request[VISIT]
        if not visit.known:
            return
        login = await self.login_of(request.cookies.get(COOKIE, ""))
        if login is None:
            await self._streams.end_this()
            raise web.HTTPUnauthorized
        who = principal_of(login.account)
        request[VISIT] = replace(visit, principal=who, rights=await self._permits.of(who))
        self._check_row(request, row)

    async def _visit(self, request: web.Request) -> tuple[Visit, str]:
        """Who asks; and where nobody is logged in, the token of the door if the browser has none yet."""
        token = request.cookies.get(COOKIE, "")
        login = await self.login_of(token) if token else None
        theme, keys = request.cookies.get(THEME_COOKIE, ""), request.cookies.get(KEYS_COOKIE, "")
        visit = Visit(theme=theme if theme in THEMES else "", keys="off" if keys == "off" else "")
        accepted = request.headers.get("Accept-Language", "")
        if login is None:
            door = request.cookies.get(DOOR_COOKIE, "")
            fresh = "" if door else new_token()
            language = choose(self._codes, "", accepted, self._site.language)
            return replace(visit, csrf=csrf_of(door or fresh), language=language), fresh
        self.logged_in.note_seen(token, login)
        language = choose(self._codes, login.account.language, accepted, self._site.language)
        who = principal_of(login.account)
        rights = await self._permits.of(who)
        known = replace(visit, principal=who, csrf=csrf_of(token), language=language, login=login.id, rights=rights)
        return replace(known, owes=self._owes(login)), ""

    def _owes(self, login: Login) -> bool:
        """Whether they must set up a second factor before anything else. A provider asks for its own."""
        return login.method != FROM_PROVIDER and login.account.totp_at is None and self._demand.asks(login.account)

    def _check_row(self, request: web.Request, row: Operation | None) -> None:
        """What no row is for is not there; what asks for an action is for those who have it."""
        if request.match_info.http_exception is not None:
            return
        if row is None:
            raise web.HTTPNotFound
        if isinstance(row.needs, Action):
            self._shell.allow(request, row.needs)

    def _is_open(self, request: web.Request, path: str, row: Operation | None) -> bool:
        if (row is not None and row.needs is Free.ANYBODY) or request.match_info.http_exception is not None:
            return True
        if path != HANDSETS and not path.startswith(f"{HANDSETS}/"):
            return False
        # with a public address there is a proxy, and not every proxy says that it is one
        direct = not self._site.public_url and not any(name in request.headers for name in FORWARDED)
        return direct and is_loopback(request.remote or "") and host_of(request.host) in LOOPBACK_NAMES


def _path(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return "" if resource is None else resource.canonical


def _to_the_factor(request: web.Request) -> web.HTTPException:
    """A page leads to where it is set up; what is no page is refused."""
    page = request.method in SAFE and "text/event-stream" not in request.headers.get("Accept", "")
    return web.HTTPSeeOther(FACTOR) if page else web.HTTPForbidden()


def _to_the_door(request: web.Request) -> web.HTTPException:
    """A page leads to the login and back; what is no page, or would lose what somebody wrote, says that it is over."""
    accepted = request.headers.get("Accept", "")
    stream = "text/event-stream" in accepted or "application/json" in accepted
    if stream or request.method not in SAFE or request.headers.get("Sec-Fetch-Dest") == "empty":
        return web.HTTPUnauthorized()
    back = "" if request.path_qs == "/" else f"?next={quote(request.path_qs, safe='/')}"
    return web.HTTPSeeOther(f"/login{back}")

"""Who is asking: finds the login of each request, and turns away what a browser was tricked into sending."""

import asyncio
import hmac
import json
import re
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from urllib.parse import quote, urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from ringback.core.permissions import Asker, Principal
from ringback.errors import StoreFault
from ringback.panel.languages import choose, languages_in
from ringback.panel.shell import VISIT, Shell, Visit
from ringback.panel.site import LOOPBACK_NAMES, is_loopback
from ringback.panel.words import FROM_ELSEWHERE, N_, THEMES
from ringback.ports import Clock
from ringback.ports.people import Account, Login, People
from ringback.ports.storage import Store, Tx
from ringback.resources import shipped

COOKIE = "__Host-ringback"
DOOR_COOKIE = "__Host-ringback-door"
"""Stands in for the session where nobody is logged in, so that a form there has a token too."""
THEME_COOKIE = "ringback-theme"
KEYS_COOKIE = "ringback-keys"
CSRF_HEADER = "X-Ringback-CSRF"

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)
TRUSTED_FOR = timedelta(seconds=2)
"""How old what we know of a login may be: a login that is ended holds no longer than this."""
LOOK_AGAIN = timedelta(seconds=1)
MOST_REMEMBERED = 1_000

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FREE = frozenset({"/static/{name}", "/healthz", "/metrics"})
"""What is the same for everybody, so nobody is looked up."""
OPEN = FREE | {"/login", "/readyz"}
"""What needs no login."""
HANDSETS = "/handset"
"""These pages show texts that never left this machine, so whoever sits at it may see them."""
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")

LOGGED_OUT = N_("You were logged out. Log in again to go on.")
LEFT_ALONE = N_("Nobody used this page for %(minutes)s minutes, so you were logged out. Log in again to go on.")


@dataclass(slots=True)
class _Stream:
    """An event stream that is open. `why` is set when it must end."""

    token: str
    answer: web.StreamResponse
    task: "asyncio.Task[object]"
    why: str = ""


def hash_of(token: str) -> str:
    """What is stored of a token: it has 256 random bits, so a fast hash is enough."""
    return sha256(_bytes(token)).hexdigest()


def csrf_of(token: str) -> str:
    """The token for forms, made from the one in the cookie, so that it needs no place of its own."""
    return hmac.digest(_bytes(token), b"csrf", "sha256").hex()


def _bytes(token: str) -> bytes:
    # what a stranger sends need not be UTF-8
    return token.encode("utf-8", "surrogatepass")


def new_token() -> str:
    return secrets.token_urlsafe(32)


def principal_of(account: Account) -> Principal:
    """An account as the rest of the house knows it."""
    name = account.name or account.login
    return Principal(Asker.USER, account.public_id, name, frozenset({account.role}), account=account.id)


def holds(login: Login | None, now: datetime) -> bool:
    """Whether a login is good now."""
    if login is None or login.ended_at is not None or login.account.disabled_at is not None:
        return False
    return now < login.expires_at and now - login.seen_at < IDLE


def put_cookie(answer: web.StreamResponse, name: str, value: str, lasts: timedelta | None = None) -> None:
    """Set a cookie as strictly as can be: for this host, never to scripts, never across sites."""
    age = None if lasts is None else round(lasts.total_seconds())
    answer.set_cookie(name, value, path="/", secure=True, httponly=True, samesite="Lax", max_age=age)


def drop_cookie(answer: web.StreamResponse, name: str) -> None:
    answer.del_cookie(name, path="/", secure=True, httponly=True, samesite="Lax")


def local_path(text: str) -> str:
    """Read where to go after the login: a place of ours, or else, as for `//elsewhere`, the start page."""
    plain = text.isascii() and text.isprintable() and " " not in text and "\\" not in text
    if not plain or not text.startswith("/") or text.startswith(("//", "/login", "/logout")):
        return "/"
    return text


def host_of(authority: str) -> str:
    """The name in a Host header, without its port."""
    return re.sub(r":[0-9]*\Z", "", authority).lower()


class Guard:
    """The middleware before every handler. `watch` runs as a part of its own: it ends streams whose login ended."""

    def __init__(self, people: People, store: Store, clock: Clock, shell: Shell) -> None:
        self._people = people
        self._store = store
        self._clock = clock
        self._shell = shell
        self._site = shell.site
        self._public = urlsplit(shell.site.public_url)
        self._codes = languages_in(shipped("web/locale"))
        self._known: OrderedDict[str, tuple[datetime, Login | None]] = OrderedDict()
        self._streams: dict[asyncio.Task[object], _Stream] = {}
        self._opened = asyncio.Event()

    def forget(self) -> None:
        """Look everybody up anew; called after logins or accounts changed."""
        self._known.clear()

    async def login_of(self, token: str) -> Login | None:
        """Return the login that a token stands for, if it holds; what is known of it is at most two seconds old."""
        login = await self._latest(token)
        return login if holds(login, self._clock.now()) else None

    async def watch(self) -> None:
        """End each stream within two seconds after its login ended, and say in it why."""
        while True:
            await self._opened.wait()
            await self._clock.sleep_until(self._clock.now() + LOOK_AGAIN)
            for stream in list(self._streams.values()):
                await self._end_if_over(stream)
            if not self._streams:
                self._opened.clear()

    async def mind_stream(self, request: web.Request, answer: web.StreamResponse) -> None:
        """Take note of an event stream that begins; a signal of the application."""
        token, task = request.cookies.get(COOKIE, ""), asyncio.current_task()
        if answer.content_type == "text/event-stream" and token and task is not None and request[VISIT].known:
            self._streams[task] = _Stream(token, answer, task)
            self._opened.set()

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Host, login, forged requests, in this order; then the handler."""
        path = _path(request)
        self._check_host(request)
        if path in FREE:
            return await handler(request)
        visit, door = await self._visit(request)
        request[VISIT] = visit
        if not visit.known and not self._is_open(request, path):
            raise _to_the_door(request)
        if request.method not in SAFE and request.match_info.http_exception is None:
            await self._check_forged(request, visit)
        answer = await self._handle(request, handler)
        if door and not answer.prepared:
            put_cookie(answer, DOOR_COOKIE, door)
        return answer

    async def _handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None
        try:
            return await handler(request)
        except asyncio.CancelledError:
            stream = self._streams.get(task)
            if stream is None or not stream.why:
                raise
            # it was we who cancelled; the stream ends as streams do, with the reason as its last event
            task.uncancel()
            data = json.dumps({"why": self._shell.say(request, stream.why, minutes=IDLE // timedelta(minutes=1))})
            with suppress(ConnectionError):
                await stream.answer.write(f"event: ended\ndata: {data}\n\n".encode())
            return stream.answer
        finally:
            self._streams.pop(task, None)

    async def _end_if_over(self, stream: _Stream) -> None:
        login = await self._latest(stream.token)
        if holds(login, self._clock.now()):
            return
        idle = login is not None and login.ended_at is None and self._clock.now() - login.seen_at >= IDLE
        stream.why = LEFT_ALONE if idle else LOGGED_OUT
        stream.task.cancel()

    async def _latest(self, token: str) -> Login | None:
        now, key = self._clock.now(), hash_of(token)
        known = self._known.get(key)
        if known is not None and timedelta() <= now - known[0] < TRUSTED_FOR:
            return known[1]
        login = await self._people.of_token(key)
        self._remember(key, login)
        return login

    def _remember(self, key: str, login: Login | None) -> None:
        self._known[key] = (self._clock.now(), login)
        self._known.move_to_end(key)
        if len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)

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
        self._note_seen(token, login)
        language = choose(self._codes, login.account.language, accepted, self._site.language)
        who = principal_of(login.account)
        return replace(visit, principal=who, csrf=csrf_of(token), language=language, login=login.id), ""

    def _note_seen(self, token: str, login: Login) -> None:
        now = self._clock.now()
        if now - login.seen_at < SEEN_EVERY:
            return
        self._remember(hash_of(token), replace(login, seen_at=now))
        # a full disk must not keep anybody from reading; the login then ends early, which is safe
        with suppress(StoreFault):
            self._store.ride_along([partial(_seen, login.id, now)])

    def _check_host(self, request: web.Request) -> None:
        """Refuse a name that is not ours: a page of another site could point its own name at this machine."""
        if self._site.hosts and host_of(request.host) not in self._site.hosts:
            raise web.HTTPMisdirectedRequest

    def _is_open(self, request: web.Request, path: str) -> bool:
        if path in OPEN or request.match_info.http_exception is not None:
            return True
        if path != HANDSETS and not path.startswith(f"{HANDSETS}/"):
            return False
        # with a public address there is a proxy, and not every proxy says that it is one
        direct = not self._site.public_url and not any(name in request.headers for name in FORWARDED)
        return direct and is_loopback(request.remote or "") and host_of(request.host) in LOOPBACK_NAMES

    async def _check_forged(self, request: web.Request, visit: Visit) -> None:
        """Refuse what may come from another site: the browser says where from, and the form has our token."""
        if not self._is_ours(request):
            raise web.HTTPForbidden(reason=FROM_ELSEWHERE)
        token = request.headers.get(CSRF_HEADER) or (await _form(request)).get("csrf")
        if not isinstance(token, str) or not hmac.compare_digest(_bytes(token), visit.csrf.encode()):
            raise web.HTTPForbidden(reason=FROM_ELSEWHERE)

    def _is_ours(self, request: web.Request) -> bool:
        origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
        if site not in (None, "same-origin") or (origin is None and site is None):
            return False
        if origin is None:
            return True
        try:
            asked = urlsplit(origin)
        except ValueError:
            return False
        if self._public.netloc and (asked.scheme, asked.netloc) == (self._public.scheme, self._public.netloc):
            return True
        known = not self._public.netloc or host_of(request.host) in LOOPBACK_NAMES
        return known and asked.scheme in ("http", "https") and asked.netloc.lower() == request.host.lower()


async def _form(request: web.Request) -> Mapping[str, object]:
    """Read the form, once for all who ask. A body can be broken in a dozen ways, and each is the sender's fault."""
    try:
        return await request.post()
    except web.HTTPException:
        raise
    except Exception as problem:  # what aiohttp raises for a broken charset, boundary or packing has no common name
        raise web.HTTPBadRequest from problem


def _path(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return "" if resource is None else resource.canonical


def _seen(login_id: int, now: datetime, tx: Tx) -> None:
    tx.accounts.seen(login_id, now)


def _to_the_door(request: web.Request) -> web.HTTPException:
    """A page leads to the login and back; what is no page, or would lose what somebody wrote, says that it is over."""
    accepted = request.headers.get("Accept", "")
    stream = "text/event-stream" in accepted or "application/json" in accepted
    if stream or request.method not in SAFE or request.headers.get("Sec-Fetch-Dest") == "empty":
        return web.HTTPUnauthorized()
    back = "" if request.path_qs == "/" else f"?next={quote(request.path_qs, safe='/')}"
    return web.HTTPSeeOther(f"/login{back}")

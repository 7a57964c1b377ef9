"""Logging in by a provider of OpenID Connect: there with a question nobody else can ask, back with an answer to it."""

import hmac
from dataclasses import dataclass
from functools import partial

import structlog
from aiohttp import web

from ringback.flow.admitting import NotAdmitted, admit
from ringback.flow.denials import NOBODY_KNOWN, WRONG_LOGIN, Refusal, note_refused
from ringback.panel.door import Door
from ringback.panel.entering import Entering
from ringback.panel.forgery import local_path
from ringback.panel.guard import FROM_PROVIDER
from ringback.panel.halves import Halves
from ringback.panel.login import ADMISSION
from ringback.ports.directories import DirectoryAway, DirectoryRefused, Errand, SendingDirectory

log = structlog.get_logger("login")

ERRAND_COOKIE = "__Host-ringback-errand"
ERRAND_LASTS_S = 600.0
GO, BACK, LEAVE = "/login/oidc", "/login/oidc/back", "/login/oidc/leave"


@dataclass(frozen=True, slots=True)
class _Sent:
    """A browser on its errand, and where it wanted to go."""

    errand: Errand
    back: str


class ProviderPages:
    """Where to go there, to come back, and to log out there too."""

    def __init__(self, door: Door, entering: Entering, sending: SendingDirectory) -> None:
        self._door = door
        self._shell = door.shell
        self._entering = entering
        self._sending = sending
        self._sent: Halves[_Sent] = Halves(ERRAND_COOKIE, ERRAND_LASTS_S, door.clock.monotonic)

    def routes(self) -> list[web.RouteDef]:
        return [web.get(GO, self.send), web.get(BACK, self.receive), web.get(LEAVE, self.leaving)]

    async def send(self, request: web.Request) -> web.Response:
        """To the provider. What proves the way back stays here, under a cookie of this browser."""
        try:
            errand = await self._sending.send(f"{self._base(request)}{BACK}")
        except DirectoryAway as problem:
            log.error("the provider cannot be reached", problem=str(problem))
            raise web.HTTPSeeOther("/login?done=provider-away") from None
        answer = web.HTTPSeeOther(errand.url)
        self._sent.begin(answer, _Sent(errand, local_path(request.query.get("next", "/"))))
        raise answer

    async def receive(self, request: web.Request) -> web.Response:
        """Let in who comes back with what only the provider can have given them for this very errand."""
        sent, query = self._sent.of(request), request.query
        if sent is None or not hmac.compare_digest(_bytes(query.get("state", "")), _bytes(sent.errand.state)):
            raise self._failed(request, "it answers no question of this browser")
        if "error" in query or not query.get("code"):
            raise self._failed(request, "the provider gave no code")
        try:
            person = await self._sending.receive(sent.errand, query["code"], query.get("iss", ""))
            step = partial(admit, person, self._sending.admission, self._door.clock.now())
            account = await self._door.change(step)
        except (DirectoryAway, DirectoryRefused) as problem:
            raise self._failed(request, str(problem)) from None
        except NotAdmitted as problem:
            log.warning("not admitted", why=str(problem.why))
            why = self._shell.say(request, ADMISSION[problem.why])
            return self._shell.page(request, "login_refused", status=403, why=why)
        goes_on = web.HTTPSeeOther(sent.back)
        self._sent.end(request, goes_on)
        await self._entering.let_in(request, account, goes_on, FROM_PROVIDER)
        raise goes_on

    async def leaving(self, request: web.Request) -> web.Response:
        """The way to log out there, for whoever logged out here. By a link, since no form may lead to another site."""
        try:
            url = await self._sending.leaving(f"{self._base(request)}/login")
        except DirectoryAway:
            url = ""
        if not url:
            raise web.HTTPSeeOther("/login?done=left")
        raise web.HTTPSeeOther(url)

    def _failed(self, request: web.Request, why: str) -> web.HTTPException:
        log.warning("login refused", user="", what=FROM_PROVIDER, why=why)
        refusal = Refusal(NOBODY_KNOWN, FROM_PROVIDER, kind=WRONG_LOGIN)
        note_refused(self._door.store, refusal, self._door.clock.now())
        answer = web.HTTPSeeOther("/login?done=provider")
        self._sent.end(request, answer)
        return answer

    def _base(self, request: web.Request) -> str:
        # the guard has refused every name that is not ours
        return self._shell.site.public_url or f"{request.scheme}://{request.host}"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")

"""Logging in and out: the password, the code of a second factor, the way through a provider."""

import math
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import NoReturn

import structlog
from aiohttp import web

from ringback.flow import factors
from ringback.flow.admitting import SENTENCES, Because, NotAdmitted
from ringback.flow.denials import NOBODY_KNOWN, WRONG_LOGIN, Refusal, note_refused
from ringback.flow.people import read_login
from ringback.flow.refusing import Refused
from ringback.panel.door import BUSY, Door, read_form
from ringback.panel.entering import Entering
from ringback.panel.forgery import local_path
from ringback.panel.guard import FROM_PROVIDER
from ringback.panel.halves import Halves
from ringback.panel.passwords import TooBusy
from ringback.panel.shell import VISIT
from ringback.panel.tokens import COOKIE, drop_cookie
from ringback.panel.vouching import Vouched, vouch
from ringback.panel.words import N_
from ringback.ports.directories import DirectoryAway
from ringback.ports.sealing import SealFault
from ringback.ports.storage import Tx

log = structlog.get_logger("login")

HALF_COOKIE = "__Host-ringback-half"
HALF_LASTS_S = 300.0
CODE_PAGE = "/login/code"

WRONG = N_("Login or password is wrong.")
WRONG_CODE = N_("The code is wrong, or was used before.")
UNREADABLE = N_("Codes of the app cannot be checked here now. Use a code on paper, or ask an administrator.")
AWAY = N_("The directory cannot be asked now. Try again in a few minutes.")
ADMISSION = {
    Because.DISABLED: N_("You may not log in here. Ask an administrator."),
    Because.TAKEN: N_("Somebody else has your login here. Ask an administrator."),
    Because.STRANGER: N_("You have no account here. Ask an administrator."),
    Because.NO_ROLE: N_("None of your groups may log in here. Ask an administrator."),
    Because.BAD_LOGIN: N_("Your login cannot be used here. Ask an administrator."),
    Because.FIRST: N_("Nobody administers this panel yet. The first user is added on the machine itself."),
}
AFTER = {
    "reset": N_("Your password is set. Log in with it."),
    "left": N_("You are logged out here."),
    "provider": N_("The login there did not work. Try again, or ask an administrator."),
    "provider-away": N_("The single sign-on cannot be reached now. Try again in a few minutes."),
}
"""What the page says when it comes after something; the code stands in its address."""


@dataclass(frozen=True, slots=True)
class Half:
    """Somebody whose password was right, and who has yet to type a code."""

    vouched: Vouched
    back: str


class LoginPages:
    """`/login`, `/login/code` and `/logout`."""

    def __init__(self, door: Door, entering: Entering) -> None:
        self._door = door
        self._shell = door.shell
        self._entering = entering
        self._somebody = False
        self._halves: Halves[Half] = Halves(HALF_COOKIE, HALF_LASTS_S, door.clock.monotonic)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/login", self.show),
            web.post("/login", self.enter),
            web.get(CODE_PAGE, self.ask_code),
            web.post(CODE_PAGE, self.enter_code),
            web.post("/logout", self.leave),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """The form; whoever is logged in goes on."""
        back = request.query.get("next", "/")
        if request[VISIT].known:
            raise web.HTTPSeeOther(local_path(back))
        return await self._page(request, "", "", back)

    async def enter(self, request: web.Request) -> web.Response:
        """Let somebody in who knows the password. Whether the account is unknown, disabled or right costs the same."""
        typed, password, back = await read_form(request, "login", "password", "next")
        login = _readable(typed)
        account = await self._door.people.find(login) if login else None
        attempt = self._entering.begin(request, login, account)
        if attempt.wait:
            answer = await self._page(request, self._entering.too_early(request, attempt.wait), typed, back, 429)
            answer.headers["Retry-After"] = str(math.ceil(attempt.wait))
            return answer
        try:
            vouched = await vouch(self._door, account, login, password)
        except (TooBusy, DirectoryAway, NotAdmitted) as problem:
            why, status = self._said(request, problem, account.public_id if account else "")
            return await self._page(request, why, typed, back, status)
        if vouched is None:
            # not what was typed: people type passwords into the wrong field
            self._note_refused(account.public_id if account else "", "password", request)
            return await self._page(request, self._shell.say(request, WRONG), typed, back, 403)
        attempt.was_right()
        raise await self._let_on(request, vouched, back)

    async def ask_code(self, request: web.Request) -> web.Response:
        """The form for the code of whoever typed their password a moment ago."""
        if self._halves.of(request) is None:
            raise web.HTTPSeeOther("/login")
        return self._code_page(request)

    async def enter_code(self, request: web.Request) -> web.Response:
        """Let somebody in who has the code too."""
        half = self._halves.of(request)
        if half is None:
            raise web.HTTPSeeOther("/login")
        (code,) = await read_form(request, "code")
        attempt = self._entering.begin_code(request, half.vouched.account)
        if attempt.wait:
            answer = self._code_page(request, self._entering.too_early(request, attempt.wait), 429)
            answer.headers["Retry-After"] = str(math.ceil(attempt.wait))
            return answer
        try:
            kind = await self._use(half, code)
        except (factors.FactorRefused, SealFault) as problem:
            return self._code_page(request, self._refused(request, half, problem), 403)
        attempt.was_right()
        goes_on = web.HTTPSeeOther(local_path(half.back))
        self._halves.end(request, goes_on)
        await self._enter(request, half.vouched, f"{half.vouched.method}+{kind}", goes_on)
        raise goes_on

    async def leave(self, request: web.Request) -> NoReturn:
        """Log this browser out; whoever came from a provider is told how to leave there too."""
        visit, login = request[VISIT], await self._door.guard.login_of(request.cookies.get(COOKIE, ""))
        await self._door.change(partial(_end, visit.login, visit.principal.label, visit.principal.id, self._now()))
        log.info("logged out", user=visit.principal.id)
        from_provider = login is not None and login.method == FROM_PROVIDER
        answer = web.HTTPSeeOther("/login?done=left" if from_provider else "/login")
        drop_cookie(answer, COOKIE)
        raise answer

    async def _let_on(self, request: web.Request, vouched: Vouched, back: str) -> web.HTTPSeeOther:
        """To where they wanted, or first to the code."""
        if vouched.account.totp_at is None:
            goes_on = web.HTTPSeeOther(local_path(back))
            await self._enter(request, vouched, vouched.method, goes_on)
            return goes_on
        answer = web.HTTPSeeOther(CODE_PAGE)
        self._halves.begin(answer, Half(vouched, back))
        return answer

    async def _enter(self, request: web.Request, vouched: Vouched, method: str, answer: web.StreamResponse) -> None:
        await self._entering.let_in(request, vouched.account, answer, method, vouched.renewed)

    async def _use(self, half: Half, code: str) -> str:
        proving = self._door.proving
        if proving is None:
            raise SealFault("this panel has nothing to open sealed secrets with")
        step = partial(factors.use, half.vouched.account, proving.seal, code, self._now())
        return await self._door.store.commit(step)

    def _refused(self, request: web.Request, half: Half, problem: Exception) -> str:
        who = half.vouched.account.public_id
        if isinstance(problem, SealFault):
            log.error("a second factor cannot be read", user=who, problem=str(problem))
            return self._shell.say(request, UNREADABLE)
        self._note_refused(who, "code", request)
        return self._shell.say(request, WRONG_CODE)

    def _note_refused(self, user: str, what: str, request: web.Request) -> None:
        """Guesses at one account are one row a minute, wherever they come from."""
        log.warning("login refused", user=user, what=what)
        tried = f"{what} of {user}" if user else what
        refusal = Refusal(NOBODY_KNOWN, tried, about=user, kind=WRONG_LOGIN, source=request.remote or "")
        note_refused(self._door.store, refusal, self._now())

    def _said(self, request: web.Request, problem: Exception, who: str) -> tuple[str, int]:
        """Why nobody could be let in, and the status of that page."""
        match problem:
            case NotAdmitted():
                log.warning("not admitted", why=str(problem.why))
                return self._shell.say(request, ADMISSION.get(problem.why, SENTENCES[problem.why])), 403
            case DirectoryAway():
                log.error("the directory cannot be asked", user=who, problem=str(problem))
                return self._shell.say(request, AWAY), 503
        return self._shell.say(request, BUSY), 503

    def _now(self) -> datetime:
        return self._door.clock.now()

    def _code_page(self, request: web.Request, wrong: str = "", status: int = 200) -> web.Response:
        return self._shell.page(request, "login_code", status=status, wrong=wrong)

    async def _page(self, request: web.Request, wrong: str, login: str, back: str, status: int = 200) -> web.Response:
        # nobody is ever deleted, so this is asked until it is so; anybody at all may have this page made
        self._somebody = self._somebody or bool(await self._door.people.everybody())
        sending = self._door.proving.sending if self._door.proving else None
        done = request.query.get("done", "")
        values = {
            "wrong": wrong,
            "login": login[:100],
            "back": local_path(back),
            "nobody_yet": not self._somebody,
            "sending": sending.admission.label if sending else "",
            "leaves": sending is not None and sending.leaves and done == "left",
            "after": AFTER.get(done, ""),
            "after_bad": done.startswith("provider"),
        }
        return self._shell.page(request, "login", status=status, **values)


def _readable(typed: str) -> str:
    try:
        return read_login(typed)
    except Refused:
        return ""


def _end(login_id: int, who: str, public_id: str, now: datetime, tx: Tx) -> None:
    tx.accounts.end(login_id, now)
    tx.audit.note(who, "logout", public_id, "", now)

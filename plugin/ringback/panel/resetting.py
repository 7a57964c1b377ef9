"""Links that set a password once: where they lead, and where administrators make them."""

import math
from collections.abc import Callable
from functools import partial

import structlog
from aiohttp import web

from ringback.core.permissions import Action
from ringback.flow import factors, resets
from ringback.flow.backoff import Backoff
from ringback.flow.denials import NOBODY_KNOWN, WRONG_LOGIN, Refusal, note_refused
from ringback.panel.door import WRONG_FORM, Door, Wrong, read_form
from ringback.panel.entering import place_of
from ringback.panel.proving import Proving
from ringback.panel.shell import VISIT
from ringback.panel.words import N_
from ringback.ports.people import Account
from ringback.ports.post import Letter, PostFault

log = structlog.get_logger("login")

FREE_TRIES, LONGEST_WAIT_S = 10, 900.0
NO_LINK = N_("This link does not work, or no longer. Ask an administrator for another one.")
TOO_OFTEN = N_("Too many links that do not work. Try again in %(wait)s.")
SUBJECT = N_("Your password for Ringback at %(business)s")
NOT_SENT = N_("The mail was not sent; the log says why. Make a link and give it to them yourself.")
LETTER = N_(
    "Hello %(name)s,\n\nwith this link you set a new password:\n\n%(link)s\n\n"
    "It works once, within 24 hours. If you did not ask for it, ask your administrator.\n"
)


class ResetPages:
    """`/reset`, for whoever has a link."""

    def __init__(self, door: Door, proving: Proving) -> None:
        self._door = door
        self._shell = door.shell
        self._reads = proving.reads
        self._wrong = Backoff(FREE_TRIES, LONGEST_WAIT_S, door.clock.monotonic)

    def routes(self) -> list[web.RouteDef]:
        return [web.get(resets.PATH, self.show), web.post(resets.PATH, self.set_password)]

    async def show(self, request: web.Request) -> web.Response:
        """The form, for a link that works; all others look the same."""
        token = request.query.get("token", "")
        account = await self._account(request, token)
        if isinstance(account, web.Response):
            return account
        return self._page(request, account, token)

    async def set_password(self, request: web.Request) -> web.Response:
        """Set the password, and log nobody in."""
        token, password = await read_form(request, "token", "password")
        account = await self._account(request, token)
        if isinstance(account, web.Response):
            return account
        try:
            hashed = await self._door.hash_of_new(password, account.login)
        except Wrong as wrong:
            return self._page(request, account, token, wrong)
        now = self._door.clock.now()
        done = await self._door.change(partial(resets.redeem, resets.hash_of(token), hashed, now))
        if done is None:
            return self._none(request)
        log.info("password set by a link", user=done.public_id)
        raise web.HTTPSeeOther("/login?done=reset")

    async def _account(self, request: web.Request, token: str) -> Account | web.Response:
        """Whose link it is; or the page for one that does not work, or that is tried too often."""
        place = place_of(request.remote or "")
        if wait := self._wrong.wait(place):
            formats = self._shell.pages().formats(request[VISIT].language)
            why = self._shell.say(request, TOO_OFTEN, wait=formats.duration(math.ceil(wait)))
            answer = self._shell.page(request, "reset", status=429, why=why, account=None, token="", wrong=None)
            answer.headers["Retry-After"] = str(math.ceil(wait))
            return answer
        reset = await self._reads.reset_of(resets.hash_of(token))
        if reset is None or not reset.holds(self._door.clock.now()):
            self._wrong.count(place)
            log.warning("a link for a password was refused")
            refusal = Refusal(NOBODY_KNOWN, "link", kind=WRONG_LOGIN)
            note_refused(self._door.store, refusal, self._door.clock.now())
            return self._none(request)
        return reset.account

    def _none(self, request: web.Request) -> web.Response:
        why = self._shell.say(request, NO_LINK)
        return self._shell.page(request, "reset", status=404, why=why, account=None, token="", wrong=None)

    def _page(self, request: web.Request, account: Account, token: str, wrong: Wrong | None = None) -> web.Response:
        status = WRONG_FORM if wrong else 200
        return self._shell.page(request, "reset", status=status, why="", account=account, token=token, wrong=wrong)


class HelpingPages:
    """What an administrator does for somebody who cannot get in: a link, and taking a second factor off."""

    def __init__(self, door: Door, proving: Proving) -> None:
        self._door = door
        self._shell = door.shell
        self._post = proving.post

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/users/{id}/reset", self.offer),
            web.post("/users/{id}/totp-off", self.take_off),
        ]

    async def offer(self, request: web.Request) -> web.Response:
        """Make a link and show it, once; or send it, and show it to nobody."""
        who = self._shell.allow(request, Action.MANAGE_USERS)
        (way,) = await read_form(request, "way")
        link, public_id = resets.new_link(), request.match_info["id"]
        try:
            step = partial(resets.offer, public_id, link.hashed, who.label, self._door.clock.now())
            account = await self._door.change(step)
        except Wrong as wrong:
            return self._page(request, public_id, wrong=wrong.why)
        log.info("a link for a password was made", user=account.public_id, by=who.label)
        address = link.at(self._base(request))
        if way != "mail":
            return self._page(request, public_id, account, link=address)
        return await self._mail(request, account, address)

    async def take_off(self, request: web.Request) -> web.Response:
        """Take somebody's second factor off, who lost their phone."""
        who, public_id = self._shell.allow(request, Action.MANAGE_USERS), request.match_info["id"]
        try:
            await self._door.change(partial(factors.take_off, public_id, who.label, self._door.clock.now()))
        except factors.FactorRefused:
            raise web.HTTPNotFound from None
        log.info("second factor taken off", user=public_id, by=who.label)
        raise web.HTTPSeeOther(f"/users/{public_id}?done=totp-off")

    async def _mail(self, request: web.Request, account: Account, address: str) -> web.Response:
        if self._post is None:
            raise web.HTTPNotFound
        say = partial(self._shell.pages().say, account.language)
        try:
            await self._post.send(letter_of(account, address, self._shell.site.business, say))
        except PostFault as problem:
            log.warning("a letter was not sent", user=account.public_id, problem=str(problem))
            return self._page(request, account.public_id, account, wrong=NOT_SENT)
        return self._page(request, account.public_id, account, mailed=account.mail)

    def _base(self, request: web.Request) -> str:
        return self._shell.site.public_url or f"{request.scheme}://{request.host}"

    def _page(
        self,
        request: web.Request,
        public_id: str,
        account: Account | None = None,
        link: str = "",
        mailed: str = "",
        wrong: str = "",
    ) -> web.Response:
        values = {"id": public_id, "one": account, "link": link, "mailed": mailed, "wrong": wrong}
        return self._shell.page(request, "reset_made", status=WRONG_FORM if wrong else 200, **values)


def letter_of(account: Account, address: str, business: str, say: Callable[[str], str]) -> Letter:
    """The mail with a link, in the language of whoever gets it."""
    subject = say(SUBJECT) % {"business": business}
    return Letter(account.mail, subject, say(LETTER) % {"name": account.called, "link": address})

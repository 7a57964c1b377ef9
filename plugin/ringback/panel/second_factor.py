"""One's own second factor: set up with a first code, other codes on paper, taken off."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

import structlog
from aiohttp import web
from markupsafe import Markup

from ringback.core.permissions import Action
from ringback.flow import factors
from ringback.flow.factors import FactorRefused, NewCodes
from ringback.panel.door import BUSY, WRONG_FORM, Door, Wrong, read_form
from ringback.panel.entering import Entering
from ringback.panel.guard import FACTOR
from ringback.panel.login import AWAY, UNREADABLE
from ringback.panel.passwords import TooBusy
from ringback.panel.proving import Proving
from ringback.panel.shell import VISIT
from ringback.panel.tokens import csrf_of, new_token
from ringback.panel.vouching import vouch
from ringback.panel.words import DONE, N_
from ringback.ports.directories import DirectoryAway
from ringback.ports.people import Account
from ringback.ports.sealing import SealFault
from ringback.ports.storage import Tx

log = structlog.get_logger("login")

WRONG_PASSWORD = N_("This is not your password.")
REFUSED = {
    factors.Because.WRONG_CODE: N_("This code is wrong, or was used before. Wait for the next one."),
    factors.Because.NOT_BEGUN: N_("Begin anew: this second factor is set up already, or was taken off."),
    factors.Because.NEEDED: N_("You must have a second factor, so you cannot take it off."),
    factors.Because.NONE: N_("There is no second factor any more."),
}

Change = Callable[[str, datetime, Tx], object]
"""A step that wants who asks, and when."""


class SecondFactorPages:
    """The routes under /profile/second-factor."""

    def __init__(self, door: Door, entering: Entering, proving: Proving) -> None:
        self._door = door
        self._shell = door.shell
        self._entering = entering
        self._proving = proving

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(FACTOR, self.show),
            web.post(f"{FACTOR}/begin", self.begin),
            web.post(FACTOR, self.confirm),
            web.post(f"{FACTOR}/codes", self.renew_codes),
            web.post(f"{FACTOR}/off", self.take_off),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """Whether there is one, and what can be done about it."""
        return await self._page(request)

    async def begin(self, request: web.Request) -> web.Response:
        """Make a secret and show it. Whoever must set one up has just typed their password; others type it again."""
        me = await self._me(request)
        (password,) = await read_form(request, "password")
        try:
            if not request[VISIT].owes:
                await self._check_password(request, me, password)
            secret = factors.new_secret()
            await self._carry_out(request, partial(factors.begin, me, self._proving.seal, secret))
        except Wrong as wrong:
            return await self._page(request, wrong)
        return await self._page(request, secret=secret)

    async def confirm(self, request: web.Request) -> web.Response:
        """Have it count, for whoever types a code of it. This browser stays logged in, with a new token."""
        me, codes = await self._me(request), factors.new_codes()
        (code,) = await read_form(request, "code")
        attempt = self._entering.begin_code(request, me)
        try:
            if attempt.wait:
                raise Wrong("code", self._entering.too_early(request, attempt.wait))
            await self._carry_out(request, partial(factors.confirm, me, self._proving.seal, code, codes))
        except Wrong as wrong:
            return await self._page(request, wrong, secret=self._waiting(me))
        attempt.was_right()
        latest = await self._me(request)
        token = new_token()
        # the forms of this very page go with the login that begins with it
        request[VISIT] = replace(request[VISIT], csrf=csrf_of(token), owes=False)
        answer = self._codes(request, codes)
        await self._entering.let_in(request, latest, answer, "password+totp", token=token)
        return answer

    async def renew_codes(self, request: web.Request) -> web.Response:
        """Ten other codes on paper; those before are void."""
        me, codes = await self._me(request), factors.new_codes()
        try:
            await self._check_code(request, me)
            await self._carry_out(request, partial(factors.renew_codes, me, codes))
        except Wrong as wrong:
            return await self._page(request, wrong)
        return self._codes(request, codes)

    async def take_off(self, request: web.Request) -> web.Response:
        """Log in without one from now on, where that is allowed."""
        me = await self._me(request)
        try:
            if self._proving.demand.asks(me):
                raise Wrong("code", REFUSED[factors.Because.NEEDED])
            await self._check_code(request, me)
            await self._carry_out(request, partial(factors.take_off, me.public_id))
        except Wrong as wrong:
            return await self._page(request, wrong)
        answer = web.HTTPSeeOther(f"{FACTOR}?done=own-totp-off")
        await self._entering.let_in(request, await self._me(request), answer, "password")
        raise answer

    async def _carry_out(self, request: web.Request, change: Change) -> None:
        """Raises Wrong for what is refused."""
        who, now = request[VISIT].principal, self._door.clock.now()
        try:
            await self._door.change(partial(change, who.label, now))
        except FactorRefused as refused:
            log.warning("second factor refused", user=who.id, why=str(refused.why))
            raise Wrong("code", REFUSED[refused.why]) from refused
        except SealFault as problem:
            log.error("a second factor cannot be read", user=who.id, problem=str(problem))
            raise Wrong("code", UNREADABLE) from problem

    async def _check_password(self, request: web.Request, me: Account, password: str) -> None:
        attempt = self._entering.begin(request, me.login, me)
        if attempt.wait:
            raise Wrong("password", self._entering.too_early(request, attempt.wait))
        try:
            vouched = await vouch(self._door, me, me.login, password)
        except TooBusy as problem:
            raise Wrong("password", BUSY) from problem
        except DirectoryAway as problem:
            raise Wrong("password", AWAY) from problem
        if vouched is None:
            raise Wrong("password", WRONG_PASSWORD)
        attempt.was_right()

    async def _check_code(self, request: web.Request, me: Account) -> None:
        (code,) = await read_form(request, "code")
        attempt = self._entering.begin_code(request, me)
        if attempt.wait:
            raise Wrong("code", self._entering.too_early(request, attempt.wait))
        seal = self._proving.seal
        await self._carry_out(request, lambda _by, now, tx: factors.use(me, seal, code, now, tx))
        attempt.was_right()

    async def _me(self, request: web.Request) -> Account:
        self._shell.allow(request, Action.READ_OWN)
        everybody = await self._door.people.everybody()
        return next(one for one in everybody if one.public_id == request[VISIT].principal.id)

    def _waiting(self, me: Account) -> str:
        """The secret that waits for its first code, to be shown again."""
        try:
            return self._proving.seal.open(me.totp, factors.about(me)) if me.totp and me.totp_at is None else ""
        except SealFault:
            return ""

    def _codes(self, request: web.Request, codes: NewCodes) -> web.Response:
        return self._shell.page(request, "second_factor_codes", codes=codes.shown)

    async def _page(self, request: web.Request, wrong: Wrong | None = None, secret: str = "") -> web.Response:
        me = await self._me(request)
        values = {
            "me": me,
            "wrong": wrong,
            "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
            "picture": picture(secret, me.login, self._shell.site.business) if secret else "",
            "asked": self._proving.demand.asks(me),
            "elsewhere": me.outside.startswith("oidc:"),
            "left": len(me.codes.split()),
            "done": DONE.get(request.query.get("done", "")),
        }
        return self._shell.page(request, "second_factor", status=WRONG_FORM if wrong else 200, **values)


def picture(secret: str, login: str, business: str) -> Markup:
    """The square picture that apps read, drawn in place: black on white in every theme, since phones need that."""
    import segno  # noqa: PLC0415 - most daemons draw none

    drawn = segno.make(factors.address_of(secret, login, business), error="m", micro=False)
    # drawn by us of letters and digits; nothing in it came from outside as markup
    return Markup(drawn.svg_inline(scale=4, border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr"))  # noqa: S704 - see above

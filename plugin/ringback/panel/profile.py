"""What belongs to whoever is logged in: password, language, theme, keys, and where else they are logged in."""

from datetime import timedelta
from functools import partial
from typing import NoReturn

from aiohttp import web

from ringback.flow.people import log_out, set_language, set_password
from ringback.panel import words
from ringback.panel.browsers import in_words
from ringback.panel.door import BUSY, WRONG_FORM, Door, Wrong, read_form
from ringback.panel.entering import Entering
from ringback.panel.forgery import local_path
from ringback.panel.logged_in import holds
from ringback.panel.passwords import TooBusy
from ringback.panel.shell import VISIT
from ringback.panel.tokens import COOKIE, KEYS_COOKIE, THEME_COOKIE, drop_cookie
from ringback.panel.words import N_
from ringback.ports.people import Account

YEAR = timedelta(days=365)
WRONG_PASSWORD = N_("This is not your password.")
NO_SUCH_LANGUAGE = N_("Choose one of the languages.")


class ProfilePages:
    """The routes under /profile, and /theme, which every page has a button for."""

    def __init__(self, door: Door, entering: Entering) -> None:
        self._door = door
        self._shell = door.shell
        self._entering = entering

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/profile", self.show),
            web.post("/profile/password", self.change_password),
            web.post("/profile/language", self.change_language),
            web.post("/profile/keys", self.change_keys),
            web.post("/profile/logout-everywhere", self.leave_everywhere),
            web.post("/theme", self.change_theme),
        ]

    async def show(self, request: web.Request) -> web.Response:
        return await self._page(request)

    async def change_password(self, request: web.Request) -> web.Response:
        """Take a new password from whoever knows the old one; this browser stays logged in, with a new token."""
        account = await self._me(request)
        old, new = await read_form(request, "old", "password")
        try:
            await self._check_old(request, account, old)
            hashed = await self._door.hash_of_new(new, account.login)
            who = request[VISIT].principal.label
            await self._door.change(partial(set_password, account.public_id, hashed, who, self._door.clock.now()))
        except Wrong as wrong:
            return await self._page(request, wrong)
        answer = web.HTTPSeeOther("/profile?done=password-changed")
        me = await self._me(request)
        method = "password+totp" if me.totp_at is not None else "password"
        await self._entering.let_in(request, me, answer, method)
        raise answer

    async def change_language(self, request: web.Request) -> web.Response:
        """Choose the language of the panel; empty leaves it to the browser."""
        (language,) = await read_form(request, "language")
        if language and language not in self._shell.pages().languages.codes():
            return await self._page(request, Wrong("language", NO_SUCH_LANGUAGE))
        who = request[VISIT].principal
        await self._door.change(partial(set_language, who.id, language, who.label, self._door.clock.now()))
        raise web.HTTPSeeOther("/profile?done=language-changed")

    async def change_keys(self, request: web.Request) -> web.Response:
        """Switch single keys off or on, in this browser."""
        (keys,) = await read_form(request, "keys")
        answer = web.HTTPSeeOther("/profile?done=keys-changed")
        _put_choice(answer, KEYS_COOKIE, "off" if keys == "off" else "on")
        raise answer

    async def change_theme(self, request: web.Request) -> web.Response:
        """Choose light, dark or the system's own, in this browser; then back to where the button was."""
        theme, back = await read_form(request, "theme", "back")
        answer = web.HTTPSeeOther(local_path(back))
        _put_choice(answer, THEME_COOKIE, theme if theme in words.THEMES else "auto")
        raise answer

    async def leave_everywhere(self, request: web.Request) -> NoReturn:
        """Log out of every browser, this one too."""
        who = request[VISIT].principal
        await self._door.change(partial(log_out, who.id, who.label, self._door.clock.now()))
        answer = web.HTTPSeeOther("/login")
        drop_cookie(answer, COOKIE)
        raise answer

    async def _check_old(self, request: web.Request, account: Account, old: str) -> None:
        """Raises Wrong. Guesses are counted as at the login: who finds an open screen must not find the password."""
        attempt = self._entering.begin(request, account.login, account)
        if attempt.wait:
            raise Wrong("old", self._entering.too_early(request, attempt.wait))
        try:
            verified = await self._door.hasher.verify(account.password, old)
        except TooBusy as problem:
            raise Wrong("old", BUSY) from problem
        if not verified.good:
            raise Wrong("old", WRONG_PASSWORD)
        attempt.was_right()

    async def _me(self, request: web.Request) -> Account:
        everybody = await self._door.people.everybody()
        return next(one for one in everybody if one.public_id == request[VISIT].principal.id)

    async def _page(self, request: web.Request, wrong: Wrong | None = None) -> web.Response:
        account, now = await self._me(request), self._door.clock.now()
        logins = [login for login in await self._door.people.of_account(account.id) if holds(login, now)]
        values = {
            "me": account,
            "factors": self._door.proving is not None,
            "codes_left": len(account.codes.split()),
            "logins": [(login, in_words(login.browser)) for login in logins],
            "wrong": wrong,
            "done": words.DONE.get(request.query.get("done", "")),
        }
        return self._shell.page(request, "profile", status=WRONG_FORM if wrong else 200, **values)


def _put_choice(answer: web.StreamResponse, name: str, value: str) -> None:
    # the theme is also set by script, so it cannot be kept from scripts; it is no secret
    answer.set_cookie(name, value, path="/", max_age=round(YEAR.total_seconds()), samesite="Lax")

"""What an agent was told of which texts somebody wants: a small form beside the thread, and nothing more."""

from aiohttp import web

from ringback.core.consents import ConsentKind, Method
from ringback.core.messages import MessageClass
from ringback.core.permissions import Action
from ringback.errors import StoreBusy
from ringback.flow.desk import Denied, Desk, NotThere, Unwritten
from ringback.flow.noting_consent import Told
from ringback.panel import consent_words, thread_words
from ringback.panel.shell import Shell
from ringback.panel.threads import HERE, Draft, Refusal, Refusals, ThreadPages, new_key

UNWRITTEN, BUSY = 422, 503


class ConsentActs:
    """`pages` shows the thread again when the answer is no."""

    def __init__(self, shell: Shell, pages: ThreadPages, desk: Desk) -> None:
        self._shell = shell
        self._pages = pages
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        return [web.post(f"{HERE}/{{thread}}/consent", self.note)]

    async def note(self, request: web.Request) -> web.Response:
        """Write down what they said yes or no to; `note` says how, and must not be empty."""
        who, thread = self._shell.allow(request, Action.SETTLE), request.match_info["thread"]
        # whatever the form says: a thread that is not theirs is not there
        await self._pages.head(request)
        form = await request.post()
        try:
            told = Told(
                ConsentKind(str(form.get("said", ""))),
                MessageClass(str(form.get("what", ""))),
                Method(str(form.get("how", ""))),
                str(form.get("note", "")),
            )
        except ValueError:
            raise web.HTTPBadRequest from None
        try:
            await self._desk.note_consent(who, thread, told)
        except NotThere:
            raise web.HTTPNotFound from None
        except Denied:
            raise web.HTTPForbidden from None
        except Unwritten:
            return await self._refuse(request, told, consent_words.NOT_WRITTEN, UNWRITTEN)
        except StoreBusy:
            return await self._refuse(request, told, thread_words.NOT_NOTED, BUSY)
        view = request.query.get("view", "")
        query = f"?view={view}" if view.isalpha() else ""
        raise web.HTTPSeeOther(f"{HERE}/{thread}{query}#about")

    async def _refuse(self, request: web.Request, told: Told, why: str, status: int) -> web.Response:
        typed = {"said": told.kind, "what": told.class_, "how": told.method, "note": told.note}
        refused = Refusals(consent=Refusal(why, typed))
        return await self._pages.page(request, Draft(new_key()), status, refused)

"""The page of what agents carry: how many sessions at once, and as how many a call counts."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from ringback.core.ids import Kind, kind_of
from ringback.core.permissions import Action
from ringback.core.text_queues import Queues
from ringback.flow.agents import load_of, read_load, set_up_agent
from ringback.flow.refusing import Because, Refused
from ringback.panel import queue_words
from ringback.panel.door import WRONG_FORM, Wrong, read_form
from ringback.panel.queue_parts import QueueOffice
from ringback.panel.queues import HERE
from ringback.ports.people import Account
from ringback.ports.queues import Agent
from ringback.ports.storage import Tx

AT_ONCE = 100
PLACE = f"{HERE}/agents"


@dataclass(frozen=True, slots=True)
class Row:
    """One agent of the page, as they are or as they were typed."""

    agent: Agent
    capacity: str
    voice_weight: str
    follows: bool
    queues: tuple[str, ...]
    wrong: Wrong | None = None


class AgentPages:
    """The routes of what agents carry."""

    def __init__(self, office: QueueOffice) -> None:
        self._office = office
        self._door = office.door
        self._shell = office.door.shell

    def routes(self) -> list[web.RouteDef]:
        return [web.get(PLACE, self.show), web.post(PLACE, self.save)]

    async def show(self, request: web.Request) -> web.Response:
        """Everybody who serves a queue or was set up, a page at a time by name."""
        self._shell.allow(request, Action.READ_QUEUES)
        return await self._show(request)

    async def save(self, request: web.Request) -> web.Response:
        """What one of them carries."""
        who = self._shell.allow(request, Action.MANAGE_QUEUES)
        user, capacity, weight, follows = await read_form(request, "user", "capacity", "voice_weight", "follows")
        now = self._door.clock.now()

        def step(tx: Tx) -> Account:
            account = tx.accounts.get(user) if kind_of(user) is Kind.USER else None
            if account is None:
                raise Refused(Because.UNKNOWN)
            load = read_load(capacity, weight, follows_phone=follows == "yes")
            set_up_agent(account, load, who.label, now, tx)
            return account

        try:
            account = await self._door.change(step)
        except Wrong as wrong:
            return await self._show(request, {user: (capacity, weight, follows, wrong)})
        raise web.HTTPSeeOther(f"{PLACE}?page={_page_of(request)}&done=agents#{account.public_id}")

    async def _show(
        self, request: web.Request, typed: Mapping[str, tuple[str, str, str, Wrong]] | None = None
    ) -> web.Response:
        agents, queues = await self._office.read.agents(), await self._office.read.queues()
        known = sorted(agents.values(), key=lambda one: (one.disabled, (one.name or one.login).casefold()))
        page = min(_page_of(request), max(0, len(known) - 1) // AT_ONCE)
        rows = [_row(one, queues, (typed or {}).get(one.public_id)) for one in known[page * AT_ONCE :][:AT_ONCE]]
        values = {
            "rows": rows,
            "page": page,
            "pages": -(-len(known) // AT_ONCE),
            "many": len(known),
            "done": queue_words.DONE.get(request.query.get("done", "")),
        }
        return self._shell.page(request, "queue_agents", status=WRONG_FORM if typed else 200, **values)


def _page_of(request: web.Request) -> int:
    text = request.query.get("page", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _row(agent: Agent, queues: Queues, typed: tuple[str, str, str, Wrong] | None) -> Row:
    mine = tuple(queue.name for queue in queues.all if agent.account in queue.members)
    if typed is not None:
        capacity, weight, follows, wrong = typed
        return Row(agent, capacity, weight, follows == "yes", mine, wrong)
    load = load_of(agent)
    return Row(agent, str(load.capacity), str(load.voice_weight), load.follows_phone, mine)

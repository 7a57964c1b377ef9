"""The pages of text queues: the list, one of them with all that is said of it, and what goes when it is removed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from aiohttp import web

from ringback.core.permissions import Action
from ringback.core.queue_forms import read_plan
from ringback.core.text_queues import Queues, TextQueue, VoiceName
from ringback.flow.agents import takes_sessions
from ringback.flow.queues import (
    MADE,
    Draft,
    Meanwhile,
    add_queue,
    change_queue,
    meanwhile,
    remove_queue,
    voice_of,
    what_goes,
)
from ringback.flow.refusing import SENTENCES, Because, Refused
from ringback.panel import queue_words as words
from ringback.panel.door import WRONG_FORM, Wrong, read_form, wrong_for
from ringback.panel.queue_parts import (
    MOST_VOICE,
    QueueOffice,
    Typed,
    notes_of,
    read_typed,
    several_of,
    turned,
    typed_of,
    written,
    wrong_of,
)
from ringback.ports.grants import NumberCard
from ringback.ports.people import Account
from ringback.ports.storage import Tx

HERE = "/queues"
FIELD = {"name": "name", "member": "more_members", "voice": "more_voice", "number": "number", "login": "more_members"}
"""Where a refusal is shown, by the field it is about."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Something that can be ticked; `elsewhere` is the queue that has it now."""

    value: str
    word: str
    more: str = ""
    elsewhere: str = ""


class QueuePages:
    """The routes of the list and of each queue."""

    def __init__(self, office: QueueOffice) -> None:
        self._office = office
        self._door = office.door
        self._shell = office.door.shell

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(HERE, self.index),
            web.get(f"{HERE}/new", self.ask_new),
            web.post(f"{HERE}/new", self.add),
            web.get(f"{HERE}/{{id}}", self.show),
            web.post(f"{HERE}/{{id}}", self.save),
            web.get(f"{HERE}/{{id}}/remove", self.ask_remove),
            web.post(f"{HERE}/{{id}}/remove", self.remove),
        ]

    async def index(self, request: web.Request) -> web.Response:
        """All of them, the main queue first."""
        self._shell.allow(request, Action.READ_QUEUES)
        queues = await self._office.read.queues()
        ordered = sorted(queues.all, key=lambda one: (not one.main, one.name.casefold()))
        done = words.DONE.get(request.query.get("done", ""))
        return self._shell.page(request, "queues", queues=ordered, W=words, done=done)

    async def ask_new(self, request: web.Request) -> web.Response:
        """The form for one more."""
        self._shell.allow(request, Action.MANAGE_QUEUES)
        return self._new(request, "", MADE.strategy)

    async def add(self, request: web.Request) -> web.Response:
        """Make one; all else is said on its own page."""
        who = self._shell.allow(request, Action.MANAGE_QUEUES)
        name, strategy = await read_form(request, "name", "strategy")
        known = self._office.around.known
        plan, faults = read_plan({"strategy": strategy}, MADE, known)
        if faults:
            return self._new(request, name, strategy, wrong_of(faults[0]))
        step = partial(add_queue, name, plan, known, who.label, self._door.clock.now())
        try:
            made = await self._door.change(step)
        except Wrong as wrong:
            return self._new(request, name, strategy, wrong)
        raise web.HTTPSeeOther(f"{HERE}/{made.public_id}?done=added")

    def _new(self, request: web.Request, name: str, strategy: str, wrong: Wrong | None = None) -> web.Response:
        status = WRONG_FORM if wrong else 200
        values = {"name": name, "strategy": strategy, "wrong": wrong, "W": words}
        return self._shell.page(request, "queue_new", status=status, **values)

    async def show(self, request: web.Request) -> web.Response:
        """One of them, as a form for whoever may change it."""
        self._shell.allow(request, Action.READ_QUEUES)
        queue = await self._office.queue(request)
        members = await self._office.directory.those(frozenset(queue.members))
        return await self._one(request, queue, typed_of(queue, members, self._office.around))

    async def save(self, request: web.Request) -> web.Response:
        """Have all of it be as it was typed, or nothing."""
        who = self._shell.allow(request, Action.MANAGE_QUEUES)
        queue = await self._office.queue(request)
        around, now = self._office.around, self._door.clock.now()
        typed = await read_typed(request, queue.plan, around)
        plan, faults = read_plan(typed.words, queue.plan, around.known)
        wrongs = {fault.word: wrong_of(fault) for fault in faults}
        voice = self._voice_of(queue, typed, wrongs)
        ticked: list[int] = []

        def step(tx: Tx) -> Meanwhile | None:
            ticked[:] = [_member(one, tx) for one in typed.members]
            more = [_member(one, tx) for one in several_of(typed.more_members)]
            if wrongs:
                return None
            draft = Draft(typed.name, plan, (*ticked, *more), tuple(voice), typed.numbers)
            if other := meanwhile(queue.public_id, draft, typed.seen, around.known, tx):
                return other
            change_queue(queue.public_id, draft, around.known, who.label, now, tx)
            return None

        try:
            if other := await self._door.change(step):
                return await self._one(request, other.queue, typed, ticked, other.words)
        except Wrong as wrong:
            wrongs.setdefault(FIELD.get(wrong.field, wrong.field), wrong)
        if wrongs:
            return await self._one(request, queue, replace(typed, faults=wrongs), ticked)
        raise web.HTTPSeeOther(f"{HERE}/{queue.public_id}?done=saved")

    def _voice_of(self, queue: TextQueue, typed: Typed, wrongs: dict[str, Wrong]) -> list[VoiceName]:
        """The queues of Asterisk's that were ticked or written; what it has may be of a PBX that is not in the file any
        more."""
        found, has = [], {written(one): one for one in queue.voice}
        for text in (*typed.voice, *several_of(typed.more_voice)):
            try:
                found.append(has.get(text) or voice_of(text, self._office.around.pbxs))
            except Refused as refused:
                wrongs.setdefault("more_voice", wrong_for(refused))
        return found

    async def _one(
        self,
        request: web.Request,
        queue: TextQueue,
        typed: Typed,
        ticked: Sequence[int] = (),
        others: Sequence[str] = (),
    ) -> web.Response:
        """The form; `ticked` are members as it has them, `others` what somebody else changed meanwhile."""
        office, queues = self._office, await self._office.read.queues()
        numbers = await office.numbers()
        members = await self._members(queue, ticked)
        was = typed_of(queue, [one for one, _ in members if one.id in queue.members], office.around)
        typed = replace(typed, seen=was.seen) if others else typed
        values = {
            "queue": queue,
            "typed": typed,
            "faults": typed.faults,
            "members": members,
            "was": was,
            "turned": turned(others),
            "voice": _voices(queue, queues, typed, self._live()),
            "pbxs": office.around.pbxs,
            "numbers": _numbers(queue, queues, numbers),
            "notes": notes_of(typed, queue.plan, office.around, self._shell.site.business),
            "calendars": office.around.known.calendars,
            "W": words,
            "done": words.DONE.get(request.query.get("done", "")),
        }
        return self._shell.page(request, "queue", status=WRONG_FORM if typed.faults or others else 200, **values)

    async def _members(self, queue: TextQueue, ticked: Sequence[int]) -> list[tuple[Account, bool]]:
        """Whoever serves it, ticked or not, in their order, and who was ticked beside; True for who cannot take
        sessions any more."""
        rows = tuple(dict.fromkeys((*queue.members, *ticked)))
        known = {one.id: one for one in await self._office.directory.those(frozenset(rows))}
        people = [known[one] for one in rows if one in known]
        return [(one, not takes_sessions(one)) for one in people]

    def _live(self) -> list[VoiceName]:
        heard = [one for one in self._office.exchanges.values() if one.heard]
        return [VoiceName(queue.pbx, queue.name) for one in heard for queue in one.queues()][:MOST_VOICE]

    async def ask_remove(self, request: web.Request) -> web.Response:
        """Whether to remove it, and what becomes of what it has."""
        self._shell.allow(request, Action.MANAGE_QUEUES)
        return await self._removing(request, await self._office.queue(request))

    async def remove(self, request: web.Request) -> web.Response:
        who, queue = self._shell.allow(request, Action.MANAGE_QUEUES), await self._office.queue(request)
        step = partial(remove_queue, queue.public_id, who.label, self._door.clock.now())
        try:
            await self._door.change(step)
        except Wrong as wrong:
            return await self._removing(request, queue, wrong)
        raise web.HTTPSeeOther(f"{HERE}?done=removed")

    async def _removing(self, request: web.Request, queue: TextQueue, wrong: Wrong | None = None) -> web.Response:
        if queue.main:
            wrong = wrong or Wrong("queue", SENTENCES[Because.MAIN_STAYS])
            return self._shell.page(request, "queue_remove", status=WRONG_FORM, queue=queue, goes=None, wrong=wrong)
        goes = await self._door.store.commit(partial(what_goes, queue.public_id))
        status = WRONG_FORM if wrong else 200
        return self._shell.page(request, "queue_remove", status=status, queue=queue, goes=goes, wrong=wrong)


def _member(words: str, tx: Tx) -> int:
    found = tx.accounts.named(words.strip().casefold())
    if len(found) != 1:
        raise Refused(Because.NO_MEMBER_THERE, given=words)
    return found[0].id


def _voices(queue: TextQueue, queues: Queues, typed: Typed, live: Sequence[VoiceName]) -> list[Tick]:
    """Queues of Asterisk's that it stands beside, those that were ticked, and all that are there now."""
    ticks = {}
    for one in (*queue.voice, *live):
        owner = queues.of_voice(one.pbx, one.queue)
        elsewhere = owner.name if owner and owner.id != queue.id else ""
        ticks[written(one)] = Tick(written(one), one.queue, one.pbx, elsewhere)
    ticks |= {text: Tick(text, text) for text in typed.voice if text not in ticks}
    return list(ticks.values())


def _numbers(queue: TextQueue, queues: Queues, cards: Sequence[NumberCard]) -> list[Tick]:
    ticks = []
    for card in cards:
        owner = queues.of_number(card.e164)
        elsewhere = "" if owner.id == queue.id or owner.main else owner.name
        ticks.append(Tick(card.e164, card.label, card.e164, elsewhere))
    return ticks

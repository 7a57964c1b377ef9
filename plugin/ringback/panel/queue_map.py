"""The page that makes text queues of Asterisk's: first what would be made, then all of it at once."""

from collections.abc import Collection
from functools import partial

from aiohttp import web

from ringback.core.permissions import Action
from ringback.core.queue_mapping import Sketch
from ringback.core.text_queues import VoiceName
from ringback.flow.queue_mapping import apply_sketch, heard, sketch
from ringback.flow.queues import voice_of
from ringback.flow.refusing import Refused
from ringback.panel.door import WRONG_FORM, Wrong
from ringback.panel.queue_parts import QueueOffice, written
from ringback.panel.queues import HERE

MOST_SHOWN = 300


class MapPages:
    """The routes of the mapping."""

    def __init__(self, office: QueueOffice) -> None:
        self._office = office
        self._door = office.door
        self._shell = office.door.shell

    def routes(self) -> list[web.RouteDef]:
        return [web.get(f"{HERE}/map", self.show), web.post(f"{HERE}/map", self.apply)]

    async def show(self, request: web.Request) -> web.Response:
        """What would be made of all queues that are heard of now."""
        self._shell.allow(request, Action.MANAGE_QUEUES)
        return await self._show(request, await self._sketch(), None)

    async def apply(self, request: web.Request) -> web.Response:
        """Make those that are ticked, if they are still what was shown."""
        who, form = self._shell.allow(request, Action.MANAGE_QUEUES), await request.post()
        ticked = self._ticked([str(value) for value in form.getall("voice", ())])
        now, known = self._door.clock.now(), self._office.around.known
        seen = str(form.get("digest", ""))
        step = partial(apply_sketch, heard(self._office.exchanges), ticked, seen, known, who.label, now)
        try:
            await self._door.change(step)
        except Wrong as wrong:
            return await self._show(request, await self._sketch(), ticked, wrong)
        raise web.HTTPSeeOther(f"{HERE}?done=mapped")

    def _ticked(self, texts: list[str]) -> list[VoiceName]:
        found = []
        for text in texts:
            try:
                found.append(voice_of(text, self._office.around.pbxs))
            except Refused:
                continue  # of a PBX that is not in the file: nothing can be heard of it
        return found

    async def _sketch(self) -> Sketch:
        return await self._door.store.commit(partial(sketch, heard(self._office.exchanges), None))

    async def _show(
        self, request: web.Request, drawn: Sketch, ticked: Collection[VoiceName] | None, wrong: Wrong | None = None
    ) -> web.Response:
        shown = [one for one in drawn.queues if one.changes or one.unknown or one.cannot][:MOST_SHOWN]
        values = {
            "drawn": drawn,
            "shown": shown,
            "same": [one for one in drawn.queues if one not in shown],
            "ticked": {written(one.voice) for one in shown if one.changes and (ticked is None or one.voice in ticked)},
            "written": written,
            "away": [name for name, one in self._office.exchanges.items() if not one.heard],
            "pbxs": tuple(self._office.exchanges),
            "wrong": wrong,
        }
        return self._shell.page(request, "queue_map", status=WRONG_FORM if wrong else 200, **values)

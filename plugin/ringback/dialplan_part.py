"""What the dialplan asks of one run, wired: nothing listens without a secret, and health says how to get one."""

import asyncio
from collections.abc import Mapping

from ringback.asterisk.feed import AmiFeed
from ringback.core.note_texts import read_note
from ringback.core.text_queues import Note
from ringback.course import Course
from ringback.dialplan import Answering, Counts, serve, serve_agi
from ringback.flow.dialplan import Able, Dialplan
from ringback.flow.dialplan_callers import Callers
from ringback.flow.house import House
from ringback.flow.offering import Offerings
from ringback.flow.queue_book import QueueBook
from ringback.flow.sending import Lanes
from ringback.flow.waits import Waits
from ringback.panel.health import Standing
from ringback.panel.say import Say
from ringback.panel.words import N_
from ringback.running import Parts
from ringback.store.beside import Beside
from ringback.store.database import Database
from ringback.store.tally import Spread

NAME = "dialplan"
WITHOUT_ONE = Say(
    N_("secrets/dialplan.token is not there: nothing listens, and calls go on as if Ringback were not there")
)
GET_ONE = "ringback init --dialplan"
TOOK_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class DialplanPart:
    """`run` is a part, where there is a secret; `took` are the seconds of each answer."""

    def __init__(
        self,
        course: Course,
        house: House,
        database: Database,
        lanes: Lanes,
        feeds: Mapping[str, AmiFeed],
        waits: Waits,
        roll: Able,
    ) -> None:
        settings, clock = course.settings.dialplan, course.clock
        self.took = Spread(TOOK_S)
        self._course = course
        self._callers = Callers(house, feeds, Beside(database), clock)
        self._queues = QueueBook(database, database.changes, clock)
        self._dialplan = Dialplan(
            house,
            database,
            Beside(database),
            lanes,
            self._callers,
            Offerings(waits, house.calendars),
            roll,
            self._queues,
            clock,
        )
        token = settings.token.get_secret_value() if settings.token is not None else ""
        self._answering = Answering(self._dialplan, token, clock, self.took.add)
        self._listens = bool(token)

    def counts(self) -> Counts:
        return self._answering.counts()

    def show(self, parts: Parts) -> bool:
        """Whether it runs; health says why not."""
        if not self._listens:
            parts.show(NAME, Standing.IDLE, WITHOUT_ONE, GET_ONE)
        return self._listens

    async def run(self) -> None:
        """Answer until cancelled."""
        settings = self._course.settings.dialplan
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._callers.run())
                group.create_task(self._queues.run())
                # until then nobody listens, and calls go on at once
                await asyncio.gather(asyncio.to_thread(warm_up), self._callers.ready.wait(), self._queues.ready.wait())
                group.create_task(serve(settings.listen, self._answering, self._asks_at))
                if settings.fastagi is not None:
                    group.create_task(serve_agi(settings.fastagi, self._answering, self._agi_at))
        finally:
            await self._dialplan.settle()

    def _asks_at(self, port: int) -> None:
        self._course.dialplan_port = port

    def _agi_at(self, port: int) -> None:
        self._course.agi_port = port


def warm_up() -> None:
    """Bring in what fills in texts, which takes a moment the first time: no caller should wait for that."""
    read_note(Note.OPENING, "From {{ business }}").render({"business": "x"})

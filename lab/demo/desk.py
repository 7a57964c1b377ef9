"""An agent at their page, and the text queue they serve: made by the commands an owner would type."""

import asyncio
import shlex
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Self

from lab.demo.browser import Page
from lab.demo.people import Person
from lab.demo.scene import NotSeen, Scene
from lab.demo.talk import LOOK_AGAIN, PATIENCE, Talk

WORK = "/sessions"


class Desk(Talk):
    """One agent with their page open, and the caller with whom they write."""

    @classmethod
    @asynccontextmanager
    async def opened(cls, scene: Scene, person: Person, *plan: str) -> AsyncIterator[Self]:
        """Hire them, make the queue of this line work by `plan`, and have them open their page."""
        await set_up(scene, person, *plan)
        async with super().opened(scene, person) as desk:
            await desk.log_in()
            async with desk._panel.stays_on(f"{WORK}/events"):
                await desk._until(lambda page: page.shows("Ready"), "an agent who is ready")
                scene.tell("her page My work says: Ready")
                yield desk

    async def is_offered(self) -> None:
        """The session is shown to them."""
        await self._until(lambda page: page.leads_to("/accept"), "the session, offered on My work")
        self._scene.tell("on My work it is offered to her")

    async def takes_it(self) -> None:
        """They press the button, and are in the thread."""
        page = await self._panel.submit(await self._panel.open(WORK), "/accept")
        if page.status != 200 or not page.shows("You have it."):
            raise NotSeen(f"the session, taken ({page.status}: {page.words[:300]})")
        self._scene.tell(f"{self._person.name} takes it, and the thread says: You have it.")

    async def sees(self, *words: str) -> None:
        """These words stand on their page."""
        await self._until(lambda page: all(map(page.shows, words)), f"{words} on My work")
        self._scene.tell("on My work stands:")
        for said in words:
            self._scene.aside(f"| {said}")

    async def talks_with_them(self, *words: str) -> None:
        """The thread says that they speak, and has what was written."""
        page = await self._thread()
        for shown in ("On the phone with you", *words):
            if not page.shows(shown):
                raise NotSeen(f"{shown!r} over the thread ({page.status}: {page.words[:500]})")
        self._scene.tell("the thread says: On the phone with you, and has the words")

    async def _until(self, seen: Callable[[Page], bool], what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not seen(page := await self._panel.open(WORK)):
                    await asyncio.sleep(LOOK_AGAIN)
        except TimeoutError:
            raise NotSeen(f"{what}: {page.words[:500]}") from None


async def set_up(scene: Scene, person: Person, *plan: str) -> None:
    """A login, and a text queue beside the line's queue in Asterisk, which they serve."""
    queue, voice = f"texts-{scene.line}", f"text{scene.line}"
    command = ("queue", "add", queue, *plan)
    scene.tell(f"ringback {shlex.join(command)}")
    await asyncio.gather(scene.daemon.add_person(person), scene.daemon.ask(*command))
    await scene.daemon.change("queue", change="voice", queue=queue, voice=f"main/{voice}", out="")
    await scene.daemon.change("queue", change="member", queue=queue, login=person.login, out="")
    scene.tell(f"it stands beside Asterisk's queue {voice}; {person.name} serves it")

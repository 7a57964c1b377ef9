"""The thread of one caller from both its ends: the page of the handset, and the panel where a person answers."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self
from urllib.parse import quote

from lab.demo.browser import Browser, Page
from lab.demo.people import Person
from lab.demo.record import Came, Sent, Served, compare_thread, is_settled, read_replies
from lab.demo.scene import NotSeen, Scene
from lab.demo.teller import Ink
from ringback.core.reasons import SENTENCES, Reason

PATIENCE = 30.0  # seconds for one text to come or to be shown; a busy machine needs three
LOOK_AGAIN = 0.05  # what another process shows has no event for us
REFUSED = 409


class Talk:
    """What is written and read in one thread. Each step is looked for where it should show, or raises NotSeen."""

    def __init__(self, scene: Scene, person: Person, handset: Browser, panel: Browser) -> None:
        self._scene, self._person, self._handset, self._panel = scene, person, handset, panel

    @classmethod
    @asynccontextmanager
    async def opened(cls, scene: Scene, person: Person) -> AsyncIterator[Self]:
        """Two browsers: the caller's, and one of the person who answers."""
        url = scene.daemon.url
        async with Browser(url) as handset, Browser(url) as panel:
            yield cls(scene, person, handset, panel)

    async def log_in(self) -> None:
        """The person logs in to the panel."""
        door = await self._panel.open("/login")
        page = await self._panel.submit(door, "/login", login=self._person.login, password=self._scene.daemon.password)
        if page.status != 200 or page.shows("Log in"):
            raise NotSeen(f"the login ({page.status}: {page.words[:200]})")
        self._scene.tell(f"{self._person.name} logs in to the panel")

    async def writes(self, words: str, shown: str = "") -> None:
        """The caller writes on the handset, and the thread in the panel shows it; `shown` if by other words."""
        scene = self._scene
        page = await self._handset.open(f"/handset/{quote(scene.caller)}")
        answer = await self._handset.submit(page, "/texts", text=words, to=scene.did)
        scene.tell(f"on the handset {scene.caller} writes:")
        scene.aside(f"| {words}")
        written = read_replies(scene.daemon.handsets, scene.caller, scene.did)[-1:]
        if (answer.status, written) != (200, [words]):
            raise NotSeen(f"the reply ({answer.status}, {written} was written: {answer.words[:200]})")
        await self._until_shown(shown or words)
        scene.tell("it stands in the thread of the panel")

    async def gets(self, pattern: str) -> str:
        """The next text comes to the handset. Returns its words."""
        scene = self._scene
        came: list[str] = []
        try:
            async with asyncio.timeout(PATIENCE):
                while not (came := scene.arrived()):
                    await asyncio.sleep(LOOK_AGAIN)
        except TimeoutError:
            raise NotSeen(f"a text on the handset, {pattern!r}") from None
        scene.tell_arrival(came)
        if len(came) != 1 or not re.fullmatch(pattern, came[0]):
            raise NotSeen(f"the text ({came} instead of {pattern!r})")
        return came[0]

    async def answers(self, words: str) -> None:
        """The person answers in the thread, and the answer comes to the handset."""
        page = await self._panel.submit(await self._thread(), "/texts", text=words)
        self._scene.tell(f"{self._person.name} answers in the panel")
        if page.status != 200:
            raise NotSeen(f"the answer ({page.status}: {page.words[:300]})")
        await self.gets(re.escape(words))

    async def may_not_answer(self, words: str, reason: Reason) -> None:
        """The person tries to answer and is told why not; nothing comes to the handset."""
        page = await self._panel.submit(await self._thread(), "/texts", text=words)
        self._scene.tell(f"{self._person.name} tries to answer once more: refused ({reason})")
        self._scene.aside(SENTENCES[reason], Ink.SOFT)
        if page.status != REFUSED or not page.shows(SENTENCES[reason]):
            raise NotSeen(f"the refusal ({page.status}: {page.words[:300]})")
        if came := self._scene.arrived():
            raise NotSeen(f"no text ({came} came)")

    async def makes_a_task(self, words: str) -> None:
        """The tasks page asks a person to do what the caller wrote."""
        page = await self._panel.open("/tasks")
        if not page.shows(words):
            raise NotSeen(f"the task ({page.status}: {page.words[:300]})")
        self._scene.tell("it names a time that was offered: a task to call back then")

    async def recorded(self, *expected: Sent | Came | Served) -> None:
        """What `ringback explain --json` says of every text of this thread, once each has its last state."""
        scene = self._scene
        try:
            async with asyncio.timeout(PATIENCE):
                while not is_settled(said := json.loads(await scene.daemon.ask("explain", scene.caller, "--json"))):
                    pass  # the command takes a second
        except TimeoutError:
            raise NotSeen(f"a last state of every text of {scene.caller}") from None
        steps = list(compare_thread(said, expected))
        if wrong := [step for step in steps if step.wrong]:
            raise NotSeen("; ".join(f"{step.name} ({step.wrong})" for step in wrong))
        scene.aside(f"seen: {', '.join(step.name for step in steps)}", Ink.GOOD)

    async def _thread(self) -> Page:
        """The caller's thread; the inbox leads there by the number."""
        return await self._panel.open(f"/threads?number={quote(self._scene.caller)}")

    async def _until_shown(self, words: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not (page := await self._thread()).shows(words):
                    await asyncio.sleep(LOOK_AGAIN)
        except TimeoutError:
            raise NotSeen(f"{words!r} in the thread of the panel: {page.words[:500]}") from None

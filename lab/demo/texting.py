"""The stories in which callers choose texts by key: what Asterisk plays, what they press, and what the agent sees."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.request import Request, urlopen

from lab.ami import Ami, Message
from lab.asterisk import SHIPPED
from lab.call import Call
from lab.demo.daemon import LOOK_AGAIN
from lab.demo.desk import Desk
from lab.demo.people import BEA, CARA
from lab.demo.record import Came, Sent, Served
from lab.demo.scene import PATIENCE, NotSeen, Scene
from lab.phone import answer

OPENING = r"Northlight Dental: we go on by text now\. Tell us here what you need\. STOP to end"
WAIT_TEXT = r"Northlight Dental: stay on the line\. Whoever answers reads what you write here\. STOP to end"
NEED = "My crown is loose. Can I come today?"
ANSWER = "Yes, at 16:30. Bea"
ORDER = "It is about my bill of May"
TAKEN = frozenset({"call_accepted", "text_sent", "call_ended", "offered", "numbers_queue", "accepted", "replied"})
LIFTED = frozenset({"call_accepted", "text_sent", "live_call", "agent_answered", "call_ended"})
"""Why their sessions moved."""
TOLD = "LabTexts"
"""The event of the lab when a routine came back."""
SPOKEN, WAITS = "+15125550165", "+15125550166"
"""Callers who keep the queue busy: one has the only agent, one waits."""


async def goes_on_by_text(scene: Scene) -> None:
    """The queue is busy. The caller presses 1, is let go once the carrier has the text, and is answered by text."""
    async with Desk.opened(scene, BEA, "strategy=longest_idle", "if_waiting=1") as desk, busy_queue(scene):
        await until_knows(scene, "agents", "rb|ok|1|")
        ear = await Ear.put(scene)
        call = await scene.call()
        await ear.asked("deflect")
        await press(scene, call, "1")
        await scene.texted()
        await ear.hears("deflected")
        await call.over()
        scene.tell("the caller is let go")
        await desk.is_offered()
        await desk.writes(NEED)
        await desk.sees(NEED)
        await desk.takes_it()
        await desk.answers(ANSWER)
        await scene.look()
        first, answered = Sent("the first text", OPENING), Sent("the answer", re.escape(ANSWER))
        await desk.recorded(Came(NEED), first, answered, Served("assigned", TAKEN))


async def writes_while_waiting(scene: Scene) -> None:
    """The caller keeps their place, writes meanwhile, and whoever lifts has the words."""
    (phone,) = await scene.phones(CARA.extension)
    async with Desk.opened(scene, CARA) as desk:
        await until_knows(scene, "agents", "rb|ok|1|")
        ear = await Ear.put(scene)
        call = await scene.call()
        await ear.asked("wait-text")
        await press(scene, call, "1")
        await ear.hears("wait-texted")
        lifts = await phone.incoming()
        scene.tell(f"the caller waits, phone {CARA.extension} rings")
        await scene.texted()
        await desk.writes(ORDER)
        await lifts.answer()
        scene.tell(f"{CARA.name} lifts phone {CARA.extension}")
        await desk.sees("In a call now", ORDER)
        await desk.talks_with_them(ORDER)
        await lifts.hang_up()
        await call.over()
        await scene.look()
        await desk.recorded(Came(ORDER), Sent("the first text", WAIT_TEXT), Served("assigned", LIFTED))


async def press(scene: Scene, call: Call, key: str) -> None:
    await call.answered()
    await call.press(key)
    scene.tell(f"the caller presses {key}")


class Ear:
    """What the caller hears, as Asterisk tells that it plays it."""

    def __init__(self, scene: Scene, ami: Ami) -> None:
        self._scene, self._ami = scene, ami

    @classmethod
    async def put(cls, scene: Scene) -> "Ear":
        """Before the call."""
        return cls(scene, await scene.pbx.ami())

    async def asked(self, prompt: str) -> None:
        """A prompt that waits for a key."""
        await self._plays("Read", prompt)

    async def hears(self, prompt: str) -> None:
        await self._plays("Playback", prompt)

    async def _plays(self, application: str, prompt: str) -> None:
        try:
            said = await self._ami.wait_for(
                lambda one: (
                    one.get("CallerIDNum") == self._scene.caller
                    and (one.get("UserEvent") == TOLD or _plays(one, application, prompt))
                ),
                prompt,
                patience=PATIENCE,
            )
        except TimeoutError:
            raise NotSeen(f"the prompt {prompt}") from None
        if said["Event"] == "UserEvent":
            raise NotSeen(f"the prompt {prompt} (the dialplan says {said['Result']} {said['Reason']})")
        self._scene.tell(f"Asterisk plays ringback/{prompt}:")
        self._scene.aside(f"| {spoken(prompt)}")


def _plays(said: Message, application: str, prompt: str) -> bool:
    wanted = {"Event": "Newexten", "Application": application}
    return said.fits(wanted) and f"ringback/{prompt}" in re.split("[,&]", said["AppData"])


def spoken(prompt: str) -> str:
    """What a prompt says in English."""
    lines = (SHIPPED / "prompts" / "en.txt").read_text("utf-8").splitlines()
    return next(words for name, _, words in (line.partition("|") for line in lines) if name == prompt).rpartition("|")[
        0
    ]


@asynccontextmanager
async def busy_queue(scene: Scene) -> AsyncIterator[None]:
    """The only agent of the line's queue speaks, and somebody waits."""
    await scene.phones(f"1{scene.line}", behaviour=answer())
    did = f"+121255501{scene.line}"
    first = await (await scene.pbx.caller(SPOKEN)).call(did)
    await first.answered()
    second = await (await scene.pbx.caller(WAITS)).call(did)
    await until_knows(scene, "wait", "rb|unknown||1|")
    scene.tell(f"phone 1{scene.line} speaks with one caller, another one waits")
    yield
    await second.end()
    await first.end()


async def until_knows(scene: Scene, what: str, answer: str) -> None:
    """Ringback answers so when it is asked as the dialplan does, or with more behind it."""
    url = f"{await scene.daemon.dialplan_url()}/{what}?call=demo&queue=text{scene.line}"
    request = Request(url, headers={"X-Ringback-Token": scene.pbx.asterisk.token})
    try:
        async with asyncio.timeout(PATIENCE):
            while not (said := await asyncio.to_thread(fetch, request)).startswith(answer):
                await asyncio.sleep(LOOK_AGAIN)
    except TimeoutError:
        raise NotSeen(f"{answer} as the answer to {what} ({said})") from None


def fetch(request: Request) -> str:
    """What comes; nothing from one that is too busy to answer the dialplan in its time."""
    try:
        with urlopen(request, timeout=5) as answered:
            return str(answered.read().decode("ascii"))
    except OSError:
        return ""

"""The stories: who calls, what the phones do, and what should become of it. One line of the lab (DID) each."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from lab.asterisk import Asterisk
from lab.call import Call, CallOver
from lab.demo.daemon import Daemon, DemoFault
from lab.demo.people import ANNA
from lab.demo.record import Came, Expected, Sent
from lab.demo.scene import NotSeen, Scene, Voice
from lab.demo.talk import Talk
from lab.demo.texting import OPENING, WAIT_TEXT, goes_on_by_text, writes_while_waiting
from lab.phone import PhoneFault, answer, busy
from ringback.core.reasons import Reason
from ringback.panel.thread_words import COMMANDS

RULES = """\
[[rule]]
name = "busy"
when = ["busy"]
delay = "0s"
text = { en = "{{ business }}: all our lines are busy, sorry. Reply here and we will help. STOP to end" }

[[rule]]
name = "call-back"
when = ["missed"]
did = ["+12025550103", "+12025550107"]
delay = "0s"
text = { en = "{{ business }} missed you.{% if windows %} We can call you {{ windows }}.{% endif %} STOP to end" }

[[rule]]
name = "missed"
when = ["missed", "declined", "unreachable"]
delay = "0s"
cool_down = "24h"
text = { en = "Sorry we missed your call to {{ business }}. Reply here and we will help. STOP to end" }
"""
DAY = r"(today |tomorrow |[A-Z][a-z]+day )?"
WINDOW = DAY + r"\d\d:\d\d-\d\d:\d\d"

Act = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Story:
    """`line` NN is called as +1 202 555 01NN by +1 512 555 01NN; `calls` has what is expected of each call.

    With area 212 the line rings longer.
    """

    title: str
    line: str
    act: Act
    calls: tuple[Expected, ...]
    area: str = "202"

    @property
    def did(self) -> str:
        return f"+1{self.area}55501{self.line}"

    @property
    def caller(self) -> str:
        return f"+151255501{self.line}"

    async def play(self, asterisk: Asterisk, daemon: Daemon, voice: Voice) -> str:
        """Let it happen. Returns the step that was not seen, or nothing."""
        try:
            async with asterisk.opened() as pbx:
                await self.act(Scene(pbx, daemon, self.line, self.calls, voice, self.area))
        except NotSeen as problem:
            return str(problem)
        except (TimeoutError, CallOver, PhoneFault) as problem:
            return f"the call ({str(problem) or 'nothing came in time'})"
        except DemoFault as problem:
            return f"the record ({problem})"
        return ""


async def ring_out(scene: Scene, *headers: tuple[str, str]) -> None:
    """One phone rings and nobody lifts, until Asterisk gives up."""
    await scene.phones(f"1{scene.line}")
    await missed(scene, *headers)


async def missed(scene: Scene, *headers: tuple[str, str]) -> list[str]:
    """Nobody lifts. Returns the texts that came to the handset."""
    call = await scene.call(*headers)
    await rings(scene, call)
    await call.over()
    return await scene.look()


async def rings(scene: Scene, call: Call) -> None:
    await call.ringing()
    scene.tell(f"phone 1{scene.line} rings")


async def is_busy(scene: Scene) -> None:
    await scene.phones(f"1{scene.line}", behaviour=busy)
    call = await scene.call()
    await call.over()
    await scene.look()


async def colleague_lifts(scene: Scene) -> None:
    """Three phones ring, the second lifts, both talk for a moment."""
    _, colleague, _ = await scene.phones("120", "220", "320")
    colleague.behaviour = answer(after=0.5)
    call = await scene.call()
    await call.ringing()
    scene.tell("phones 120, 220 and 320 ring")
    await call.answered()
    scene.tell("phone 220 lifts")
    await call.hang_up()
    await scene.look()


async def withholds(scene: Scene) -> None:
    await ring_out(scene, ("Privacy", "id"))


async def calls_twice(scene: Scene) -> None:
    """The caller gives up after a moment, and tries again."""
    await scene.phones(f"1{scene.line}")
    for _ in range(2):
        call = await scene.call()
        await rings(scene, call)
        await asyncio.sleep(0.5)
        scene.tell("the caller gives up")
        await call.cancel()
        await scene.look()


async def is_paused(scene: Scene) -> None:
    scene.tell(f"ringback pause --number {scene.did}")
    said = await scene.daemon.ask("pause", "--number", scene.did)
    scene.tell(said.strip())
    await ring_out(scene)


async def they_talk(scene: Scene) -> None:
    """The caller takes one of the times, asks something, is answered, and ends it with STOP."""
    await scene.phones(f"1{scene.line}")
    (text,) = await missed(scene)
    async with Talk.opened(scene, ANNA) as talk:
        await talk.log_in()
        reply = f"{offered_time(text)} works"
        await talk.writes(reply)
        await talk.makes_a_task(reply)
        await talk.writes(QUESTION)
        await talk.answers(ANSWER)
        await talk.writes("STOP", shown=COMMANDS["stop"])
        await talk.gets(STOPPED)
        await talk.may_not_answer(ONE_MORE, Reason.OPTED_OUT)
        await missed(scene)
        await talk.recorded(Came(reply), Came(QUESTION), Came("STOP", "stop"), *TEXTS)


def offered_time(text: str) -> str:
    """One of the times a text offers, as somebody names it: today 14:00."""
    day, begins = re.findall(r"(today|tomorrow|[A-Z][a-z]+day) (\d\d:\d\d)", text)[-1]
    return f"{day} {begins}"


MISSED = "Sorry we missed your call to Northlight Dental. Reply here and we will help. STOP to end"
BUSY = "Northlight Dental: all our lines are busy, sorry. Reply here and we will help. STOP to end"
CALL_BACK = rf"Northlight Dental missed you\. We can call you {WINDOW} or {WINDOW}\. STOP to end"
QUESTION = "Do you take new patients?"
ANSWER = "Yes, we do. Until then. Anna"
ONE_MORE = "One more thing: bring your insurance card."
STOPPED = r"Northlight Dental: You are unsubscribed .*"
TEXTS = (
    Sent("the text-back", CALL_BACK),
    Sent("the answer", re.escape(ANSWER)),
    Sent("the answer to STOP", STOPPED),
    Sent("the refused text", re.escape(ONE_MORE), "refused", Reason.OPTED_OUT),
)
TEXTED = Expected("missed", "send", "allowed", "missed", text=MISSED.replace(".", r"\."))

STORIES = (
    Story("Nobody answers, and the caller gets a text", "01", ring_out, (TEXTED,)),
    Story(
        "The line is busy: other words",
        "02",
        is_busy,
        (Expected("busy", "send", "allowed", "busy", text=BUSY.replace(".", r"\.")),),
    ),
    Story(
        "The text offers the next times for a call back",
        "03",
        ring_out,
        (Expected("missed", "send", "allowed", "call-back", text=CALL_BACK),),
    ),
    Story(
        "No text: a colleague in the ring group answers",
        "20",
        colleague_lifts,
        (Expected("answered", "none", "answered", None),),
    ),
    Story(
        "No text: the caller withholds the number",
        "04",
        withholds,
        (Expected("missed", "suppress", "withheld", "missed"),),
    ),
    Story(
        "One text, not two: the caller tries again inside the cool-down",
        "05",
        calls_twice,
        (TEXTED, Expected("missed", "suppress", "cool_down", "missed")),
    ),
    Story(
        "No text: this number is paused",
        "06",
        is_paused,
        (Expected("missed", "suppress", "paused", "missed"),),
    ),
    Story(
        "No text: the dialplan says RINGBACK=no for this caller",
        "32",
        ring_out,
        (Expected("missed", "suppress", "vetoed", "missed"),),
    ),
    Story(
        "They write to each other, until the caller says STOP",
        "07",
        they_talk,
        (
            Expected("missed", "send", "allowed", "call-back", text=CALL_BACK),
            Expected("missed", "suppress", "opted_out", "call-back"),
        ),
    ),
    Story(
        "The queue is busy: the caller presses 1, is let go, and is answered by text",
        "64",
        goes_on_by_text,
        (Expected("deflected", "none", "no_rule", None, text=OPENING),),
    ),
    Story(
        "The caller waits and writes meanwhile: whoever lifts has the words",
        "72",
        writes_while_waiting,
        (Expected("answered", "none", "answered", None, text=WAIT_TEXT),),
        area="212",
    ),
)

"""What a story has in its hands: phones, a caller, the daemon's record, and a voice."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

from lab.call import Call
from lab.demo.daemon import LOOK_AGAIN, Daemon
from lab.demo.record import Expected, compare, is_final, read_handset, seconds
from lab.demo.teller import Ink
from lab.pbx import Pbx
from lab.phone import Behaviour, Phone, ring
from ringback.core.reasons import SENTENCES, Reason

PATIENCE = 60.0  # seconds for one call, its text and its receipt; a busy machine needs ten
Voice = Callable[[str, Ink], None]
RANG = {
    "no_answer": "nobody lifted",
    "cancelled": "stopped ringing",
    "answer": "somebody lifted",
    "busy": "it was busy",
}


class NotSeen(Exception):
    """A step of a story did not happen; the text names it."""


class Scene:
    """One story's stage. `line`, `did` and `caller` say where."""

    def __init__(
        self, pbx: Pbx, daemon: Daemon, line: str, expected: tuple[Expected, ...], voice: Voice, area: str = "202"
    ) -> None:
        self.pbx, self.daemon, self.line = pbx, daemon, line
        self.did, self.caller = f"+1{area}55501{line}", f"+151255501{line}"
        self._expected, self._voice = list(expected), voice
        self._meanwhile: list[str] = []
        self._began = 0.0
        self._texts_before = 0

    def tell(self, line: str, ink: Ink = Ink.PLAIN) -> None:
        """Say what happens, with the seconds since the call began."""
        self._at(self.passed(), line, ink)

    def aside(self, line: str, ink: Ink = Ink.PLAIN) -> None:
        """Say more of what happened last."""
        self._voice(f"{'':10}{line}", ink)

    def passed(self) -> float:
        """Seconds since the call began."""
        return time.monotonic() - self._began if self._began else 0.0

    async def phones(self, *numbers: str, behaviour: Behaviour = ring) -> list[Phone]:
        return await self.pbx.phones(*numbers, behaviour=behaviour)

    async def call(self, *headers: tuple[str, str]) -> Call:
        """The caller calls."""
        phone = await self.pbx.caller(self.caller)
        self._began = time.monotonic()
        hidden = ", with Privacy: id" if headers else ""
        self.tell(f"{self.caller} calls {self.did}{hidden}")
        return await phone.call(self.did, headers)

    async def look(self) -> list[str]:
        """Wait until Ringback has done with the call, tell what it wrote down, and compare. Raises NotSeen.

        Returns the texts that came to the handset.
        """
        expected = self._expected.pop(0)
        async with asyncio.timeout(PATIENCE):
            call = await self._recorded(await self.daemon.call_ended(self.did))
        now = self.arrived()
        arrived, self._meanwhile = [*self._meanwhile, *now], []
        self._tell_end(call)
        for text in call["texts"]:
            self._tell_text(call, text, now)
        steps = list(compare(call, expected, arrived))
        if wrong := [step for step in steps if step.wrong]:
            raise NotSeen("; ".join(f"{step.name} ({step.wrong})" for step in wrong))
        self.aside(f"seen: the call, {', '.join(step.name for step in steps)}", Ink.GOOD)
        return arrived

    async def texted(self) -> None:
        """While the call goes on a text comes to the handset; `look` compares it with the others."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not (came := self.arrived()):
                    await asyncio.sleep(LOOK_AGAIN)
        except TimeoutError:
            raise NotSeen("a text on the handset during the call") from None
        self.tell_arrival(came)
        self._meanwhile += came

    def arrived(self) -> list[str]:
        """The texts that came to the caller's handset since this was asked last."""
        texts = read_handset(self.daemon.handsets, self.did, self.caller)
        new, self._texts_before = texts[self._texts_before :], len(texts)
        return new

    async def _recorded(self, call_id: str) -> dict[str, Any]:
        """What `ringback explain --json` says of a call, once its texts have their receipts."""
        while True:
            said = json.loads(await self.daemon.ask("explain", call_id, "--json"))
            call: dict[str, Any] = said["calls"][0]
            if is_final(call):
                return call

    def _tell_end(self, call: dict[str, Any]) -> None:
        self._at(seconds(call, call["ended_at"]), f"the call is over: {call['outcome']}")
        for leg in call["legs"]:
            rang = seconds(leg, leg["ended_at"] or call["ended_at"], "at")
            self.aside(f"- phone {leg['phone']}: {RANG.get(leg['rang'], leg['rang'])}, after {rang:.1f} s")
        rule = f', rule "{call["rule"]}"' if call["rule"] else ""
        self.aside(f"decision: {call['decision']} ({call['reason']}){rule}")
        self.aside(SENTENCES[Reason(call["reason"])], Ink.SOFT)

    def _tell_text(self, call: dict[str, Any], text: dict[str, Any], arrived: list[str]) -> None:
        self.tell_arrival(arrived, seconds(call, text["created_at"]))
        last = text["steps"][-1]
        after = seconds(call, last["at"])
        if arrived:
            self._at(after, f"receipt: {last['state']}")
        else:
            self.aside(f"- the text: {last['state']}, after {after:.1f} s")

    def tell_arrival(self, texts: list[str], after: float | None = None) -> None:
        """What came to the handset, now or so long after the call."""
        for body in texts:
            self._at(self.passed() if after is None else after, f"on the handset of {self.caller}, from {self.did}:")
            self.aside(f"| {body}")

    def _at(self, after: float, line: str, ink: Ink = Ink.PLAIN) -> None:
        self._voice(f"{after:6.1f} s  {line}", ink)

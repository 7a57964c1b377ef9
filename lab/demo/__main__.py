"""`python -m lab.demo [--once]`: tells the stories, then stays up until Ctrl-C. Exit 0 only if every step was seen."""

import argparse
import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import Coroutine
from enum import StrEnum
from functools import partial
from types import FrameType
from typing import TypeVar

from lab.asterisk import Asterisk, LabFault
from lab.demo.daemon import PORT, Daemon, DemoFault
from lab.demo.people import ANNA
from lab.demo.stories import RULES, STORIES, Story
from lab.demo.teller import Ink, Teller

T = TypeVar("T")

LAST_RESORT = 2.5  # seconds for an orderly end
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
INTERRUPTED = 130


class Afterwards(StrEnum):
    """What to do when all is told."""

    STAY = "stay"
    LEAVE = "leave"


class Demo:
    """One run: everything it started, and how that ends."""

    def __init__(self, asterisk: Asterisk, afterwards: Afterwards) -> None:
        self._asterisk, self._afterwards = asterisk, afterwards
        self._teller = Teller(sys.stdout, [story.title for story in STORIES])
        self._daemon: Daemon | None = None
        self._last_words = ""
        self._code = INTERRUPTED

    async def run(self) -> int:
        """Returns the exit code. Raises DemoFault."""
        playing = asyncio.ensure_future(self._play())
        for number in SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, self._interrupted, playing)
        try:
            await playing
        except asyncio.CancelledError:
            self._teller.say("\nended")
        return self._code

    async def _play(self) -> None:
        began, dids = time.monotonic(), [story.did for story in STORIES]
        self._teller.say("Starting `ringback run`: SQLite, the loopback carrier, a temporary folder.")
        async with Daemon.running(self._asterisk, RULES, dids) as self._daemon:
            await self._introduce(self._daemon)
            self._teller.say(f"{ANNA.name} is its administrator. All who work there may text from its numbers.")
            self._teller.say(f"{len(STORIES)} stories side by side, told one after the other.\n")
            unseen = await self._while_all_live(self._tell_all(self._daemon))
            self._code = 1 if any(unseen) else 0
            self._sum_up(unseen, time.monotonic() - began)
            if self._code == 0 and self._afterwards is Afterwards.STAY:
                self._show_around(self._daemon)
                await self._while_all_live(asyncio.Event().wait())

    async def _introduce(self, daemon: Daemon) -> None:
        """Anna may do everything, all may text, and the dialplan asks where `ringback init` would have it ask."""
        await daemon.add_person(ANNA)
        await daemon.allow_everybody()
        async with self._asterisk.opened() as pbx:
            ami = await pbx.ami()
            await ami.action("Setvar", Variable="RINGBACK_URL", Value=await daemon.dialplan_url())

    async def _tell_all(self, daemon: Daemon) -> list[str]:
        self._teller.begin()
        return await asyncio.gather(*(self._tell(number, story, daemon) for number, story in enumerate(STORIES)))

    async def _tell(self, number: int, story: Story, daemon: Daemon) -> str:
        unseen = await story.play(self._asterisk, daemon, partial(self._teller.tell, number))
        if unseen:
            self._teller.tell(number, f"{'':10}NOT SEEN: {unseen}", Ink.BAD)
        self._teller.end(number)
        return unseen

    def _sum_up(self, unseen: list[str], took: float) -> None:
        for number, missing in enumerate(unseen, 1):
            if missing:
                self._teller.say(f"Not seen in story {number}: {missing}", Ink.BAD)
        if not any(unseen):
            self._teller.say(f"Every step of {len(unseen)} stories was seen, in {took:.1f} s.", Ink.GOOD)

    def _show_around(self, daemon: Daemon) -> None:
        talked = STORIES[-1]
        other = "" if f":{PORT}/" in daemon.url else f"   (port {PORT} is in use)"
        self._teller.say(f"\nIt stays up until Ctrl-C:\n\n  panel       {daemon.url}{other}")
        self._teller.say(f"  log in as   {ANNA.login} with the password {daemon.password}")
        self._teller.say(f"  a handset   {daemon.url}handset/{talked.caller}   (needs no login)")
        self._teller.say(f"  why         .venv/bin/ringback explain {talked.caller} \\")
        self._teller.say(f"                --config {daemon.config}")

    async def _while_all_live(self, work: Coroutine[None, None, T]) -> T:
        """Do the work. Raises DemoFault should Asterisk or the daemon end by itself meanwhile."""
        task = asyncio.ensure_future(work)
        ends = [asyncio.ensure_future(end) for end in (self._daemon_ends(), self._asterisk_ends())]
        try:
            await asyncio.wait([task, *ends], return_when=asyncio.FIRST_COMPLETED)
            for end in ends:
                if end.done():
                    self._last_words = str(end.exception())
                    self._hurry()
                    end.result()
            return await task
        finally:
            for each in (task, *ends):
                each.cancel()
            await asyncio.gather(task, *ends, return_exceptions=True)

    async def _daemon_ends(self) -> None:
        if self._daemon:
            await self._daemon.gone()

    async def _asterisk_ends(self) -> None:
        loop, over, process = asyncio.get_running_loop(), asyncio.Event(), os.pidfd_open(self._asterisk.pid)
        loop.add_reader(process, over.set)
        try:
            await over.wait()
        finally:
            loop.remove_reader(process)
            os.close(process)
        raise DemoFault("\n".join(["Asterisk ended by itself:", *self._asterisk.log.splitlines()[-5:]]))

    def _interrupted(self, playing: "asyncio.Future[None]") -> None:
        self._hurry()
        playing.cancel()

    def _hurry(self) -> None:
        """From now on an orderly end has its time; then there is another."""
        if signal.getsignal(signal.SIGALRM) != self._last_resort:
            signal.signal(signal.SIGALRM, self._last_resort)
            signal.setitimer(signal.ITIMER_REAL, LAST_RESORT)

    def _last_resort(self, _number: int, _frame: FrameType | None) -> None:
        """Kill what we started, tidy up, go."""
        if self._daemon:
            self._daemon.kill()
        if self._asterisk.pid:
            os.kill(self._asterisk.pid, signal.SIGKILL)
        shutil.rmtree(self._asterisk.run, ignore_errors=True)
        os.write(2, f"{self._last_words}\n".encode())
        os._exit(self._code)


def main() -> int:
    """Start Asterisk, run the demo, stop Asterisk."""
    options = argparse.ArgumentParser(prog="make demo", description=__doc__)
    options.add_argument("--once", action="store_const", const=Afterwards.LEAVE, default=Afterwards.STAY)
    for number in SIGNALS:
        signal.signal(number, signal.default_int_handler)
    try:
        return on_asterisk(options.parse_args().once)
    except (LabFault, DemoFault) as problem:
        print(f"demo: {problem}", file=sys.stderr)
    except KeyboardInterrupt:
        return INTERRUPTED
    return 1


def on_asterisk(afterwards: Afterwards) -> int:
    print("Starting Asterisk on free ports of this machine.", flush=True)
    with Asterisk.running() as asterisk:
        try:
            return asyncio.run(Demo(asterisk, afterwards).run())
        finally:
            for number in SIGNALS:  # the end is near; hurrying it would leave things behind
                signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())

"""The Asterisk of the bench: a process that lets one client log in and plays calls to it on command.

It says its port on standard output, then answers each line of its input with `done` once the client has taken the
bytes. Commands: `wait`, `paced FIRST COUNT RATE`, `burst FIRST COUNT`, `open FIRST COUNT`, `noise COUNT`.
The file named as its argument gets, for each call that ended, its number and the moment by both clocks.
"""

import array
import asyncio
import sys
import time
from pathlib import Path

from bench import stream
from tests.fakes.ami import FakePbx

RINGS = 0.2
"""Seconds from a call's beginning to its end, when calls are paced."""
PORTION = 256 * 1024


class Player:
    """Plays calls and notes when each one's end was written."""

    def __init__(self, pbx: FakePbx, stamps: Path) -> None:
        self._pbx = pbx
        self._file = stamps
        self._stamps = array.array("Q")

    async def do(self, command: str, *numbers: str) -> None:
        match command, [int(number) for number in numbers]:
            case "wait", []:
                await self._pbx.action("Login")
            case "paced", [first, count, rate]:
                await self._paced(first, count, rate)
            case "burst", [first, count]:
                calls = range(first, first + count)
                await self._all_at_once(b"".join(stream.beginning(call) + stream.ending(call) for call in calls), calls)
            case "open", [first, count]:
                await self._all_at_once(b"".join(stream.beginning(call) for call in range(first, first + count)), ())
            case "noise", [count]:
                await self._all_at_once(b"".join(stream.noise(number) for number in range(count)), ())
        self._file.write_bytes(self._stamps.tobytes())

    def _stamp(self, calls: range | tuple[int, ...]) -> None:
        now, wall = time.monotonic_ns(), time.time_ns()
        for call in calls:
            self._stamps.extend((call, now, wall))

    async def _all_at_once(self, blob: bytes, calls: range | tuple[int, ...]) -> None:
        self._stamp(calls)
        for begin in range(0, len(blob), PORTION):
            self._pbx.raw(blob[begin : begin + PORTION])
            await self._pbx.drained()

    async def _paced(self, first: int, count: int, rate: int) -> None:
        calls = range(first, first + count)
        says = sorted(
            [(place / rate, call, stream.beginning(call)) for place, call in enumerate(calls)]
            + [(place / rate + RINGS, call, stream.ending(call)) for place, call in enumerate(calls)]
        )
        begun, ended = time.monotonic(), set()
        for due, call, said in says:
            await asyncio.sleep(max(0.0, begun + due - time.monotonic()))
            if call in ended:
                self._stamp((call,))
            ended.add(call)
            self._pbx.raw(said)


async def main() -> None:
    """Serve until the input ends."""
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    async with FakePbx() as pbx:
        player = Player(pbx, Path(sys.argv[1]))
        print(pbx.port, flush=True)
        while words := (await commands.readline()).decode().split():
            await player.do(*words)
            print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main())

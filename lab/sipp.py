"""SIPp as a second, independent caller: it shares no code with our phone. Debian has it as sip-tester."""

import asyncio
import os
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from lab.ready import free_ports

SCENARIOS = Path(__file__).parent / "sipp"
PATIENCE = 60.0


class SippFault(Exception):
    """SIPp is not there, or its scenario did not go as written."""


@dataclass
class Sipp:
    """One call. `pause` is how many milliseconds the scenario rings or talks before its caller ends it."""

    server: tuple[str, int]
    scenario: str  # cancel, talk, until_bye, press_1, press_2, press_1_rtp, press_2_rtp (these need root)
    did: str
    caller: str = "+15125550123"
    name: str = "Pat Example"
    host: str = "127.0.0.1"
    pause: str = "1000"

    async def __aenter__(self) -> "Sipp":
        if not shutil.which("sipp"):
            raise SippFault("sipp is missing; as root: apt-get install sip-tester")
        signals, audio = free_ports(socket.SOCK_DGRAM, socket.SOCK_DGRAM)
        keys = {"did": self.did, "cnum": self.caller, "cname": self.name, "chost": self.host}
        self._process = await asyncio.create_subprocess_exec(
            *("sipp", "{}:{}".format(*self.server), "-sf", str(SCENARIOS / f"{self.scenario}.xml"), "-m", "1"),
            *("-i", "127.0.0.1", "-p", str(signals), "-mi", "127.0.0.1", "-mp", str(audio), "-d", self.pause),
            *(part for key, value in keys.items() for part in ("-key", key, value)),
            *("-nostdin", "-timeout", str(int(PATIENCE)), "-cid_str", f"%u-%p-{signals}@carrier"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "TERM": "dumb"},
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.returncode is None:
            self._process.kill()
            await self._process.communicate()

    async def over(self) -> None:
        """Wait until the call went as the scenario says. Raises SippFault when it did not."""
        async with asyncio.timeout(PATIENCE):
            said, _ = await self._process.communicate()
        if self._process.returncode:
            raise SippFault(f"{self.scenario} to {self.did} failed:\n{said.decode('utf-8', 'replace')[-2000:]}")

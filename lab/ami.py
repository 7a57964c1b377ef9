"""A plain manager (AMI) client for the lab. It shares no code with the daemon's, so that each can judge the other."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from types import TracebackType

PATIENCE = 10.0


class AmiRefused(Exception):
    """Asterisk answered an action with an error."""


class Message(dict[str, str]):
    """One event or answer by header name; the first of a repeated header counts. `all` has every line as it came."""

    def __init__(self, block: bytes) -> None:
        lines = (line.partition(":") for line in block.decode("utf-8", "replace").split("\r\n"))
        self.all = [(key, value.removeprefix(" ")) for key, _, value in lines]
        super().__init__(reversed(self.all))

    def fits(self, wanted: dict[str, str]) -> bool:
        """Has every one of these headers with exactly this value."""
        return all(self.get(key) == value for key, value in wanted.items())


class Ami:
    """A login that keeps every event it saw. `async with Ami(port, user, secret) as ami:`"""

    def __init__(self, port: int, user: str, secret: str) -> None:
        self._port, self._user, self._secret = port, user, secret
        self.events: list[Message] = []
        self.banner = b""
        self._answers: dict[str, asyncio.Future[Message]] = {}
        self._ids = itertools.count(1)
        self._more = asyncio.Event()

    async def __aenter__(self) -> "Ami":
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=2**20)
        self.banner = await self._reader.readline()
        self._task = asyncio.get_running_loop().create_task(self._read())
        try:
            await self.action("Login", Username=self._user, Secret=self._secret)
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Log off and wait until Asterisk hung up: an account that lets in one at a time is free only then."""
        with contextlib.suppress(ConnectionError):
            self._writer.write(b"Action: Logoff\r\n\r\n")
            await asyncio.wait([self._task], timeout=2)
        self._writer.close()
        self._task.cancel()
        await asyncio.wait([self._task])

    async def action(self, name: str, **headers: str) -> Message:
        """Do one action and return its answer. Raises AmiRefused when that is an error."""
        number = str(next(self._ids))
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        lines = [f"Action: {name}", f"ActionID: {number}", *(f"{key}: {value}" for key, value in headers.items())]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        async with asyncio.timeout(PATIENCE):
            said = await answer
        if said.get("Response") == "Error":
            raise AmiRefused(f"{name}: {said.get('Message')}")
        return said

    async def listing(self, name: str, **headers: str) -> list[Message]:
        """Do an action that answers with a list, and return the list."""
        start = len(self.events)
        number = (await self.action(name, **headers))["ActionID"]
        await self.wait(ActionID=number, EventList="Complete", after=start)
        return [event for event in self.events[start:] if event.get("ActionID") == number and "EventList" not in event]

    async def wait(self, event: str = "", /, *, after: int = 0, patience: float = PATIENCE, **headers: str) -> Message:
        """Return the first event of this name with these headers, one that came already or one to come."""
        wanted = {"Event": event, **headers} if event else headers
        return await self.wait_for(lambda seen: seen.fits(wanted), f"{event} {headers}", after=after, patience=patience)

    async def wait_for(
        self, fits: Callable[[Message], bool], what: str, *, after: int = 0, patience: float = PATIENCE
    ) -> Message:
        """Return the first event the function says yes to."""
        position = after
        try:
            async with asyncio.timeout(patience):
                while True:
                    for seen in self.events[position:]:
                        if fits(seen):
                            return seen
                    position = max(position, len(self.events))
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            seen_names = ", ".join(seen["Event"] for seen in self.events[after:])
            raise TimeoutError(f"no event {what}; saw {seen_names}") from None

    async def _read(self) -> None:
        while True:
            try:
                block = await self._reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            message = Message(block.removesuffix(b"\r\n\r\n"))
            if "Event" in message:
                self.events.append(message)
                self._more.set()
            elif message.get("ActionID") in self._answers:
                self._answers.pop(message["ActionID"]).set_result(message)

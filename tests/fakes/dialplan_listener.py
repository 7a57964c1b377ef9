"""A Ringback that says to the dialplan what a test wrote down, and keeps what it was asked."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """One question."""

    verb: str
    told: Mapping[str, str]
    token: str


class Listener:
    """`answers` by verb: one for every time, or several in turn, the last of them for all times after.

    An answer is what stands between `rb|` and `|.`; one that begins with `HTTP` goes out as it stands, and the line is
    closed after it.
    A verb without an answer gets none until the caller gives up. While `held` is clear nobody gets one.
    """

    def __init__(self, **answers: str | Sequence[str]) -> None:
        self._answers = {verb: [said] if isinstance(said, str) else list(said) for verb, said in answers.items()}
        self.asked: list[Asked] = []
        self.held = asyncio.Event()
        self.held.set()

    async def __aenter__(self) -> "Listener":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    def of(self, verb: str) -> list[Mapping[str, str]]:
        """What came with each question of this verb."""
        return [one.told for one in self.asked if one.verb == verb]

    @property
    def verbs(self) -> list[str]:
        return [one.verb for one in self.asked]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                headers = {}
                while header := (await reader.readline()).decode().strip():
                    name, _, value = header.partition(": ")
                    # a second header of a name shows
                    headers[name.lower()] = ",".join(filter(None, (headers.get(name.lower()), value)))
                address = urlsplit(line.split()[1].decode())
                told = dict(parse_qsl(address.query.replace("+", "%2B"), keep_blank_values=True))
                verb = address.path.removeprefix("/")
                self.asked.append(Asked(verb, told, headers.get("x-ringback-token", "")))
                if not await self._answer(verb, writer):
                    return
        finally:
            writer.close()

    def _script(self, verb: str) -> list[str] | None:
        return self._answers.get(verb)

    async def _answer(self, verb: str, writer: asyncio.StreamWriter) -> bool:
        await self.held.wait()
        answers = self._script(verb)
        if answers is None:
            return True
        said = answers.pop(0) if len(answers) > 1 else answers[0]
        raw = said.startswith("HTTP")
        page = said if raw else f"HTTP/1.1 200 OK\r\nContent-Length: {len(said) + 5}\r\n\r\nrb|{said}|."
        writer.write(page.encode())
        await writer.drain()
        return not raw


class Listeners(Listener):
    """One for many calls at once: `scripts` has the answers for calls to each of our numbers."""

    def __init__(self, scripts: Mapping[str, Mapping[str, str | Sequence[str]]]) -> None:
        super().__init__()
        self._scripts = {did: Listener(**answers) for did, answers in scripts.items()}
        self._dids: dict[str, str] = {}

    def to(self, did: str) -> Listener:
        """What was asked of the calls to this number."""
        return self._scripts[did]

    def _script(self, verb: str) -> list[str] | None:
        one = self.asked[-1]
        # who calls whom is told once; after that a call is known by its id
        did = self._dids.setdefault(one.told["call"], one.told.get("did", ""))
        self._scripts[did].asked.append(one)
        return self._scripts[did]._script(verb)


class AgiListener(Listener):
    """The same by FastAGI. A verb without an answer gets the line closed."""

    async def __aenter__(self) -> "AgiListener":
        await super().__aenter__()
        self.url = self.url.replace("http:", "agi:")
        return self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        told = {}
        while line := (await reader.readline()).decode().strip():
            name, _, value = line.partition(": ")
            told[name] = value
        verb, _, query = told["agi_network_script"].partition("?")
        fields = dict(parse_qsl(query.replace("+", "%2B"), keep_blank_values=True))
        self.asked.append(Asked(verb, fields, fields.pop("token", "")))
        if answers := self._answers.get(verb):
            said = answers.pop(0) if len(answers) > 1 else answers[0]
            writer.write(f'SET VARIABLE RINGBACK_ANSWER "rb|{said}|."\n'.encode())
            await reader.readline()
        writer.close()

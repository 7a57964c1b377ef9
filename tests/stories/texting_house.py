"""The house in which callers choose texts: a daemon that the dialplan asks, agents at their pages, and what became of
each call as its tables have it."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from urllib.request import Request, urlopen

from lab.ami import Ami, Message
from lab.asterisk import Asterisk
from lab.demo.browser import Browser
from ringback import control
from ringback.core.grants import EVERYTHING
from ringback.panel.passwords import Hasher
from ringback.store.read_sessions import read_work
from tests.stories.daemon import PATIENCE, Daemon, configuration, running
from tests.stories.panel import PASSWORD, Panel
from tests.stories.texting import ANNA, CARA, Ending, Scene, Story

SETTINGS = """\
[dialplan]
listen = "127.0.0.1:0"
"""
OPENING, WAIT_TEXT, TEXT_BACK = "opening", "wait_text", "text_back"
BEGINNINGS = {
    "Northlight: we go on by text now": OPENING,
    "Northlight: stay on the line": WAIT_TEXT,
    "Northlight: write here what you need": TEXT_BACK,
    "Northlight: You are unsubscribed": "stopped",
}
SEEN_WITHIN_S = 12.0
LOOK_EVERY_S = 0.2


@dataclass
class House:
    """An exchange, the daemon its dialplan asks, and the accounts of its agents."""

    asterisk: Asterisk
    daemon: Daemon
    accounts: Mapping[str, int]
    lines: tuple[str, ...]

    async def tell(self, stories: Mapping[str, Story], numbers: Mapping[str, str]) -> Mapping[str, object]:
        """All side by side; those of one line in turn."""
        locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        async with AsyncExitStack() as stack:
            ami = await self.opened(stack)

            async def tell(name: str, story: Story) -> Ending:
                async with locks[story.line]:
                    return await self._tell_one(ami, story, story.caller or numbers[name])

            told = await asyncio.gather(*(tell(*each) for each in stories.items()), return_exceptions=True)
        return dict(zip(stories, told, strict=True))

    async def opened(self, stack: AsyncExitStack) -> Ami:
        """Agents open their pages, and Asterisk asks the daemon; returns a login that sees everything."""
        pbx = await stack.enter_async_context(self.asterisk.opened())
        await pbx.asks(f"http://127.0.0.1:{await dialplan_port(self.daemon)}")
        ami = await pbx.ami()
        await ami.action("Setvar", Variable="RINGBACK_KEY_WAIT", Value="1")
        for login in (ANNA, CARA):
            panel = await stack.enter_async_context(Panel.opened(self.daemon, login))
            await stack.enter_async_context(panel.follows("/sessions/events"))
        await self.until_able()
        return ami

    async def until_able(self) -> None:
        """Wait until somebody can take a text of every line."""
        asked = [
            f"agents?call=x&queue=text{line}&did=%2B1{area}55501{line}" for line in self.lines for area in (202, 212)
        ]
        async with asyncio.timeout(PATIENCE):
            while asked:
                if await self._ask(asked[-1]) == "rb|ok|0":
                    await asyncio.sleep(0.05)
                else:
                    asked.pop()

    async def _ask(self, what: str) -> str:
        return await asyncio.to_thread(ask, await dialplan_port(self.daemon), self.asterisk.token, what)

    async def tell_one(self, story: Story, number: str) -> Ending:
        """One by itself."""
        async with AsyncExitStack() as stack:
            return await self._tell_one(await self.opened(stack), story, number)

    async def _tell_one(self, ami: Ami, story: Story, number: str) -> Ending:
        async with AsyncExitStack() as stack:
            pbx = await stack.enter_async_context(self.asterisk.opened())
            port, _ = await self.daemon.ports()
            handset = await stack.enter_async_context(Browser(f"http://127.0.0.1:{port}"))
            area, line = story.number.split()
            scene = Scene(pbx, ami, self.daemon, handset, area, line, number, story.to, story.anonymous)
            await story.act(scene)
            return await self.settled(scene, story.ending)

    async def settled(self, scene: Scene, wanted: Ending) -> Ending:
        """What became of it, once it is as it should be or has not become so in time."""
        await scene.saw("Hangup")
        mine = [said for said in scene.ami.events if said.get("Channel") == scene.channel]
        found = Ending()
        with suppress(TimeoutError):
            async with asyncio.timeout(SEEN_WITHIN_S):
                # beside the loop: phones have to keep time
                while (found := await asyncio.to_thread(self.seen, scene, mine)) != wanted:
                    await asyncio.sleep(LOOK_EVERY_S)
        return found

    def seen(self, scene: Scene, mine: list[Message]) -> Ending:
        """What became of it so far; `mine` is what Asterisk said of the caller's channel."""
        said = [one for one in mine if one.get("UserEvent") == "LabTexts"]
        uniqueid = mine[0]["Uniqueid"]
        return Ending(
            tuple(" ".join(filter(None, (one["Result"], one["Reason"], one["Reply"]))) for one in said),
            tuple(_goes(mine)),
            self._call(uniqueid),
            self._texts(scene),
            *self._session(scene),
            self._offers(uniqueid),
        )

    def _call(self, uniqueid: str) -> str:
        rows = self.daemon.rows(f"SELECT outcome, decision, reason FROM call WHERE uniqueid = '{uniqueid}'")
        return " ".join(str(part or "-") for part in rows[0]) if rows else ""

    def _texts(self, scene: Scene) -> tuple[str, ...]:
        rows = self.daemon.rows(
            f"""SELECT m.body, m.state FROM message m JOIN thread t ON t.id = m.thread_id JOIN number n ON
            n.id = t.number_id WHERE t.peer = '{scene.to or scene.number}' AND n.e164 = '{scene.did}' ORDER BY m.id"""
        )
        return tuple(f"{_named(str(body))} {state}" for body, state in rows)

    def _session(self, scene: Scene) -> tuple[str, tuple[str, ...]]:
        peer = scene.to or scene.number
        rows = self.daemon.rows(
            f"SELECT id, public_id, state FROM session WHERE peer = '{peer}' AND did = '{scene.did}' ORDER BY id DESC"
        )
        if not rows:
            return "", ()
        row, public_id, state = rows[0]
        steps = self.daemon.rows(f"SELECT why FROM session_event WHERE session_id = {row} ORDER BY id")
        work = []
        with self.daemon._engine.connect() as connection:
            for login, account in self.accounts.items():
                lists = read_work(connection, EVERYTHING, account, 1000)
                for name in ("mine", "offered", "queued", "dismissed"):
                    found = [one for one in getattr(lists, name) if one.session.public_id == public_id]
                    work += [f"{login}: {name}{f', {one.unread} unread' if one.unread else ''}" for one in found]
        whys = [str(why) for why, _ in groupby(why for (why,) in steps)]
        return f"{state}: {' '.join(whys)}", tuple(work)

    def _offers(self, uniqueid: str) -> tuple[str, ...]:
        rows = self.daemon.rows(
            f"SELECT kind, reason, answer FROM call_offer WHERE uniqueid = '{uniqueid}' ORDER BY id"
        )
        return tuple(" ".join(str(part) for part in row if part) for row in rows)


def _named(body: str) -> str:
    return next((name for beginning, name in BEGINNINGS.items() if body.startswith(beginning)), body)


def _goes(mine: list[Message]) -> Iterator[str]:
    """Where the caller went, as Asterisk tells it."""
    for one in mine:
        match one["Event"], one.get("UserEvent"):
            case "QueueCallerJoin", _:
                yield f"{one['Queue']} {one['Position']}"
            case "UserEvent", "RingbackDeflect":
                yield "let go"
            case "AgentConnect", _:
                yield one["MemberName"]


async def dialplan_port(daemon: Daemon) -> int:
    """Where the dialplan may ask; it listens a moment after the daemon is ready."""
    async with asyncio.timeout(PATIENCE):
        while True:
            status = await control.ask(daemon.state, "status")
            if status is not None and int(status["dialplan_port"]):
                return int(status["dialplan_port"])
            await asyncio.sleep(0.02)


def ask(port: int, token: str, what: str) -> str:
    """Ask as the dialplan does."""
    request = Request(f"http://127.0.0.1:{port}/{what}", headers={"X-Ringback-Token": token})
    with urlopen(request, timeout=5) as answer:
        return answer.read().decode()


async def tell(daemon: Daemon, command: str, **words: str) -> None:
    """Have the daemon do what a command would ask for; a process of its own each would take a second."""
    said = await control.ask(daemon.state, command, **words, by="shell test")
    assert said is not None, words


async def hire(daemon: Daemon, login: str, role: str, hashed: str, extension: str) -> None:
    """Somebody who may text from all numbers, and carries as many sessions as there are stories."""
    who = {"name": "", "role": role, "language": "", "password": hashed, "extension": extension}
    await tell(daemon, "user", change="add", login=login, **who)
    allowed = {"subject": login, "number": "all", "effect": "allow", "class": "", "note": ""}
    for way in ("send", "receive"):
        await tell(daemon, "grant", way=way, **allowed)
    agent = {"capacity": "50", "voice_weight": "", "follows_phone": ""}
    await tell(daemon, "queue", change="agent", login=login, **agent)


async def put_queue(daemon: Daemon, line: str, *members: str, **plan: str) -> None:
    """A text queue beside the voice queue of a line; unless its plan says otherwise, agents take from its list."""
    name, voice = f"Text {line}", f"main/text{line}"
    await tell(daemon, "queue", change="add", queue=name, words=json.dumps({"strategy": "manual", **plan}))
    await tell(daemon, "queue", change="voice", queue=name, voice=voice, out="")
    for login in members:
        await tell(daemon, "queue", change="member", queue=name, login=login, out="")


def daemon_of(folder: Path, asterisk: Asterisk, rules: str) -> Daemon:
    """A daemon that the dialplan may ask; a carrier that says nothing is given up after a second."""
    text = configuration({"main": asterisk}, SETTINGS + rules)
    quick = text.replace('type = "loopback"\n', 'type = "loopback"\nanswer_within = "1s"\n')
    daemon = Daemon(folder, quick, {"main": asterisk.account.secret})
    daemon.set("RINGBACK_DIALPLAN__TOKEN", asterisk.token)
    return daemon


async def furnish(daemon: Daemon, queues: Mapping[str, Mapping[str, str]]) -> Mapping[str, int]:
    """Agents, and a text queue for each line; `members` in a plan names who serves it. Returns the agents' rows."""
    await daemon.until(ready=True)
    hashed = await Hasher().hash(PASSWORD)
    await hire(daemon, ANNA, "administrator", hashed, extension="172")
    await hire(daemon, CARA, "agent", hashed, extension="")
    for line, plan in queues.items():
        members = plan.get("members", f"{ANNA} {CARA}").split()
        await put_queue(daemon, line, *members, **{word: said for word, said in plan.items() if word != "members"})
    rows = daemon.rows("SELECT login, id FROM account")
    return {str(login): int(str(row)) for login, row in rows}


@contextmanager
def opened(folder: Path, asterisk: Asterisk, stories: Mapping[str, Story], rules: str = "") -> Iterator[House]:
    """The house in which these stories can be told."""
    daemon = daemon_of(folder, asterisk, rules)
    with running(daemon):
        queues: dict[str, Mapping[str, str]] = {story.line: story.queue for story in stories.values()}
        queues |= {story.line: story.queue for story in stories.values() if story.queue}
        yield House(asterisk, daemon, asyncio.run(furnish(daemon, queues)), tuple(queues))

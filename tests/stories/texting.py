"""Callers who choose texts by key: what they do on a line of the lab, and what should become of their call."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from lab.ami import Ami, Message
from lab.call import Call
from lab.demo.browser import Browser
from lab.pbx import Pbx
from tests.stories.daemon import Daemon

ANNA, CARA = "anna", "cara"
"""Anna answers a phone, 172. Cara only writes. Both have their page open."""
BOTH = (f"{ANNA}: queued", f"{CARA}: queued")
RULES = """\
[[rule]]
name = "queues"
when = ["abandoned_queue", "queue_gave_up", "abandoned_ivr", "missed"]
delay = "0s"
text = { en = "sorry" }
"""
MISSED = "sorry delivered"
"""What the rule sends after a call that came to nothing."""


@dataclass(frozen=True)
class Ending:
    """What became of one call. `said` is what each routine left, `goes` where the caller went after it, `call` its
    outcome and why Ringback texted nothing, `texts` each with its state, `session` how it stands and why it moved, and
    `work` in which lists of whom an agent sees it."""

    said: tuple[str, ...] = ()
    goes: tuple[str, ...] = ()
    call: str = ""
    texts: tuple[str, ...] = ()
    session: str = ""
    work: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()


@dataclass
class Scene:
    """One caller on one line; `area` 202 waits two seconds in the queue, 212 thirty."""

    pbx: Pbx
    ami: Ami
    daemon: Daemon
    handset: Browser
    area: str
    line: str
    number: str
    to: str = ""
    """Who is texted, where that is another number than the caller's."""
    anonymous: bool = False
    channel: str = ""
    done: list[str] = field(default_factory=list)

    @property
    def did(self) -> str:
        return f"+1{self.area}55501{self.line}"

    async def call(self, number: str = "") -> Call:
        """Call the line; withheld, the trunk passes the number aside."""
        start = len(self.ami.events)
        shown = number or self.number
        if self.anonymous:
            caller = await self.pbx.caller("anonymous", "Anonymous")
            headers = (("P-Asserted-Identity", f"<sip:{shown}@127.0.0.1>"), ("Privacy", "id"))
            call = await caller.call(self.did, headers)
        else:
            call = await (await self.pbx.caller(shown)).call(self.did)
        begun = await self.ami.wait_for(
            lambda said: said["Event"] == "Newchannel" and said["Exten"] == self.did, "its channel", after=start
        )
        self.channel = self.channel or begun["Channel"]
        return call

    async def asked(self, call: Call, count: int = 1) -> None:
        """Wait until they are asked for the nth key or number."""
        await self.saw("Newexten", count, Application="Read")
        await call.answered()

    async def press(self, call: Call, *keys: str, tones: bool = False) -> None:
        """Answer each question with these keys."""
        for count, key in enumerate(keys, 1):
            await self.asked(call, count)
            await (call.dial if tones else call.press)(key)

    async def saw(self, event: str, count: int = 1, **headers: str) -> Message:
        """The nth event of this kind on the caller's channel."""
        wanted = {"Event": event, "Channel": self.channel, **headers}
        seen: list[Message] = []
        position = 0
        while len(seen) < count:
            one = await self.ami.wait_for(lambda said: said.fits(wanted), f"{event} {headers}", after=position)
            position = self.ami.events.index(one, position) + 1
            seen.append(one)
        return seen[-1]

    async def told(self, count: int = 1) -> None:
        """Wait until the nth routine came back."""
        await self.saw("UserEvent", count, UserEvent="LabTexts")

    async def queued(self, count: int = 1) -> Message:
        """Wait until they are in the queue (again)."""
        return await self.saw("QueueCallerJoin", count)

    async def line_to_handset(self, behaviour: str) -> None:
        """From now on their handset's line behaves so."""
        where = f"/handset/{quote(self.to or self.number)}"
        await self.handset.submit(await self.handset.open(where), "/behaviour", behaviour=behaviour)

    async def writes(self, words: str) -> None:
        """Write a text on the handset."""
        number = self.to or self.number
        page = await self.handset.open(f"/handset/{quote(number)}")
        assert (await self.handset.submit(page, "/texts", text=words, to=self.did)).status == 200

    async def texted(self) -> None:
        """Wait until a text lies on the handset."""
        await self.daemon.become(lambda: (self.did, self.to or self.number) in self.daemon.handset(), True)


Act = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True)
class Story:
    """`number` is area and line. `caller` is for a special number, `to` the mobile that is texted instead."""

    number: str
    act: Act
    ending: Ending
    queue: Mapping[str, str] = field(default_factory=dict)
    caller: str = ""
    to: str = ""
    anonymous: bool = False

    @property
    def line(self) -> str:
        return self.number.split()[1]

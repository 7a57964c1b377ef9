"""What one story has: an exchange with people around it, one line of the lab, one caller; and how it should end."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from lab.ami import Ami
from lab.call import Call
from lab.pbx import Pbx
from lab.phone import Behaviour, Phone, ring
from lab.sip import Header
from ringback.ports.stories import CallStory
from tests.stories.daemon import Daemon

SORRY = "Sorry we missed you, Northlight. STOP to end"


@dataclass(frozen=True)
class End:
    """What should become of one call. `legs` are the phones that were asked, and how each of them ended."""

    outcome: str
    decision: str = "send"
    reason: str = "allowed"
    legs: frozenset[tuple[str, str]] = frozenset()
    rule: str | None = "missed"
    texts: tuple[str, ...] = (SORRY,)


def end(outcome: str, *legs: str, reason: str = "allowed", rule: str | None = "missed", text: str = SORRY) -> End:
    """A call that becomes a text, or with another reason is refused one. A leg is written `101 no_answer`."""
    sent = reason == "allowed"
    return End(outcome, "send" if sent else "suppress", reason, _legs(legs), rule, (text,) if sent else ())


def nothing(outcome: str, *legs: str, reason: str = "answered") -> End:
    """A call after which no rule wants a text."""
    return End(outcome, "none", reason, _legs(legs), None, ())


def _legs(words: Sequence[str]) -> frozenset[tuple[str, str]]:
    return frozenset((phone, rang) for phone, rang in map(str.split, words))


def seen(call: CallStory) -> End:
    """The same of what really became of it."""
    return End(
        outcome=call.outcome or "",
        decision=call.decision or "",
        reason=call.reason or "",
        legs=frozenset((leg.phone, leg.rang) for leg in call.legs),
        rule=call.rule,
        texts=tuple(text.body for text in call.texts),
    )


@dataclass
class Scene:
    """`line` is the last two digits of the number that is called; `area` 202 rings for 2 seconds, 212 for 30."""

    pbx: Pbx
    ami: Ami
    carrier: Phone
    daemon: Daemon
    line: str
    area: str
    number: str
    did: str = field(init=False)

    def __post_init__(self) -> None:
        self.did = f"+1{self.area}55501{self.line}"

    async def phone(self, hundred: int = 1, behaviour: Behaviour = ring) -> Phone:
        """The line's own phone 1NN; 2NN and 3NN are its neighbours."""
        return await self.pbx.phone(f"{hundred}{self.line}", behaviour)

    async def phones(self, *hundreds: int, behaviour: Behaviour = ring) -> list[Phone]:
        return [await self.phone(hundred, behaviour) for hundred in hundreds]

    async def call(
        self,
        headers: Sequence[Header] = (),
        *,
        number: str = "",
        name: str = "Pat Example",
        host: str = "127.0.0.1",
        parameters: str = "",
    ) -> Call:
        """Somebody outside calls the line."""
        caller = await self.pbx.caller(number or self.number, name, host)
        return await caller.call(self.did, headers, parameters=parameters)

    async def gives_up(self, headers: Sequence[Header] = (), **more: str) -> None:
        """Call, hear it ring, hang up."""
        call = await self.call(headers, **more)
        await call.ringing()
        await call.cancel()

    async def sipp(self, scenario: str, pause: str = "200") -> None:
        """The line is called by SIPp."""
        await (await self.pbx.sipp(scenario, self.did, caller=self.number, pause=pause)).over()

    async def saw(self, event: str, **headers: str) -> None:
        """Wait until the exchange says this about the caller's channel."""
        wanted = {"Event": event, "CallerIDNum": self.number, **headers}
        # a caller's own channel gives the link its name; a Local half may show the caller's number too
        await self.ami.wait_for(lambda said: said.fits(wanted) and said["Uniqueid"] == said["Linkedid"], event)

    async def spoken(self, count: int = 1) -> None:
        """Wait until the log has the end of a call *to* the caller."""
        await self.daemon.ended(self.number, count)


Act = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True)
class Story:
    """What people do on a line, and how each of its calls should end."""

    area: str
    line: str
    act: Act
    ends: tuple[End, ...]


def story(number: str, act: Act, *ends: End) -> Story:
    """`number` is area and line: `202 01`."""
    area, line = number.split()
    return Story(area, line, act, ends)

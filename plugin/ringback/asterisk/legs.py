"""The phones of one call: what DialBegin, DialEnd and Hangup say of each, folded into one leg a phone."""

from dataclasses import dataclass, field
from datetime import datetime

from ringback.asterisk.plain import plain
from ringback.core.calls import Leg, Rang

MOST_PHONES = 100
"""A call that asks more phones than this is not told apart any further."""
MOST_OPEN = 8
"""Channels of one phone that may ring at once (several contacts); more means that ends were lost."""

DIAL_STATUS = {
    "ANSWER": Rang.ANSWER,
    "BUSY": Rang.BUSY,
    "NOANSWER": Rang.NO_ANSWER,
    "CANCEL": Rang.CANCELLED,
    "CHANUNAVAIL": Rang.UNREACHABLE,
    "CONGESTION": Rang.UNREACHABLE,
}
DECLINED = "21"  # Q.850 call rejected: a 603 ends as DialStatus NOANSWER, only the leg's own cause tells
# The causes that tell more than "it stopped", where a leg hung up and its DialEnd was never seen.
HANGUP_CAUSE = {
    "17": Rang.BUSY,
    DECLINED: Rang.DECLINED,
    "3": Rang.UNREACHABLE,
    "19": Rang.NO_ANSWER,
    "23": Rang.FORWARDED,
}
# Two contacts of one phone: the one that came closest to an answer speaks for it.
_CLOSER = (
    Rang.UNKNOWN,
    Rang.UNREACHABLE,
    Rang.BUSY,
    Rang.DECLINED,
    Rang.FORWARDED,
    Rang.CANCELLED,
    Rang.NO_ANSWER,
    Rang.ANSWER,
)
_CLOSENESS = {rang: index for index, rang in enumerate(_CLOSER)}


def device(channel: str) -> str:
    """The name of a phone or trunk in a channel's name: `PJSIP/101-0000000a` and `Local/101@office-01;2` are `101`."""
    name = channel.partition("/")[2] or channel
    if is_local(channel):
        return plain(name.partition("@")[0])
    return plain(name.rpartition("-")[0] or name)


def is_local(channel: str) -> bool:
    return channel.startswith("Local/")


def pair(channel: str) -> str:
    """What the two halves of a Local channel have in common; empty for any other channel."""
    return channel[:-2] if channel[-2:] in (";1", ";2") else ""


@dataclass(slots=True)
class Phone:
    """One phone that was asked, over all its contacts and all attempts; the last attempt counts, an answer stays."""

    to: str
    at: datetime
    behind: "Phone | None" = None
    """The Local leg that led here."""
    leads_on: bool = False
    """A Local leg with a phone behind it; that phone is shown, not the leg."""
    ringing: dict[str, str] = field(default_factory=dict)
    """Channels that were not ended by DialEnd, each with the cause of its hang-up when that was seen."""
    ended_at: datetime | None = None
    gone_at: datetime | None = None
    rang: Rang = Rang.UNKNOWN
    last: str = ""

    def ask(self, channel_id: str) -> None:
        """The phone is asked, again perhaps."""
        for stale in [known for known, cause in self.ringing.items() if cause]:
            del self.ringing[stale]
        if len(self.ringing) >= MOST_OPEN:
            self.ringing.clear()
        if not self.ringing and self.rang is not Rang.ANSWER:
            self.ended_at, self.gone_at, self.rang = None, None, Rang.UNKNOWN
        self.ringing[channel_id] = ""

    def end(self, channel_id: str, rang: Rang, at: datetime) -> None:
        """DialEnd. The same one twice, or one of an earlier attempt, changes nothing."""
        if channel_id not in self.ringing:
            return
        if self.ringing.pop(channel_id) == DECLINED and rang is Rang.NO_ANSWER:
            rang = Rang.DECLINED
        if _CLOSENESS[rang] > _CLOSENESS[self.rang]:
            self.rang, self.last = rang, channel_id
            self.ended_at = at
        elif not self.ringing and self.rang is not Rang.ANSWER:
            self.ended_at = at

    def hang_up(self, channel_id: str, cause: str, at: datetime) -> None:
        """The phone's channel was hung up, or asked for it; DialEnd may come before or after."""
        if channel_id in self.ringing:
            self.ringing[channel_id] = cause or "0"
            self.gone_at = at
        elif channel_id == self.last and cause == DECLINED and self.rang is Rang.NO_ANSWER:
            self.rang = Rang.DECLINED

    def leg(self) -> Leg:
        """What is known now. Without an end of its own a phone ends as the Local leg before it or as its channel."""
        rang, ended_at = self.rang, self.ended_at
        if self.ringing and rang is not Rang.ANSWER:
            before = self.behind
            causes = list(self.ringing.values())
            if before and before.ended_at and before.rang is not Rang.ANSWER:
                rang, ended_at = before.rang, before.ended_at
            elif all(causes):
                rang, ended_at = HANGUP_CAUSE.get(causes[-1], Rang.CANCELLED), self.gone_at
            else:
                rang, ended_at = Rang.UNKNOWN, None
        return Leg(self.to, self.at, ended_at, rang)


@dataclass(slots=True)
class Legs:
    """All phones of one call in the order they were first asked."""

    phones: dict[tuple[str, bool], Phone] = field(default_factory=dict)

    def ask(self, channel_id: str, channel: str, behind: Phone | None, at: datetime) -> Phone | None:
        """Note that a phone is asked; None when there are too many already."""
        key = (device(channel), is_local(channel))
        phone = self.phones.get(key)
        if phone is None:
            if len(self.phones) >= MOST_PHONES:
                return None
            phone = self.phones[key] = Phone(key[0], at)
        if behind is not None and behind is not phone:
            behind.leads_on = True
            phone.behind = behind
        phone.ask(channel_id)
        return phone

    def shown(self) -> tuple[Leg, ...]:
        return tuple(phone.leg() for phone in self.phones.values() if not phone.leads_on)

    def first_asked(self) -> datetime | None:
        return min((phone.at for phone in self.phones.values()), default=None)

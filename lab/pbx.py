"""Who uses an Asterisk for the length of a story: phones, callers from outside, AMI logins, SIPp."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lab.ami import Ami
from lab.phone import Behaviour, Phone, ring
from lab.sipp import Sipp

if TYPE_CHECKING:
    from lab.asterisk import Asterisk


NOBODY = "http://127.0.0.1:1"
"""Whom the dialplan asks until a story says otherwise."""


@dataclass(frozen=True, slots=True)
class Account:
    user: str
    secret: str


class Pbx:
    """Everything made here is closed with it."""

    def __init__(self, asterisk: "Asterisk", stack: AsyncExitStack) -> None:
        self.asterisk = asterisk
        self.server = ("127.0.0.1", asterisk.sip_port)
        self._stack = stack
        self._carrier: Phone | None = None

    async def phone(self, number: str, behaviour: Behaviour = ring) -> Phone:
        """A registered phone, 101 and on."""
        phone = await self._open(Phone(number, self.server, secret="phone-secret", name=f"Phone {number}"))
        phone.behaviour = behaviour
        await phone.register()
        return phone

    async def phones(self, *numbers: str, behaviour: Behaviour = ring) -> list[Phone]:
        """Several that behave alike."""
        return [await self.phone(number, behaviour) for number in numbers]

    async def caller(self, number: str, name: str = "Pat Example", host: str = "127.0.0.1") -> Phone:
        """Somebody outside, whose calls come in over the trunk and show this number."""
        return await self._open(Phone(number, self.server, name=name, host=host))

    async def carrier(self) -> Phone:
        """Whoever is called outside. Give `behaviours[number]` to those who do not just ring."""
        if self._carrier is None:
            self._carrier = await self._open(Phone("carrier", self.server), self.asterisk.carrier_port)
        return self._carrier

    async def ami(self) -> Ami:
        """A login that may see and do everything."""
        return await self.login(self.asterisk.lab_account)

    async def login(self, account: Account) -> Ami:
        """A login as somebody; `asterisk.account` is the one that Ringback gets. Raises AmiRefused."""
        return await self._stack.enter_async_context(Ami(self.asterisk.ami_port, account.user, account.secret))

    async def sipp(self, scenario: str, did: str, **more: str) -> Sipp:
        """A call by SIPp, a caller that shares no code with ours. See lab/sipp.py for what may be said."""
        return await self._stack.enter_async_context(Sipp(self.server, scenario, did, **more))

    async def rings_for(self, seconds: int) -> None:
        """Until the end of this story the +1 202 555 lines ring that long."""
        ami = await self.ami()
        await ami.action("Setvar", Variable="RING", Value=str(seconds))
        self._stack.push_async_callback(ami.action, "Setvar", Variable="RING", Value=str(self.asterisk.times.ring))

    async def asks(self, url: str, token: str = "", way: str = "curl") -> None:
        """Until the end of this story the dialplan asks there: `http://...` by CURL(), `agi://...` by FastAGI."""
        given = {"URL": url, "AGI": url, "TOKEN": token or self.asterisk.token, "ASK": way}
        usual = {"URL": NOBODY, "AGI": "", "TOKEN": self.asterisk.token, "ASK": "curl"}
        ami = await self.ami()
        for name, value in given.items():
            await ami.action("Setvar", Variable=f"RINGBACK_{name}", Value=value)
            self._stack.push_async_callback(ami.action, "Setvar", Variable=f"RINGBACK_{name}", Value=usual[name])

    @property
    def run(self) -> Path:
        """Asterisk's folder: etc, log (with CDR and CEL as CSV), spool."""
        return self.asterisk.run

    async def _open(self, phone: Phone, port: int = 0) -> Phone:
        await phone.open(port)
        self._stack.push_async_callback(phone.close)
        return phone

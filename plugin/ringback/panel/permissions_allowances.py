"""How many segments a month somebody has: what is set, what is used, and the form that sets it."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from aiohttp import web

from ringback.core.allowances import key_of
from ringback.core.permissions import Principal
from ringback.flow import allowances
from ringback.panel.door import read_form
from ringback.panel.permissions_parts import GrantOffice
from ringback.panel.words import N_
from ringback.ports.storage import Tx

MOST = 100_000_000
NOT_A_COUNT = N_("Write how many segments a month, in digits, or leave it empty for no limit.")
UPSIDE_DOWN = N_("The hard limit must be as large as the soft one, or larger.")


@dataclass(frozen=True, slots=True)
class Shown:
    """An allowance as the form has it. `wrong` names the field that is wrong, `why` says what about it."""

    soft: str = ""
    hard: str = ""
    used: int = 0
    wrong: str = ""
    why: str = ""


class Allowances:
    """Reads and sets the allowances of users, departments, numbers and everyone."""

    def __init__(self, office: GrantOffice) -> None:
        self._office = office

    async def of(self, level: str, subject: int, name: str = "") -> Shown:
        """What is set, and how much of it is used this month. `name` is under what it counts, if not its id."""
        for one in await self._office.read.allowances():
            if (one.level, one.subject) == (level, subject):
                used = await self._used(key_of(level, name or subject))
                return Shown(str(one.soft or ""), str(one.hard or ""), used)
        return Shown()

    async def _used(self, key: str) -> int:
        zone, now = self._office.shell.site.zone, self._office.clock.now()
        counted = await self._office.store.commit(partial(allowances.used_now, zone, now))
        return counted.get(key, 0)

    async def put(self, request: web.Request, who: Principal, level: str, subject: int, about: str) -> Shown | None:
        """Set what the form says; returns it with what is wrong with it, None where it is done."""
        soft, hard = (text.strip() for text in await read_form(request, "soft", "hard"))
        for name, text in (("soft", soft), ("hard", hard)):
            if text and not (text.isascii() and text.isdigit() and int(text[:12]) <= MOST and len(text) < 12):
                return Shown(soft, hard, wrong=name, why=NOT_A_COUNT)
        least, most = int(soft or 0), int(hard or 0)
        if least and most and most < least:
            return Shown(soft, hard, wrong="hard", why=UPSIDE_DOWN)
        step = partial(_allow, level, subject, least, most, who.label, about, self._office.clock.now())
        await self._office.commit(step)
        return None


def _allow(level: str, subject: int, soft: int, hard: int, by: str, about: str, now: datetime, tx: Tx) -> None:
    found = (one for one in tx.grants.allowances() if (one.level, one.subject) == (level, subject))
    before = next((f"{one.soft}, {one.hard}" for one in found), "0, 0")
    tx.grants.allow_segments(level, subject, soft, hard, by, now)
    tx.audit.note(by, "allowance", about, "soft, hard", now, before=before, after=f"{soft}, {hard}")

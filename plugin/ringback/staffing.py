"""What pages and commands of people and numbers are made of: who is at the PBXs, what our numbers can do, and how a
table comes from a command to the daemon."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from ringback import control
from ringback.asterisk.feed import AmiFeed
from ringback.asterisk.people import ask_people
from ringback.config import Settings
from ringback.core.people_rows import Sheet, read_rows
from ringback.errors import ConfigFault
from ringback.flow.importing_people import Ready, import_people
from ringback.flow.imports import FILE, in_lines, origin_of_pbx, readable, sheet_of_pbx, unpack
from ringback.flow.planning_people import Known, Merge, Origin
from ringback.flow.refusing import Because, Refused
from ringback.panel.languages import languages_in
from ringback.panel.numbers import Line
from ringback.ports import Carrier, Clock
from ringback.ports.directory import Asked, AskPbx
from ringback.ports.storage import Tx
from ringback.resources import shipped
from ringback.store.database import Database

MOST_PARCELS, LARGEST_PARCEL = 4, 16 * 1024 * 1024


def make_askers(feeds: Mapping[str, AmiFeed]) -> AskPbx:
    """Ask over the line that is there: our account may be logged in only once."""
    return {name: partial(ask_people, feed.ami) for name, feed in feeds.items()}


def make_lines(settings: Settings, carriers: Mapping[str, Carrier]) -> dict[str, Line]:
    """Our configured numbers with what their carriers say of themselves."""
    return {e164: _line(ours.carrier, ours.language, carriers[ours.carrier]) for e164, ours in settings.numbers.items()}


def _line(name: str, language: str, carrier: Carrier) -> Line:
    replies = any(hasattr(carrier, way) for way in ("trusts", "batches", "received_since"))
    return Line(name, language, carrier.max_segments, carrier.receipts, replies, carrier.answers_commands)


def file_origin(settings: Settings) -> Origin:
    """What holds for people from a file."""
    languages = languages_in(shipped("web/locale"))
    return Origin(FILE, Merge.SAYS, settings.business.default_country, tuple(languages))


def known_people(tx: Tx) -> Known:
    return Known(tx.accounts.all(), tx.grants.book())


@dataclass(slots=True)
class PeopleCommand:
    """`ringback user import` at the running daemon: a table that came in parts, or one that a PBX tells."""

    settings: Settings
    database: Database
    clock: Clock
    askers: AskPbx
    changed: Callable[[], None]
    _parcels: OrderedDict[str, str] = field(default_factory=OrderedDict)

    async def __call__(self, words: control.Words) -> control.Words:
        """`part` adds to the parcel `token`; `import` with `apply` or without says, line by line, what changes."""
        if words.get("change") == "part":
            return self._part(words)
        sheet, origin, notes = await self._sheet(words)
        by = words.get("by", "control")
        known = await self.database.commit(known_people)
        ready = await asyncio.to_thread(Ready.make, sheet, origin, known)
        plan = ready.plan
        if words.get("apply"):
            step = partial(import_people, sheet, origin, by, self.clock.now(), ready=ready)
            plan = await self.database.commit(step)
            self.changed()
        return {"said": in_lines(plan, notes, stored=words.get("apply", ""))}

    def _part(self, words: control.Words) -> control.Words:
        token = words.get("token", "")
        text = self._parcels.get(token, "") + words.get("text", "")
        if len(text) > LARGEST_PARCEL:
            raise Refused(Because.STRANGE)
        self._parcels[token] = text
        while len(self._parcels) > MOST_PARCELS:
            self._parcels.popitem(last=False)
        return {}

    async def _sheet(self, words: control.Words) -> tuple[Sheet, Origin, Asked | None]:
        if pbx := words.get("pbx"):
            asked = readable(await asker(self.askers, pbx)())
            return sheet_of_pbx(asked), origin_of_pbx(pbx, self.settings.business.default_country), asked
        try:
            table = unpack(self._parcels.pop(words.get("token", ""), ""))
        except ValueError as problem:
            raise Refused(Because.STRANGE) from problem
        return await asyncio.to_thread(read_rows, table), file_origin(self.settings), None


def asker(askers: AskPbx, pbx: str) -> Callable[[], Awaitable[Asked]]:
    """How to ask a PBX. Raises ConfigFault for one that is not configured."""
    if pbx not in askers:
        raise ConfigFault([f"there is no [[asterisk]] with the name {pbx!r}; there is {', '.join(sorted(askers))}"])
    return askers[pbx]

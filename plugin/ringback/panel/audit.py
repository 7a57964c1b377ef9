"""The record of who did what: newest first, found by who, what, about what and when; taken away as a file."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

from aiohttp import web

from ringback.core.ids import Kind, kind_of
from ringback.core.permissions import Action
from ringback.flow.recordkeeping import Recordkeeping, note_export
from ringback.panel import audit_words as words
from ringback.panel.calls import NO_DAY, ends_of, formats_of, read_day
from ringback.panel.shell import Shell
from ringback.ports import Clock
from ringback.ports.keys import KeyRing
from ringback.ports.people import People
from ringback.ports.record import Entry, ReadRecord, Wanted
from ringback.ports.storage import Store
from ringback.sheets import write_csv

HERE = "/audit"
A_PAGE = 50
COLUMNS = ("row", "at", "who", "name", "action", "about", "detail", "before", "after", "source", "request")
PLACES: Mapping[Kind, str] = {
    Kind.THREAD: "/threads/{}",
    Kind.CALL: "/calls/{}",
    Kind.USER: "/users/{}",
    Kind.KEY: "/api/keys/{}",
    Kind.BULK: "/api/runs/{}",
}
"""Where what a row is about can be seen."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the reader asked for, as they wrote it, and what was wrong with it. `wanted` is None if something was."""

    who: str
    action: str
    about: str
    since: str
    until: str
    wanted: Wanted | None
    since_fault: str = ""
    until_fault: str = ""

    @property
    def anything(self) -> bool:
        """Whether there is a choice at all."""
        return any((self.who, self.action, self.about, self.since, self.until))

    def link(self, place: str = HERE, **change: str) -> str:
        """The address of the same with something changed."""
        asked = {name: getattr(self, name) for name in ("who", "action", "about", "since", "until")} | change
        query = urlencode({name: value for name, value in asked.items() if value}, errors="replace")
        return f"{place}?{query}" if query else place


@dataclass(frozen=True, slots=True)
class Line:
    """A row as it is shown: `who` and `did` in words, `about` by its name if it has one, `place` where that is."""

    entry: Entry
    who: str
    did: str
    about: str
    place: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """What stands behind the page."""

    record: ReadRecord
    keeping: Recordkeeping
    people: People
    keys: KeyRing
    store: Store
    clock: Clock


class AuditPages:
    """The routes under /audit."""

    def __init__(self, shell: Shell, shelf: Shelf) -> None:
        self._shell = shell
        self._shelf = shelf

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(HERE, self.index),
            web.post(f"{HERE}/check", self.check),
            web.get(f"{HERE}/export", self.export),
        ]

    async def index(self, request: web.Request) -> web.Response:
        """The newest rows, fifty a page."""
        self._shell.allow(request, Action.READ_AUDIT)
        names = await self._names()
        asked = self._asked(request, names)
        before = request.query.get("before", "")
        entries: list[Entry] = []
        if asked.wanted is not None:
            last = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
            entries = await self._shelf.record.entries(asked.wanted, last, A_PAGE + 1)
        shown, more = entries[:A_PAGE], len(entries) > A_PAGE
        return self._shell.page(
            request,
            "audit",
            asked=asked,
            lines=[self._line(request, entry, names) for entry in shown],
            older=str(shown[-1].id) if more else "",
            before=before,
            groups=words.GROUPS,
            names=names,
            choices=choices(names),
            checked=self._shelf.keeping.checked,
        )

    async def check(self, request: web.Request) -> web.Response:
        """Look through all of it now."""
        self._shell.allow(request, Action.READ_AUDIT)
        await self._shelf.keeping.check()
        raise web.HTTPSeeOther(HERE)

    async def export(self, request: web.Request) -> web.StreamResponse:
        """What was asked for, the oldest first, as a table. That it was taken stands in the record before it goes."""
        who = self._shell.allow(request, Action.READ_AUDIT)
        self._shell.allow(request, Action.EXPORT)
        names = await self._names()
        asked = self._asked(request, names)
        if asked.wanted is None:
            raise web.HTTPBadRequest
        await self._shelf.store.commit(
            partial(note_export, who, "audit", asked.link().partition("?")[2], self._shelf.clock.now())
        )
        answer = web.StreamResponse(
            headers={
                "Content-Type": "text/csv; charset=utf-8",
                "Content-Disposition": 'attachment; filename="audit.csv"',
            }
        )
        await answer.prepare(request)
        with suppress(ConnectionError):  # whoever asked went away
            async for part in as_csv(self._shelf.record.every(asked.wanted), names):
                await answer.write(part)
            await answer.write_eof()
        return answer

    def _asked(self, request: web.Request, names: Mapping[str, str]) -> Asked:
        """Read the form; what cannot be read is said beside its field, and then no row is shown."""
        query = request.query
        who, action, about, since, until = (
            query.get(name, "").replace("\0", "").strip()[:200] for name in ("who", "action", "about", "since", "until")
        )
        formats = formats_of(self._shell, request)
        first, last = read_day(since), read_day(until)
        since_fault = NO_DAY if since and first is None else ""
        until_fault = NO_DAY if until and last is None else ""
        wanted = None
        if not since_fault and not until_fault:
            begin = ends_of(first, formats)[0] if first else None
            end = ends_of(last, formats)[1] if last else None
            wanted = Wanted(label_of(who, names), action, about, begin, end)
        return Asked(who, action, about, since, until, wanted, since_fault, until_fault)

    async def _names(self) -> dict[str, str]:
        """What those are called who have a row of their own, by their labels."""
        people = {f"user {account.public_id}": account.called for account in await self._shelf.people.everybody()}
        return people | {f"program {key.public_id}": key.name for key in await self._shelf.keys.all()}

    def _line(self, request: web.Request, entry: Entry, names: Mapping[str, str]) -> Line:
        kind = kind_of(entry.about)
        place = PLACES[kind].format(entry.about) if kind is not None and kind in PLACES else ""
        did = words.DID.get(entry.action)
        return Line(
            entry,
            who=self._who(request, entry.who, names),
            did=self._shell.say(request, did) if did else entry.action,
            about=next((names[label] for label in _labels(entry.about) if label in names), entry.about),
            place=place,
        )

    def _who(self, request: web.Request, label: str, names: Mapping[str, str]) -> str:
        kind, _, rest = label.partition(" ")
        if not rest:
            alone = words.ALONE.get(label)
            return self._shell.say(request, alone) if alone else label
        said = words.KINDS.get(kind)
        name = names.get(label, rest)
        return self._shell.say(request, said, name=name) if said else label


def _labels(about: str) -> tuple[str, ...]:
    return f"user {about}", f"program {about}"


def choices(names: Mapping[str, str]) -> list[str]:
    """What to offer for whom: a name, or the label where several have that name."""
    often = Counter(names.values())
    return [name if often[name] == 1 else label for label, name in names.items()]


def label_of(typed: str, names: Mapping[str, str]) -> str:
    """Whom the reader means: a name or an id stands for the label that rows have."""
    if typed in names or not typed:
        return typed
    found = [label for label, name in names.items() if typed in (name, label.partition(" ")[2])]
    return found[0] if len(found) == 1 else typed


async def as_csv(entries: AsyncIterator[Entry], names: Mapping[str, str]) -> AsyncIterator[bytes]:
    """A table of rows; nothing in it is a formula."""
    rows: list[Sequence[str]] = [COLUMNS]
    async for entry in entries:
        rows.append(_cells(entry, names))
        if len(rows) == 500:
            yield b"".join(_lines(rows))
            rows = []
    yield b"".join(_lines(rows))


def _lines(rows: list[Sequence[str]]) -> list[bytes]:
    mark, *lines = write_csv(rows)
    return [mark, *lines] if rows and rows[0] is COLUMNS else lines


def _cells(entry: Entry, names: Mapping[str, str]) -> Sequence[str]:
    return (
        str(entry.id),
        entry.at.isoformat(timespec="microseconds"),
        entry.who,
        names.get(entry.who, ""),
        entry.action,
        entry.about,
        entry.detail,
        entry.before,
        entry.after,
        entry.source,
        entry.request,
    )

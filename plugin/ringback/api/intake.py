"""Takes one run in while its body comes: head, recipients, the commit that lets it go, the answer."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from aiohttp import web

from ringback.api.answers import JSON, Code, FieldFault, Problem, json_answer
from ringback.api.bodies import invalid, read_model
from ringback.api.bulk_models import Rejected, RunHead, RunLinks, RunMade, Span
from ringback.api.csv_rows import CsvRows
from ringback.api.messages import REPLAY
from ringback.api.recipients import Recipients
from ringback.api.streams import LONGEST_HEAD, BrokenStream, JsonLines, JsonList, Stream
from ringback.api.telling import as_json
from ringback.api.wishes import FURTHEST, NOT_OURS, SHORTEST
from ringback.core.messages import Basis, MessageClass, OnDoubt
from ringback.core.numbers import Number
from ringback.core.permissions import Principal
from ringback.core.plurals import count_of
from ringback.core.reasons import Reason
from ringback.core.templates import Template, TemplateFault, TextKind, parse
from ringback.flow.bulks import AT_ONCE, Asked, Coming, Runs, ends_at
from ringback.flow.house import House
from ringback.flow.permits import Permits
from ringback.ports import Clock
from ringback.ports.bulks import Plan, ReadBulks

NDJSON, CSV = "application/x-ndjson", "text/csv"
STREAMS: Mapping[str, Callable[[], Stream]] = {JSON: JsonList, NDJSON: JsonLines, CSV: CsvRows}
PIECE = 8 * 1024
"""Bytes that are read in one go: a millisecond of work, while which nothing else is answered."""
CHUNK_S = 30.0
BYTES_EACH = 1024
"""What a recipient may take on average, for the longest body."""
USUAL_VALIDITY = timedelta(days=1)
CLOSE = {"Connection": "close"}
HEAD = tuple(one.alias or name for name, one in RunHead.model_fields.items())
IN_QUERY = {"validity": "a whole number", "strict": "true or false"}
"""Fields of the head that are no text."""


@dataclass(frozen=True, slots=True)
class BulkParts:
    """What stands behind the operations on runs. `largest` is how many recipients one may have."""

    house: House
    runs: Runs
    told: ReadBulks
    typed: Callable[[str], Number]
    clock: Clock
    largest: int
    permits: Permits


class Intake:
    """One body. `form` is its media type, `key` the asker's own, empty for none."""

    def __init__(self, parts: BulkParts, who: Principal, request: web.Request, form: str, key: str) -> None:
        self._parts = parts
        self._who = who
        self._request = request
        self._form = form
        self._key = key
        self._hash = sha256(f"{form} {request.query_string}\n".encode("utf-8", "surrogateescape"))
        self._stream = STREAMS[form]()
        self._strict = False
        self._coming: Coming | None = None
        self._plan: Plan
        self._people: Recipients | None = None

    async def answer(self) -> web.Response:
        """Read it all. Raises Problem, and then nothing of it stays."""
        if not self._key:
            return await self._take()
        before = await self._parts.runs.asked(self._asked())
        if before is None:
            return await self._take()
        async for _chunk, _last in self._chunks():
            pass
        return self._again(before)

    async def _take(self) -> web.Response:
        try:
            async for chunk, last in self._chunks():
                await self._read(chunk, last=last)
            return await self._open()
        except BrokenStream as problem:
            raise self._broken(str(problem)) from problem
        finally:
            if self._coming is not None:
                await self._coming.give_up()

    async def _chunks(self) -> AsyncIterator[tuple[bytes, bool]]:
        """The body in pieces, each with whether it is the last. Raises Problem for one too long or too slow."""
        most = self._parts.largest * BYTES_EACH + LONGEST_HEAD
        size, piece = 0, bytearray()
        content = self._request.content
        while not content.at_eof():
            try:
                async with asyncio.timeout(CHUNK_S):
                    chunk = await content.readany()
            except TimeoutError as problem:
                raise Problem(Code.TOO_SLOW, headers=CLOSE) from problem
            except (ConnectionError, web.RequestPayloadError) as problem:
                raise Problem(Code.TOO_SLOW, "The body broke off, so nothing of it stays.", headers=CLOSE) from problem
            size += len(chunk)
            if size > most:
                raise Problem(Code.TOO_LARGE, f"A run may have {most} bytes: send it in several.", headers=CLOSE)
            piece += chunk
            self._hash.update(chunk)
            while len(piece) >= PIECE:
                yield bytes(piece[:PIECE]), False
                del piece[:PIECE]
                await asyncio.sleep(0)  # let the others go on, and the thread that writes
        yield bytes(piece), True

    async def _read(self, chunk: bytes, *, last: bool) -> None:
        found = self._stream.feed(chunk, last=last)
        if self._people is None and self._stream.head is not None:
            await self._begin(self._stream.head)
        if self._people is None:
            return
        self._people.take(found)
        if self._people.full:
            raise self._too_many()
        await self._store(self._people, AT_ONCE)

    async def _begin(self, head: str) -> None:
        """The head is whole: see that it can be, and make the run."""
        if self._form == CSV:
            head = self._query()
        elif self._request.query:
            raise invalid(FieldFault(next(iter(self._request.query))[:80], "belongs into the body here"))
        body = read_model(RunHead.model_validate_json, HEAD, head.encode("utf-8", "replace"))
        plan, template = read_plan(self._parts, self._who, body)
        self._strict = body.strict
        self._people = Recipients(template, self._parts.house.business, self._parts.typed, self._parts.largest)
        self._coming = await self._parts.runs.begin(self._who, plan)
        self._plan = plan

    async def _store(self, people: Recipients, at_least: int) -> None:
        """Write what has come, in steps that hold up nobody."""
        assert self._coming is not None
        while len(people.items) >= max(at_least, 1):
            batch, people.items = people.items[:AT_ONCE], people.items[AT_ONCE:]
            await self._coming.add(batch)

    async def _open(self) -> web.Response:
        people, coming = self._people, self._coming
        if people is None or coming is None:
            raise self._broken("there is no head: say from which number, and what text")
        if not people.taken or (self._strict and people.rejected):
            raise self._nobody(people)
        await self._store(people, 1)
        answer = self._made(people, coming.public_id)
        opened = await coming.open(people.taken, people.rejected, self._asked() if self._key else None, answer.decode())
        if opened.before is not None:
            return self._again(opened.before)
        if not opened.open:
            raise Problem(Code.BUSY, "The run was given up before it was whole. Send it again.")
        self._coming = None
        return json_answer(answer, 201)

    def _made(self, people: Recipients, public_id: str) -> bytes:
        """The answer about a run that goes."""
        now, plan = self._parts.clock.now(), self._plan
        least, most = people.segments()
        pace = self._parts.house.limits.per_number_per_minute
        end = ends_at(people.taken * most, max(now, plan.not_before), pace)
        place = self._stream.places
        rejects = [
            Rejected.model_validate({place: one.place, "field": one.field, "detail": one.detail})
            for one in people.rejects
        ]
        return as_json(
            RunMade(
                id=public_id,
                total=people.taken + people.rejected,
                accepted=people.taken,
                rejected=people.rejected,
                rejects=rejects,
                segments=Span(least=people.taken * least, most=people.taken * most),
                created_at=now,
                expires_at=plan.expires_at,
                ends_at=end,
                in_time=end <= plan.expires_at,
                links=links_of(public_id),
            )
        )

    def _asked(self) -> Asked:
        return Asked(self._who.label, self._key, self._hash.hexdigest())

    def _again(self, before: tuple[str, str]) -> web.Response:
        """The same key came before: with the same body, it gets the same answer."""
        asked, answer = before
        if asked != self._hash.hexdigest():
            raise Problem(Reason.IDEMPOTENCY_MISMATCH)
        return json_answer(answer.encode(), 200, REPLAY)

    def _query(self) -> str:
        """The head of CSV, from the query, as JSON."""
        head: dict[str, object] = {}
        for name, text in self._request.query.items():
            if name in head:
                raise invalid(FieldFault(name[:80], "stands there twice: leave one out"))
            head[name] = _typed(text) if name in IN_QUERY else text
        return json.dumps(head)

    def _broken(self, why: str) -> Problem:
        if self._form == CSV:
            return Problem(Code.INVALID_FIELDS, why, (FieldFault("body", why),), headers=CLOSE)
        return Problem(Code.BROKEN_JSON, why, headers=CLOSE)

    def _too_many(self) -> Problem:
        most = self._parts.largest
        why = f"A run may have {most} recipients: send it in several, or raise largest_run in [api]."
        return Problem(Code.TOO_LARGE, why, headers=CLOSE)

    def _nobody(self, people: Recipients) -> Problem:
        """Not one can be used, or with `strict` one cannot."""
        place = self._stream.places
        faults = tuple(FieldFault(f"{place} {one.place} {one.field}".rstrip(), one.detail) for one in people.rejects)
        none = (
            "there is no recipient"
            if not people.rejected
            else f"{count_of(people.rejected, 'recipient')} cannot be used"
        )
        return Problem(Code.INVALID_FIELDS, f"Nothing was sent: {none}.", faults, {"rejected": people.rejected})


def _typed(text: str) -> object:
    """A word of the query as JSON knows it; what it is not, the model refuses."""
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else text


def read_plan(parts: BulkParts, who: Principal, body: RunHead) -> tuple[Plan, Template]:
    """Check what takes more than one field, or the house. Raises Problem with every fault there is."""
    now, house = parts.clock.now(), parts.house
    did = parts.typed(body.from_).e164 or ""
    faults = [] if did in house.numbers else [FieldFault("from", NOT_OURS)]
    try:
        template = parse(body.text, TextKind.BULK_TEXT)
    except TemplateFault as problem:
        faults.append(FieldFault("text", str(problem)))
    # the year 9999 has no room for a validity behind it
    begins = min(max(body.not_before or now, now), now + 2 * FURTHEST)
    ends = body.expires_at or begins + _validity(house, body, did)
    faults += _times(body, now, begins, ends)
    if faults:
        raise invalid(*faults)
    return Plan(
        asked_by=who.label,
        did=did,
        body=body.text,
        class_=MessageClass(body.class_),
        basis=Basis(body.basis),
        language=body.language or house.language_of.get(did, house.languages[0]),
        not_before=begins,
        expires_at=ends,
        name=body.name,
        campaign=body.campaign,
        reference=body.reference,
        on_doubt=OnDoubt(body.on_doubt),
        account=who.account,
    ), template


def _validity(house: House, body: RunHead, did: str) -> timedelta:
    """A run takes longer than a text, so it may go for a day at least."""
    return max(house.validity(did), USUAL_VALIDITY) if body.validity is None else timedelta(seconds=body.validity)


def _times(body: RunHead, now: datetime, begins: datetime, ends: datetime) -> list[FieldFault]:
    faults = []
    if body.expires_at is not None and body.validity is not None:
        faults.append(FieldFault("validity", "says the same as expires_at: give one of the two"))
    if begins > now + FURTHEST:
        faults.append(FieldFault("not_before", "is more than a year ahead: ask again nearer to it"))
    if ends < begins + SHORTEST:
        faults.append(FieldFault("expires_at", "leaves no time to send: make it later"))
    if ends > now + 2 * FURTHEST:
        faults.append(FieldFault("expires_at", "is too far ahead: make it earlier"))
    return faults


def links_of(public_id: str) -> RunLinks:
    return RunLinks(self=f"/v1/bulks/{public_id}", cancel=f"/v1/bulks/{public_id}/cancel")

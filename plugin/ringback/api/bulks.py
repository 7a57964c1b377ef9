"""Runs to many people: take one in as it comes, say how far it is, stop it."""

import asyncio
from collections.abc import Sequence

from aiohttp import web

from ringback.api.answers import JSON, Code, Problem, json_answer
from ringback.api.bodies import check_type
from ringback.api.bulk_models import NewRun, RunCalledOff, RunMade, RunReport, Waits
from ringback.api.intake import CLOSE, CSV, HEAD, NDJSON, STREAMS, BulkParts, Intake, links_of
from ringback.api.messages import IDEMPOTENCY
from ringback.api.operations import Operation, Parameter
from ringback.api.telling import as_json
from ringback.api.wishes import idempotency_key
from ringback.core.grants import Way
from ringback.core.ids import Kind, kind_of
from ringback.core.messages import State
from ringback.core.operations import About
from ringback.core.permissions import Action, Principal, Scope
from ringback.core.reasons import Reason
from ringback.flow.bulks import Turn, outlook
from ringback.flow.permits import NotThere
from ringback.ports.bulks import Tallied

AT_THE_SAME_TIME = 2
"""Runs that come in at once; more would only make each slower."""
WHOLE_S = 900.0
UNDER_WAY = frozenset({State.SUBMITTING, State.ACCEPTED, State.SENT, State.UNCONFIRMED})
"""States of texts that a carrier has, or may have, and that may still arrive."""
NOW_READING = "Other runs are coming in just now. Ask again in a few seconds, with the same Idempotency-Key."
SEND_TEXT = """A run is one text to many people. `text` has places such as `{{ name }}`, and each recipient brings the
words for them. The list comes last. Two more types are taken: `application/x-ndjson` has everything but the list on its
first line and a recipient on each line after it; `text/csv` has the columns in its first row, one of them `to`, and
takes everything else from the query.

The answer comes when the whole run is on disk. A number that cannot be used, or that stands there twice, stops nobody
else: it is counted in `rejected`, and the first hundred are named. With `strict` nothing at all goes then."""


class BulkRows:
    """Satisfies `operations.Rows`."""

    def __init__(self, parts: BulkParts) -> None:
        self._parts = parts
        self._reading = 0

    def operations(self) -> Sequence[Operation]:
        return (
            Operation(
                "POST",
                "/messages/bulk",
                "sendBulk",
                "Send a text to many people",
                self.send,
                Action.SEND_BULK,
                {201: RunMade, 200: RunMade},
                (
                    Code.BROKEN_JSON,
                    Code.BAD_HEADER,
                    Code.TOO_SLOW,
                    Code.TOO_LARGE,
                    Code.WRONG_TYPE,
                    Code.INVALID_FIELDS,
                    Reason.IDEMPOTENCY_MISMATCH,
                ),
                takes={JSON: NewRun, NDJSON: NewRun, CSV: NewRun},
                asks=(IDEMPOTENCY, *(Parameter(name, "As in the body; with text/csv only.") for name in HEAD)),
                text=SEND_TEXT,
                curl='-X POST /v1/messages/bulk -H "Content-Type: application/json" '
                """-d '{"from": "+12025550101", "text": "Hello {{ name }}, your order is ready.", """
                """"recipients": [{"to": "+15125550123", "name": "Ann"}]}'""",
                about=About.NUMBER,
                way=Way.BULK,
            ),
            Operation(
                "GET",
                "/bulks/{id}",
                "readBulk",
                "See how far a run is",
                self.read,
                Action.READ_MESSAGES,
                {200: RunReport},
                (Code.NOT_FOUND,),
                text="A key without the scope read sees the runs it asked for itself.",
                curl="/v1/bulks/blk_01jd3v8k6s9xq2m4n7p0r5t8wz",
                about=About.RUN,
            ),
            *(self._turning(way) for way in Turn),
            Operation(
                "POST",
                "/bulks/{id}/cancel",
                "cancelBulk",
                "Call a run off",
                self.cancel,
                Action.SEND_BULK,
                {200: RunCalledOff},
                (Code.NOT_FOUND,),
                text="Recipients without a text get none, texts that wait are cancelled. What left us is not called "
                "back. Asking again changes nothing more. Only runs that this key asked for; needs no body.",
                curl="-X POST /v1/bulks/blk_01jd3v8k6s9xq2m4n7p0r5t8wz/cancel",
                about=About.RUN,
                way=Way.BULK,
            ),
        )

    def _turning(self, way: Turn) -> Operation:
        async def does(who: Principal, request: web.Request) -> web.Response:
            return await self.turn(who, request, way)

        says = "Make no more texts of a run for now" if way is Turn.PAUSE else "Go on with a run that was paused"
        return Operation(
            "POST",
            f"/bulks/{{id}}/{way}",
            f"{way}Bulk",
            says,
            does,
            Action.SEND_BULK,
            {200: RunReport},
            (Code.NOT_FOUND,),
            text="Texts that are made already go on. Only runs that this key asked for; needs no body.",
            curl=f"-X POST /v1/bulks/blk_01jd3v8k6s9xq2m4n7p0r5t8wz/{way}",
            about=About.RUN,
            way=Way.BULK,
        )

    async def send(self, who: Principal, request: web.Request) -> web.Response:
        """Take a run in, one at a time with a few others."""
        key = idempotency_key(request)
        form = check_type(request, *STREAMS)
        if self._reading >= AT_THE_SAME_TIME:
            raise Problem(Code.BUSY, NOW_READING, headers={"Retry-After": "5", **CLOSE})
        self._reading += 1
        try:
            async with asyncio.timeout(WHOLE_S):
                return await Intake(self._parts, who, request, form, key).answer()
        except TimeoutError as problem:
            raise Problem(Code.TOO_SLOW, headers=CLOSE) from problem
        finally:
            self._reading -= 1

    async def read(self, who: Principal, request: web.Request) -> web.Response:
        return json_answer(as_json(self._report(await self._visible(who, request.match_info["id"]))))

    async def cancel(self, who: Principal, request: web.Request) -> web.Response:
        """Call it off; the counts are those after that."""
        public_id = request.match_info["id"]
        found = await self._parts.runs.call_off(who, public_id)
        if found is None:
            raise _no_run(public_id)
        told = await self._visible(who, public_id)
        under_way = sum(count for state, count in told.states.items() if state in UNDER_WAY)
        answer = RunCalledOff(
            id=public_id, state=told.run.state, dropped=told.run.dropped, cancelled=found.texts, on_their_way=under_way
        )
        return json_answer(as_json(answer))

    async def turn(self, who: Principal, request: web.Request, way: Turn) -> web.Response:
        public_id = request.match_info["id"]
        if await self._parts.runs.turn(who, public_id, way) is None:
            raise _no_run(public_id)
        return json_answer(as_json(self._report(await self._visible(who, public_id))))

    async def _visible(self, who: Principal, public_id: str) -> Tallied:
        """A run that this program may know of. Raises NotThere, the same for what is not and what is another's."""
        reach = (await self._parts.permits.of(who)).reach(Way.RECEIVE)
        told = await self._parts.told.show(reach, public_id) if kind_of(public_id) is Kind.BULK else None
        if told is None or (Scope.READ not in who.scopes and told.run.plan.asked_by != who.label):
            raise _no_run(public_id)
        return told

    def _report(self, told: Tallied) -> RunReport:
        run, plan = told.run, told.run.plan
        ahead = outlook(told, self._parts.house.limits.per_number_per_minute, self._parts.clock.now())
        return RunReport.model_construct(
            id=run.public_id,
            name=plan.name,
            state=run.state,
            from_=plan.did,
            class_=plan.class_,
            campaign=plan.campaign,
            created_at=run.created_at,
            not_before=plan.not_before,
            expires_at=plan.expires_at,
            accepted=run.total,
            rejected=run.rejected,
            made=run.made,
            dropped=run.dropped,
            left=ahead.left,
            texts=told.states,
            segments=run.segments,
            segments_left=ahead.segments_left,
            stopped=told.stopped,
            waits=[Waits(reason=reason, texts=texts, until=until) for reason, texts, until in told.held],
            ends_at=ahead.ends_at,
            in_time=ahead.in_time,
            links=links_of(run.public_id),
        )


def _no_run(public_id: str) -> NotThere:
    return NotThere(f"There is no run {public_id[:40]}.")

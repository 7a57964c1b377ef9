"""Single texts: send one, ask what became of it, call it off."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from ringback.api.answers import JSON, Code, FieldFault, Problem, json_answer, problem_answer
from ringback.api.bodies import check_type, invalid, read_body, read_model
from ringback.api.models import Made, Messages, NewMessage, Report
from ringback.api.operations import Operation, Parameter
from ringback.api.telling import REFUSALS, as_json, made, message, refusal, report
from ringback.api.wishes import LONGEST_KEY, NO_NUMBER, idempotency_key, read_wish
from ringback.core.grants import Reach, Way
from ringback.core.ids import Kind, kind_of
from ringback.core.messages import State
from ringback.core.numbers import Number
from ringback.core.operations import About
from ringback.core.permissions import Action, Principal, Scope
from ringback.core.policy import Refuse
from ringback.core.reasons import Reason
from ringback.flow.asking import Asking
from ringback.flow.house import House
from ringback.flow.permits import NotThere, Permits
from ringback.flow.wishes import Asked, Wish, read_answer
from ringback.ports import Clock
from ringback.ports.messages import MessageFilter, MessageReport
from ringback.ports.messages import Messages as ReadMessages
from ringback.ports.storage import Store

MOST, USUAL = 100, 20
REPLAY = {"Idempotent-Replay": "true"}
KNOWN = tuple(field.alias or name for name, field in NewMessage.model_fields.items())
SEND_TEXT = """The answer comes when the text is on disk: then it is not lost, whatever happens. `accepted` says that it
goes as soon as its carrier has room, `deferred` that it waits, why and until when. A text that a gate refuses is
answered with 422 and the reason as the code; it is kept as refused, under the id in `message`, and never goes.

Send an `Idempotency-Key`, and ask again with the same key and the same body whenever an answer is lost: the text goes
once. Ringback remembers a key for 7 days."""
IDEMPOTENCY = Parameter(
    "Idempotency-Key",
    "Your own name for this request. The first answer is 201; the same request again gets 200, the same answer and "
    "Idempotent-Replay: true; another body gets 422.",
    "header",
    {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
)
LIST_ASKS = (
    Parameter("reference", "Texts with this reference."),
    Parameter("to", "Texts to this number."),
    Parameter("after", "Texts older than this one; `next` of a page has it."),
    Parameter(
        "limit", "How many at most.", schema={"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}
    ),
)
LISTED = tuple(one.name for one in LIST_ASKS)


@dataclass(frozen=True, slots=True)
class MessageParts:
    """What stands behind the operations on texts. `typed` reads a number as somebody writes it."""

    house: House
    asking: Asking
    texts: ReadMessages
    typed: Callable[[str], Number]
    clock: Clock
    store: Store
    permits: Permits


class MessageRows:
    """Satisfies `operations.Rows`."""

    def __init__(self, parts: MessageParts) -> None:
        self._house = parts.house
        self._asking = parts.asking
        self._texts = parts.texts
        self._typed = parts.typed
        self._clock = parts.clock
        self._store = parts.store
        self._permits = parts.permits

    def operations(self) -> Sequence[Operation]:
        return (
            Operation(
                "POST",
                "/messages",
                "sendMessage",
                "Send a text",
                self.send,
                Action.SEND,
                {201: Made, 200: Made},
                (
                    Code.BROKEN_JSON,
                    Code.BAD_HEADER,
                    Code.TOO_SLOW,
                    Code.TOO_LARGE,
                    Code.WRONG_TYPE,
                    Code.INVALID_FIELDS,
                    Reason.IDEMPOTENCY_MISMATCH,
                    *REFUSALS,
                ),
                takes={JSON: NewMessage},
                asks=(IDEMPOTENCY,),
                text=SEND_TEXT,
                curl='-X POST /v1/messages -H "Content-Type: application/json" -H "Idempotency-Key: order-1001-ready" '
                """-d '{"from": "+12025550101", "to": "+15125550123", "text": "Your order is ready."}'""",
                about=About.NUMBER,
                way=Way.SEND,
            ),
            Operation(
                "GET",
                "/messages",
                "listMessages",
                "List texts",
                self.find,
                Action.READ_MESSAGES,
                {200: Messages},
                (Code.INVALID_FIELDS,),
                asks=LIST_ASKS,
                text="Newest first. A key without the scope read sees the texts it asked for itself, and has to name a "
                "reference or a number; so does a key that may not see all of our numbers.",
                curl='"/v1/messages?reference=order-1001"',
            ),
            Operation(
                "GET",
                "/messages/{id}",
                "readMessage",
                "See what became of a text",
                self.read,
                Action.READ_MESSAGES,
                {200: Report},
                (Code.NOT_FOUND,),
                text="A key without the scope read sees the texts it asked for itself; others are not there for it.",
                curl="/v1/messages/msg_01jd3v8k6s9xq2m4n7p0r5t8wz",
                about=About.TEXT,
            ),
            Operation(
                "POST",
                "/messages/{id}/cancel",
                "cancelMessage",
                "Call a text off",
                self.cancel,
                Action.SEND,
                {200: Report},
                (Code.NOT_FOUND, Code.TOO_LATE),
                text="Only while it waits with us. Once an attempt is open it may be on its way, so the answer is "
                "too_late with the state it is in. Only texts that this key asked for; needs no body.",
                curl="-X POST /v1/messages/msg_01jd3v8k6s9xq2m4n7p0r5t8wz/cancel",
                about=About.TEXT,
                way=Way.SEND,
            ),
        )

    async def send(self, who: Principal, request: web.Request) -> web.Response:
        """Read the wish, have it stored, and say what became of it."""
        key = idempotency_key(request)
        check_type(request, JSON)
        asked_for = read_model(NewMessage.model_validate_json, KNOWN, await read_body(request))
        wish, faults = read_wish(self._house, self._typed, asked_for, key, self._clock.now())
        asked = await self._before(who, wish, key) if faults else await self._asking.send(who, wish, key)
        if asked is None:
            raise invalid(*faults)
        headers = REPLAY if asked.again else None
        if isinstance(asked.verdict, Refuse):
            return problem_answer(refusal(asked.verdict.reason, asked.message, headers or {}))
        return json_answer(made(asked, wish), 200 if asked.again else 201, headers)

    async def _before(self, who: Principal, wish: Wish, key: str) -> Asked | None:
        """What was said to the same wish with the same key, before time or the house made it one that cannot be."""
        known = await self._store.commit(lambda tx: tx.idempotency.asked(who.label, key)) if key else None
        return read_answer(known[1]) if known is not None and known[0] == wish.asked else None

    async def read(self, who: Principal, request: web.Request) -> web.Response:
        return json_answer(report(await self._visible(who, request.match_info["id"]), self._clock.now()))

    async def find(self, who: Principal, request: web.Request) -> web.Response:
        """A page of texts, and the address of the next one."""
        reach = await self._reach(who)
        asked = self._filter(who, reach, request)
        most = _count(request.query.get("limit", str(USUAL)))
        lines = await self._texts.page(reach, asked, request.query.get("after", ""), most + 1)
        if lines is None:
            raise invalid(FieldFault("after", "is no text of ours: take the address that the last page gave"))
        more, now = len(lines) > most, self._clock.now()
        next_ = urlencode({**request.query, "after": lines[most - 1].public_id}) if more else ""
        page = Messages.model_construct(
            messages=[message(line, now) for line in lines[:most]], next=f"/v1/messages?{next_}" if more else None
        )
        return json_answer(as_json(page))

    async def cancel(self, who: Principal, request: web.Request) -> web.Response:
        """Call it off, or say in which state it is instead."""
        seen = await self._visible(who, request.match_info["id"])
        if seen.line.cause != who.label:
            raise Problem(Reason.PERMISSION_DENIED, "Another program or person asked for this text.")
        state = await self._asking.call_off(who, seen.line.public_id)
        if state is not State.CANCELLED:
            detail = f"The text is {state} now."
            raise Problem(Code.TOO_LATE, detail, more={"message": seen.line.public_id, "state": state})
        return json_answer(report(await self._visible(who, seen.line.public_id), self._clock.now()))

    async def _reach(self, who: Principal) -> Reach:
        """The numbers of ours of which this program may know anything."""
        return (await self._permits.of(who)).reach(Way.RECEIVE)

    async def _visible(self, who: Principal, public_id: str) -> MessageReport:
        """A text that this program may know of. Raises NotThere, the same for what is not and what is another's."""
        reach = await self._reach(who)
        found = await self._texts.report(reach, public_id) if kind_of(public_id) is Kind.MESSAGE else None
        if found is None or (Scope.READ not in who.scopes and found.line.cause != who.label):
            raise NotThere(f"There is no text {public_id[:40]}.")
        return found

    def _filter(self, who: Principal, reach: Reach, request: web.Request) -> MessageFilter:
        query = request.query
        if strange := [name for name in query if name not in LISTED]:
            raise invalid(FieldFault(strange[0][:80], f"is not asked for here; known are {', '.join(LISTED)}"))
        own = "" if Scope.READ in who.scopes else who.label
        reference, to = query.get("reference", ""), query.get("to", "")
        if own and not (reference or to):
            raise invalid(FieldFault("reference", "is missing: give it, or to; only the scope read lists everything"))
        if not reach.everything and not (reference or to):
            raise invalid(FieldFault("reference", "is missing: give it, or to; this key does not see every number"))
        peer = self._typed(to).e164 if to else ""
        if to and not peer:
            raise invalid(FieldFault("to", NO_NUMBER))
        return MessageFilter(reference, peer or "", own)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= MOST):
        raise invalid(FieldFault("limit", f"is a whole number from 1 to {MOST}"))
    return int(text)

"""Puts what became of texts into the models of the answers."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel

from ringback.api.answers import Problem
from ringback.api.models import Attempt, Event, Links, Made, Message, Receipt, Report, Status
from ringback.core.messages import Basis, OnDoubt, State
from ringback.core.policy import Defer
from ringback.core.reasons import Reason
from ringback.core.segments import measure
from ringback.flow.wishes import Asked, Wish
from ringback.ports.messages import MessageLine, MessageReport

REFUSALS: Mapping[str, str] = {
    Reason.OPTED_OUT: "This person said STOP to this number. Do not ask again; only they can change it.",
    Reason.QUOTA_EXCEEDED: "A month's allowance is used up. Ask again in the next month, or have it raised.",
    Reason.PAUSED: "Somebody paused texts. When they go on, ask again with another Idempotency-Key.",
    Reason.OWN_NUMBER: "This is one of our own numbers.",
    Reason.EMERGENCY: "Emergency numbers are never texted.",
    Reason.PREMIUM: "Premium-rate numbers are never texted.",
    Reason.SHORT_CODE: "Short numbers are not texted.",
    Reason.LANDLINE: "The numbering plan says that this is a landline.",
    Reason.NOT_TEXTABLE: "This number cannot get texts.",
    Reason.NUMBER_UNKNOWN: "No carrier is set for this number of ours.",
    Reason.GATE_ERROR: "A check failed, so the text is held back to be safe. The log says more.",
}
"""What a program is told when a gate refuses its text."""


def refusal(reason: Reason, message_id: str, headers: Mapping[str, str]) -> Problem:
    """Say no to a text that is stored with the reason, so that nobody thinks it goes."""
    return Problem(reason, REFUSALS.get(reason, ""), more={"message": message_id}, headers=headers)


def as_json(model: BaseModel) -> bytes:
    """Write a model as it goes over the wire."""
    return model.__pydantic_serializer__.to_json(model, by_alias=True)


def made(asked: Asked, wish: Wish) -> bytes:
    """The answer about a text that was taken."""
    put_off = asked.verdict if isinstance(asked.verdict, Defer) else None
    answer = Made.model_construct(
        id=asked.message,
        status=Status.DEFERRED if put_off else Status.ACCEPTED,
        reason=put_off.reason if put_off else None,
        until=put_off.until if put_off else None,
        from_=wish.did,
        to=wish.peer.e164 or wish.peer.raw,
        carrier=asked.carrier,
        segments=asked.size.segments,
        encoding=asked.size.encoding,
        created_at=asked.at,
        links=links(asked.message),
    )
    return as_json(answer)


def report(found: MessageReport, now: datetime) -> bytes:
    """A text with all that happened to it."""
    answer = Report.model_construct(
        **message(found.line, now).__dict__,
        attempts=[
            Attempt(
                id=one.public_id,
                carrier=one.carrier,
                opened_at=one.opened_at,
                closed_at=one.closed_at,
                outcome=one.outcome,
                cause=one.cause,
            )
            for one in found.attempts
        ],
        receipts=[
            Receipt(
                attempt=one.attempt,
                status=one.status,
                carrier_at=one.carrier_at,
                received_at=one.received_at,
                error=one.error,
            )
            for one in found.receipts
        ],
        events=[
            Event(at=one.at, state=State(one.state), reason=_reason(one.reason), detail=one.detail)
            for one in found.events
        ],
    )
    return as_json(answer)


def message(line: MessageLine, now: datetime) -> Message:
    """A text as it is now."""
    return Message.model_construct(
        id=line.public_id,
        state=State(line.state),
        reason=_reason(line.waits_for(now)),
        from_=line.did,
        to=line.peer,
        text=line.body,
        segments=line.segments,
        encoding=measure(line.body).encoding,
        class_=line.class_,
        basis=Basis(line.basis),
        language=line.language,
        campaign=line.campaign,
        reference=line.reference,
        on_doubt=OnDoubt(line.doubt),
        carrier=line.carrier,
        asked_by=line.cause,
        created_at=line.created_at,
        changed_at=line.state_at,
        not_before=line.not_before,
        expires_at=line.expires_at,
        links=links(line.public_id),
    )


def links(message_id: str) -> Links:
    return Links.model_construct(self=f"/v1/messages/{message_id}")


def _reason(code: str | None) -> Reason | None:
    return None if code is None else Reason(code)

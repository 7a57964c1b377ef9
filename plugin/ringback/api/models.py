"""The bodies of requests and answers about single texts. OpenAPI and the page for people are made from them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from ringback.core.messages import Basis, OnDoubt, State
from ringback.core.reasons import Reason
from ringback.core.segments import Encoding

LONGEST_TEXT = 2_000
"""Characters that are looked at; the limit is in segments."""
LONGEST_VALIDITY_S = 7 * 24 * 3600


def _plain(text: str) -> str:
    if not text.isprintable():
        raise ValueError("has a line break or another character that cannot be printed: leave it out")
    return text


Line = Annotated[str, AfterValidator(_plain)]


class Body(BaseModel):
    """What a program sends: no field we do not know, and no value of another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class NewMessage(Body):
    """A text to send."""

    from_: str = Field(alias="from", max_length=40, description="One of our numbers.", examples=["+12025550101"])
    to: str = Field(
        max_length=40,
        description="Who gets it: E.164, or as it is dialled in the default country of the business.",
        examples=["+15125550123"],
    )
    text: str = Field(
        min_length=1,
        max_length=LONGEST_TEXT,
        description="What it says. Control characters, and blanks at either end, are left out.",
        examples=["Your order is ready."],
    )
    class_: Literal["transactional", "conversational", "promotional"] = Field(
        "transactional", alias="class", description="What kind of text it is."
    )
    basis: Literal["none", "consent", "conversation", "caller_initiated"] = Field(
        "none", description="Why this person may be texted at all, as your own records say."
    )
    reference: Line = Field("", max_length=200, description="Your own word for it; you can ask for texts by it.")
    campaign: Line = Field("", max_length=60, description="What it belongs to, for figures and limits.")
    not_before: AwareDatetime | None = Field(None, description="It does not go before this moment.")
    expires_at: AwareDatetime | None = Field(
        None, description="It does not go after this moment. Without it the validity of the carrier holds."
    )
    validity: int | None = Field(
        None, ge=60, le=LONGEST_VALIDITY_S, description="The same in seconds from the moment it may go."
    )
    on_doubt: Literal["once", "check-then-resend", "deliver"] | None = Field(
        None,
        description="What to do when nobody knows whether the carrier took it: once shows it to a person, "
        "check-then-resend sends it again if the carrier's list shows it is not there, deliver may send it twice. "
        "Without it the policy of the class holds.",
    )
    language: str = Field(
        "", pattern=r"^([a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?)?$", description="As in en or pt-BR."
    )


class Status(StrEnum):
    """What became of the wish to send."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"


class Links(BaseModel):
    self: str


class Made(BaseModel):
    """A text that was taken. `until` is when it may go, where something holds it."""

    model_config = ConfigDict(populate_by_name=True)

    id: str = Field(examples=["msg_01jd3v8k6s9xq2m4n7p0r5t8wz"])
    status: Status
    reason: Reason | None = Field(description="Why it is deferred.")
    until: datetime | None
    from_: str = Field(alias="from")
    to: str
    carrier: str
    segments: int
    encoding: Encoding
    created_at: datetime
    links: Links


class Attempt(BaseModel):
    """One try on one carrier. `outcome` is null while it is open; `cause` says how that was learnt."""

    id: str
    carrier: str
    opened_at: datetime
    closed_at: datetime | None
    outcome: str | None
    cause: str | None


class Receipt(BaseModel):
    """What the carrier said later. `carrier_at` is null where it gave no time."""

    attempt: str
    status: str
    carrier_at: datetime | None
    received_at: datetime
    error: str


class Event(BaseModel):
    """A state it came into, and why."""

    at: datetime
    state: State
    reason: Reason | None
    detail: str


class Message(BaseModel):
    """A text as it is now. `asked_by` is who or what wanted it; `not_before` is the moment it waits for."""

    model_config = ConfigDict(populate_by_name=True)

    id: str
    state: State
    reason: Reason | None = Field(description="Why it is in this state, or what it waits for.")
    from_: str = Field(alias="from")
    to: str
    text: str
    segments: int
    encoding: Encoding
    class_: str = Field(alias="class")
    basis: Basis
    language: str
    campaign: str
    reference: str
    on_doubt: OnDoubt
    carrier: str
    asked_by: str
    created_at: datetime
    changed_at: datetime
    not_before: datetime
    expires_at: datetime
    links: Links


class Report(Message):
    """A text with all that happened to it, oldest first."""

    attempts: list[Attempt]
    receipts: list[Receipt]
    events: list[Event]


class Messages(BaseModel):
    """Some texts, newest first. `next` is the address of the older ones, null where there are none."""

    messages: list[Message]
    next: str | None


class FieldProblem(BaseModel):
    """What is wrong with one field, and what to do about it."""

    field: str
    detail: str


class ProblemDetails(BaseModel):
    """What went wrong (RFC 9457). Look at `code`; `errors` name fields, `message` a text that was stored as refused."""

    type: str
    code: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] | None = None
    message: str | None = None
    state: str | None = None

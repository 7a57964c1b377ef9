"""The bodies of requests and answers about runs to many people."""

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ringback.api.models import LONGEST_TEXT, LONGEST_VALIDITY_S, Body, Line
from ringback.core.messages import State
from ringback.core.reasons import Reason
from ringback.ports.bulks import RunState


class RunHead(Body):
    """Everything of a run but its recipients."""

    from_: str = Field(alias="from", max_length=40, description="One of our numbers.", examples=["+12025550101"])
    text: str = Field(
        min_length=1,
        max_length=LONGEST_TEXT,
        description="What it says, with places for each recipient's own words.",
        examples=["Hello {{ name }}, your order is ready."],
    )
    name: Line = Field("", max_length=60, description="What you call this run.")
    class_: Literal["transactional", "conversational", "promotional"] = Field(
        "transactional", alias="class", description="What kind of text it is."
    )
    basis: Literal["none", "consent", "conversation", "caller_initiated"] = Field(
        "none", description="Why these people may be texted at all, as your own records say."
    )
    reference: Line = Field("", max_length=200, description="Your own word for each text that brings none itself.")
    campaign: Line = Field("", max_length=60, description="What it belongs to, for figures and limits.")
    not_before: AwareDatetime | None = Field(None, description="No text goes before this moment.")
    expires_at: AwareDatetime | None = Field(None, description="No text goes after this moment.")
    validity: int | None = Field(
        None, ge=60, le=LONGEST_VALIDITY_S, description="The same in seconds from the moment it may begin; else a day."
    )
    on_doubt: Literal["once", "check-then-resend", "deliver"] = Field(
        "once", description="What to do when nobody knows whether the carrier took a text."
    )
    language: str = Field(
        "", pattern=r"^([a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?)?$", description="As in en or pt-BR."
    )
    strict: bool = Field(False, description="Send nothing at all if one recipient cannot be used.")


class Recipient(BaseModel):
    """One person. Every further field is a word that the text may use."""

    model_config = ConfigDict(extra="allow")

    to: str = Field(description="Their number.", examples=["+15125550123"])
    reference: str = Field("", max_length=200, description="Your own word for their text.")


class NewRun(RunHead):
    """A run to many people. The list comes last."""

    recipients: list[Recipient]


class Rejected(BaseModel):
    """A recipient that cannot be used: where it stands, counted from 1, and what to put right."""

    recipient: int | None = None
    line: int | None = None
    field: str
    detail: str


class Span(BaseModel):
    """Segments of all texts together: at least, and at most."""

    least: int
    most: int


class RunLinks(BaseModel):
    self: str
    cancel: str


class RunMade(BaseModel):
    """A run that is on disk and goes. `ends_at` is reckoned from what our number may send; `in_time` says whether that
    is before `expires_at`."""

    id: str = Field(examples=["blk_01jd3v8k6s9xq2m4n7p0r5t8wz"])
    total: int
    accepted: int
    rejected: int
    rejects: list[Rejected] = Field(description="The first hundred of them.")
    segments: Span
    created_at: datetime
    expires_at: datetime
    ends_at: datetime
    in_time: bool
    links: RunLinks


class Waits(BaseModel):
    """Texts that wait: why, how many, and until when at the earliest; null where a person has to let them go."""

    reason: Reason | None
    texts: int
    until: datetime | None


class RunReport(BaseModel):
    """How far a run is. `left` have not left us; `dropped` recipients will never get a text."""

    model_config = ConfigDict(populate_by_name=True)

    id: str
    name: str
    state: RunState
    from_: str = Field(alias="from")
    class_: str = Field(alias="class")
    campaign: str
    created_at: datetime
    not_before: datetime
    expires_at: datetime
    accepted: int
    rejected: int
    made: int
    dropped: int
    left: int
    texts: dict[State, int]
    segments: int = Field(description="Of the texts that are made.")
    segments_left: int
    stopped: Reason | None = Field(description="Why no texts are made although it is open, or only a few that wait.")
    waits: list[Waits]
    ends_at: datetime | None
    in_time: bool
    links: RunLinks


class RunCalledOff(BaseModel):
    """A run that goes no further. `cancelled` texts waited with us; those that left us are not called back."""

    id: str
    state: RunState
    dropped: int
    cancelled: int
    on_their_way: int = Field(
        description="Texts that a carrier has, or may have, and that may still arrive. What has arrived does not count."
    )

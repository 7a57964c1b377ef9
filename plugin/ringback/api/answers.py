"""What the API answers: JSON, and for everything that went wrong a problem by RFC 9457.

`code` is what programs look at, `title` says what it means, `detail` what it was this time and what to do, and
`errors` name the fields.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from aiohttp import web

from ringback.core.reasons import SENTENCES, Reason

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
PAGE = "/v1/"
"""Where people read what each code means."""


class Code(StrEnum):
    """What can go wrong before any gate is asked. A gate that refuses gives its reason as the code."""

    BROKEN_JSON = "broken_json"
    BAD_HEADER = "bad_header"
    BAD_KEY = "bad_key"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    TOO_SLOW = "too_slow"
    TOO_LATE = "too_late"
    TOO_LARGE = "too_large"
    WRONG_TYPE = "wrong_type"
    INVALID_FIELDS = "invalid_fields"
    QUOTA_EXCEEDED = "quota_exceeded"
    FAILED = "failed"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Meaning:
    """The status that a code comes with, and what it means."""

    status: int
    title: str


MEANINGS: Mapping[str, Meaning] = {
    Code.BROKEN_JSON: Meaning(400, "The body is not JSON."),
    Code.BAD_HEADER: Meaning(400, "A header of the request cannot be used."),
    Code.BAD_KEY: Meaning(401, "The request has no key that is good now."),
    Reason.PERMISSION_DENIED: Meaning(403, "The key may not do this."),
    Code.NOT_FOUND: Meaning(404, "There is no such thing here, as far as this key may know."),
    Code.METHOD_NOT_ALLOWED: Meaning(405, "This address does not take this method."),
    Code.TOO_SLOW: Meaning(408, "The body did not come in time."),
    Code.TOO_LATE: Meaning(409, "The text is with its carrier already, or done with."),
    Code.TOO_LARGE: Meaning(413, "The body is longer than is taken here."),
    Code.WRONG_TYPE: Meaning(415, "The body has a type that is not taken here."),
    Code.INVALID_FIELDS: Meaning(422, "Some fields cannot be used."),
    Reason.IDEMPOTENCY_MISMATCH: Meaning(422, "This Idempotency-Key was used before for something else."),
    Code.QUOTA_EXCEEDED: Meaning(429, "More was asked than is allowed: too often, or too much in a month."),
    Code.FAILED: Meaning(500, "Ringback failed; its log says how."),
    Code.BUSY: Meaning(503, "Ringback cannot store anything at this moment."),
}
REFUSED = 422
"""The status of a text that a gate refused; the code is its reason."""


def meaning(code: str) -> Meaning:
    """The status and the title of a code, which may be the reason of a gate."""
    return MEANINGS.get(code) or Meaning(REFUSED, SENTENCES[Reason(code)])


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with one field, and how to put it right."""

    field: str
    detail: str


@dataclass(slots=True)
class Problem(Exception):
    """An answer that says no. `more` are further members, `headers` go with the answer."""

    code: str
    detail: str = ""
    faults: tuple[FieldFault, ...] = ()
    more: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def status(self) -> int:
        return meaning(self.code).status


def problem_answer(problem: Problem) -> web.Response:
    """A problem as it goes over the wire."""
    means = meaning(problem.code)
    words: dict[str, object] = {
        "type": f"{PAGE}#{problem.code}",
        "code": problem.code,
        "title": means.title,
        "status": means.status,
        "detail": problem.detail or means.title,
        **problem.more,
    }
    if problem.faults:
        words["errors"] = [{"field": fault.field, "detail": fault.detail} for fault in problem.faults]
    body = json.dumps(words, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return web.Response(body=body, status=means.status, content_type=PROBLEM_JSON, headers=problem.headers)


def json_answer(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """JSON that is written already."""
    return web.Response(body=body, status=status, content_type=JSON, headers=headers)

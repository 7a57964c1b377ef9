"""Reads the body of a request: within its bounds, of the right type, and field by field."""

import asyncio
import re
from collections.abc import Callable, Collection
from difflib import get_close_matches
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from ringback.api.answers import JSON, Code, FieldFault, Problem

M = TypeVar("M", bound=BaseModel)

BODY = 64 * 1024
"""Bytes of a body that is read as a whole."""
BODY_S = 10.0
MOST_FAULTS = 20
SUBJECT = re.compile(r"^(Input|String) should ")
"""How the reader of JSON begins; the field stands there already."""


def check_type(request: web.Request, *types: str) -> str:
    """Return the type of the body. Raises Problem unless it is one of these; no type at all is none of them."""
    given = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if given not in types:
        raise Problem(Code.WRONG_TYPE, f"Send Content-Type: {' or '.join(types)}.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem(Code.WRONG_TYPE, "Send the body as it is, without Content-Encoding.")
    return given


async def read_body(request: web.Request, most: int = BODY) -> bytes:
    """Read the whole body. Raises Problem for one that is too long, too slow or broken off."""
    if (request.content_length or 0) > most:
        raise too_large(most)
    content = request.content
    if content.is_eof():
        return _bounded(content.read_nowait(-1), most)
    try:
        async with asyncio.timeout(BODY_S):
            body = bytearray()
            async for chunk in content.iter_any():
                body += chunk
                if len(body) > most:
                    raise too_large(most)
            return bytes(body)
    except TimeoutError as problem:
        raise Problem(Code.TOO_SLOW, headers={"Connection": "close"}) from problem


def _bounded(body: bytes, most: int) -> bytes:
    if len(body) > most:
        raise too_large(most)
    return body


def too_large(most: int) -> Problem:
    return Problem(
        Code.TOO_LARGE, f"The body may have {most} bytes, which is plenty: shorten it.", headers={"Connection": "close"}
    )


def read_model(validate: Callable[[bytes], M], known: Collection[str], body: bytes) -> M:
    """Read JSON into a model. Raises Problem, naming each field and what to do about it."""
    try:
        return validate(body)
    except ValidationError as problem:
        found = problem.errors(include_url=False, include_context=False, include_input=False)
    if found[0]["type"] == "json_invalid":
        raise Problem(Code.BROKEN_JSON, found[0]["msg"])
    faults = [_fault(one["type"], ".".join(map(str, one["loc"])), one["msg"], known) for one in found[:MOST_FAULTS]]
    raise invalid(*faults)


def invalid(*faults: FieldFault) -> Problem:
    """Say which fields cannot be used."""
    return Problem(Code.INVALID_FIELDS, "; ".join(f"{one.field} {one.detail}" for one in faults), tuple(faults))


def _fault(kind: str, field: str, message: str, known: Collection[str]) -> FieldFault:
    if kind == "extra_forbidden":
        near = get_close_matches(field, known, 1, 0.6)
        cure = f"did you mean {near[0]}?" if near else f"leave it out; known are {', '.join(known)}"
        return FieldFault(field[:80], f"is no field here: {cure}")
    return FieldFault(field or "body", SAYINGS.get(kind) or SUBJECT.sub("must ", message.removeprefix("Value error, ")))


SAYINGS = {
    "missing": "is missing: give it",
    "string_too_short": "is empty: write something",
    "string_type": "must be text: put it in quotes",
    "model_type": "must be a JSON object: { ... }",
    "model_attributes_type": "must be a JSON object: { ... }",
    "int_type": "must be a whole number, without quotes",
    "int_from_float": "must be a whole number",
    "timezone_aware": 'says no time zone: end it with Z or an offset, as in "2030-01-31T09:00:00-05:00"',
    "datetime_from_date_parsing": 'is no moment: write it as in "2030-01-31T09:00:00-05:00"',
    "datetime_parsing": 'is no moment: write it as in "2030-01-31T09:00:00-05:00"',
    "datetime_type": 'is no moment: write it as in "2030-01-31T09:00:00-05:00"',
}
"""What our own words are better at than the reader's."""

JSON_TYPES = (JSON,)

"""The OpenAPI 3.1 document, made from the rows of operations and the models of their bodies."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

from ringback.api.answers import JSON, PROBLEM_JSON, meaning
from ringback.api.models import ProblemDetails
from ringback.api.operations import ALWAYS, Operation
from ringback.core.permissions import OF_SCOPE

Words = dict[str, Any]
Models = Mapping[tuple[Any, JsonSchemaMode], Words]
ABOUT = """Send texts from your own numbers, and see what became of them. A text passes the same gates as one that a
person sends: opt-outs, pauses, limits. Times are RFC 3339 with an offset; numbers are E.164."""
REF = "#/components/schemas/{model}"
HEADERS: Mapping[int, Mapping[str, str]] = {
    200: {"Idempotent-Replay": "`true` when this Idempotency-Key was used before."},
    401: {"WWW-Authenticate": "`Bearer`"},
    429: {"Retry-After": "Seconds to wait."},
    503: {"Retry-After": "Seconds to wait."},
}


def document(operations: Sequence[Operation], version: str) -> bytes:
    """Write the document, as it is served."""
    models, schemas = models_json_schema(
        [*_used(operations), (ProblemDetails, "serialization")],
        by_alias=True,
        ref_template=REF,
        schema_generator=GenerateJsonSchema,
    )
    paths: dict[str, Words] = {}
    for row in operations:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row, models)
    whole = {
        "openapi": "3.1.0",
        "info": {"title": "Ringback", "version": version, "description": ABOUT},
        "servers": [{"url": "/v1"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "A key that `ringback key add` printed."}
            },
            "schemas": schemas.get("$defs", {}),
        },
    }
    return json.dumps(whole, ensure_ascii=False).encode()


def _used(operations: Sequence[Operation]) -> list[tuple[type[BaseModel], JsonSchemaMode]]:
    taken: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        (model, "validation") for row in operations for model in row.takes.values()
    ]
    return list(
        dict.fromkeys(taken + [(model, "serialization") for row in operations for model in row.answers.values()])
    )


def _operation(row: Operation, models: Models) -> Words:
    """One operation. `x-scopes` are the scopes of which a key needs one."""
    words: Words = {
        "operationId": row.name,
        "summary": row.summary,
        "description": row.text,
        "x-scopes": scopes(row),
        "parameters": [_path_word(name) for name in re.findall(r"{(\w+)}", row.path)]
        + [{"name": one.name, "in": one.kind, "description": one.text, "schema": dict(one.schema)} for one in row.asks],
        "responses": _answers(row, models),
    }
    if row.takes:
        content = {kind: {"schema": models[model, "validation"]} for kind, model in row.takes.items()}
        words["requestBody"] = {"required": True, "content": content}
    return words


def scopes(row: Operation) -> list[str]:
    """The scopes that each let a key do this."""
    return [scope for scope, actions in OF_SCOPE.items() if row.needs in actions]


def _path_word(name: str) -> Words:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _answers(row: Operation, models: Models) -> Words:
    answers: Words = {
        str(status): {
            "description": _first_line(model),
            "content": {JSON: {"schema": models[model, "serialization"]}},
            **_headers(status if row.asks or status != 200 else 0),
        }
        for status, model in row.answers.items()
    }
    codes: dict[int, list[str]] = {}
    for code in problems(row):
        codes.setdefault(meaning(code).status, []).append(code)
    for status, of_status in sorted(codes.items()):
        answers[str(status)] = {
            "description": "; ".join(f"`{code}`: {meaning(code).title}" for code in of_status),
            "content": {PROBLEM_JSON: {"schema": models[ProblemDetails, "serialization"]}},
            **_headers(status),
        }
    return answers


def problems(row: Operation) -> tuple[str, ...]:
    """Every code that this operation may answer with."""
    return tuple(dict.fromkeys((*row.problems, *ALWAYS)))


def _headers(status: int) -> Words:
    known = HEADERS.get(status)
    if known is None:
        return {}
    return {"headers": {name: {"description": text, "schema": {"type": "string"}} for name, text in known.items()}}


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().partition("\n")[0]

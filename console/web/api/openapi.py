"""The OpenAPI 3.1 document, made of the table and of the Structs that the views read and return."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import override
from django.views.decorators.http import require_safe

from console.access.decorators import public
from console.web.api import problems
from console.web.api.calls import IN_PATH, Endpoint
from console.web.api.conditional import conditional
from console.web.api.endpoints import ENDPOINTS
from console.web.api.problems import CODES, Problem

REFUSALS = (400, 401, 403, 404, 412, 422, 429, 500, 503)
ABOUT = (
    "Read-only access to what the pages show. Answers to GET and HEAD carry an ETag for If-None-Match. An unknown "
    "parameter or value is refused with 422. Lists return the cursor of their next page in `next`. docs/api.md says "
    "what may change within v1."
)
_TEXT = {"type": "string"}
_KINDS: dict[str, dict[str, Any]] = {
    "str": {**_TEXT, "minLength": 1},
    "uuid": {**_TEXT, "format": "uuid"},
    "int": {"type": "integer", "minimum": 0},
}
_HEADERS = {
    "ETag": {"description": "Of this answer, for If-None-Match.", "required": True, "schema": _TEXT},
    "X-Request-ID": {"description": "Finds the console's log lines.", "required": True, "schema": _TEXT},
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}},
    "WWW-Authenticate": {"description": "How to send a token.", "required": True, "schema": _TEXT},
}
_HEADERS_OF = {401: ["WWW-Authenticate"], 429: ["Retry-After"]}


@public
@require_safe
def openapi(request: HttpRequest) -> HttpResponseBase:
    """The document. It has nothing that is not in the source, so it needs no token."""
    return conditional(request, HttpResponse(_encoded(), content_type="application/json"))


@cache
def _encoded() -> bytes:
    with override("en"):
        return msgspec.json.encode(document())


def document() -> dict[str, Any]:
    """Return the document as JSON-ready data."""
    queries = {endpoint.query for endpoint in ENDPOINTS}
    kinds = [*dict.fromkeys(endpoint.answer for endpoint in ENDPOINTS), Problem]
    schemas = _schemas([*kinds, *sorted(queries, key=lambda kind: kind.__name__)])
    fields = {kind: schemas.pop(kind.__name__).get("properties", {}) for kind in queries}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sluice", "version": "1", "description": ABOUT},
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}],
        "paths": {endpoint.template: {"get": _operation(endpoint, fields[endpoint.query])} for endpoint in ENDPOINTS},
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas,
            "headers": _HEADERS,
            "responses": {str(status): _problem(status) for status in sorted({row[0] for row in CODES.values()})},
        },
    }


def _schemas(kinds: list[Any]) -> dict[str, Any]:
    """The Structs and enums by their names. Generated clients look for the type of an enum, and name its values."""
    _references, found = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    for part in _parts(found):
        if values := part.get("enum"):
            part["type"] = "string"
            part["x-enum-varnames"] = [_name(value) for value in values]
    return found


def _name(value: str) -> str:
    """A name for the value in a program: `-age` is AGE_DESCENDING, a kind of change keeps its capitals apart."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", value.removeprefix("-")).replace("-", "_").upper()
    return f"{words}_DESCENDING" if value.startswith("-") else words


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _parts(part)


def _operation(endpoint: Endpoint, fields: dict[str, Any]) -> dict[str, Any]:
    answer = {"schema": {"$ref": f"#/components/schemas/{endpoint.answer.__name__}"}}
    return {
        "operationId": endpoint.name.removeprefix("api-"),
        "summary": str(endpoint.summary),
        "deprecated": endpoint.retirement is not None,
        "description": f"Permission: {endpoint.permission or 'any token'}.",
        "parameters": [*_in_path(endpoint), *_in_query(fields), _IF_NONE_MATCH],
        "responses": {
            "200": {
                "description": "The answer.",
                "headers": _headers("ETag", "X-Request-ID"),
                "content": {"application/json": answer},
            },
            "304": {"description": "Not modified since the ETag in If-None-Match.", "headers": _headers("ETag")},
            **{str(status): {"$ref": f"#/components/responses/{status}"} for status in REFUSALS},
        },
    }


_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of an earlier answer: 304 without a body where it is the same now.",
    "schema": _TEXT,
}


def _in_path(endpoint: Endpoint) -> list[dict[str, Any]]:
    found = IN_PATH.findall(endpoint.path)
    return [{"name": name, "in": "path", "required": True, "schema": _KINDS[kind]} for kind, name in found]


def _in_query(fields: dict[str, Any]) -> list[dict[str, Any]]:
    """The description of a field belongs to the parameter, the rest to its schema."""
    found = []
    for name, field in fields.items():
        schema = {key: value for key, value in field.items() if key != "description"}
        told = {"description": field["description"]} if "description" in field else {}
        found.append({"name": name, "in": "query", "required": False, **told, "schema": schema})
    return found


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _problem(status: int) -> dict[str, Any]:
    titles = [f"{title} (`{code}`)" for code, (its, title, _advice) in CODES.items() if its == status]
    return {
        "description": "; ".join(titles),
        "headers": _headers("X-Request-ID", *_HEADERS_OF.get(status, ())),
        "content": {problems.CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }

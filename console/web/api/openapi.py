"""The OpenAPI 3.1 document, made of the table and of the Structs that the views read and return."""

from functools import cache
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils.translation import override
from django.views.decorators.http import conditional_page, require_safe

from console.access.decorators import public
from console.web.api import problems
from console.web.api.calls import IN_PATH, Endpoint
from console.web.api.endpoints import ENDPOINTS
from console.web.api.problems import CODES, Problem

_KINDS: dict[str, dict[str, Any]] = {
    "str": {"type": "string"},
    "uuid": {"type": "string", "format": "uuid"},
    "int": {"type": "integer", "minimum": 0},
}


@public
@require_safe
@conditional_page
def openapi(_request: HttpRequest) -> HttpResponse:
    """The document. It has nothing that is not in the source, so it needs no token."""
    return HttpResponse(_encoded(), content_type="application/json")


@cache
def _encoded() -> bytes:
    with override("en"):
        return msgspec.json.encode(document())


def document() -> dict[str, Any]:
    """Return the document as JSON-ready data."""
    kinds = [*dict.fromkeys(endpoint.answer for endpoint in ENDPOINTS), Problem]
    _references, schemas = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sluice",
            "version": "1",
            "description": "Read-only access to what the pages show. Responses carry an ETag for If-None-Match.",
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}],
        "paths": {endpoint.template: {"get": _operation(endpoint)} for endpoint in ENDPOINTS},
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas,
            "responses": {str(status): _problem(status) for status in sorted({row[0] for row in CODES.values()})},
        },
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    refusals = [401, 403, 404, 422, 429, 503]
    answer = {"schema": {"$ref": f"#/components/schemas/{endpoint.answer.__name__}"}}
    return {
        "operationId": endpoint.name.removeprefix("api-"),
        "summary": str(endpoint.summary),
        "description": f"Permission: {endpoint.permission or 'any token'}.",
        "parameters": [*_in_path(endpoint), *_in_query(endpoint)],
        "responses": {
            "200": {"description": "The answer.", "content": {"application/json": answer}},
            "304": {"description": "Not modified since the ETag in If-None-Match."},
            **{str(status): {"$ref": f"#/components/responses/{status}"} for status in refusals},
        },
    }


def _in_path(endpoint: Endpoint) -> list[dict[str, Any]]:
    found = IN_PATH.findall(endpoint.path)
    return [{"name": name, "in": "path", "required": True, "schema": _KINDS[kind]} for kind, name in found]


def _in_query(endpoint: Endpoint) -> list[dict[str, Any]]:
    schema = next(iter(msgspec.json.schema_components([endpoint.query])[1].values()))
    return [{"name": name, "in": "query", "schema": field} for name, field in schema["properties"].items()]


def _problem(status: int) -> dict[str, Any]:
    titles = [f"{title} (`{code}`)" for code, (its, title, _advice) in CODES.items() if its == status]
    content = {problems.CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": "; ".join(titles), "content": content}

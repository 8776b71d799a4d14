"""The document is valid OpenAPI, names every address, says the type of everything, and is true."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from console.web.api import openapi
from console.web.api.calls import Retirement, serve
from console.web.api.endpoints import ENDPOINTS
from console.web.api.openapi import document
from tests.web.api.conftest import FORMATS, address, check


def test_the_document_is_valid_and_needs_no_token(served: dict) -> None:
    assert list(OpenAPIV31SpecValidator(served).iter_errors()) == []
    assert served == document()


def test_the_document_names_every_address_and_parameter(served: dict) -> None:
    assert list(served["paths"]) == [one.template for one in ENDPOINTS]
    for one in ENDPOINTS:
        given = served["paths"][one.template]["get"]["parameters"]
        assert [p["name"] for p in given if p["in"] == "query"] == list(one.parameters)
        assert [p["name"] for p in given if p["in"] == "path"] == [
            part.partition(":")[2].rstrip(">") for part in one.path.split("/") if part.startswith("<")
        ]


def fields(document: dict) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field of every answer, and every parameter, with its schema."""
    for name, schema in document["components"]["schemas"].items():
        for field, its in schema.get("properties", {}).items():
            yield f"{name}.{field}", its
    for path, methods in document["paths"].items():
        for parameter in methods["get"]["parameters"]:
            yield f"{path}?{parameter['name']}", parameter["schema"]


def is_typed(schema: dict[str, Any]) -> bool:
    """A generated client knows what it gets: a type, of lists and maps also that of what is in them."""
    if "$ref" in schema:
        return True
    if "anyOf" in schema:
        return all(map(is_typed, schema["anyOf"]))
    inner = {"array": "items", "object": "additionalProperties"}.get(schema.get("type", ""))
    return "type" in schema and (inner is None or is_typed(schema[inner]))


def test_every_field_and_parameter_has_a_type(served: dict) -> None:
    assert [name for name, schema in fields(served) if not is_typed(schema)] == []
    enums = {name: one for name, one in served["components"]["schemas"].items() if "enum" in one}
    assert {one["type"] for one in enums.values()} == {"string"}


def test_every_moment_and_id_has_a_format(served: dict) -> None:
    text = {name: json.dumps(schema) for name, schema in fields(served)}
    moments = [name for name in text if name.endswith(("_at", ".at", "until", "?since"))]
    assert len(moments) > 20
    assert [name for name in moments if '"date-time"' not in text[name]] == []
    ids = [name for name in text if name.endswith(("batch", "retry_of", "operation", "Row.id"))]
    assert [name for name in ids if '"uuid"' not in text[name] and "GrantRow" not in name] == []


@pytest.mark.parametrize(
    "name",
    ["ServiceRow.health", "ServiceRow.ready", "ServiceRow.traffic_follows", "ServiceRow.changed_by_kind",
     "Condition.word", "OperationRow.status", "TimelineLine.level", "AuditEntry.outcome", "AuditEntry.actor_kind",
     "Rule.effect", "/services?health", "/operations?status", "/operations?kind", "/audit?outcome", "/audit?group"],
)  # fmt: skip
def test_what_has_few_values_is_an_enum(served: dict, name: str) -> None:
    schema = dict(fields(served))[name]
    if reference := schema.get("$ref"):
        schema = served["components"]["schemas"][reference.rpartition("/")[2]]
    assert len(schema["enum"]) > 1


def test_every_field_of_an_answer_is_always_there(served: dict) -> None:
    structs = {name: one for name, one in served["components"]["schemas"].items() if "properties" in one}
    assert {name for name, one in structs.items() if set(one["required"]) != set(one["properties"])} == set()


def test_every_example_is_valid(served: dict) -> None:
    tried = 0
    for name, schema in fields(served):
        for part in (schema, *schema.get("anyOf", ())):
            for example in part.get("examples", ()):
                Draft202012Validator(part, format_checker=FORMATS).validate(example)
                tried += 1
        if "default" in schema:
            assert not list(Draft202012Validator({**served, **schema}).iter_errors(schema["default"])), name
    assert tried > 10


def test_every_address_describes_its_refusals_and_its_validator(served: dict) -> None:
    for methods in served["paths"].values():
        responses = methods["get"]["responses"]
        assert {"200", "304", "400", "401", "403", "404", "412", "422", "429", "500", "503"} == set(responses)
        assert "ETag" in responses["200"]["headers"]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: one.name)
def test_every_answer_is_what_the_document_says(caller, operation, protected, served: dict, endpoint) -> None:
    answer = caller("administrator").get(address(endpoint.path))
    assert answer.status_code == 200
    check(served, 200, endpoint, answer.json())
    refused = Client().get(address(endpoint.path))
    check(served, refused.status_code, endpoint, refused.json())


def test_an_address_that_will_go_says_since_when_and_until_when(caller, rf, monkeypatch) -> None:
    retirement = Retirement(datetime(2026, 11, 26, tzinfo=UTC), datetime(2027, 11, 26, tzinfo=UTC))
    going = replace(next(one for one in ENDPOINTS if one.path == "whoami"), retirement=retirement)
    token = caller("viewer").defaults["HTTP_AUTHORIZATION"]
    answer = serve(going)(rf.get("/api/v1/whoami", headers={"Authorization": token}))
    assert (answer["Deprecation"], answer["Sunset"]) == ("@1795651200", "Fri, 26 Nov 2027 00:00:00 GMT")
    monkeypatch.setattr(openapi, "ENDPOINTS", [going])
    assert openapi.document()["paths"]["/whoami"]["get"]["deprecated"] is True
    assert all(endpoint.retirement is None for endpoint in ENDPOINTS)

"""The document is valid OpenAPI, names every address, and is true: each answer is checked against it."""

from __future__ import annotations

import pytest
from django.test import Client
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from console.web.api.endpoints import ENDPOINTS
from console.web.api.openapi import document
from tests.web.api.conftest import OPERATION

WHERE = {
    "<str:cluster>": "box",
    "<str:namespace>": "default",
    "<str:name>": "shop",
    "<str:revision>": "shop-00004",
    "<uuid:id>": str(OPERATION),
    "<int:sequence>": "1",
}


def address(path: str) -> str:
    for part, value in WHERE.items():
        path = path.replace(part, value)
    return f"/api/v1/{path}"


@pytest.fixture(scope="module")
def served(django_db_setup) -> dict:
    """The document as anybody gets it."""
    return Client().get("/api/v1/openapi.json").json()


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


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: one.name)
def test_every_answer_is_what_the_document_says(caller, operation, served: dict, endpoint) -> None:
    client = caller("administrator")
    operations = served["paths"][endpoint.template]["get"]["responses"]
    schema = operations["200"]["content"]["application/json"]["schema"]
    answer = client.get(address(endpoint.path))
    assert answer.status_code == 200
    closed = {name: {**one, "additionalProperties": False} if "properties" in one else one
              for name, one in served["components"]["schemas"].items()}  # fmt: skip
    Draft202012Validator({**schema, "components": {"schemas": closed}}).validate(answer.json())


def test_every_problem_is_what_the_document_says(mirror, db, served: dict) -> None:
    schemas = served["components"]["schemas"]
    refused = Client().get("/api/v1/services").json()
    Draft202012Validator({**schemas["Problem"], "components": {"schemas": schemas}}).validate(refused)

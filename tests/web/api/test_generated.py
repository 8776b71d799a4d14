"""Calls made of the OpenAPI document, valid and not, as every role: none fails, each answer is as the document says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.web.api.endpoints import ENDPOINTS
from tests.sweeps import examples, sweep
from tests.web.api.conftest import PLACES, ROOT, check

# What only the console's own data makes valid.
OF_THE_CONSOLE = ("cursor", "action")
STORABLE = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
HOSTILE = st.text(max_size=30) | st.integers().map(str) | st.sampled_from(["", "null", "[]", "-1", "*", "%", "a" * 300])


def valid(schema: Mapping[str, Any], document: Mapping[str, Any]) -> st.SearchStrategy[str]:
    """Texts that the document allows for a parameter."""
    if reference := schema.get("$ref"):
        return valid(document["components"]["schemas"][reference.rpartition("/")[2]], document)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema["type"] == "boolean":
        return st.sampled_from(["true", "false"])
    if schema["type"] == "integer":
        return st.integers(schema["minimum"], schema.get("maximum", 2**70)).map(str)
    by_format = {
        "uuid": st.uuids().map(str),
        "date-time": st.datetimes(datetime(1971, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC)).map(str),
    }
    return by_format.get(schema.get("format", ""), STORABLE)


@st.composite
def calls(draw: st.DrawFn, endpoint: Any, document: Mapping[str, Any]) -> tuple[str, dict[str, str], bool]:
    """An address, its query, and whether the document allows all of that."""
    path, query, is_valid = endpoint.path, {}, True
    for parameter in document["paths"][endpoint.template]["get"]["parameters"]:
        name, schema = parameter["name"], parameter["schema"]
        if parameter["in"] == "path":
            real = PLACES[name]
            text = draw(st.just(real) | valid(schema, document).filter(str.strip))
            path = path.replace(next(part for part in path.split("/") if part.endswith(f":{name}>")), quote(text, ""))
        elif parameter["in"] == "query" and draw(st.sampled_from([True, False, False])):
            is_hostile = name in OF_THE_CONSOLE or draw(st.sampled_from([True, False, False]))
            query[name] = draw(HOSTILE if is_hostile else valid(schema, document))
            is_valid = is_valid and not is_hostile
    if draw(st.integers(0, 9)) == 0:
        query["limt"], is_valid = "1", False
    return path, query, is_valid


@sweep
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: one.name)
def test_every_call_is_answered_as_the_document_says(
    caller, operation, protected, people, served, mirror, endpoint
) -> None:
    clients = {who: caller(who) for who in people if who != "nobody"}

    @settings(max_examples=examples(60), suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(sorted(clients)), calls(endpoint, served))
    def ask(who: str, call: tuple[str, dict[str, str], bool]) -> None:
        path, query, is_valid = call
        answer = clients[who].get(f"{ROOT}/{path}", query)
        assert answer.status_code != 500
        check(served, answer.status_code, endpoint, answer.json())
        if answer.status_code == 422:
            assert not is_valid or {"since", "until"} <= query.keys(), answer.json()["detail"]
            assert answer.json()["parameter"] in query

    ask()

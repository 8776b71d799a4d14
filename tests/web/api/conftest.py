"""Callers of the API: a client with a token, for any person."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from jsonschema import Draft202012Validator, FormatChecker

from console import audit
from console.access import tokens
from console.access.actors import Actor
from console.audit.acting_role import ActingRole
from console.knative.diff import FieldChange
from console.knative.references import ServiceRef
from console.operations.models import FreezeWindow, Operation, ProtectionRule, TimelineLine
from console.sealing import seal
from tests import factories

ROOT = "/api/v1"
OPERATION = uuid.UUID("00000000-0000-4000-8000-000000000001")
SHOP = ServiceRef("box", "default", "shop")
PLACES = {
    "cluster": "box",
    "namespace": "default",
    "name": "shop",
    "revision": "shop-00004",
    "id": str(OPERATION),
    "sequence": "1",
}


def address(path: str) -> str:
    """The address of an endpoint, of things that there are."""
    return f"{ROOT}/" + re.sub(r"<\w+:(\w+)>", lambda part: PLACES[part[1]], path)


@pytest.fixture(scope="session")
def served(django_db_setup) -> dict[str, Any]:
    """The OpenAPI document as anybody gets it."""
    return Client().get(f"{ROOT}/openapi.json").json()


FORMATS = FormatChecker(["uuid"])


@FORMATS.checks("date-time", ValueError)
def is_moment(value: object) -> bool:
    """RFC 3339: a date, a time and a zone."""
    return not isinstance(value, str) or (datetime.fromisoformat(value).tzinfo is not None and value[10] == "T")


def check(document: dict[str, Any], status: int, endpoint: Any, answer: Any) -> None:
    """Fail unless the document says that the endpoint may answer this; an undocumented field fails too."""
    said = document["paths"][endpoint.template]["get"]["responses"][str(status)]
    if reference := said.get("$ref"):
        said = document["components"]["responses"][reference.rpartition("/")[2]]
    [content] = said["content"].values()
    closed = {
        name: {**one, "additionalProperties": False} if "properties" in one else one
        for name, one in document["components"]["schemas"].items()
    }
    schema = {**content["schema"], "components": {"schemas": closed}}
    Draft202012Validator(schema, format_checker=FORMATS).validate(answer)


@pytest.fixture
def protected(people) -> None:
    """Rules and freezes of default, of another namespace and of everything; a selector and a service among them."""
    begins, ends = "2020-01-01T00:00", "2999-01-01T00:00"
    for namespace, more in (
        ("default", {"selector": "app=shop", "permissions": ["traffic", "deploy"]}),
        ("other", {"service": "till", "permissions": ["delete"]}),
        ("*", {"permissions": ["deploy"], "note": "all of it"}),
    ):
        ProtectionRule.objects.create(cluster="box", namespace=namespace, **more)
        FreezeWindow.objects.create(cluster="box", namespace=namespace, begins=begins, ends=ends, **more)
    ProtectionRule.objects.create(cluster="box", namespace="default", permissions=["deploy"], owned="lock")


@pytest.fixture(autouse=True)
def no_wrong_tokens_yet() -> None:
    cache.clear()


@pytest.fixture
def caller(mirror, people):
    """Return a function that makes a client with a token of a person, by name."""

    def call_as(who: str = "auditor", **scope) -> Client:
        person = people[who]
        offered = [str(one) for one in tokens.PERMISSIONS if who in ("auditor", "owner", "administrator", "stranger")]
        facts = {"permissions": offered or ["view"], "cluster": "*", "namespace": "*", "days": 1, **scope}
        _token, text = tokens.issue(person, name="board", actor=Actor(person.pk, person.username), **facts)
        return Client(headers={"Authorization": f"Bearer {text}"})

    return call_as


@pytest.fixture
def operation(people) -> Operation:
    """A failed change of shop with a timeline, and an audit entry about it."""
    made = Operation.objects.create(
        id=OPERATION,
        cluster="box",
        namespace="default",
        name="shop",
        kind="SetEnv",
        sealed_change=seal({"value": factories.SECRET_VALUE}),
        sealed_seen=seal(factories.service()),
        changes=[{"path": ["spec", "template"], "before": None, "after": "x", "secret": False}],
        actor="owner",
        ip="192.0.2.7",
        status="failed",
        cause={"code": "crash", "raw": "exit status 1", "facts": {}},
        finished_at="2026-11-24T10:00:00Z",
    )
    for sequence, text in enumerate(("Updating Service 'shop' in namespace 'default':", "The Route is working."), 1):
        TimelineLine.objects.create(operation=made, sequence=sequence, elapsed=sequence / 2, text=text)
    changes = [FieldChange(("spec", "template"), "a", "b")]
    audit.record(
        "operation.SetEnv",
        actor=Actor(None, "owner"),
        ref=SHOP,
        acting=ActingRole(("owner", "deployer")),
        changes=changes,
        outcome=audit.Outcome.REQUESTED,
        operation=made.id,
    )
    return made

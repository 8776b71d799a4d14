"""Callers of the API: a client with a token, for any person."""

from __future__ import annotations

import uuid

import pytest
from django.core.cache import cache
from django.test import Client

from console import audit
from console.access import tokens
from console.access.actors import Actor
from console.audit.acting_role import ActingRole
from console.knative.diff import FieldChange
from console.knative.references import ServiceRef
from console.operations.models import Operation, TimelineLine
from console.sealing import seal
from tests import factories

OPERATION = uuid.UUID("00000000-0000-4000-8000-000000000001")
SHOP = ServiceRef("box", "default", "shop")


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

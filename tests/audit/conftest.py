"""A log with a few entries, and the same log as after an attacker with the owner's rights took the triggers away."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from console import audit
from console.access.actors import Actor
from console.audit import Outcome, triggers
from console.audit.acting_role import ActingRole
from console.audit.models import Entry
from console.knative.diff import FieldChange
from console.knative.references import ServiceRef

ALICE = Actor(1, "alice", "192.0.2.1", "request-1")
REF = ServiceRef("box", "default", "shop")
OWNER = ActingRole(("owner",))


@pytest.fixture
def entries(db) -> list[Entry]:
    """Five entries with everything filled."""
    change = FieldChange(("spec", "traffic"), "100% @latest", "50% @latest, 50% shop-00001")
    return [
        audit.record(f"action.{n}", actor=ALICE, ref=REF, acting=OWNER, outcome=Outcome.SUCCEEDED, changes=[change])
        for n in range(5)
    ]


@pytest.fixture
def unguarded(entries):
    """The five entries without any trigger."""
    take_triggers_away()
    return entries


def take_triggers_away() -> None:
    drops = triggers.POSTGRESQL_DROP if connection.vendor == "postgresql" else triggers.SQLITE_DROP
    with connection.cursor() as cursor:
        for statement in drops:
            cursor.execute(statement)


def sql(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

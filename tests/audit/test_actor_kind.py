"""An identity of a cluster may be called as a person of the console is; nobody takes one for the other."""

from __future__ import annotations

import csv
import io

import pytest

from console import audit
from console.access.actors import Actor
from console.audit import Outcome, export
from console.audit.models import Entry
from console.audit.searching import search
from console.knative.authors import ActorKind
from console.knative.references import ServiceRef

pytestmark = pytest.mark.django_db
REF = ServiceRef("box", "default", "shop")
KINDS = {
    ("deploy.SetEnv", "admin"): ActorKind.PERSON,
    ("outside.change", "admin"): ActorKind.CLUSTER,
    ("outside.delete", ""): ActorKind.UNKNOWN,
    ("outside.gone", ""): ActorKind.UNKNOWN,
    ("protect.expire", "sluice"): ActorKind.CONSOLE,
    ("outside.create", "sluice"): ActorKind.CLUSTER,
}


@pytest.fixture
def log() -> list[Entry]:
    done = {"ref": REF, "outcome": Outcome.SUCCEEDED}
    return [audit.record(action, actor=Actor(None, name), **done) for action, name in KINDS]


def test_an_entry_says_what_its_actor_is(log: list[Entry]) -> None:
    assert [entry.actor_kind for entry in log] == list(KINDS.values())


@pytest.mark.parametrize("kind", ActorKind)
def test_a_search_for_one_kind_finds_no_other(log: list[Entry], kind: ActorKind) -> None:
    found = search(Entry.objects.all(), {"actor_kind": kind})
    assert set(found.entries) == {entry for entry in log if entry.actor_kind is kind}


def test_a_kind_that_is_none_finds_nothing(log: list[Entry]) -> None:
    assert not search(Entry.objects.all(), {"actor_kind": "robot"}).entries.exists()


def test_a_table_for_a_spreadsheet_tells_them_apart(log: list[Entry]) -> None:
    rows = csv.DictReader(io.StringIO("".join(export.csv_lines(log))))
    assert [(row["actor"], row["actor_kind"]) for row in rows] == [(e.actor, e.actor_kind.value) for e in log]

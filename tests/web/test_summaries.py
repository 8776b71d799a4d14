"""What changed, in one line of a list: what is told, and that no value ever is."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import uuid4

import pytest

from console.access.permissions import Permission
from console.audit.models import Entry
from console.knative import paths
from console.knative.changes import (
    Combined,
    CreateService,
    EnvEntry,
    KeepDigest,
    SetEnv,
    SetImage,
    SplitTraffic,
)
from console.knative.diff import diff
from console.knative.objects import Service
from console.knative.traffic import TrafficTarget
from console.operations.models import Operation
from console.operations.models.statuses import Status
from console.operations.queries import Made
from console.web import audit_words, summaries
from console.web.words import KINDS
from tests.operations.factories import RUST, manifest

ROOT = Path(__file__).resolve().parents[2]


def before(traffic=None) -> Service:
    raw = manifest("hello")
    raw["spec"]["traffic"] = traffic or [{"latestRevision": True, "percent": 100}]
    return Service(raw)


def operation(change, service: Service | None = None) -> Operation:
    service = service or before()
    rows = diff(service.raw, change.apply(service).raw)
    return Operation(changes=[{"path": list(row.path), "before": row.before, "after": row.after} for row in rows])


def entry(change, service: Service | None = None) -> Entry:
    """The same difference as the log keeps it: with the field as a text."""
    rows = operation(change, service).changes
    fields = [{**row, "field": paths.text(tuple(row["path"]))} for row in rows]
    return Entry(service="hello", changes=fields)


TARGET = SetEnv("app", (EnvEntry("TARGET", "canary-value"),))
ALL_THREE = "traffic: 100 → 50/50; image: helloworld-go → helloworld-rust and 1 more"
HALVES = SplitTraffic((TrafficTarget("hello-00001", 50), TrafficTarget("hello-00002", 50)))


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (TARGET, "TARGET: changed"),
        (SetImage("app", RUST), "image: helloworld-go → helloworld-rust"),
        (HALVES, "traffic: 100 → 50/50"),
        (Combined((KeepDigest("app", "sha256:" + "5" * 64), TARGET)), "TARGET: changed"),
        (Combined((SetImage("app", RUST), TARGET, HALVES)), ALL_THREE),
    ],
)  # fmt: skip
def test_operations_and_entries_say_the_same_of_a_change(change, line) -> None:
    assert summaries.of_operation(operation(change)) == line
    assert summaries.of_entry(entry(change)) == line


def test_a_split_that_only_swaps_revisions_names_them() -> None:
    swap = SplitTraffic((TrafficTarget("hello-00002", 100),))
    first = before([{"revisionName": "hello-00001", "percent": 100}])
    assert summaries.of_operation(operation(swap, first)) == "hello-00001: 100% → 0%; hello-00002: 0% → 100%"


def test_no_value_of_a_variable_is_told() -> None:
    every = [TARGET, SetEnv("app", remove=("PASSWORD",)), CreateService(manifest("new"))]
    told = " ".join(summaries.of_operation(operation(change)) for change in every)
    assert "canary" not in told


def test_an_entry_about_no_service_tells_its_fields() -> None:
    rows = [{"field": "role", "before": "viewer", "after": "owner"}, {"field": "team", "before": None, "after": "Shop"}]
    assert summaries.of_entry(Entry(changes=rows)) == "role: viewer → owner; team: Shop"
    assert summaries.of_entry(Entry(changes=[])) == ""


@pytest.mark.parametrize(
    "path",
    [
        ("spec", "template", "spec", "containers", "app", "env", "A.B", "value"),
        ("metadata", "annotations", "example.com/owner"),
        ("spec", "template", "spec", "volumes", "a", "secret", "secretName"),
        ("service",),
    ],
)
def test_the_path_of_a_field_is_read_from_its_text(path) -> None:
    assert paths.read(paths.text(path)) == path


def test_what_somebody_did_is_said_in_words() -> None:
    id = uuid4()
    made = {id: Made("SetImage", "dora", [])}
    said = {
        "deploy.SetEnv": "Change environment variables",
        "protect.approve": "Approved: Change image by dora",
        "operation.failed": "Change image: Failed",
        "operation.superseded": "Change image: Superseded",
        "outside.change": "Changed the service outside the console",
        "delete.refused": "Not allowed to delete services and revisions",
        "later.Version": "later.Version",
    }
    found = {
        code: audit_words.action(Entry(action=code, operation=id, text="SetImage hello-00002"), made) for code in said
    }
    assert found == said
    ended = Entry(action="operation.failed", outcome="failed", text="SetImage hello-00002")
    assert audit_words.action(ended, made) == "Change image", "the result is in the same row"


def test_an_approval_whose_operation_is_no_longer_kept_is_told_without_its_author() -> None:
    assert audit_words.action(Entry(action="protect.approve", operation=uuid4()), {}) == "Approved a change"


def test_the_end_of_an_operation_says_its_revision_and_its_cause() -> None:
    found = Entry(action="operation.failed", text="SetImage hello-00002 crash")
    assert audit_words.text(found) == "hello-00002 container keeps crashing"
    quiet = Entry(action="operation.succeeded-not-serving", text="SetImage hello-00002 not-serving")
    assert audit_words.text(quiet) == "hello-00002"


def test_a_decision_is_told_without_the_digest_that_binds_it() -> None:
    asked = Entry(action="protect.request", text="SetImage 1d48aaef80436eb7 sandbox/shop/catalog")
    assert audit_words.text(asked) == "sandbox/shop/catalog"
    assert audit_words.text(Entry(action="protect.approve", text="SetEnv 1d48aaef80436eb7")) == ""
    assert audit_words.text(Entry(action="protect.decline", text="SetEnv 1d48aaef80436eb7 too late")) == "too late"


def test_every_action_that_the_console_records_has_words() -> None:
    """The codes are literals of `record(...)` and `changing(...)`, or made of the words tested here."""
    sources = "\n".join(path.read_text() for path in (ROOT / "console").rglob("*.py"))
    codes = set(re.findall(r'(?:record|_record|changing|_record_group)\(\s*"([a-z-]+\.[A-Za-z-]+)"', sources))
    codes |= set(re.findall(r'action = "(manage\.\w+)" if .* else "(manage\.\w+)"', sources)) and {
        code for pair in re.findall(r'action = "(manage\.\w+)" if .* else "(manage\.\w+)"', sources) for code in pair
    }
    codes |= {f"operation.{status.value}" for status in Status} | {f"{one.value}.refused" for one in Permission}
    codes |= {f"deploy.{kind}" for kind in KINDS}
    assert len(codes) > 90
    assert [code for code in sorted(codes) if audit_words.action(Entry(action=code), {}) == code] == []

"""Big exports of the log: written part by part, each entry once, by any worker, for people who may read it."""

from __future__ import annotations

import csv
import io
import json
import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from console import audit
from console.access import audit_exports
from console.access.actors import CONSOLE, Actor
from console.access.auditing import visible_entries
from console.access.authorization import rights_of
from console.access.models import Grant, User
from console.audit import Outcome, searching
from console.audit.models import Entry, Export, ExportPart
from console.knative.references import ServiceRef
from tests.broker import broker
from tests.operations.conftest import person

pytestmark = pytest.mark.django_db
GOING = threading.Event()


@pytest.fixture
def auditor(monkeypatch: pytest.MonkeyPatch) -> User:
    """Somebody who may read all, forty entries, and exports in slices of ten."""
    monkeypatch.setattr(audit_exports, "SLICE", 10)
    user = person("anna", "auditor")
    for number in range(40):
        ref = ServiceRef("box", "default" if number % 2 else "other", "shop")
        audit.record("test", actor=CONSOLE, ref=ref, outcome=Outcome.SUCCEEDED, text=f"=number {number}")
    return user


def begin(user: User, form: str = "jsonl", **query: str) -> Export:
    found = searching.search(visible_entries(rights_of(user)), query)
    text = "&".join(f"{name}={value}" for name, value in query.items())
    with broker("memory://"):
        return audit_exports.start(found, form, text, user=user, actor=Actor(user.pk, user.username))


def finish(export: Export) -> Export:
    with broker("memory://"):
        audit_exports.take_turn(str(export.id), Export.objects.get(id=export.id).reached, GOING)
    return Export.objects.get(id=export.id)


def contents(export: Export) -> str:
    parts = ExportPart.objects.filter(export=export)
    return b"".join(audit_exports.unpacked(part) for part in parts).decode()


def test_every_entry_is_in_the_file_once_and_newest_first(auditor: User) -> None:
    done = finish(begin(auditor))
    assert (done.written, done.parts, done.percent, done.error) == (40, 4, 100, "")
    assert [json.loads(line)["sequence"] for line in contents(done).splitlines()] == [*range(40, 0, -1)]
    assert Entry.objects.filter(action="audit.export", actor="anna", text="jsonl ").count() == 1


def test_the_query_counts_and_csv_has_one_heading_and_no_formula(auditor: User) -> None:
    done = finish(begin(auditor, "csv", namespace="default"))
    rows = list(csv.DictReader(io.StringIO(contents(done))))
    assert [int(row["sequence"]) for row in rows] == [*range(40, 0, -2)]
    assert {row["text"][:2] for row in rows} == {"'="}


def test_a_message_that_comes_twice_writes_nothing_twice(auditor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    export = begin(auditor)
    first = Export.objects.get(id=export.id)
    assert audit_exports._write_part(first)
    assert not audit_exports._write_part(Export(**vars_of(export)))  # it read the row before the other wrote
    done = finish(export)
    assert [json.loads(line)["sequence"] for line in contents(done).splitlines()] == [*range(40, 0, -1)]


def vars_of(export: Export) -> dict[str, object]:
    return {field.attname: getattr(export, field.attname) for field in Export._meta.fields}


def test_a_worker_that_died_is_followed(auditor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    export = begin(auditor)
    sent: list[list[object]] = []
    monkeypatch.setattr(audit_exports.queue, "enqueue", lambda _name, arguments, **_options: sent.append(arguments))
    audit_exports.enqueue_stalled()
    assert sent == []
    Export.objects.update(moved_at=timezone.now() - timedelta(seconds=30))
    audit_exports.enqueue_stalled()
    assert sent == [[str(export.id), 41]]


def test_a_right_that_is_taken_away_ends_it(auditor: User) -> None:
    export = begin(auditor)
    Grant.objects.all().delete()
    assert finish(export).error == "not-allowed"
    assert not ExportPart.objects.exists()


def test_small_and_big_are_told_apart(auditor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_exports, "MAX_DIRECT", 25)
    everything = visible_entries(rights_of(auditor))
    assert not audit_exports.is_small(searching.search(everything, {}))
    assert audit_exports.is_small(searching.search(everything, {"namespace": "other"}))
    assert not audit_exports.is_small(searching.search(everything, {"q": "number 7"}))


def test_a_file_is_kept_for_a_day(auditor: User) -> None:
    finish(begin(auditor))
    assert audit_exports.forget_old() == 0
    Export.objects.update(created_at=timezone.now() - timedelta(days=1, minutes=1))
    assert audit_exports.forget_old() == 1
    assert not ExportPart.objects.exists()


@pytest.mark.parametrize("when", ["before the first part", "after the last part"])
def test_nothing_is_readable_once_the_right_to_a_part_of_it_has_gone(auditor: User, when: str) -> None:
    export = begin(auditor)
    if when == "after the last part":
        export = finish(export)
    assert audit_exports.is_readable(export, rights_of(auditor))
    Grant.objects.filter(team__memberships__user=auditor).update(namespace="other")
    assert not audit_exports.is_readable(export, rights_of(auditor))
    assert (finish(export).error == "not-allowed") == (when == "before the first part")


def test_an_empty_export_ends(auditor: User) -> None:
    done = finish(begin(auditor, actor="nobody"))
    assert (done.written, done.error, contents(done)) == (0, "", "")
    assert done.finished_at is not None

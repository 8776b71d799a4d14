"""Each layer knows every kind of change, in one place each."""

from __future__ import annotations

import pytest

from console.access.permissions import Permission
from console.knative.changes import (
    KINDS,
    Act,
    Change,
    Combined,
    CreateService,
    DeleteRevision,
    DeleteService,
    SetTimeout,
    Verb,
)
from console.knative.objects import Service
from console.operations.engine.writing import WRITES
from console.operations.submitting.dry_run import DRY_RUNS
from console.web import impact, last_step, words
from tests.operations.factories import manifest


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.__name__)
def test_the_permission_of_every_kind_can_be_granted(kind: type[Change]) -> None:
    assert kind.permission in set(Permission)


def test_every_kind_has_words_and_no_word_is_left_over() -> None:
    assert set(words.KINDS) == {*KINDS, Combined.__name__}


@pytest.mark.parametrize("known", [WRITES, DRY_RUNS], ids=["write", "dry run"])
def test_every_verb_can_be_written_and_tried(known: dict) -> None:
    assert set(known) == set(Verb)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (CreateService(manifest("shop")), "Creates the service shop in default."),
        (SetTimeout(9), "No new revision."),
        (DeleteService(), "Deletes the service shop, its route and its 2 revisions."),
        (DeleteRevision("shop-00001"), "Deletes revision shop-00001. You can't roll back to it afterwards."),
    ],
)
def test_the_impact_of_every_verb_is_said(change: Change, says: str) -> None:
    service = Service(manifest("shop"))
    found = impact.sentences(change, service, service, makes_revision=False, revisions=2)
    assert found[0].text == says


def test_every_act_has_the_words_of_its_button() -> None:
    assert set(last_step.LABELS) == set(Act)


def test_what_removes_is_red_and_nothing_else() -> None:
    service = Service(manifest("shop"))
    for change in (SetTimeout(9), CreateService(manifest("shop")), DeleteService(), DeleteRevision("shop-00001")):
        button = last_step.last_step(change, service, makes_revision=True, needs_approval=False)
        assert button.is_danger is change.verb.removes


def test_the_impacts_above_are_of_all_verbs() -> None:
    assert {one.verb for one in (CreateService, SetTimeout, DeleteService, DeleteRevision)} == set(Verb)

"""Each layer knows every kind of change, in one place each."""

from __future__ import annotations

import pytest

from console.access.permissions import Permission
from console.knative.changes import (
    KINDS,
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
from console.web import impact, words
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


def test_the_impacts_above_are_of_all_verbs() -> None:
    assert {one.verb for one in (CreateService, SetTimeout, DeleteService, DeleteRevision)} == set(Verb)

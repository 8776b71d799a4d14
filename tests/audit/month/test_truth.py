"""What the generator says of the month is what clusters and log have: the questions are asked on firm ground."""

from __future__ import annotations

import pytest

from console.audit.models import Entry
from console.audit.verification import verify
from console.operations.models import Operation
from tests.audit.month.cluster import path_of
from tests.audit.month.month import ENDS, PLACES, Month
from tests.sweeps import IS_WHOLE

pytestmark = [pytest.mark.django_db, pytest.mark.sweep]


def test_the_services_are_what_the_truth_says(month: Month) -> None:
    for place in PLACES:
        state, found = month.truth.state(place, ENDS), month.clusters[place.cluster].objects
        service = found[path_of(place.namespace, place.name)]
        container = service["spec"]["template"]["spec"]["containers"][0]
        assert state is not None
        assert container["image"] == state.image, place
        assert {one["name"]: one["value"] for one in container["env"]} == state.env, place
        assert service["metadata"]["labels"] == state.labels, place
        assert int(service["status"]["latestCreatedRevisionName"][-5:]) == state.revision, place
        split = tuple((one.get("revisionName", "@latest"), one["percent"]) for one in service["spec"]["traffic"])
        assert split == state.split, place


def test_the_month_is_busy_and_its_chain_holds(month: Month) -> None:
    changes, entries = len(month.truth.changes), Entry.objects.count()
    assert (changes >= 140 and entries >= 400) if IS_WHOLE else (changes >= 38 and entries >= 180)
    assert verify() == entries


def test_every_operation_ended_as_the_truth_says(month: Month) -> None:
    ends = {"succeeded": "succeeded", "declined": "declined", "expired": "expired", "cancelled": "withdrawn"}
    found = {str(one.id): (ends[one.status], one.actor) for one in Operation.objects.all()}
    told = {
        one.operation: (one.outcome, month.people.users[one.who].username)
        for one in month.truth.changes
        if one.operation
    }
    assert found == told


def test_the_log_has_each_act_in_its_moment(month: Month) -> None:
    found = [(one.at, one.actor, one.actor_id, one.action, one.outcome) for one in Entry.objects.all()]
    for act in month.truth.acts:
        assert (act.at, act.who, act.account, act.action, act.outcome) in found

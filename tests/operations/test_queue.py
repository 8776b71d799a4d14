"""Giving turns to workers, and finding what was left behind."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from console.access.actors import Actor
from console.knative.changes import EnvEntry, SetEnv
from console.knative.references import ServiceRef
from console.operations.engine import following, leases
from console.operations.models import Operation
from console.operations.queue import enqueue, left_behind
from tests.operations.factories import World
from tests.operations.steps import submit

SECOND = SetEnv("app", (EnvEntry("TARGET", "Second"),))


def test_visibility_guard():
    """Redis delivers a message again after the visibility timeout: no turn and no delay may last so long."""
    visibility = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
    assert visibility > following.SLICE_SECONDS + 60
    assert timedelta(seconds=visibility) > leases.LEASE


@pytest.mark.django_db
def test_reconcile_finds_what_was_left_behind_and_nothing_else(world: World, ref: ServiceRef, deployer: Actor):
    def reconcile(*arguments: str) -> str:
        said = io.StringIO()
        call_command("reconcile", *arguments, stdout=said)
        return said.getvalue()

    operation = submit(SECOND, ref, deployer)
    assert reconcile("--dry-run") == ""
    Operation.objects.filter(id=operation.id).update(submitted_at=timezone.now() - timedelta(seconds=20))
    assert str(operation.id) in reconcile("--dry-run")
    assert "handed over" in reconcile()
    assert reconcile() == ""


@pytest.mark.django_db
def test_a_lost_message_is_sent_again_after_a_while(world: World, ref: ServiceRef, deployer: Actor):
    operation = submit(SECOND, ref, deployer)
    assert enqueue(operation)
    assert not left_behind().exists()
    Operation.objects.filter(id=operation.id).update(handed_over_at=timezone.now() - timedelta(seconds=16))
    assert left_behind().get() == operation


@pytest.mark.django_db
def test_what_a_worker_holds_is_not_left_behind(world: World, ref: ServiceRef, deployer: Actor):
    operation = submit(SECOND, ref, deployer)
    Operation.objects.filter(id=operation.id).update(submitted_at=timezone.now() - timedelta(seconds=60))
    with leases.lease(operation.id, "somebody"):
        assert not left_behind().exists()
        Operation.objects.filter(id=operation.id).update(lease_until=timezone.now() - timedelta(seconds=1))
        assert left_behind().get() == operation

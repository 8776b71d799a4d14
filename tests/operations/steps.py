"""What tests of operations do over and over."""

from __future__ import annotations

from typing import Any

import pytest

from console.access.actors import Actor
from console.access.models import User
from console.knative.changes import Change
from console.knative.references import ServiceRef
from console.operations import faults
from console.operations.models import Operation
from console.operations.submitting import previewing, submission
from console.operations.tasks import perform

MAX_TURNS = 40


def submit(change: Change, ref: ServiceRef, actor: Actor, **options: Any) -> Operation:
    """Preview the change and submit it, as the two pages do."""
    user = User.objects.get(pk=actor.user_id)
    effect = previewing.preview(change, user=user, ref=ref)
    return submission.submit(effect.preview.id, user=user, actor=actor, **options)


def finish(operation: Operation) -> Operation:
    """Do what a worker does until the operation ends; returns it as it is then."""
    for _ in range(MAX_TURNS):
        perform(str(operation.id))
        operation = Operation.objects.get(pk=operation.pk)
        if not operation.is_active:
            return operation
    raise AssertionError(f"{operation} did not end")


class Died(BaseException):
    """The end of the process: nothing catches it."""


def die_once_at(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Raise Died the first time that the engine reaches the step."""
    reached: list[str] = []

    def die(where: str) -> None:
        if where == step and not reached:
            reached.append(where)
            raise Died

    monkeypatch.setattr(faults, "reach", die)

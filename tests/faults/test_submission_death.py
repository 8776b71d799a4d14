"""kill -9 of the process that submits, around its audit entry: the change and its entry exist both, or neither."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from console.access.actors import Actor
from console.access.models import User
from console.audit.models import Entry
from console.audit.verification import verify
from console.knative.changes import EnvEntry, SetEnv
from console.knative.references import ServiceRef
from console.operations.models import Operation, Preview
from console.operations.submitting import previewing
from tests.faults.stage import ROOT, Stage

pytestmark = pytest.mark.timeout(200)
_numbers = itertools.count(1)

SUBMIT = """
import sys, django
django.setup()
from console.access.actors import Actor
from console.access.models import User
from console.operations.submitting.submission import submit
user = User.objects.get(id=int(sys.argv[2]))
submit(sys.argv[1], user=user, actor=Actor(user.pk, user.username))
"""


@pytest.mark.parametrize(("step", "both"), [("accepted", False), ("told", False), ("never", True)])
def test_a_process_that_dies_between_change_and_entry_leaves_both_or_neither(
    fresh: Stage, deployer: Actor, step: str, both: bool
) -> None:
    ref = ServiceRef("box", "default", f"told-{next(_numbers)}")
    fresh.world.create(ref.name)
    user = User.objects.get(id=deployer.user_id)
    effect = previewing.preview(SetEnv("app", (EnvEntry("TARGET", "x"),)), user=user, ref=ref)
    marker = fresh.folder / f"{ref.name}.died"
    died = _submit_and_die(fresh, effect.preview, step, marker)
    assert died.returncode == (0 if both else -9)
    assert marker.exists() is not both
    assert Operation.objects.filter(name=ref.name).exists() is both
    assert Entry.objects.filter(service=ref.name, action="deploy.SetEnv").exists() is both
    assert Preview.objects.filter(id=effect.preview.id).exists() is not both  # the button can be pressed again
    assert verify() == Entry.objects.count()


def test_a_press_whose_process_died_before_its_answer_leads_to_its_operation(fresh: Stage, deployer: Actor) -> None:
    ref = ServiceRef("box", "default", f"answerless-{next(_numbers)}")
    fresh.world.create(ref.name)
    user = User.objects.get(id=deployer.user_id)
    shown = previewing.preview(SetEnv("app", (EnvEntry("TARGET", "x"),)), user=user, ref=ref).preview
    assert _submit_and_die(fresh, shown, "submitted", fresh.folder / f"{ref.name}.died").returncode == -9
    [made] = Operation.objects.filter(name=ref.name)
    client = Client()
    client.force_login(user)
    address = reverse("submit", kwargs={"id": shown.id})
    for answer in (client.post(address), client.get(address)):
        assert answer["Location"] == reverse("operation", kwargs={"id": made.id})
    assert Operation.objects.filter(name=ref.name).count() == 1


def _submit_and_die(stage: Stage, preview: Preview, step: str, marker: Path) -> subprocess.CompletedProcess[bytes]:
    facts = {"CONSOLE_FAULT_STOP_AT": step, "CONSOLE_FAULT_MARKER": str(marker)}
    return subprocess.run(
        [sys.executable, "-c", SUBMIT, str(preview.id), str(preview.user_id)],
        cwd=ROOT,
        env={**stage.environment, "DJANGO_SETTINGS_MODULE": "console.settings", **facts},
        check=False,
        timeout=60,
    )

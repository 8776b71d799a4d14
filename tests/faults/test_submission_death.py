"""kill -9 of the process that submits, around its audit entry: the change and its entry exist both, or neither."""

from __future__ import annotations

import itertools
import subprocess
import sys

import pytest

from console.access.actors import Actor
from console.access.models import User
from console.audit.models import Entry
from console.audit.verification import verify
from console.knative.changes import EnvEntry, SetEnv
from console.knative.references import ServiceRef
from console.operations import previewing
from console.operations.models import Operation, Preview
from tests.faults.stage import ROOT, Stage

pytestmark = pytest.mark.timeout(200)
_numbers = itertools.count(1)

SUBMIT = """
import sys, django
django.setup()
from console.access.actors import Actor
from console.access.models import User
from console.operations.submission import submit
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
    died = subprocess.run(
        [sys.executable, "-c", SUBMIT, str(effect.preview.id), str(user.pk)],
        cwd=ROOT,
        env={
            **fresh.environment,
            "DJANGO_SETTINGS_MODULE": "console.settings",
            "CONSOLE_FAULT_STOP_AT": step,
            "CONSOLE_FAULT_MARKER": str(marker),
        },
        check=False,
        timeout=60,
    )
    assert died.returncode == (0 if both else -9)
    assert marker.exists() is not both
    assert Operation.objects.filter(name=ref.name).exists() is both
    assert Entry.objects.filter(service=ref.name, action="deploy.SetEnv").exists() is both
    assert Preview.objects.filter(id=effect.preview.id).exists() is not both  # the button can be pressed again
    assert verify() == Entry.objects.count()

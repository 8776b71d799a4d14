"""What becomes of a change, from the button to its end, against the sandbox."""

from __future__ import annotations

import pytest

from console.access.actors import Actor
from console.access.models import User
from console.audit.models import Entry
from console.knative.changes import EnvEntry, SetEnv, SetImage, SplitTraffic
from console.knative.references import ServiceRef
from console.knative.traffic import TrafficTarget
from console.operations.models import Operation
from console.operations.statuses import Status
from console.operations.tasks import perform
from tests.operations.factories import RUST, World
from tests.operations.steps import finish, submit

pytestmark = pytest.mark.django_db


def test_an_env_change_tells_kns_lines_and_ends_with_the_url(world: World, ref: ServiceRef, deployer: Actor):
    operation = finish(submit(SetEnv("app", (EnvEntry("TARGET", "Second"),)), ref, deployer))
    texts = [line.text for line in operation.lines.all()]
    assert operation.status == Status.SUCCEEDED
    assert texts[0] == f"Updating Service '{ref.name}' in namespace 'default':"
    assert texts[-3:] == [
        "Ready to serve.",
        f"Service '{ref.name}' updated to latest revision '{ref.name}-00002' is available at URL:",
        f"http://{ref.name}.default.example.com",
    ]
    assert world.env(ref.name)["TARGET"] == "Second"
    assert world.get(ref.name)["metadata"]["generation"] == 2

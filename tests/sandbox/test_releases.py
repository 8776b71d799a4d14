"""Where releases of Knative Serving differ, the sandbox is as the one that it is started as."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest

from console.sandbox.errors import StatusError
from console.sandbox.knative.admission import POD_DRY_RUN, admit
from console.sandbox.knative.version import NEWEST, OLDEST, RELEASES, Version, speaking_as
from console.sandbox.resources import CONFIGURATIONS, ROUTES, SERVICES, Resource
from tests.real_cluster import releases
from tests.sandbox.knative_world import Object, eventually, knative, set_traffic

PODS = "validation callback failed: dry run failed with pods"
CROWDED = "registry.example.com/demo/over-quota"


@pytest.fixture(params=RELEASES, ids=str)
def spoken(request: pytest.FixtureRequest) -> Iterator[Version]:
    with speaking_as(request.param):
        yield request.param


def crowded(**annotations: str) -> Object:
    container = {"image": CROWDED}
    metadata = {"name": "hello", "namespace": "default", "annotations": annotations}
    kind = {"apiVersion": "serving.knative.dev/v1", "kind": "Service"}
    return {**kind, "metadata": metadata, "spec": {"template": {"spec": {"containers": [container]}}}}


def refusal(verb: str, old: Object | None, new: Object, resource: Resource = SERVICES) -> str:
    """What a dry run is refused with; empty when it is not."""
    try:
        admit(verb, resource, old, new, "admin", is_dry_run=True)
    except StatusError as error:
        return error.message
    return ""


def test_it_speaks_as_every_release_that_a_real_one_is_run_of() -> None:
    assert {str(version): label for version, label in RELEASES.items()} == releases.RELEASES
    assert (str(OLDEST), str(NEWEST)) == (releases.OLDEST, releases.NEWEST)


def test_a_dry_run_tries_a_pod_from_1_21_on_and_before_only_when_asked(spoken: Version) -> None:
    assert (PODS in refusal("create", None, crowded())) is (spoken >= (1, 21))
    assert PODS in refusal("create", None, crowded(**{POD_DRY_RUN: "enabled"}))


def test_a_dry_run_tries_a_pod_of_a_template_that_stays_from_1_21_on(spoken: Version) -> None:
    made = admit("create", SERVICES, None, crowded(**{POD_DRY_RUN: "enabled"}), "admin")
    labelled = copy.deepcopy(made)
    labelled["metadata"]["labels"] = {"team": "shop"}
    assert (PODS in refusal("update", made, labelled)) is (spoken >= (1, 21))


def test_a_dry_run_of_a_services_own_configuration_tries_no_pod(spoken: Version) -> None:
    owned = crowded() | {"kind": "Configuration"}
    owned["metadata"]["labels"] = {"serving.knative.dev/service": "hello"}
    owner = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "hello", "uid": "u"}
    owned["metadata"]["ownerReferences"] = [owner]  # without one the label is refused
    assert refusal("create", None, owned, CONFIGURATIONS) == ""


async def test_a_service_sends_nothing_to_another_services_revision_but_in_the_old_release(spoken: Version) -> None:
    async with knative(speed=40, initial_scale=0) as world:
        for name in ("hello", "other"):
            world.create(name)
        await world.ready("hello")
        await world.ready("other")
        world.update("hello", set_traffic({"revisionName": "other-00001", "percent": 100}))
        if spoken == OLDEST:
            await world.ready("hello")
        else:
            message = 'Revision "other-00001" belongs to Service "other", not Service "hello".'
            wanted = ("False", "RevisionNotOwned", message)
            await eventually(lambda: world.conditions(ROUTES, "hello")["AllTrafficAssigned"] == wanted)
            await world.ready("hello", "False")

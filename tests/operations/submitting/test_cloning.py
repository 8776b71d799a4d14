"""A copy of a service has everything of it but what is the original's own."""

from __future__ import annotations

import copy

import pytest

from console.access.actors import Actor
from console.access.models import User
from console.knative.objects import CREATOR, LAST_MODIFIER, Service
from console.knative.references import ServiceRef
from console.operations.models.statuses import Status
from console.operations.submitting import cloning
from tests import factories
from tests.operations.factories import RUST, World
from tests.operations.steps import finish, submit
from tests.support.manifests import BY_NAME

TARGET = ServiceRef("box", "other", "copy")


def test_everything_of_the_template_is_kept() -> None:
    found = Service(factories.service())
    made = cloning.manifest_of(found, TARGET)
    expected = copy.deepcopy(found.template)
    del expected["metadata"]["name"]
    assert made["spec"]["template"] == expected
    assert made["metadata"] == {"name": "copy", "namespace": "other", "labels": {"app": "shop", "tier": "front"}}


def test_the_split_of_other_revisions_is_not_taken_along() -> None:
    assert "traffic" not in cloning.manifest_of(Service(factories.service()), TARGET)["spec"]


def test_no_tool_takes_the_copy_for_its_own() -> None:
    raw = factories.service()
    raw["metadata"]["labels"] |= {"argocd.argoproj.io/instance": "shop", "app.kubernetes.io/managed-by": "Helm"}
    raw["metadata"]["annotations"] |= {"meta.helm.sh/release-name": "shop", "sluice.dev/operation": "x"}
    made = Service(cloning.manifest_of(Service(raw), TARGET))
    assert made.owners == ()
    assert made.annotations == {}


def test_no_mark_by_which_a_tool_prunes_is_copied_and_each_is_told() -> None:
    found = Service(BY_NAME["marks-of-tools"])
    made = cloning.manifest_of(found, TARGET)["metadata"]
    assert (made["labels"], made["annotations"]) == ({"team": "shop"}, {"example.com/owner": "shop"})
    kept = {"team", "example.com/owner", CREATOR, LAST_MODIFIER}
    assert cloning.left_behind(found).keys() == {*found.labels, *found.annotations} - kept


def test_settings_of_knative_are_copied() -> None:
    found = Service(BY_NAME["marks-of-knative"])
    made = cloning.manifest_of(found, TARGET)
    assert made["metadata"]["annotations"]["serving.knative.dev/rollout-duration"] == "380s"
    inner = made["spec"]["template"]["metadata"]
    assert inner["annotations"] == found.template_annotations
    assert inner["labels"] == {"sidecar.istio.io/inject": "true"}


def test_the_source_is_not_touched() -> None:
    raw = factories.service()
    before = copy.deepcopy(raw)
    cloning.manifest_of(Service(raw), TARGET, "registry.example.com/other:2")
    assert raw == before


@pytest.mark.django_db
def test_a_copy_with_another_image_comes_up(world: World, ref: ServiceRef, owner: Actor) -> None:
    target = ServiceRef("box", "default", f"{ref.name}-copy")
    user = User.objects.get(pk=owner.user_id)
    made = finish(submit(cloning.clone_of(ref, target, user=user, image=RUST), target, owner))
    assert made.status == Status.SUCCEEDED
    assert made.kind == "CreateService"
    assert world.env(target.name) == world.env(ref.name)
    there = Service(world.get(target.name))
    assert (there.image, there.user_container.image) == (RUST, RUST)
    assert there.containers[1].raw["image"] == Service(world.get(ref.name)).containers[1].raw["image"]

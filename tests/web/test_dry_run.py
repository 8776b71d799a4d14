"""What pages say of the cluster's dry run, and of operations that wrote nothing, or wrote after their end."""

from __future__ import annotations

import pytest

from console.operations.models import Operation, Preview
from console.operations.models.statuses import Status
from tests.operations.steps import finish
from tests.web.pages import read
from tests.web.test_changes import Shown, shown

__all__ = ["shown"]

NO_DRY_RUN = 'admission webhook "policy.example.com" does not support dry run'

PODS_DENIED = (
    'admission webhook "validation.webhook.serving.knative.dev" denied the request: validation callback failed: '
    'dry run failed with pods "dry-run-validation7x" is forbidden: violates PodSecurity "restricted:latest": '
    "spec.template"
)


def test_a_preview_that_the_cluster_could_not_test_says_so_and_can_be_applied(shown: Shown):
    shown.world.box.fault(verb="update", resource="services", code=400, message=NO_DRY_RUN)
    page = shown.set_target("canary-new")
    text = read(page).text
    assert page.status_code == 200
    assert "No dry run: a webhook in this cluster does not support it." in text
    assert "dry run passed" not in text
    assert "Deploy Back to editing" in text


def test_pods_that_the_cluster_would_reject_are_told_before_the_press_and_do_not_stop_it(shown: Shown):
    image = {"container": "app", "image": "registry.example.com/demo/over-quota:1.0", "ports": ""}
    page = shown.client.post(f"{shown.path}image/", image)
    text = read(page).text
    assert page.status_code == 200
    assert "The cluster would reject the pods of the new revision now." in text
    assert "compute-resources" in text
    assert "The server-side dry run got no further than the pods." in text
    assert "podspec-dryrun" not in text


def test_below_1_20_the_rest_is_tested_where_pods_would_be_rejected(shown: Shown):
    """There only a dry run that asks for a pod is refused for it."""
    shown.world.box.fault(verb="update", resource="services", code=400, message=PODS_DENIED)
    text = read(shown.set_target("canary-new")).text
    assert "The cluster would reject the pods of the new revision now." in text
    assert "Server-side dry run passed." in text


def test_traffic_can_be_split_where_no_pod_may_start(shown: Shown):
    """From Serving 1.21 on each dry run tries a pod, even where the template stays as it is."""
    for _ in range(2):
        shown.world.box.fault(verb="update", resource="services", code=400, message=PODS_DENIED)
    rows = {"rows": "2", "name-0": "@latest", "percent-0": "50", "name-1": f"{shown.name}-00001", "percent-1": "50"}
    page = shown.client.post(f"{shown.path}traffic/", rows)
    text = read(page).text
    assert page.status_code == 200
    assert "The cluster would reject new pods of this service now." in text
    assert "The server-side dry run got no further than the pods." in text


def test_a_change_of_nothing_says_so(shown: Shown):
    operation = newest(shown)
    shown.world.edit(shown.name, lambda service: container(service)["env"][0].update(value="Second"))
    assert finish(operation).status == Status.UNCHANGED
    text = read(shown.client.get(f"/operations/{operation.id}/")).text
    assert "Nothing changed: the service was already like that." in text
    assert f"No changes to apply to service '{shown.name}'." in text


@pytest.mark.parametrize(("status", "words"), [("running", "Writing the change to the cluster."), ("queued", "Queued")])
def test_an_empty_timeline_says_what_is_waited_for(shown: Shown, status: str, words: str):
    operation = newest(shown)
    Operation.objects.filter(id=operation.id).update(status=status)
    timeline = read(shown.client.get(f"/operations/{operation.id}/")).text.partition("Output")[2]
    assert words in timeline


def test_an_empty_timeline_of_an_operation_that_ended_waits_for_nothing(shown: Shown):
    operation = newest(shown)
    Operation.objects.filter(id=operation.id).update(status=Status.CANCELLED)
    assert "Queued" not in read(shown.client.get(f"/operations/{operation.id}/")).text


def test_an_operation_that_was_written_late_does_not_say_that_nothing_was(shown: Shown):
    operation = newest(shown)
    Operation.objects.filter(id=operation.id).update(
        status=Status.CANCELLED, is_written=True, cause={"code": "written-late"}
    )
    text = read(shown.client.get(f"/operations/{operation.id}/")).text
    assert "Cancelled, but the change was written afterwards." in text
    assert "before anything was written" not in text


def container(service: dict) -> dict:
    return service["spec"]["template"]["spec"]["containers"][0]


def newest(shown: Shown) -> Operation:
    """Preview and apply a change of the variable TARGET."""
    shown.set_target("Second")
    shown.client.post(f"/previews/{Preview.objects.latest('created_at').id}/submit/")
    return Operation.objects.latest("submitted_at")

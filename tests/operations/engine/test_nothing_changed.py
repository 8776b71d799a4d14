"""What the cluster makes of a change is what people are told, before and after: its defaults, its webhooks, nothing."""

from __future__ import annotations

import pytest

from console.access.actors import Actor
from console.access.models import User
from console.audit.models import Entry
from console.knative.changes import (
    CreateService,
    EnvEntry,
    ReplaceManifest,
    SetConcurrency,
    SetEnv,
    SetImage,
    SetLabels,
    SetProbe,
    SetResources,
    SetTimeout,
    SplitTraffic,
)
from console.knative.changes.base import Change
from console.knative.references import ServiceRef
from console.knative.traffic import TrafficTarget
from console.operations.models import Operation
from console.operations.models.statuses import Status
from console.operations.protection.review import review
from console.operations.submitting import dry_run
from console.operations.submitting.previewing import Untested, preview
from console.operations.tasks import perform
from tests.operations.factories import RUST, World, manifest
from tests.operations.steps import Died, die_once_at, finish, submit
from tests.waiting import eventually

pytestmark = pytest.mark.django_db

SECOND = SetEnv("app", (EnvEntry("TARGET", "Second"),))
POLICY = {"spec": {"template": {"metadata": {"annotations": {"policy.example.com/reviewed": "true"}}}}}
NO_DRY_RUN = 'admission webhook "policy.example.com" does not support dry run'
POD_DRY_RUN = "features.knative.dev/podspec-dryrun"
CROWDED = "registry.example.com/demo/over-quota:1.0"
PODS_DENIED = (
    'admission webhook "validation.webhook.serving.knative.dev" denied the request: validation callback failed: '
    'dry run failed with pods "dry-run-validation7x" is forbidden: exceeded quota: no-pods, requested: pods=1, '
    "used: pods=0, limited: pods=0: spec.template"
)
RESOURCES = SetResources("app", {"cpu": "1", "memory": "1Gi"}, {})


def service_links(world: World, ref: ServiceRef) -> Change:
    raw = world.get(ref.name)
    raw["spec"]["template"]["spec"]["enableServiceLinks"] = False
    return ReplaceManifest(raw)


@pytest.mark.parametrize(
    "change",
    [
        SetTimeout(300),
        SetTimeout(None),
        SetConcurrency(0),
        SetConcurrency(None),
        SetProbe("app", "readinessProbe", None),
        SetProbe("app", "readinessProbe", {"tcpSocket": {"port": 0}, "successThreshold": 1}),
        SetResources("app", {"cpu": "1000m", "memory": "1024Mi"}, {}),
        SplitTraffic((TrafficTarget(None, 100, follows_latest=True),)),
        service_links,
    ],
    ids=lambda change: getattr(change, "__name__", str(change)),
)
def test_what_the_cluster_defaults_away_is_previewed_as_no_change(
    world: World, ref: ServiceRef, dora: User, deployer: Actor, change: Change
):
    def plain(service: dict) -> None:
        container = service["spec"]["template"]["spec"]["containers"][0]
        container["resources"] = {"requests": {"cpu": "1", "memory": "1Gi"}}
        container["readinessProbe"] = {"tcpSocket": {"port": 0}, "successThreshold": 1}

    world.edit(ref.name, plain)
    effect = preview(change(world, ref) if change is service_links else change, user=dora, ref=ref)
    assert effect.difference == ()
    assert effect.is_empty
    assert not effect.makes_revision
    assert effect.patch == ""


def test_a_change_that_became_none_before_the_write_ends_at_once(world: World, ref: ServiceRef, deployer: Actor):
    """Somebody set the same in other words: the API's answer says that nothing is new."""
    operation = submit(SetResources("app", {"cpu": "1000m"}, {}), ref, deployer)

    def the_same(service: dict) -> None:
        service["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "1"}}

    world.edit(ref.name, the_same)
    eventually(lambda: world.settled(ref.name))
    perform(str(operation.id))
    operation.refresh_from_db()
    assert operation.status == Status.UNCHANGED, operation.cause
    assert not operation.makes_revision
    assert [line.text for line in operation.lines.filter(level="closing")] == [
        f"No changes to apply to service '{ref.name}'.",
        f"Service '{ref.name}' with latest revision '{ref.name}-00002' (unchanged) is available at URL:",
    ]
    assert world.get(ref.name)["metadata"]["generation"] == 2
    last = Entry.objects.order_by("-sequence").first()
    assert last
    assert (last.action, last.outcome) == ("operation.unchanged", "succeeded")


def test_a_change_that_became_none_on_a_service_that_is_not_ready_does_not_say_that_it_serves(
    world: World, ref: ServiceRef, deployer: Actor
):
    operation = submit(SetImage("app", "example.com/shop/missing:1"), ref, deployer)
    again = submit(SetImage("app", "example.com/shop/missing:1"), ref, deployer)
    assert finish(operation).status == Status.FAILED
    again = finish(again)
    assert again.status == Status.UNCHANGED
    assert [line.text for line in again.lines.all()] == [f"No changes to apply to service '{ref.name}'."]


@pytest.mark.parametrize("step", ["after-write", "written"])
def test_a_worker_that_dies_after_a_write_that_changed_nothing_does_not_wait_for_a_revision(
    world: World, ref: ServiceRef, deployer: Actor, monkeypatch: pytest.MonkeyPatch, step: str
):
    operation = submit(SetResources("app", {"cpu": "1000m"}, {}), ref, deployer)

    def the_same(service: dict) -> None:
        service["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "1"}}

    world.edit(ref.name, the_same)
    eventually(lambda: world.settled(ref.name))
    die_once_at(step, monkeypatch)
    with pytest.raises(Died):
        finish(operation)
    operation = finish(operation)
    assert operation.status in (Status.UNCHANGED, Status.SUCCEEDED)
    assert not operation.makes_revision
    assert operation.elapsed < 30


def test_a_split_that_a_webhook_makes_a_revision_of_says_so(world: World, ref: ServiceRef, dora: User, deployer: Actor):
    """secure-pod-defaults, or any mutating webhook: what the cluster adds to the template makes a revision."""
    world.box.fault(verb="update", resource="services.serving.knative.dev", name=ref.name, fill=POLICY, times=50)
    world.box.fault(verb="update", resource="services", name=ref.name, fill=POLICY, times=50)
    change = SplitTraffic((TrafficTarget(f"{ref.name}-00001", 100),))
    effect = preview(change, user=dora, ref=ref)
    assert effect.makes_revision
    fields = [row.field for row in effect.difference]
    assert "spec.template.metadata.annotations['policy.example.com/reviewed']" in fields
    assert "policy.example.com/reviewed" in effect.patch
    operation = finish(submit(change, ref, deployer))
    assert operation.status == Status.NOT_SERVING
    assert (operation.makes_revision, operation.revision) == (True, f"{ref.name}-00002")
    asked = Entry.objects.get(operation=operation.id, outcome="requested")
    assert "policy.example.com/reviewed" in str(asked.changes)


def test_a_webhook_that_fills_the_template_where_no_dry_run_could_tell_is_followed_as_well(
    world: World, ref: ServiceRef, deployer: Actor
):
    operation = submit(SetLabels({"team": "shop"}), ref, deployer)
    assert not operation.makes_revision
    world.box.fault(verb="update", resource="services", name=ref.name, fill=POLICY)
    operation = finish(operation)
    assert (operation.status, operation.revision) == (Status.SUCCEEDED, f"{ref.name}-00002")


def test_a_cluster_that_cannot_dry_run_is_no_refusal(world: World, ref: ServiceRef, dora: User, deployer: Actor):
    world.box.fault(verb="update", resource="services", code=400, message=NO_DRY_RUN)
    effect = preview(SECOND, user=dora, ref=ref)
    assert (effect.refusal, effect.untested) == (None, Untested.NO_DRY_RUN)
    assert effect.is_possible
    assert [row.field for row in effect.difference] == ["spec.template.spec.containers[app].env[TARGET].value"]


def test_an_admission_that_takes_longer_than_a_page_is_no_refusal(
    world: World, ref: ServiceRef, dora: User, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(dry_run, "DRY_RUN_SECONDS", 0.3)
    world.box.fault(verb="update", resource="services", delay_ms=1500)
    effect = preview(SECOND, user=dora, ref=ref)
    assert (effect.refusal, effect.untested) == (None, Untested.NO_ANSWER)
    assert effect.is_possible


def test_a_pod_that_the_quota_forbids_is_a_warning_to_a_new_revision(world: World, ref: ServiceRef, dora: User):
    effect = preview(SetImage("app", CROWDED), user=dora, ref=ref)
    assert effect.pods is not None
    assert (effect.pods.quota, effect.refusal, effect.untested) == ("compute-resources", None, Untested.PODS)
    assert effect.is_possible
    assert POD_DRY_RUN not in effect.after.annotations
    assert all("image" in row.field for row in effect.difference)


def test_from_serving_1_21_on_a_split_is_previewed_although_no_pod_may_start(world: World, ref: ServiceRef, dora: User):
    """There a dry run tries a pod of the template even where that stays as it is, and nothing asks it not to."""
    for _ in range(2):  # as it is asked for a pod, and without
        world.box.fault(verb="update", resource="services", code=400, message=PODS_DENIED)
    effect = preview(SetLabels({"team": "shop"}), user=dora, ref=ref)
    assert (effect.refusal, effect.untested) == (None, Untested.PODS)
    assert effect.pods is not None
    assert (effect.pods.quota, effect.is_possible, effect.makes_revision) == ("no-pods", True, False)


def test_a_service_that_asks_for_the_dry_run_of_pods_keeps_saying_so(world: World, ref: ServiceRef, dora: User):
    world.edit(ref.name, lambda service: service["metadata"]["annotations"].update({POD_DRY_RUN: "strict"}))
    effect = preview(SetImage("app", CROWDED), user=dora, ref=ref)
    assert effect.pods is not None
    assert effect.after.annotations[POD_DRY_RUN] == "strict"


def test_a_new_service_is_previewed_with_what_the_cluster_fills_in(world: World, owner: Actor):
    new = ServiceRef("box", "default", "with-defaults")
    effect = preview(CreateService(manifest(new.name)), user=User.objects.get(pk=owner.user_id), ref=new)
    assert {"spec.template.spec.timeoutSeconds", "spec.traffic"} <= {row.field for row in effect.difference}
    assert "timeoutSeconds: 300" in effect.patch
    assert "serving.knative.dev/creator" not in effect.patch


def test_what_two_people_want_alike_is_no_conflict(world: World, ref: ServiceRef, deployer: Actor, owner: Actor):
    """Told as the API tells it, not as it was typed: one wrote 1000m, the other 1."""
    mine = submit(SetResources("app", {"cpu": "1000m"}, {}), ref, deployer)
    theirs = submit(SetResources("app", {"cpu": "1"}, {}), ref, owner)
    Operation.objects.filter(id=theirs.id).update(submitted_at=mine.submitted_at)
    assert finish(theirs).status == Status.SUCCEEDED
    assert finish(mine).status == Status.UNCHANGED


def test_a_preview_keeps_the_answer_of_the_dry_run_sealed(world: World, ref: ServiceRef, deployer: Actor):
    operation = submit(SECOND, ref, deployer)
    assert operation.sealed_after is not None
    assert b"Second" not in bytes(operation.sealed_after)
    assert operation.wanted is not None
    env = {entry["name"]: entry.get("value") for entry in operation.wanted.containers[0].raw["env"]}
    assert env["TARGET"] == "Second"


def test_an_image_that_is_there_already_is_no_conflict_with_who_set_it(world: World, ref: ServiceRef, deployer: Actor):
    mine = submit(SetImage("app", RUST), ref, deployer)
    world.edit(ref.name, lambda service: service["spec"]["template"]["spec"]["containers"][0].update(image=RUST))
    assert finish(mine).status in (Status.SUCCEEDED, Status.UNCHANGED)


def test_an_approver_sees_what_the_cluster_makes_of_the_change(world: World, ref: ServiceRef, deployer: Actor):
    world.box.fault(verb="update", resource="services", name=ref.name, fill=POLICY)
    operation = submit(SECOND, ref, deployer)
    assert "policy.example.com/reviewed" in review(operation).patch

"""What people see before they press the button, and that nothing else is what happens."""

from __future__ import annotations

import pytest

from console.access.actors import Actor
from console.access.models import Grant, Role, User
from console.access.refusals import NotAllowed, PreviewGone
from console.audit.models import Entry
from console.knative import owners
from console.knative.changes import (
    ChangeRefused,
    CreateService,
    EnvEntry,
    ReplaceManifest,
    SetEnv,
    SetImage,
    SetLabels,
    SplitTraffic,
)
from console.knative.references import ServiceRef
from console.knative.traffic import TrafficTarget
from console.operations.models import Operation, Preview
from console.operations.submitting import submission
from console.operations.submitting.previewing import preview
from tests.broker import broker
from tests.operations.factories import World, manifest
from tests.operations.steps import submit

pytestmark = pytest.mark.django_db

SECOND = SetEnv("app", (EnvEntry("TARGET", "Second-value"),))


def test_a_preview_tells_all_and_writes_nothing(world: World, ref: ServiceRef, dora: User):
    effect = preview(SECOND, user=dora, ref=ref)
    assert [(row.field, row.before, row.after) for row in effect.difference] == [
        ("spec.template.spec.containers[app].env[TARGET].value", "••••", "••••")
    ]
    assert effect.makes_revision
    assert effect.truth.new_revision_percent == 100
    assert effect.refusal is None
    assert effect.preview.kn == f'kn service update {ref.name} --namespace default --env TARGET="$TARGET"'
    assert "Second-value" not in effect.patch
    assert "name: TARGET" in effect.patch
    assert world.get(ref.name)["metadata"]["generation"] == 1


def test_a_split_is_previewed_as_making_no_revision(world: World, ref: ServiceRef, dora: User):
    effect = preview(SplitTraffic((TrafficTarget(f"{ref.name}-00001", 100),)), user=dora, ref=ref)
    assert not effect.makes_revision
    assert effect.truth.new_revision_percent == 0
    assert "revisionName" in effect.patch


def test_the_clusters_own_refusal_is_part_of_it(world: World, ref: ServiceRef, dora: User):
    targets = (TrafficTarget(f"{ref.name}-00001", 60), TrafficTarget(None, 50))
    effect = preview(SplitTraffic(targets), user=dora, ref=ref)
    assert effect.refusal is not None
    assert effect.refusal.message == "Traffic targets sum to 110, want 100: spec.traffic"
    assert not effect.is_possible


def test_a_form_that_is_behind_is_told(world: World, ref: ServiceRef, dora: User):
    version = world.get(ref.name)["metadata"]["resourceVersion"]
    world.edit(ref.name, lambda service: service["metadata"].update(labels={"team": "shop"}))
    assert preview(SECOND, user=dora, ref=ref, form_version=version).changed_meanwhile


def test_a_service_of_a_gitops_tool_is_recognised(world: World, ref: ServiceRef, dora: User):
    mark = {"argocd.argoproj.io/tracking-id": "shop:serving.knative.dev/Service:default/hello"}
    world.edit(ref.name, lambda service: service["metadata"]["annotations"].update(mark))
    assert preview(SECOND, user=dora, ref=ref).owners == (owners.ARGO_CD,)


def test_who_may_not_is_refused_and_the_attempt_is_logged(
    world: World, ref: ServiceRef, dora: User, deployer: Actor, viewer: Actor
):
    with pytest.raises(NotAllowed):
        preview(SECOND, user=User.objects.get(pk=viewer.user_id), ref=ref)
    shown = preview(SECOND, user=dora, ref=ref).preview
    dora.memberships.all().delete()
    with pytest.raises(NotAllowed):
        submission.submit(shown.id, user=dora, actor=deployer)
    assert not Operation.objects.exists()
    assert [(e.action, e.outcome, e.actor) for e in Entry.objects.all()] == [("deploy.refused", "refused", "dora")]


def test_a_preview_is_for_the_one_who_saw_it(world: World, ref: ServiceRef, dora: User, owner: Actor):
    shown = preview(SECOND, user=dora, ref=ref).preview
    with pytest.raises(PreviewGone):
        submission.submit(shown.id, user=User.objects.get(pk=owner.user_id), actor=owner)


def test_a_batch_is_queued_whole_or_not_at_all(world: World, ref: ServiceRef, dora: User, deployer: Actor):
    world.create(f"{ref.name}-b")
    refs = [ref, ServiceRef("box", "default", f"{ref.name}-b")]
    shown = [preview(SECOND, user=dora, ref=each).preview.id for each in refs]
    with pytest.raises(PreviewGone):
        submission.submit_all([*shown, "00000000-0000-4000-8000-000000000000"], user=dora, actor=deployer)
    assert Preview.objects.count() == 2
    batch, made = submission.submit_all(shown, user=dora, actor=deployer)
    assert [operation.ref for operation in made] == refs
    assert Operation.objects.filter(batch=batch).count() == 2


def test_one_operation_may_have_limits_of_its_own(world: World, ref: ServiceRef, deployer: Actor):
    limits = submission.Limits(deadline=30.0, error_window=0.0)
    operation = submit(SetImage("app", "example.com/a:1"), ref, deployer, limits=limits)
    assert (operation.deadline_seconds, operation.error_window_seconds) == (30.0, 0.0)


def test_a_service_may_have_limits_of_its_own(world: World, ref: ServiceRef, deployer: Actor, settings):
    marks = {"sluice.dev/deadline-seconds": "45", "sluice.dev/error-window-seconds": "soon"}
    world.edit(ref.name, lambda service: service["metadata"]["annotations"].update(marks))
    operation = submit(SECOND, ref, deployer)
    assert operation.deadline_seconds == 45.0
    assert operation.error_window_seconds == settings.OPERATION_ERROR_WINDOW


def test_a_manifest_cannot_create_what_its_address_does_not_name(world: World, ref: ServiceRef, deployer: Actor):
    user = User.objects.get(pk=deployer.user_id)
    elsewhere = CreateService(manifest("new", namespace="kube-system"))
    with pytest.raises(ChangeRefused):
        preview(elsewhere, user=user, ref=ServiceRef("box", "default", "new"))


def test_submitting_hands_over_after_the_commit_only(
    world: World, ref: ServiceRef, deployer: Actor, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        operation = submit(SECOND, ref, deployer)
        assert Operation.objects.get(id=operation.id).handed_over_at is None
    assert callbacks
    assert Operation.objects.get(id=operation.id).handed_over_at is not None


def test_a_broker_that_is_away_leaves_the_operation_for_the_sweep(
    world: World, ref: ServiceRef, deployer: Actor, django_capture_on_commit_callbacks, tmp_path
):
    with broker(f"redis+socket://{tmp_path}/nobody.sock"), django_capture_on_commit_callbacks(execute=True):
        operation = submit(SECOND, ref, deployer)
    operation.refresh_from_db()
    assert (operation.status, operation.handed_over_at) == ("queued", None)


def test_a_manifest_that_moves_traffic_needs_that_right_too(world: World, ref: ServiceRef, deployer: Actor):
    """People who may deploy but not move traffic cannot do it through the YAML editor."""
    role = Role.objects.create(name="builder", permissions=["view", "deploy"])
    Grant.objects.update(role=role)
    user = User.objects.get(pk=deployer.user_id)
    edited = world.get(ref.name)
    preview(ReplaceManifest(edited), user=user, ref=ref)
    edited["spec"]["traffic"] = [{"revisionName": f"{ref.name}-00001", "percent": 100}]
    with pytest.raises(NotAllowed, match="traffic"):
        preview(ReplaceManifest(edited), user=user, ref=ref)


def test_labels_cannot_leave_what_a_grant_covers(world: World, ref: ServiceRef, deployer: Actor):
    world.edit(ref.name, lambda service: service["metadata"].update(labels={"app": "shop"}))
    Grant.objects.update(selector="app=shop")
    user = User.objects.get(pk=deployer.user_id)
    preview(SECOND, user=user, ref=ref)
    with pytest.raises(NotAllowed):
        preview(SetLabels({"app": "bank"}), user=user, ref=ref)


def test_refusals_do_not_repeat_secret_values(world: World, ref: ServiceRef, dora: User):
    """Webhooks quote parts of the template that they refuse, variables included."""
    secret = "canary-value-77aa"
    world.box.fault(verb="update", resource="services.serving.knative.dev", code=403, message=f"bad value {secret}")
    world.box.fault(verb="update", resource="services", code=403, message=f"bad value {secret}")
    effect = preview(SetEnv("app", (EnvEntry("TARGET", secret),)), user=dora, ref=ref)
    assert effect.refusal is not None
    assert secret not in str(effect.refusal)

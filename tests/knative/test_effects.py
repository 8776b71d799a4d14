"""What a difference needs, field by field over the whole schema, however it comes about."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given

from console.access.permissions import Permission
from console.knative import changes, paths
from console.knative.changes import (
    Change,
    Combined,
    CreateService,
    DeleteRevision,
    DeleteService,
    KeepDigest,
    Redeploy,
    ReplaceManifest,
    ResolveImage,
    Restart,
    SetAnnotations,
    SetConcurrency,
    SetEnv,
    SetLabels,
    SetRevisionName,
    SetScale,
    SetTimeout,
    SetVisibility,
    SplitTraffic,
    apply_to,
)
from console.knative.changes.template import SCALE_FIELDS, scale_spellings
from console.knative.diff import FieldChange, diff
from console.knative.effects import EFFECTS, effects, of_field, of_rows, taken_back
from console.knative.objects import Service
from console.knative.redaction import MASK
from console.knative.traffic import TrafficTarget
from tests import factories
from tests.knative.test_changes import every_change
from tests.knative.test_every_field import full_service, leaves
from tests.sweeps import IS_WHOLE, sample, sweep

NONE: frozenset[FieldChange] = frozenset()


def needed_by(change: Change, before: Service, back: frozenset[FieldChange] = NONE) -> frozenset[str]:
    return effects(apply_to(change, before), back)


def reverted(before: Service, sent: Service, answered: Service) -> frozenset[FieldChange]:
    """The differences that are sent and not in the cluster's answer."""
    return taken_back(diff(before.raw, sent.raw), diff(before.raw, answered.raw))


DEPLOY, TRAFFIC, OPERATE = frozenset({"deploy"}), frozenset({"traffic"}), frozenset({"operate"})
VISIBILITY = "networking.knative.dev/visibility"
MIN_SCALE = "autoscaling.knative.dev/min-scale"

# What each kind of field means, by the beginning of its path: written down a second time, in other words.
FIELDS = {
    "spec.traffic": TRAFFIC,
    "spec.template.spec.containerConcurrency": OPERATE,
    "spec.template.metadata.annotations.autoscaling.knative.dev/": OPERATE,
    "metadata.labels.networking.knative.dev/": TRAFFIC,
    "metadata.annotations.networking.knative.dev/": TRAFFIC,
    "metadata.annotations.serving.knative.dev/rollout-duration": TRAFFIC,
    "metadata.annotations.serving.knative.dev/rolloutDuration": TRAFFIC,
    "metadata.annotations.autoscaling.knative.dev/": OPERATE,
}


def meant(path: tuple[str, ...]) -> frozenset[str]:
    text = ".".join(path)
    return next((effect for begin, effect in FIELDS.items() if text.startswith(begin)), DEPLOY)


def with_leaf(raw: dict[str, Any], path: tuple[str, ...], value: Any) -> Service:
    changed = copy.deepcopy(raw)
    inner: Any = changed
    for part in path[:-1]:
        inner = inner[int(part)] if isinstance(inner, list) else inner[part]
    inner[int(path[-1]) if isinstance(inner, list) else path[-1]] = value
    return Service(changed)


FULL = full_service()
FULL["metadata"]["labels"] |= {VISIBILITY: "cluster-local", "tomorrow": "x"}
FULL["metadata"]["annotations"] |= {
    "serving.knative.dev/rollout-duration": "60s", "networking.knative.dev/ingress.class": "x", "tomorrow": "x",
}  # fmt: skip
FULL["spec"]["template"]["metadata"]["annotations"] |= {
    name: "1" for field in SCALE_FIELDS for name in scale_spellings(field)
}
FULL["spec"]["template"]["metadata"]["annotations"]["autoscaling.knative.dev/class"] = "x"
WRITTEN = {path: value for path, value in leaves(FULL).items() if path[0] in ("spec", "metadata")}


@sweep
def test_every_field_of_the_schema_needs_what_it_means_whichever_way_it_is_changed() -> None:
    """By a manifest: each leaf of a service in which every field of the schema is filled, changed alone."""
    tried = 0
    for path, value in sample(WRITTEN.items(), one_in=4):
        after = with_leaf(FULL, path, "other" if value != "other" else "another")
        rows = diff(FULL, after.raw)
        if not rows:  # bookkeeping
            continue
        assert of_rows(rows) == meant(path), path
        tried += 1
    assert tried > (200 if IS_WHOLE else 50)


def test_nothing_in_a_service_can_be_changed_without_a_permission() -> None:
    for path in WRITTEN:
        assert of_field(path) <= {"deploy", "traffic", "operate"}
        assert of_field(path)


def test_what_is_told_as_a_whole_needs_all_that_is_in_it() -> None:
    assert of_field(()) == {"deploy", "traffic", "operate"}
    assert of_field(("spec",)) == {"deploy", "traffic", "operate"}
    assert of_field(paths.POD_SPEC) == {"deploy", "operate"}
    assert of_field(("metadata", "labels")) == {"deploy", "traffic"}


def test_the_table_names_permissions_that_there_are() -> None:
    assert {permission for _place, permission in EFFECTS} <= set(Permission)


BEFORE = Service(factories.service())
SPLIT = SplitTraffic((TrafficTarget("shop-00004", 100),))


def yaml(edit: Any) -> ReplaceManifest:
    raw = factories.service()
    edit(raw)
    return ReplaceManifest(raw)


def annotate(raw: dict[str, Any], key: str, value: str | None) -> None:
    raw["spec"]["template"]["metadata"]["annotations"][key] = value


@pytest.mark.parametrize(
    ("change", "needed"),
    [
        (SetScale({"min": "3"}), OPERATE),
        (SetAnnotations({MIN_SCALE: "3"}, "revision"), OPERATE),
        (SetAnnotations({"autoscaling.knative.dev/minScale": "3"}, "revision"), OPERATE),
        (SetAnnotations({"autoscaling.knative.dev/class": "hpa.autoscaling.knative.dev"}, "revision"), OPERATE),
        (yaml(lambda raw: annotate(raw, MIN_SCALE, "3")), OPERATE),
        (yaml(lambda raw: raw["spec"]["template"]["spec"].update(containerConcurrency=1)), OPERATE),
        (SetConcurrency(3), OPERATE),
        (SetVisibility(True), TRAFFIC),
        (SetLabels({VISIBILITY: "cluster-local"}), TRAFFIC),
        (yaml(lambda raw: raw["metadata"]["labels"].update({VISIBILITY: "cluster-local"})), TRAFFIC),
        (SetAnnotations({"serving.knative.dev/rollout-duration": "60s"}), TRAFFIC),
        (SetAnnotations({"serving.knative.dev/rolloutDuration": "60s"}), TRAFFIC),
        (SetAnnotations({"networking.knative.dev/http-protocol": "redirected"}), TRAFFIC),
        (SPLIT, TRAFFIC),
        (yaml(lambda raw: raw["spec"].pop("traffic")), TRAFFIC),
        (yaml(lambda raw: raw["spec"]["traffic"].reverse()), TRAFFIC),
        (SetTimeout(7), DEPLOY),
        (SetEnv("app", (changes.EnvEntry("TARGET", "x"),)), DEPLOY),
        (SetLabels({"app": "cart"}), DEPLOY),
        (SetLabels({VISIBILITY: "x"}, "revision"), DEPLOY),
        (SetRevisionName("shop-x"), DEPLOY),
        (yaml(lambda raw: raw["spec"]["template"]["metadata"].pop("name")), DEPLOY),
        (Combined((SetScale({"min": "3"}), SetVisibility(True), SetTimeout(7))), DEPLOY | TRAFFIC | OPERATE),
        (Combined((SetScale({"min": "3"}), KeepDigest("sidecar", "sha256:" + "a" * 64))), OPERATE),
        (Combined((SetScale({"min": "3"}), ResolveImage("sidecar"))), OPERATE | DEPLOY),
        (Combined((SetScale({"min": "3"}), Restart("2026", {"sidecar": "sha256:" + "a" * 64}))), OPERATE),
        (Combined((SetScale({"min": "3"}), Redeploy("2026"))), OPERATE | DEPLOY),
        (Restart("2026", {"sidecar": "sha256:" + "a" * 64}), OPERATE),
        (SetAnnotations({"client.knative.dev/updateTimestamp": "2026"}, "revision"), DEPLOY),
        (KeepDigest("sidecar", "sha256:" + "a" * 64), DEPLOY),
        (Redeploy("2026"), DEPLOY),
        (DeleteService(), frozenset({"delete"})),
        (DeleteRevision("shop-00001"), frozenset({"delete"})),
        (DeleteRevision("shop-00004"), frozenset({"delete"})),  # refused: it is routed
        (SetTimeout(120), DEPLOY),  # nothing differs
        (SplitTraffic(BEFORE.spec_traffic), TRAFFIC),  # nothing differs
    ],
)
def test_a_change_needs_what_it_does(change: Change, needed: frozenset[str]) -> None:
    assert needed_by(change, BEFORE) == needed


def new(**more: Any) -> CreateService:
    spec = {"containers": [{"image": "x"}], **more.pop("spec", {})}
    template = {"spec": spec, **more.pop("template", {})}
    labels, traffic = more.pop("labels", {}), more.pop("traffic", [])
    return CreateService(
        {"metadata": {"name": "a", "labels": labels}, "spec": {"template": template, "traffic": traffic}}
    )


@pytest.mark.parametrize(
    ("change", "needed"),
    [
        (new(), DEPLOY),
        (new(traffic=[{"latestRevision": True, "percent": 100}], spec={"containerConcurrency": 0}), DEPLOY),
        (new(labels={"app": "shop"}), DEPLOY),
        (new(labels={VISIBILITY: "cluster-local"}), DEPLOY | TRAFFIC),
        (new(traffic=[{"latestRevision": True, "percent": 100, "tag": "a"}]), DEPLOY | TRAFFIC),
        (new(spec={"containerConcurrency": 1}), DEPLOY | OPERATE),
        (new(template={"metadata": {"annotations": {MIN_SCALE: "50"}}}), DEPLOY | OPERATE),
    ],
)
def test_a_new_service_needs_what_it_says_beyond_the_usual(change: CreateService, needed: frozenset[str]) -> None:
    assert needed_by(change, Service({})) == needed


def test_what_the_cluster_fills_in_again_is_no_effect() -> None:
    """A manifest from a repository leaves out what the cluster's defaults are."""
    change = yaml(lambda raw: (raw["spec"].pop("traffic"), annotate(raw, MIN_SCALE, "3")))
    sent = change.apply(BEFORE)
    answered = copy.deepcopy(dict(sent.raw))
    answered["spec"]["traffic"] = BEFORE.raw["spec"]["traffic"]
    assert needed_by(change, BEFORE) == OPERATE | TRAFFIC
    assert needed_by(change, BEFORE, reverted(BEFORE, sent, Service(answered))) == OPERATE
    assert needed_by(change, BEFORE, reverted(BEFORE, sent, sent)) == OPERATE | TRAFFIC


def test_what_is_masked_is_never_told_to_be_taken_back() -> None:
    """The text of a masked row is that of every other value there: another edit of the field would pass as that one."""

    def credential(raw: dict, value: str) -> None:
        raw["metadata"].setdefault("annotations", {})["networking.knative.dev/upstream"] = (
            f"https://x:{value}@y.example"
        )

    change = yaml(lambda raw: credential(raw, "first-canary"))
    back = reverted(BEFORE, change.apply(BEFORE), BEFORE)
    assert [row for row in back if MASK in (row.after or "")] == []
    assert needed_by(yaml(lambda raw: credential(raw, "second-canary")), BEFORE, back) == TRAFFIC


def test_what_was_taken_back_then_is_judged_again_where_the_service_is_another_one() -> None:
    change = yaml(lambda raw: raw["spec"].pop("traffic"))
    back = reverted(BEFORE, change.apply(BEFORE), BEFORE)
    elsewhere = SPLIT.apply(BEFORE)
    assert needed_by(Combined((SetTimeout(1), change)), BEFORE, back) == DEPLOY
    assert needed_by(Combined((SetTimeout(1), change)), elsewhere, back) == DEPLOY | TRAFFIC


@given(every_change)
def test_no_way_around_the_effect_by_a_manifest(change: Change) -> None:
    """Whatever a form does needs the same when its result comes as YAML: the way in decides nothing."""
    after = change.apply(BEFORE)
    rows = diff(BEFORE.raw, after.raw)
    by_kind = (Restart, Redeploy, ResolveImage, KeepDigest)
    parts = change.changes if isinstance(change, Combined) else (change,)
    if not rows or any(isinstance(part, by_kind) for part in parts):
        return
    assert of_rows(rows) <= needed_by(change, BEFORE)
    if len(parts) == 1:
        assert needed_by(ReplaceManifest(dict(after.raw)), BEFORE) == needed_by(change, BEFORE)

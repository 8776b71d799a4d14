"""A change edits only what it names, clears the template's name, and survives the database."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.knative import changes, diff, paths
from console.knative.changes import (
    ChangeRefused,
    Combined,
    DeleteRevision,
    EnvEntry,
    EnvSource,
    KeepDigest,
    Redeploy,
    ReplaceManifest,
    ResolveImage,
    Restart,
    RouteNewRevision,
    SetAnnotations,
    SetCommand,
    SetConcurrency,
    SetEnv,
    SetEnvFrom,
    SetImage,
    SetLabels,
    SetPlacement,
    SetPort,
    SetProbe,
    SetPullPolicy,
    SetPullSecrets,
    SetResources,
    SetRevisionName,
    SetScale,
    SetServiceAccount,
    SetTimeout,
    SetUser,
    SetVisibility,
    SetVolumes,
    SplitTraffic,
)
from console.knative.changes.base import Change
from console.knative.objects import USER_IMAGE, Service
from console.knative.paths import FieldPath
from console.knative.redaction import MASK, mask_env
from console.knative.traffic import TrafficTarget
from tests import factories
from tests.support import kn_arguments

NAME: FieldPath = ("spec", "template", "metadata", "name")
# Fields that follow a change without being what it is about.
FOLLOWERS = {NAME, ("spec", "template", "metadata", "annotations", USER_IMAGE)}

words = st.text("abcdefgh", min_size=1, max_size=8)
env_names = st.sampled_from(["TARGET", "PASSWORD", "DB", "NEW", "OTHER"])
entries = st.one_of(
    st.builds(EnvEntry, env_names, st.text(max_size=20)),
    st.builds(EnvEntry, env_names, st.just(""), st.sampled_from(["secret", "config-map"]), words, words),
)
labels = st.dictionaries(st.sampled_from(["app", "new", "a.b/c"]), st.none() | words, min_size=1)
every_change = st.one_of(
    st.builds(
        SetEnv, st.just("app"), st.lists(entries, max_size=3, unique_by=lambda e: e.name).map(tuple), st.just(())
    ),
    st.builds(SetEnv, st.just("app"), st.just(()), st.lists(env_names, max_size=3, unique=True).map(tuple)),
    st.builds(
        SetEnvFrom,
        st.just("app"),
        st.just((EnvSource("secret", "more"),)),
        st.just((EnvSource("config-map", "flags"),)),
    ),
    st.builds(SetImage, st.sampled_from(["app", "sidecar"]), st.just("registry.example.com/new:2")),
    st.builds(SetCommand, st.just("app"), *[st.none() | st.lists(words).map(tuple)] * 2),
    st.builds(SetPort, st.just("app"), st.none() | st.integers(1, 65535), st.sampled_from(["", "h2c"])),
    st.builds(SetResources, st.just("app"), st.just({"cpu": "2", "memory": None}), st.just({"memory": "1Gi"})),
    st.builds(
        SetProbe, st.just("app"), st.just("livenessProbe"), st.none() | st.just({"httpGet": {"path": "/", "port": 0}})
    ),
    st.builds(SetScale, st.just({"min": "2", "max": None})),
    st.builds(SetConcurrency, st.none() | st.integers(0, 1000)),
    st.builds(SetTimeout, st.none() | st.integers(0, 600)),
    st.builds(SetServiceAccount, st.sampled_from(["", "other"])),
    st.builds(SetPullSecrets, st.just(("pull",))),
    st.builds(SetLabels, labels, st.sampled_from(["service", "revision"])),
    st.builds(SetAnnotations, labels, st.sampled_from(["service", "revision"])),
    st.builds(SetVisibility, st.booleans()),
    st.builds(Redeploy, st.just("2026-11-24T10:00:00Z")),
    st.builds(Restart, st.just("2026-11-24T10:00:00Z"), st.just({"app": "sha256:" + "c" * 64})),
    st.builds(ResolveImage, st.sampled_from(["app", "sidecar"])),
    st.builds(SetPullPolicy, st.just("app"), st.sampled_from(["", "Always"])),
    st.builds(SetUser, st.just("app"), st.none() | st.integers(0, 2**31 - 1)),
    st.builds(
        SetPlacement,
        st.dictionaries(st.sampled_from(["disk", "kubernetes.io/arch"]), st.none() | words),
        st.none() | st.just(({"key": "gpu", "operator": "Exists"},)),
    ),
    st.builds(
        SetVolumes,
        st.just("app"),
        st.just((("/data", "claim", "disk"), ("/fast", "empty-dir", ""))),
        st.just(("/etc/shop",)),
        st.just({"/data": {"read-only": "true", "sub-path": "a"}, "/fast": {"medium": "Memory", "size": "1Gi"}}),
    ),
    st.builds(RouteNewRevision, st.integers(0, 100), st.sampled_from(["", "candidate", "next"])),
    st.builds(SplitTraffic, st.just((TrafficTarget(None, 60), TrafficTarget("shop-00003", 40, "stable")))),
)


@given(every_change)
def test_a_change_alters_only_the_fields_that_it_names(change: Change) -> None:
    before = Service(factories.service())
    untouched = copy.deepcopy(before.raw)
    after = change.apply(before)
    assert before.raw == untouched, "the original is never mutated"
    for row in diff.diff(before.raw, after.raw):
        named = any(paths.overlap(row.path, path) for path in change.touches())
        assert named or row.path in FOLLOWERS, f"{row.field} was not asked for"


@given(every_change)
def test_a_template_that_changes_loses_its_name(change: Change) -> None:
    before = Service(factories.service())
    after = change.apply(before)
    if {**before.template, "metadata": {}} != {**after.template, "metadata": {}}:
        assert "name" not in after.template["metadata"]


@given(every_change)
def test_a_change_survives_the_database(change: Change) -> None:
    assert changes.load(changes.dump(change)) == change
    both = Combined((change, SetTimeout(5)))
    assert changes.load(changes.dump(both)) == both


def env(service: Service, container: int = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = service.containers[container].raw.get("env", [])
    return found


def test_setting_a_variable_keeps_the_order_and_every_other_one() -> None:
    after = SetEnv("app", (EnvEntry("NEW", "x"), EnvEntry("TARGET", "Second"))).apply(Service(factories.service()))
    assert [entry["name"] for entry in env(after)] == ["TARGET", "PASSWORD", "DB", "NEW"]
    assert env(after)[0] == {"name": "TARGET", "value": "Second"}
    assert env(after)[2]["valueFrom"]["secretKeyRef"]["name"] == "db"
    assert env(after, 1) == [{"name": "LEVEL", "value": "info"}], "the sidecar keeps its own"


def test_setting_a_variable_that_is_listed_twice_sets_the_one_that_wins() -> None:
    raw = factories.service()
    raw["spec"]["template"]["spec"]["containers"][0]["env"].append({"name": "TARGET", "value": "again"})
    after = SetEnv("app", (EnvEntry("TARGET", "one"),)).apply(Service(raw))
    assert [entry["value"] for entry in env(after) if entry["name"] == "TARGET"] == ["First", "one"]


def test_setting_and_removing_again_restores_the_original() -> None:
    before = Service(factories.service())
    after = SetEnv("app", (), ("NEW",)).apply(SetEnv("app", (EnvEntry("NEW", "x"),)).apply(before))
    assert [row for row in diff.diff(before.raw, after.raw) if row.path != NAME] == []


def test_an_image_brings_the_annotation_along_that_kn_reads() -> None:
    after = SetImage("app", "registry.example.com/shop:2").apply(Service(factories.service()))
    assert after.template_annotations[USER_IMAGE] == "registry.example.com/shop:2"
    sidecar = SetImage("sidecar", "registry.example.com/log:3").apply(Service(factories.service()))
    assert sidecar.template_annotations[USER_IMAGE] == "registry.example.com/shop:1.4"


def test_keeping_the_digest_pins_the_image_and_remembers_its_human_name() -> None:
    raw = factories.service()
    container = raw["spec"]["template"]["spec"]["containers"][0]
    container["image"] = "registry.example.com:5000/shop:1.4"
    del raw["spec"]["template"]["metadata"]["annotations"][USER_IMAGE]
    after = KeepDigest("app", "sha256:" + "a" * 64).apply(Service(raw))
    assert after.containers[0].image == "registry.example.com:5000/shop@sha256:" + "a" * 64
    assert after.template_annotations[USER_IMAGE] == "registry.example.com:5000/shop:1.4"


def test_a_mounted_volume_goes_with_its_last_mount() -> None:
    before = Service(factories.service())
    after = SetVolumes("app", (("/etc/more", "secret", "more"),), ("/etc/shop",)).apply(before)
    (volume,) = after.template_spec["volumes"]
    assert volume == {"name": volume["name"], "secret": {"secretName": "more"}}


def test_a_split_keeps_both_tags_of_a_revision_and_their_percents() -> None:
    before = Service(factories.service())
    after = SplitTraffic(before.spec_traffic).apply(before)
    assert [(t.revision, t.percent, t.tag) for t in after.spec_traffic] == [
        ("shop-00003", 90, "stable"),
        ("shop-00004", 10, "canary"),
        ("shop-00004", 0, "next"),
    ]


def test_an_edited_manifest_keeps_masked_values_and_what_the_webhook_stamped() -> None:
    before = Service(factories.service())
    manifest = copy.deepcopy(dict(before.raw))
    for entry in manifest["spec"]["template"]["spec"]["containers"][0]["env"][:2]:
        entry["value"] = MASK
    manifest["metadata"]["annotations"] = {"mine": "1"}
    after = ReplaceManifest(manifest).apply(before)
    assert env(after)[1] == {"name": "PASSWORD", "value": factories.SECRET_VALUE}
    assert after.creator == "alice@shop.example"
    assert after.annotations["mine"] == "1"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (SetEnv("gone", (EnvEntry("A", "b"),)), "container-unknown"),
        (KeepDigest("app", ""), "digest-unknown"),
        (SetRevisionName("wrongprefix"), "revision-name-prefix"),
        (DeleteRevision("shop-00004"), "revision-is-latest"),
        (DeleteRevision("shop-00003"), "revision-is-routed"),
        (ReplaceManifest({"metadata": {"name": "other"}}), "manifest-other-service"),
        (SetVolumes("app", (("/etc/shop", "secret", "x"),)), "mount-path-taken"),
    ],
)
def test_what_cannot_be_applied_is_refused_with_a_code(change: Change, code: str) -> None:
    with pytest.raises(ChangeRefused) as refused:
        change.apply(Service(factories.service()))
    assert refused.value.problem.code == code


def test_a_combined_change_needs_the_rights_of_all_its_parts() -> None:
    both = Combined((SetTimeout(5), SetScale({"min": "1"})))
    assert changes.permissions(both) == {"deploy", "operate"}


@pytest.mark.parametrize(
    ("manifest", "code"),
    [
        ({"kind": "Deployment"}, "manifest-other-service"),
        ({"apiVersion": "apps/v1"}, "manifest-other-service"),
        ({"metadata": {"namespace": "elsewhere"}}, "manifest-other-service"),
        ({"metadata": "shop"}, "manifest-invalid"),
        ({"spec": []}, "manifest-invalid"),
        ({"spec": {"template": {"spec": {"containers": {"name": "app"}}}}}, "manifest-invalid"),
        ({"spec": {"template": {"spec": {"containers": [None]}}}}, "manifest-invalid"),
        ({"spec": {"template": {"spec": {"containers": [{"env": ["A=b"]}]}}}}, "manifest-invalid"),
        ({"spec": {"template": {"spec": {"containers": [{"resources": {"limits": "1"}}]}}}}, "manifest-invalid"),
        ({"spec": {"template": {"spec": {"containers": [{"name": ["app"]}]}}}}, "manifest-invalid"),
        ({"spec": {"template": {"spec": {"containers": [{"livenessProbe": ["x"]}]}}}}, "manifest-invalid"),
        ({"spec": {"template": {"spec": {"containers": [{"readinessProbe": {"httpGet": 1}}]}}}}, "manifest-invalid"),
        ({"spec": {"template": {"spec": {"containers": [{"ports": [{"containerPort": [1]}]}]}}}}, "manifest-invalid"),
        ({"spec": {"traffic": [{"percent": "50"}]}}, "manifest-invalid"),
        (
            {
                "spec": {
                    "template": {"spec": {"containers": [{"name": "app", "env": [{"name": "NEW", "value": MASK}]}]}}
                }
            },
            "manifest-masked-value",
        ),
    ],
)
def test_a_manifest_that_is_no_manifest_of_this_service_is_refused(manifest: dict[str, Any], code: str) -> None:
    with pytest.raises(ChangeRefused) as refused:
        ReplaceManifest(manifest).apply(Service(factories.service()))
    assert refused.value.problem.code == code


def test_an_edited_manifest_keeps_what_the_editor_does_not_show() -> None:
    raw = factories.service()
    applied = "kubectl.kubernetes.io/last-applied-configuration"
    raw["metadata"]["annotations"] |= {applied: "{}", "sluice.dev/operation": "1", "mine": "1"}
    manifest = {"spec": raw["spec"], "metadata": {"name": "shop"}}
    after = ReplaceManifest(manifest).apply(Service(raw))
    assert set(raw["metadata"]["annotations"]) - set(after.annotations) == {"mine"}


def test_an_edited_manifest_gives_up_the_revision_name_that_is_taken() -> None:
    """The webhook refuses a template that changes under the same name (recording: byo-name-reused)."""
    before = Service(factories.service())
    manifest = copy.deepcopy(dict(before.raw))
    manifest["spec"]["template"]["spec"]["timeoutSeconds"] = 5
    assert "name" not in ReplaceManifest(manifest).apply(before).template["metadata"]
    manifest["spec"]["template"]["metadata"]["name"] = "shop-new"
    assert ReplaceManifest(manifest).apply(before).template["metadata"]["name"] == "shop-new"


def test_doubled_variables_get_their_own_values_back() -> None:
    raw = factories.service()
    raw["spec"]["template"]["spec"]["containers"][0]["env"].insert(0, {"name": "TARGET", "value": "outdone"})
    after = ReplaceManifest(mask_env(raw)).apply(Service(raw))
    assert [entry.get("value") for entry in env(after)][:2] == ["outdone", "First"]


def test_a_target_that_follows_latest_still_follows_when_it_comes_from_the_status() -> None:
    now = TrafficTarget.read({"revisionName": "shop-00004", "latestRevision": True, "percent": 100, "url": "http://x"})
    after = SplitTraffic((now,)).apply(Service(factories.service()))
    assert after.raw["spec"]["traffic"] == [{"latestRevision": True, "percent": 100}]


def test_volumes_are_named_as_kn_names_them_after_their_path() -> None:
    paths = ("/var/My_Cache", "/tls", "/", "/" + "long/" * 20)
    mounts = tuple((path, "secret", "tls.example.com") for path in paths)
    after = SetVolumes("sidecar", mounts).apply(Service(factories.service()))
    volumes = after.template_spec["volumes"][1:]
    assert [volume["name"] for volume in volumes] == [kn_arguments.volume_name(path) for path in paths]
    assert all(re.fullmatch("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", volume["name"]) for volume in volumes)
    again = SetVolumes("app", (("/tls", "secret", "other"),)).apply(after)
    assert len({volume["name"] for volume in again.template_spec["volumes"]}) == 6


def test_the_older_spelling_of_a_scale_goes_with_the_newer() -> None:
    raw = factories.service()
    raw["spec"]["template"]["metadata"]["annotations"]["autoscaling.knative.dev/minScale"] = "7"
    after = SetScale({"min": None}).apply(Service(raw))
    assert not [name for name in after.template_annotations if name.startswith("autoscaling.knative.dev/min")]


def test_a_change_keeps_unknown_fields_of_targets_through_the_database() -> None:
    raw = factories.service()
    raw["spec"]["traffic"][0]["future"] = {"keep": 1}
    change = changes.load(changes.dump(SplitTraffic(Service(raw).spec_traffic)))
    raw["spec"]["traffic"] = []  # somebody sent all to the latest; the saved split comes back whole
    assert change.apply(Service(raw)).raw["spec"]["traffic"][0]["future"] == {"keep": 1}


def test_letting_go_of_a_digest_goes_back_to_the_tag_that_kn_remembers() -> None:
    before = Service(factories.service())
    after = ResolveImage("app").apply(before)
    assert after.containers[0].image == "registry.example.com/shop:1.4"
    assert ResolveImage("sidecar").apply(before).containers[1].image == "registry.example.com/log:2"


@pytest.mark.parametrize(
    "remembered", ["", "registry.example.com/other:1", "registry.example.com/shop@sha256:" + "0" * 64]
)
def test_a_digest_with_no_tag_to_go_back_to_stays(remembered: str) -> None:
    raw = factories.service()
    raw["spec"]["template"]["metadata"]["annotations"][USER_IMAGE] = remembered
    before = Service(raw)
    assert ResolveImage("app").apply(before).containers[0].image == before.containers[0].image


def test_a_restart_brings_nothing_along_but_new_pods() -> None:
    before = Service(factories.service())
    after = Restart("2026-11-24T10:00:00Z", {"app": "sha256:" + "c" * 64, "sidecar": "sha256:" + "d" * 64}).apply(
        before
    )
    assert after.containers[0].image == before.containers[0].image, "pinned already"
    assert after.containers[1].image == "registry.example.com/log@sha256:" + "d" * 64
    assert changes.permissions(Restart("", {})) == {"operate"}


def test_a_mount_says_how() -> None:
    options = {"/data": {"read-only": "true", "sub-path": "a"}, "/fast": {"medium": "Memory", "size": "1Gi"}}
    change = SetVolumes("app", (("/data", "claim", "disk"), ("/fast", "empty-dir", "")), (), options)
    after = change.apply(Service(factories.service()))
    mounts = {entry["mountPath"]: entry for entry in after.containers[0].raw["volumeMounts"]}
    disk, fast = (mounts[path]["name"] for path in ("/data", "/fast"))
    assert mounts["/data"] == {"name": disk, "mountPath": "/data", "readOnly": True, "subPath": "a"}
    volumes = {entry["name"]: entry for entry in after.template_spec["volumes"]}
    assert volumes[disk]["persistentVolumeClaim"] == {"claimName": "disk", "readOnly": True}
    assert volumes[fast]["emptyDir"] == {"sizeLimit": "1Gi", "medium": "Memory"}


@given(every_change)
def test_a_change_that_is_made_already_leaves_a_named_template_alone(change: Change) -> None:
    """Without its name, an unchanged template would make a revision."""
    next_shares = isinstance(change, RouteNewRevision)  # the second time it is about the revision after that
    made = copy.deepcopy(dict(change.apply(Service(factories.service())).raw))
    made["spec"]["template"].setdefault("metadata", {})["name"] = "shop-pinned-again"
    try:
        again = change.apply(Service(made))
    except ChangeRefused as refusal:
        assert refusal.problem.code == "mount-path-taken"  # noqa: PT017  by the mount that the first time made
    else:
        assert again.raw["spec"]["template"] == made["spec"]["template"]
        assert next_shares or again.raw == made

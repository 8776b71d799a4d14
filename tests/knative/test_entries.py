"""Lists are edited by entry: what an edit does not name keeps its place, its other fields and its name."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from console.knative import changes
from console.knative.changes import (
    Change,
    EnvSource,
    SetCommand,
    SetEnvFrom,
    SetPort,
    SetPullSecrets,
    SetResources,
    SetScale,
    SetVolumes,
)
from console.knative.objects import Service
from tests import factories

AUTOSCALING = "autoscaling.knative.dev/"


def edited(change: Change, raw: dict[str, Any]) -> Service:
    """The service after the change, which went through the database."""
    before = copy.deepcopy(raw)
    after = changes.load(changes.dump(change)).apply(Service(raw))
    assert raw == before
    return after


def service(**container: Any) -> dict[str, Any]:
    raw = factories.service()
    raw["spec"]["template"]["spec"]["containers"][0].update(container)
    return raw


def with_volumes(mounts: list[dict[str, Any]], volumes: list[dict[str, Any]]) -> dict[str, Any]:
    raw = service(volumeMounts=mounts)
    raw["spec"]["template"]["spec"]["volumes"] = volumes
    return raw


def mounts(after: Service, container: int = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = after.containers[container].raw.get("volumeMounts", [])
    return found


TLS = {"name": "certs", "secret": {"secretName": "tls", "optional": True, "defaultMode": 288, "tomorrow": 1}}
KEYS = {"name": "keys", "secret": {"secretName": "keys", "items": [{"key": "a", "path": "b"}]}}
CACHE = {"name": "shared", "emptyDir": {"sizeLimit": "1Gi", "tomorrow": 1}}


def three() -> dict[str, Any]:
    return with_volumes(
        [
            {"name": "certs", "mountPath": "/tls", "readOnly": True, "mountPropagation": "None"},
            {"name": "keys", "mountPath": "/keys", "readOnly": True},
            {"name": "shared", "mountPath": "/cache"},
        ],
        [TLS, KEYS, CACHE],
    )


def test_how_a_mount_is_made_changes_without_its_volume() -> None:
    after = edited(SetVolumes("app", (("/tls", "secret", "tls"),), ("/tls",)), three())
    assert mounts(after)[0] == {"name": "certs", "mountPath": "/tls", "mountPropagation": "None"}
    assert after.template_spec["volumes"] == [TLS, KEYS, CACHE]


def test_another_secret_at_the_same_path_keeps_the_mode_and_the_name_of_the_volume() -> None:
    options = {"/tls": {"read-only": "true"}}
    after = edited(SetVolumes("app", (("/tls", "secret", "tls-2"),), ("/tls",), options), three())
    assert mounts(after) == three()["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
    assert after.template_spec["volumes"] == [
        {"name": "certs", "secret": {**TLS["secret"], "secretName": "tls-2"}},
        KEYS,
        CACHE,
    ]


def test_removing_one_mount_of_three_leaves_the_other_two_as_they_are() -> None:
    after = edited(SetVolumes("app", (), ("/tls",)), three())
    assert [entry["name"] for entry in mounts(after)] == ["keys", "shared"]
    assert after.template_spec["volumes"] == [KEYS, CACHE]


def test_a_mount_moves_to_another_path_with_its_volume() -> None:
    after = edited(SetVolumes("app", (("/new", "secret", "tls"),), ("/tls",), {"/new": {"read-only": "true"}}), three())
    assert mounts(after)[0] == {"name": "certs", "mountPath": "/new", "readOnly": True, "mountPropagation": "None"}
    assert after.template_spec["volumes"] == [TLS, KEYS, CACHE]


def shared_by_two() -> dict[str, Any]:
    raw = three()
    raw["spec"]["template"]["spec"]["containers"][1]["volumeMounts"] = [{"name": "shared", "mountPath": "/logs"}]
    return raw


def test_the_size_of_a_shared_folder_changes_and_it_stays_shared() -> None:
    change = SetVolumes("app", (("/cache", "empty-dir", ""),), ("/cache",), {"/cache": {"size": "2Gi"}})
    after = edited(change, shared_by_two())
    assert mounts(after)[2] == {"name": "shared", "mountPath": "/cache"}
    assert mounts(after, 1) == [{"name": "shared", "mountPath": "/logs"}]
    assert after.template_spec["volumes"][2] == {"name": "shared", "emptyDir": {"sizeLimit": "2Gi", "tomorrow": 1}}


def test_a_volume_that_another_container_uses_is_not_turned_into_something_else() -> None:
    after = edited(SetVolumes("app", (("/cache", "claim", "disk"),), ("/cache",)), shared_by_two())
    disk = mounts(after)[2]["name"]
    assert mounts(after, 1) == [{"name": "shared", "mountPath": "/logs"}]
    assert after.template_spec["volumes"] == [
        TLS,
        KEYS,
        CACHE,
        {"name": disk, "persistentVolumeClaim": {"claimName": "disk"}},
    ]


def test_a_volume_of_an_init_container_stays_when_its_last_other_mount_goes() -> None:
    raw = three()
    raw["spec"]["template"]["spec"]["initContainers"] = [
        {"name": "fill", "image": "r.example.com/fill:1", "volumeMounts": [{"name": "shared", "mountPath": "/out"}]}
    ]
    after = edited(SetVolumes("app", (), ("/cache",)), raw)
    assert CACHE in after.template_spec["volumes"]


def test_a_claim_that_may_be_written_again_is_so_in_both_places() -> None:
    raw = with_volumes(
        [{"name": "d", "mountPath": "/d", "readOnly": True}],
        [{"name": "d", "persistentVolumeClaim": {"claimName": "disk", "readOnly": True}}],
    )
    after = edited(SetVolumes("app", (("/d", "claim", "disk"),), ("/d",)), raw)
    assert mounts(after) == [{"name": "d", "mountPath": "/d"}]
    assert after.template_spec["volumes"] == [{"name": "d", "persistentVolumeClaim": {"claimName": "disk"}}]


PLAIN = {"secretRef": {"name": "db"}}
PREFIXED = {"prefix": "A_", "secretRef": {"name": "db"}}
OPTIONAL = {"configMapRef": {"name": "flags", "optional": True}}
STRANGE = {"secretRef": {"name": "db"}, "tomorrow": 1}


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (SetEnvFrom("app", (), (EnvSource("secret", "db"),)), [PREFIXED, STRANGE, OPTIONAL]),
        (SetEnvFrom("app", (), (EnvSource("secret", "db", "A_"),)), [STRANGE, PLAIN, OPTIONAL]),
        (SetEnvFrom("app", (EnvSource("secret", "db"),)), [PREFIXED, STRANGE, PLAIN, OPTIONAL]),
        (
            SetEnvFrom("app", (EnvSource("secret", "db", "B_"),)),
            [PREFIXED, STRANGE, PLAIN, OPTIONAL, {"prefix": "B_", "secretRef": {"name": "db"}}],
        ),
        (SetEnvFrom("app", (), (EnvSource("config-map", "flags", "", True),)), [PREFIXED, STRANGE, PLAIN]),
        (
            SetEnvFrom(
                "app",
                (EnvSource("secret", "db", "B_"),),
                (EnvSource("secret", "db"),),
                (
                    EnvSource("secret", "db", "A_"),
                    EnvSource("secret", "db", "B_"),
                    EnvSource("config-map", "flags", "", True),
                ),
            ),
            [PREFIXED, STRANGE, {"prefix": "B_", "secretRef": {"name": "db"}}, OPTIONAL],
        ),
    ],
)
def test_a_source_of_variables_is_meant_with_its_prefix(change: SetEnvFrom, left: list[Any]) -> None:
    after = edited(change, service(envFrom=[PREFIXED, STRANGE, PLAIN, OPTIONAL]))
    assert after.containers[0].raw["envFrom"] == left
    assert change.apply(after).raw == after.raw, "a change made twice is made once"


def test_one_of_two_equal_sources_goes_and_the_other_stays() -> None:
    change = SetEnvFrom("app", (), (EnvSource("secret", "db"),), (EnvSource("secret", "db"),))
    after = edited(change, service(envFrom=[PLAIN, PLAIN]))
    assert after.containers[0].raw["envFrom"] == [PLAIN]
    assert change.apply(after).raw == after.raw


def test_a_change_that_an_older_version_kept_is_read() -> None:
    kept = {"kind": "SetEnvFrom", "container": "app", "add": [["secret", "more"]], "remove": [["secret", "db"]]}
    assert changes.load(kept) == SetEnvFrom("app", (EnvSource("secret", "more"),), (EnvSource("secret", "db"),))


def test_arguments_change_without_the_command_and_the_other_way_round() -> None:
    raw = service(command=["/bin/sh", "-c"], args=["a\nb"])
    after = edited(SetCommand("app", arguments=("x",)), raw)
    assert (after.containers[0].raw["command"], after.containers[0].raw["args"]) == (["/bin/sh", "-c"], ["x"])
    after = edited(SetCommand("app", command=()), raw)
    assert "command" not in after.containers[0].raw
    assert after.containers[0].raw["args"] == ["a\nb"]
    assert SetCommand("app", arguments=("x",)).touches() == {("spec", "template", "spec", "containers", "app", "args")}


@pytest.mark.parametrize(
    ("port", "protocol", "entry"),
    [
        (9090, "h2c", {"containerPort": 9090, "name": "h2c", "protocol": "TCP", "tomorrow": 1}),
        (8080, "", {"containerPort": 8080, "protocol": "TCP", "tomorrow": 1}),
    ],
)
def test_a_port_keeps_what_the_form_does_not_say(port: int, protocol: Any, entry: dict[str, Any]) -> None:
    raw = service(ports=[{"containerPort": 8080, "name": "h2c", "protocol": "TCP", "tomorrow": 1}])
    assert edited(SetPort("app", port, protocol), raw).containers[0].raw["ports"] == [entry]


def test_a_pull_secret_keeps_its_entry() -> None:
    raw = factories.service()
    raw["spec"]["template"]["spec"]["imagePullSecrets"] = [{"name": "a", "tomorrow": 1}, {"name": "b"}, {"name": "a"}]
    after = edited(SetPullSecrets(("c", "a", "a")), raw)
    assert after.template_spec["imagePullSecrets"] == [{"name": "c"}, {"name": "a", "tomorrow": 1}, {"name": "a"}]


def test_resources_that_lose_what_they_never_had_do_not_appear() -> None:
    raw = factories.service()
    after = edited(SetResources("sidecar", {"cpu": None}, {}), raw)
    assert "resources" not in after.containers[1].raw


OLD = ["minScale", "maxScale", "initialScale", "targetUtilizationPercentage"]
NEW = ["min-scale", "max-scale", "initial-scale", "target-utilization-percentage"]
FIELDS = ["min", "max", "initial", "utilization"]


def scaled(**annotations: str) -> dict[str, Any]:
    raw = factories.service()
    raw["spec"]["template"]["metadata"]["annotations"] = {AUTOSCALING + k: v for k, v in annotations.items()}
    return raw


@pytest.mark.parametrize(("field", "old", "new"), list(zip(FIELDS, OLD, NEW, strict=True)))
def test_a_scale_is_edited_in_the_spelling_that_knative_reads(field: str, old: str, new: str) -> None:
    change = SetScale({field: "9"})
    assert edited(change, scaled(**{old: "2"})).template_annotations == {AUTOSCALING + old: "9"}
    assert edited(change, scaled()).template_annotations == {AUTOSCALING + new: "9"}
    both = edited(change, scaled(**{old: "2", new: "3"})).template_annotations
    assert both == {AUTOSCALING + old: "2", AUTOSCALING + new: "9"}, "the newer spelling is the one that counts"
    assert edited(SetScale({field: None}), scaled(**{old: "2", new: "3"})).template_annotations == {}
    assert {path[-1] for path in change.touches()} == {AUTOSCALING + old, AUTOSCALING + new}

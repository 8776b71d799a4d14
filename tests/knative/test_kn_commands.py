"""Every kn command that is shown, run through a model of kn, writes what the change writes; else none is shown."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.knative.changes import (
    ChangeRefused,
    Combined,
    DeleteRevision,
    Deploy,
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
from console.knative.kn_command import KnLimit, command, shell_variables, update
from console.knative.objects import Service
from console.knative.paths import overlap
from console.knative.redaction import MASK
from console.knative.traffic import TrafficTarget
from tests import factories
from tests.knative import strategies
from tests.support import kn_meaning, kn_model

DIGEST = "sha256:" + "d" * 64
NOW = "2026-11-24T10:00:00Z"
HARD_TEXTS = ["", "-", "a b", "it's", '"$HOME"', "a\nb\n", "`id`", "x,y", "-n", "k=v", "ü\u2028", "\\", "*"]

texts = st.sampled_from(HARD_TEXTS) | st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=8
)
names = st.sampled_from(["TARGET", "PASSWORD", "DB", "LEVEL", "env", "NEW", "my.var", "A-B", "PATH"])
words = st.text("abcdefgh", min_size=1, max_size=6)
containers = st.sampled_from(["app", "app", "app", "sidecar", "env"])
keys = st.sampled_from(["app", "team", "a.b/c", "tier"]) | words
lines = st.lists(texts, max_size=3).map(tuple)
quantities = st.sampled_from(["100m", "0.5", "1000m", "1", "128Mi", "1e3", "1024Ki"])
whole = st.integers(0, 1000)


def unique(
    entries: st.SearchStrategy[Any], *, min_size: int = 0, max_size: int = 3
) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(entries, unique=True, min_size=min_size, max_size=max_size).map(tuple)


entries = st.builds(EnvEntry, names, texts) | st.builds(
    EnvEntry, names, st.just(""), st.sampled_from(["secret", "config-map"]), words, words
)
sources = st.builds(
    EnvSource, st.sampled_from(["secret", "config-map"]), st.sampled_from(["s", "c", "shop-env", "flags", "more"]),
    st.sampled_from(["", "", "P_"]), st.sampled_from([False, False, True]),
)  # fmt: skip
scales = st.fixed_dictionaries(
    {},
    optional={
        "min": st.none() | st.sampled_from(["0", "3", "010", "12"]),
        "max": st.none() | st.sampled_from(["0", "30", "010"]),
        "initial": st.none() | st.sampled_from(["0", "1", "08"]),
        "activation": st.none() | st.sampled_from(["2", "5"]),
        "metric": st.none() | st.sampled_from(["rps", "concurrency", "cpu", "queue_depth"]),
        "target": st.none() | st.sampled_from(["100", "0.7"]),
        "utilization": st.none() | st.sampled_from(["70", "70.5"]),
        "window": st.none() | st.sampled_from(["60s", "2m0s"]),
    },
)
timing = st.fixed_dictionaries(
    {}, optional={key: st.integers(0, 9) for key in ("initialDelaySeconds", "periodSeconds", "successThreshold")}
)
handlers = st.one_of(
    st.fixed_dictionaries(
        {"httpGet": st.fixed_dictionaries({}, optional={
            "path": st.sampled_from(["/", "/a:b", "/x,y?z=1"]), "port": st.sampled_from([0, 8080, "http1", "80"]),
            "host": st.sampled_from(["localhost", "::1"]), "scheme": st.sampled_from(["HTTP", "HTTPS"]),
            "httpHeaders": st.just([{"name": "A", "value": "b"}]),
        })}
    ),
    st.fixed_dictionaries({"exec": st.fixed_dictionaries({"command": st.lists(texts | words, max_size=3)})}),
    st.fixed_dictionaries({"tcpSocket": st.just({}) | st.just({"port": 0}) | st.just({"port": 9000})}),
    st.just({"grpc": {"port": 9000}}),
)  # fmt: skip
probes = st.none() | st.tuples(handlers, timing).map(lambda parts: {**parts[0], **parts[1]})
metadata = st.dictionaries(keys, st.none() | words, min_size=1, max_size=3)
autoscaling = st.fixed_dictionaries(
    {},
    optional={
        "autoscaling.knative.dev/metric": st.none() | st.sampled_from(["cpu", "rps", "queue_depth"]),
        "autoscaling.knative.dev/class": st.none() | st.just("hpa.autoscaling.knative.dev"),
        "autoscaling.knative.dev/min-scale": st.none() | st.sampled_from(["1", "010"]),
        "autoscaling.knative.dev/minScale": st.none(),
    },
)
tolerations = st.fixed_dictionaries(
    {"key": words},
    optional={"operator": st.just("Exists"), "effect": st.just("NoSchedule"), "value": st.sampled_from(["a", "a,b"]),
              "tolerationSeconds": st.just(5)},
)  # fmt: skip
paths = st.sampled_from(["/data", "/etc/shop", "/A b", "/x=y", "/" + "long/" * 20])
mounts = st.tuples(paths, st.sampled_from(["secret", "config-map", "empty-dir", "claim"]), words)
mount_options = st.dictionaries(
    paths,
    st.fixed_dictionaries({}, optional={
        "read-only": st.just("true"), "sub-path": st.sampled_from(["a", "a/b", "a:b"]),
        "size": st.just("1Gi"), "medium": st.just("Memory"),
    }),
)  # fmt: skip
targets = st.builds(
    TrafficTarget,
    st.none() | st.sampled_from(["shop-00001", "shop-00003", "shop-00004"]),
    st.sampled_from([0, 10, 50, 90, 100]),
    st.none() | st.sampled_from(["stable", "canary", "next", "shop-00003"]),
)


def small(change: type, *parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(change, *parts)


new_shares = small(RouteNewRevision, st.integers(0, 100), st.sampled_from(["", "", "candidate", "stable"]))
single_changes: st.SearchStrategy[Any] = st.one_of(
    small(SetEnv, containers, st.lists(entries, max_size=3, unique_by=lambda entry: entry.name).map(tuple)),
    small(SetEnv, containers, st.just(()), unique(names, min_size=1, max_size=3)),
    small(SetEnvFrom, containers, unique(sources, max_size=2), unique(sources, max_size=2)),
    small(SetImage, containers, st.sampled_from(["r.example.com/new:2", f"r.example.com/new@{DIGEST}"])),
    small(KeepDigest, containers, st.just(DIGEST)),
    small(ResolveImage, containers),
    small(Restart, st.just(NOW), st.dictionaries(containers, st.just(DIGEST))),
    small(Redeploy, st.just(NOW)),
    small(SetCommand, containers, st.none() | lines, st.none() | lines),
    small(SetPort, containers, st.none() | st.integers(1, 65535), st.sampled_from(["", "h2c"])),
    small(SetResources, containers, st.dictionaries(st.sampled_from(["cpu", "memory"]), st.none() | quantities),
          st.dictionaries(st.sampled_from(["cpu", "nvidia.com/gpu"]), st.none() | quantities)),
    small(SetProbe, containers, st.sampled_from(["readinessProbe", "livenessProbe", "startupProbe"]), probes),
    small(SetPullPolicy, containers, st.sampled_from(["", "Always", "Never"])),
    small(SetUser, containers, st.none() | whole),
    small(SetScale, scales),
    small(SetConcurrency, st.none() | whole),
    small(SetTimeout, st.none() | whole),
    small(SetServiceAccount, st.sampled_from(["", "other"])),
    small(SetPullSecrets, unique(words, max_size=2)),
    small(SetLabels, metadata, st.sampled_from(["service", "revision"])),
    small(SetAnnotations, metadata | autoscaling, st.sampled_from(["service", "revision"])),
    small(SetVisibility, st.booleans()),
    small(SetPlacement, st.dictionaries(keys, st.none() | words),
          st.none() | st.lists(tolerations, max_size=2).map(tuple)),
    small(SetVolumes, containers, st.lists(mounts, max_size=2, unique_by=lambda mount: mount[0]).map(tuple),
          unique(paths, max_size=2), mount_options),
    small(SplitTraffic, st.lists(targets, min_size=1, max_size=4).map(tuple)),
    new_shares,
)  # fmt: skip
revision_names = st.just(SetRevisionName("shop-blue"))


def are_apart(parts: tuple[Change, Change]) -> bool:
    """Of two fields, as the parts of one form are."""
    return not any(overlap(one, other) for one in parts[0].touches() for other in parts[1].touches())


all_changes = (
    single_changes
    | st.tuples(single_changes, single_changes).filter(are_apart).map(Combined)
    | st.tuples(single_changes, revision_names).map(Combined)
    | st.tuples(single_changes, new_shares).filter(are_apart).map(Deploy)
)


def plain(raw: dict[str, Any]) -> dict[str, Any]:
    raw = copy.deepcopy(raw)
    del raw["spec"]["template"]["metadata"]["name"]
    return raw


def with_old_scale(raw: dict[str, Any]) -> dict[str, Any]:
    raw = plain(raw)
    raw["spec"]["template"]["metadata"]["annotations"] |= {
        "autoscaling.knative.dev/minScale": "2", "autoscaling.knative.dev/class": "hpa.autoscaling.knative.dev",
    }  # fmt: skip
    return raw


def with_tag_image(raw: dict[str, Any]) -> dict[str, Any]:
    """As kn makes a service: the image by tag, and the annotation beside it."""
    raw = plain(raw)
    raw["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example.com/shop:1.4"
    return raw


def sidecar_first(raw: dict[str, Any]) -> dict[str, Any]:
    raw = with_tag_image(raw)
    raw["spec"]["template"]["spec"]["containers"].reverse()
    return raw


def alone(raw: dict[str, Any]) -> dict[str, Any]:
    raw = with_tag_image(raw)
    del raw["spec"]["template"]["spec"]["containers"][1]
    raw["spec"]["traffic"] = [{"latestRevision": True, "percent": 100}]
    return raw


def as_served(raw: dict[str, Any]) -> dict[str, Any]:
    """With what the API's defaults fill in."""
    raw["spec"]["traffic"] = raw["spec"].get("traffic") or [{"latestRevision": True, "percent": 100}]
    return raw


SHAPES = (copy.deepcopy, plain, with_old_scale, with_tag_image, sidecar_first, alone)
HARD = [shape(factories.service()) for shape in SHAPES]
services = st.sampled_from(HARD) | strategies.services().map(as_served)


def base_revision(raw: dict[str, Any]) -> dict[str, Any]:
    """The revision of the present template, with digests that no change of these tests sets."""
    found: dict[str, Any] = copy.deepcopy(raw["spec"]["template"])
    images = [str(container["image"]) for container in found["spec"]["containers"]]
    digests = [image if "@" in image else f"{image}@sha256:{'b' * 64}" for image in images]
    found["status"] = {"containerStatuses": [{"imageDigest": digest} for digest in digests]}
    return found


def shown(change: Change, raw: dict[str, Any]) -> str:
    """The command for the change; empty where kn cannot express it, which is said with a reason."""
    found = command(change, Service(raw), change.apply(Service(raw)))
    assert bool(found.text) != bool(found.limit)
    return found.text


def variables(before: dict[str, Any], after: dict[str, Any]) -> dict[str, str]:
    """What the person sets in the shell: each value that is new, under its variable."""
    old, new = ({e["name"]: e for e in first(raw).get("env") or ()} for raw in (before, after))
    changed = [name for name in new if kn_meaning.variable(old.get(name)) != kn_meaning.variable(new[name])]
    return {shell: str(new[name].get("value", "")) for name, shell in shell_variables(changed).items()}


def first(raw: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = raw["spec"]["template"]["spec"]["containers"][0]
    return found


def by_kn(line: str, raw: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    return kn_model.run(line, raw, variables(raw, wanted), base_revision(raw))


def keeps_a_name(raw: dict[str, Any], written: dict[str, Any]) -> bool:
    before, after = raw["spec"]["template"], written["spec"]["template"]
    name = (before.get("metadata") or {}).get("name")
    return (
        bool(name) and after["metadata"].get("name") == name and kn_meaning.pruned(before) != kn_meaning.pruned(after)
    )


@given(services, all_changes)
def test_each_command_writes_what_the_change_writes(raw: dict[str, Any], change: Change) -> None:
    try:
        wanted = change.apply(Service(raw)).raw
    except ChangeRefused:
        return
    if wanted == raw:
        return  # nothing to show a command for
    if line := shown(change, raw):
        assert MASK not in line
        written = by_kn(line, raw, dict(wanted))
        assert kn_meaning.meant(written) == kn_meaning.meant(dict(wanted)), line
        assert not keeps_a_name(raw, written), "the webhook refuses another template of the same name"


@given(services, services, st.sampled_from(["metadata", "template", "container", "traffic"]), st.integers(0, 20))
def test_each_command_writes_what_an_edited_manifest_says(
    raw: dict[str, Any], other: dict[str, Any], part: str, number: int
) -> None:
    edited = copy.deepcopy(raw)
    if part == "metadata":
        edited["metadata"]["labels"] = other["metadata"].get("labels") or {}
        edited["metadata"]["annotations"] = other["metadata"].get("annotations") or {}
    elif part == "container":
        field = sorted(first(other))[number % len(first(other))]
        first(edited)[field] = first(other)[field]
    else:
        edited["spec"][part] = copy.deepcopy(other["spec"][part])
    found = update(Service(raw), Service(edited))
    assert bool(found.text) != bool(found.limit) or raw == edited
    if found.text:
        assert kn_meaning.meant(by_kn(found.text, raw, edited)) == kn_meaning.meant(edited), found.text


ALONE = alone(factories.service())
ORDINARY: list[tuple[Change, str]] = [
    (SetImage("app", "r.example.com/a:2"), "--image r.example.com/a:2"),
    (SetTimeout(60), "--timeout 60 --image registry.example.com/shop:1.4"),
    (SetEnv("app", (EnvEntry("TOKEN", "x"), EnvEntry("my.var", "y"), EnvEntry("PATH", "/"))),
     '--env TOKEN="$TOKEN" --env my.var="$VALUE_2" --env PATH="$VALUE_3" --image registry.example.com/shop:1.4'),
    (SetEnv("app", (EnvEntry("A", "", "secret", "db", "key"),), ("TARGET",)),
     "--env-value-from A=secret:db:key --env TARGET- --image registry.example.com/shop:1.4"),
    (KeepDigest("app", DIGEST), f"--image registry.example.com/shop@{DIGEST}"),
    (Redeploy(NOW), "--image registry.example.com/shop:1.4"),
    (SetScale({"min": "0", "max": None, "target": "0.7"}),
     "--scale-min 0 --annotation-revision autoscaling.knative.dev/target=0.7 --image registry.example.com/shop:1.4"),
    (SetScale({"min": None}),
     "--annotation autoscaling.knative.dev/min-scale- --image registry.example.com/shop:1.4"),
    (SetVisibility(True), "--cluster-local"),
    (SetPullPolicy("app", "Always"), "--pull-policy Always"),
    (SplitTraffic((TrafficTarget("shop-00003", 10, "old"), TrafficTarget(None, 90))),
     "--tag shop-00003=old --traffic old=10,@latest=90"),
    (SetProbe("app", "livenessProbe", {"exec": {"command": ["cat", "/tmp/up"]}, "periodSeconds": 5}),
     "--probe-liveness exec:cat,/tmp/up --probe-liveness-opts periodSeconds=5 --image registry.example.com/shop:1.4"),
    (SetVolumes("app", (("/fast", "empty-dir", ""),), (), {"/fast": {"medium": "Memory", "size": "1Gi"}}),
     "--volume fast-65ab5b42=emptyDir:fast-65ab5b42:type=Memory,size=1Gi --mount /fast=fast-65ab5b42 "
     "--image registry.example.com/shop:1.4"),
    (SetVolumes("app", (("/data", "secret", "db"),), ("/etc/shop",)),
     "--mount /data=secret:db --mount /etc/shop- --volume config- --image registry.example.com/shop:1.4"),
    (Combined((SetTimeout(60), SetRevisionName("shop-blue"))),
     "--timeout 60 --revision-name shop-blue --image registry.example.com/shop:1.4"),
    (Deploy((SetImage("app", "r.example.com/a:2"), SetEnv("app", (EnvEntry("TARGET", "x"),)),
             SetResources("app", {}, {"memory": "1Gi"}), RouteNewRevision(10))),
     '--env TARGET="$TARGET" --limit memory=1Gi --traffic shop-00004=90,@latest=10 --image r.example.com/a:2'),
    (Deploy((SetImage("app", "r.example.com/a:2"), RouteNewRevision(0, "candidate"))),
     "--tag @latest=candidate --traffic shop-00004=100 --image r.example.com/a:2"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "flags"), ORDINARY, ids=lambda value: value if isinstance(value, str) else "")
def test_an_ordinary_change_has_a_command(change: Change, flags: str) -> None:
    line = shown(change, ALONE)
    assert line == f"kn service update shop --namespace default {flags}"
    wanted = dict(change.apply(Service(ALONE)).raw)
    assert kn_meaning.meant(by_kn(line, ALONE, wanted)) == kn_meaning.meant(wanted)


PLAIN = plain(factories.service())
LIMITED: list[tuple[KnLimit, dict[str, Any], Change]] = [
    (KnLimit.OTHER_CONTAINER, PLAIN, SetImage("sidecar", "r.example.com/log:3")),
    (KnLimit.OTHER_CONTAINER, sidecar_first(factories.service()), SetEnv("app", (EnvEntry("A", "b"),))),
    (KnLimit.NAMED_TEMPLATE, factories.service(), SetTimeout(60)),
    (KnLimit.NAMED_TEMPLATE, factories.service(), SetLabels({"tier": "back"})),
    (KnLimit.NO_FLAG, PLAIN, ReplaceManifest({**PLAIN, "spec": {**PLAIN["spec"], "tomorrow": 1}})),
    (KnLimit.NO_REMOVAL, PLAIN, SetTimeout(None)),
    (KnLimit.NO_REMOVAL, PLAIN, SetProbe("app", "readinessProbe", None)),
    (KnLimit.ENV_FROM, PLAIN, SetEnvFrom("app", (EnvSource("secret", "more", "P_"),))),
    (KnLimit.PROBE, PLAIN, SetProbe("app", "startupProbe", {"tcpSocket": {}})),
    (KnLimit.PROBE, PLAIN, SetProbe("app", "livenessProbe", {"exec": {"command": ["sh", "-c", "a,b"]}})),
    (KnLimit.PULL_SECRETS, PLAIN, SetPullSecrets(("one", "two"))),
    (KnLimit.TOLERATIONS, PLAIN, SetPlacement({}, ({"key": "a"}, {"key": "b"}))),
    (KnLimit.MOUNT, PLAIN, SetVolumes("app", (("/data", "claim", "disk"),), (), {"/data": {"read-only": "true"}})),
    (KnLimit.TRAFFIC, PLAIN, SplitTraffic((TrafficTarget(None, 100, "a"), TrafficTarget(None, 0, "b")))),
]  # fmt: skip


@pytest.mark.parametrize(("limit", "raw", "change"), LIMITED, ids=[limit for limit, _raw, _change in LIMITED])
def test_what_kn_cannot_express_has_a_reason(limit: KnLimit, raw: dict[str, Any], change: Change) -> None:
    found = command(change, Service(raw), change.apply(Service(raw)))
    assert (found.text, found.limit) == ("", limit)


def test_variables_that_are_listed_twice_and_annotations_on_both_sides_are_no_work_for_kn() -> None:
    twice = copy.deepcopy(PLAIN)
    first(twice)["env"].append({"name": "TARGET", "value": "Second"})
    edited = copy.deepcopy(twice)
    first(edited)["env"][-1]["value"] = "Third"
    assert update(Service(twice), Service(edited)).limit is KnLimit.VARIABLES
    both = copy.deepcopy(PLAIN)
    both["metadata"]["annotations"]["a"] = both["spec"]["template"]["metadata"]["annotations"]["a"] = "b"
    removed = SetAnnotations({"a": None}, "revision").apply(Service(both))
    assert update(Service(both), removed).limit is KnLimit.ANNOTATION_ON_BOTH


def test_a_service_label_makes_a_revision_with_kn_only() -> None:
    after = SetLabels({"tier": "back"}).apply(Service(PLAIN))
    assert update(Service(PLAIN), after).adds_revision
    assert not update(Service(PLAIN), SetVisibility(True).apply(Service(PLAIN))).adds_revision


def test_a_revision_is_deleted_by_its_own_command() -> None:
    service = Service(PLAIN)
    found = command(DeleteRevision("shop-00001"), service, service)
    assert found.text == "kn revision delete shop-00001 --namespace default"

"""Whatever an object holds: its forms come back untouched without a difference, and one field changes one field."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.knative import changes
from console.knative.diff import diff
from console.knative.objects import Service
from console.web.forms.scale import OperateForm
from console.web.forms.settings import SettingsForm
from tests.knative import strategies
from tests.sweeps import examples
from tests.web.sent_back import sent_back

NAME = ("spec", "template", "metadata", "name")  # every template edit clears it
AUTOSCALING = "autoscaling.knative.dev/"

texts = st.text("ab \n\r\t\v\u2028\u0085\u00a0\u200b\"'\\=:,#é中", max_size=6)
names = st.sampled_from(["a", "b", "c.example.com/D", "Caps.Example/X", "x-1"])
pairs = st.dictionaries(names, texts, max_size=3)
numbers = st.sampled_from(["0", "1", "010", "+5", "0.7", "70.5", "1e1", "", "soon", " 3 ", "7\n"])
scales = st.dictionaries(
    st.sampled_from(
        (
            *("min-scale", "minScale", "max-scale", "maxScale", "initialScale", "target", "metric", "window"),
            *(
                "target-utilization-percentage",
                "targetUtilizationPercentage",
                "class",
            ),
        )
    ).map(lambda name: AUTOSCALING + name),
    numbers | texts,
    max_size=4,
)
handlers = st.one_of(
    st.lists(texts, min_size=1, max_size=3).map(lambda words: {"exec": {"command": words}}),
    st.fixed_dictionaries({"path": texts, "port": st.sampled_from([0, 80, "http", "80"])}).map(
        lambda http: {"httpGet": http}
    ),
    st.sampled_from([{"tcpSocket": {}}, {"tcpSocket": {"port": 0}}, {"grpc": {"port": 1, "service": ""}}, {"new": 1}]),
)
probes = st.builds(
    lambda handler, more: {**handler, **more},
    handlers,
    st.dictionaries(st.sampled_from(["periodSeconds", "successThreshold", "tomorrow"]), st.integers(1, 3)),
)
origins = st.fixed_dictionaries(
    {},
    optional={
        "prefix": texts,
        "secretRef": st.fixed_dictionaries({"name": texts}, optional={"optional": st.booleans()}),
        "configMapRef": st.fixed_dictionaries({"name": names}, optional={"tomorrow": st.just(1)}),
    },
)
sources = st.sampled_from(
    [
        {"secret": {"secretName": "s", "optional": True, "items": [{"key": "a", "path": "b"}]}},
        {"secret": {}},
        {"configMap": {"name": "c", "defaultMode": 256}},
        {"emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}},
        {"emptyDir": None},
        {"persistentVolumeClaim": {"claimName": "d", "readOnly": True}},
        {"projected": {"sources": []}},
        {"hostPath": {"path": "/x"}},
    ]
)
mounts = st.fixed_dictionaries(
    {"name": st.sampled_from(["v0", "v1", "v2"]), "mountPath": texts.map(lambda text: f"/{text}")},
    optional={"readOnly": st.booleans(), "subPath": texts, "subPathExpr": st.just("$(A)")},
)
tolerations = st.fixed_dictionaries(
    {},
    optional={
        "key": names,
        "operator": st.sampled_from(["Exists", "Equal", ""]),
        "value": texts,
        "effect": st.sampled_from(["NoSchedule", "NoExecute", "", "new"]),
        "tolerationSeconds": st.just(5),
    },
)
containers = st.fixed_dictionaries(
    {},
    optional={
        "args": st.lists(texts, max_size=4),
        "command": st.lists(texts, max_size=2),
        "envFrom": st.lists(origins, max_size=3),
        "volumeMounts": st.lists(mounts, max_size=3, unique_by=lambda mount: str(mount["mountPath"])),
        "livenessProbe": probes,
        "startupProbe": probes,
        "imagePullPolicy": st.sampled_from(["Always", "Sometimes"]),
        "ports": st.sampled_from([[{"containerPort": 80, "name": "h2c", "protocol": "TCP"}], [{"name": "odd"}], []]),
        "resources": st.fixed_dictionaries(
            {}, optional={"requests": st.dictionaries(st.sampled_from(["cpu", "gpu", "x.y/z"]), numbers)}
        ),
        "securityContext": st.fixed_dictionaries({}, optional={"runAsUser": st.integers(0, 9), "new": st.none()}),
    },
)
pods = st.fixed_dictionaries(
    {},
    optional={
        "volumes": st.lists(sources, max_size=3).map(lambda all: [{"name": f"v{n}", **s} for n, s in enumerate(all)]),
        "tolerations": st.lists(tolerations, max_size=3),
        "imagePullSecrets": st.lists(st.fixed_dictionaries({"name": names}, optional={"new": st.just(1)}), max_size=3),
        "nodeSelector": pairs,
        "timeoutSeconds": st.integers(0, 9999),
        "containerConcurrency": st.integers(0, 9999),
    },
)


@st.composite
def hard_services(draw: st.DrawFn) -> dict[str, Any]:
    """A service of the shapes that a text cannot simply say."""
    raw = draw(strategies.services())
    template = raw["spec"]["template"]
    template["metadata"] = {"annotations": {**draw(pairs), **draw(scales)}, "labels": draw(pairs)}
    raw["metadata"] |= {"annotations": draw(pairs), "labels": draw(pairs)}
    template["spec"] |= draw(pods)
    template["spec"]["containers"][0] |= draw(containers)
    found: dict[str, Any] = json.loads(json.dumps(raw))
    return found


def changed(form: Any, raw: dict[str, Any]) -> set[tuple[str, ...]]:
    """The fields that a sent form changes."""
    assert form.is_valid(), form.errors
    if form.change is None:
        return set()
    after = changes.load(changes.dump(form.change)).apply(Service(copy.deepcopy(raw)))
    return {row.path for row in diff(raw, after.raw)} - {NAME}


slow = settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])


@slow
@given(hard_services())
def test_the_settings_of_any_service_come_back_untouched_without_a_difference(raw: dict[str, Any]) -> None:
    service = Service(raw)
    for container in service.containers:
        shown = SettingsForm(service, container)
        assert changed(SettingsForm(service, container, sent_back(shown)), raw) == set()


@slow
@given(hard_services(), hard_services())
def test_one_field_changes_one_field_though_everything_else_has_changed_meanwhile(
    opened: dict[str, Any], now: dict[str, Any]
) -> None:
    shown = SettingsForm(Service(opened), Service(opened).containers[0])
    data = sent_back(shown, service_account="typed")
    form = SettingsForm(Service(now), Service(now).containers[0], data)
    assert changed(form, now) == {("spec", "template", "spec", "serviceAccountName")}


@slow
@given(hard_services(), hard_services())
def test_an_operator_changes_one_scale_though_the_others_have_changed_meanwhile(
    opened: dict[str, Any], now: dict[str, Any]
) -> None:
    data = sent_back(OperateForm(Service(opened)), activation="99999")
    field = ("spec", "template", "metadata", "annotations", f"{AUTOSCALING}activation-scale")
    assert changed(OperateForm(Service(now), data), now) == {field}


@slow
@given(hard_services(), st.sampled_from(["arguments", "command", "env_from", "mounts", "pull_secrets", "annotations"]))
def test_a_line_that_is_appended_leaves_all_other_entries(raw: dict[str, Any], field: str) -> None:
    rows = {"env_from": {"name": "brand-new"}, "mounts": {"path": "/brand-new", "kind": "empty-dir"}}
    shown = SettingsForm(Service(raw), Service(raw).containers[0])
    data = sent_back(shown, rows={field: rows[field]} if field in rows else None)
    if field not in rows:
        data[field] += "\r\nbrand-new=1" if field == "annotations" else "\r\nbrand-new"
    form = SettingsForm(Service(raw), Service(raw).containers[0], data)
    assert form.is_valid(), form.errors
    assert form.change is not None
    before, after = raw["spec"]["template"]["spec"], form.change.apply(Service(raw)).template_spec
    for key in ("imagePullSecrets", "volumes"):
        present = before.get(key) or []
        assert (after.get(key) or [])[: len(present)] == present
    for key in ("args", "command", "envFrom", "volumeMounts"):
        present = before["containers"][0].get(key) or []
        assert (after["containers"][0].get(key) or [])[: len(present)] == present

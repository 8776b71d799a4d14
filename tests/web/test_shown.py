"""A form never rewrites what it cannot say: what nobody touched is no change, whatever the object holds."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from console.knative import changes
from console.knative.changes.volumes import volume_name
from console.knative.diff import diff
from console.knative.objects import Service
from console.web.forms.scale import OperateForm
from console.web.forms.settings import SettingsForm
from tests import factories
from tests.sweeps import sample, sweep
from tests.web.sent_back import sent_back

AUTOSCALING = "autoscaling.knative.dev/"
NAME = "spec.template.metadata.name"  # every template edit clears it
Raw = dict[str, Any]


def with_container(**fields: Any) -> Raw:
    raw = factories.service()
    raw["spec"]["template"]["spec"]["containers"][0].update(fields)
    return raw


def with_pod(**fields: Any) -> Raw:
    raw = factories.service()
    raw["spec"]["template"]["spec"].update(fields)
    return raw


def with_scale(**annotations: str) -> Raw:
    raw = factories.service()
    found = {f"{AUTOSCALING}{name.replace('_', '-')}": value for name, value in annotations.items()}
    raw["spec"]["template"]["metadata"]["annotations"] = found
    return raw


def with_metadata(**fields: Any) -> Raw:
    raw = factories.service()
    raw["metadata"].update(copy.deepcopy(fields))
    raw["spec"]["template"]["metadata"].update(copy.deepcopy(fields))
    return raw


def mounted(volume: Raw, **mount: Any) -> Raw:
    raw = with_pod(volumes=[{"name": "v", **volume}, {"name": "w", "emptyDir": {}}])
    mounts = [{"name": "v", "mountPath": "/v", **mount}, {"name": "w", "mountPath": "/w"}]
    raw["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = mounts
    return raw


HARD: dict[str, Raw] = {
    "a script as an argument": with_container(args=["set -e\n./migrate\nexec ./server\n"]),
    "empty and blank arguments": with_container(args=["--prefix", "", "--separator", " ", "--verbose"]),
    "arguments with other line ends": with_container(args=["a\u2028b", "c\vd", "e\rf", "g\r\nh", "i\x85j", "\tk "]),
    "a quoted argument": with_container(args=['"x"', '"', '""', "\\n", "\\"], command=[" "]),
    "the same argument twice": with_container(args=["-v", "-v"]),
    "an argument that nobody can see": with_container(args=["\u200b", "\u00a0", "\ufeff"]),
    "a probe with a script": with_container(
        livenessProbe={"exec": {"command": ["sh", "-c", 'set -e\ntest -f /tmp/ok\necho "ok"']}}
    ),
    "a probe with a carriage return": with_container(livenessProbe={"exec": {"command": ["sh", "-c", "a\rb"]}}),
    "a probe with headers": with_container(
        startupProbe={"httpGet": {"path": "/", "httpHeaders": [{"name": "Host", "value": "x"}], "host": "a.b"}}
    ),
    "a probe of two handlers": with_container(startupProbe={"httpGet": {"path": "/"}, "tcpSocket": {"port": 1}}),
    "a probe that says the defaults": with_container(
        readinessProbe={"httpGet": {"path": "/", "port": 0, "scheme": "HTTP"}, "successThreshold": 1}
    ),
    "a probe of a named service": with_container(readinessProbe={"grpc": {"port": 80, "service": ""}}),
    "a metric of the cluster's own": with_scale(
        **{"class": "hpa.autoscaling.knative.dev", "metric": "queue_depth", "target": "20"}
    ),
    "a number with a leading zero": with_scale(max_scale="010", min_scale="+1"),
    "a target below one": with_scale(target="0.7"),
    "a utilization with a fraction": with_scale(target_utilization_percentage="70.5", window="1m0s"),
    "older spellings": with_scale(minScale="2", maxScale="7", initialScale="1", targetUtilizationPercentage="70.5"),
    "both spellings": with_scale(minScale="2", min_scale="3"),
    "capitals in the key of an annotation": with_metadata(annotations={"Example.COM/Owner": "Shop", "Team": "x"}),
    "annotations with line ends": with_metadata(
        annotations={"a": "x\vy", "b": "x\u2028y", "c": "x\ny\n", "d": " x ", "e": "x\ry", "f": '"q"', "g": "a=b=c"}
    ),
    "annotations of Knative that people write": with_metadata(
        annotations={
            "serving.knative.dev/rollout-duration": "10m",
            "serving.knative.dev/progress-deadline": "900s",
            "autoscaling.knative.dev/class": "kpa.autoscaling.knative.dev",
        }
    ),
    "secrets with modes": mounted({"secret": {"secretName": "s", "optional": True, "defaultMode": 288}}, readOnly=True),
    "a secret of one key": mounted({"secret": {"secretName": "s", "items": [{"key": "a", "path": "b"}]}}),
    "a projected volume": mounted({"projected": {"sources": [{"secret": {"name": "s"}}]}}),
    "a folder in memory": mounted({"emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}}, subPath="a b/c"),
    "a mount that says how it spreads": mounted({"emptyDir": {}}, mountPropagation="None", readOnly=False),
    "a mount whose path has a line end": mounted({"emptyDir": {}}, subPath="a\rb"),
    "sources of variables with prefixes": with_container(
        envFrom=[
            {"secretRef": {"name": "db"}},
            {"prefix": "A_", "secretRef": {"name": "db"}},
            {"configMapRef": {"name": "flags", "optional": True}},
            {"secretRef": {"name": "db"}},
        ]
    ),
    "a port with its transport": with_container(ports=[{"containerPort": 8080, "name": "h2c", "protocol": "TCP"}]),
    "tolerations of every kind": with_pod(
        tolerations=[
            {"operator": "Exists"},
            {"key": "gpu", "operator": "Equal", "value": "true", "effect": "NoSchedule"},
            {"key": "spot", "value": "x"},
            {"key": "slow", "operator": "Exists", "tolerationSeconds": 5},
            {"key": "later", "tomorrow": 1},
        ],
        nodeSelector={"kubernetes.io/arch": "arm64", "zone": ""},
    ),
    "the same pull secret twice": with_pod(imagePullSecrets=[{"name": "a"}, {"name": "b"}, {"name": "a"}]),
    "numbers that are zero": with_pod(timeoutSeconds=0, containerConcurrency=0),
    "a user of the system": with_container(securityContext={"runAsUser": 0, "runAsNonRoot": False}),
    "empty lists": with_container(args=[], command=[], envFrom=[], volumeMounts=[]),
    "more than the limits of this console": with_pod(timeoutSeconds=9000, containerConcurrency=5000),
    "many arguments": with_container(args=[f"--flag-{number}" for number in range(500)]),
    "quantities of every kind": with_container(
        resources={"requests": {"cpu": "0.10", "memory": "1e3"}, "limits": {"ephemeral-storage": "1Gi", "x.y/z": "1"}}
    ),
    "odd times of operations": with_metadata(annotations={"sluice.dev/deadline": "soon", "sluice.dev/x": "1"}),
}  # fmt: skip


def settings_of(raw: Raw, data: dict[str, str] | None = None, container: int = 0) -> SettingsForm:
    service = Service(raw)
    return SettingsForm(service, service.containers[container], data, capabilities=factories.capabilities())


def operate_of(raw: Raw, data: dict[str, str] | None = None) -> OperateForm:
    return OperateForm(Service(raw), data, capabilities=factories.capabilities())


def changed(
    make: Callable[..., SettingsForm | OperateForm], raw: Raw, typed: Mapping[str, Any], now: Raw | None = None
) -> dict[str, str | None]:
    """What differs after the form was opened on `raw`, typed into, and sent when the service was `now`."""
    before = copy.deepcopy(now or raw)
    form = make(copy.deepcopy(before), sent_back(make(copy.deepcopy(raw)), **typed))
    assert form.is_valid(), form.errors
    if form.change is None:
        return {}
    after = changes.load(changes.dump(form.change)).apply(Service(copy.deepcopy(before)))
    return {row.field: row.after for row in diff(before, after.raw) if row.field != NAME}


@sweep
@pytest.mark.parametrize("name", sample(HARD, one_in=4))
@pytest.mark.parametrize("make", [settings_of, operate_of])
def test_a_form_that_comes_back_untouched_means_no_change(make: Any, name: str) -> None:
    assert changed(make, HARD[name], {}) == {}


@sweep
@pytest.mark.parametrize("name", sample(HARD, one_in=4))
def test_one_field_of_the_settings_changes_one_field(name: str) -> None:
    assert changed(settings_of, HARD[name], {"timeout": "77"}) == {"spec.template.spec.timeoutSeconds": "77"}


@sweep
@pytest.mark.parametrize("name", sample(HARD, one_in=4))
def test_one_field_of_an_operator_changes_one_field(name: str) -> None:
    assert changed(operate_of, HARD[name], {"activation": "2"}) == {
        "spec.template.metadata.annotations['autoscaling.knative.dev/activation-scale']": "2"
    }


APP = "spec.template.spec.containers[app]"
NEW = volume_name("/new")
SCALE = "spec.template.metadata.annotations['autoscaling.knative.dev/{}']"


def typed_after(raw: Raw, field: str, more: str) -> dict[str, str]:
    """A line that somebody adds to those that the field shows."""
    shown = sent_back(settings_of(raw))[field]
    return {field: f"{shown}\r\n{more}" if shown else more}


@pytest.mark.parametrize(
    ("name", "field", "more", "expected"),
    [
        ("a script as an argument", "arguments", "x",
         {f"{APP}.args": '["set -e\\n./migrate\\nexec ./server\\n", "x"]'}),
        ("empty and blank arguments", "arguments", "x",
         {f"{APP}.args": '["--prefix", "", "--separator", " ", "--verbose", "x"]'}),
        ("arguments with other line ends", "command", '"a\\nb"', {f"{APP}.command": '["a\\nb"]'}),
        ("the same pull secret twice", "pull_secrets", "c",
         {"spec.template.spec.imagePullSecrets[c].name": "c"}),
        ("capitals in the key of an annotation", "annotations", "Foo/Bar=1", {"metadata.annotations[Foo/Bar]": "1"}),
        ("annotations with line ends", "annotations", 'z="1\\n2"', {"metadata.annotations.z": "1\n2"}),
        ("a projected volume", "mounts", {"path": "/new", "kind": "empty-dir"},
         {f"{APP}.volumeMounts[/new].name": NEW, f"{APP}.volumeMounts[/new].mountPath": "/new",
          f"spec.template.spec.volumes[{NEW}].name": NEW, f"spec.template.spec.volumes[{NEW}].emptyDir": "{}"}),
        ("quantities of every kind", "other_resources", {"name": "a.b/c", "limit": "2"},
         {f"{APP}.resources.limits['a.b/c']": "2"}),
    ],
)  # fmt: skip
def test_a_line_that_is_added_changes_nothing_beside_it(
    name: str, field: str, more: str | dict[str, str], expected: dict[str, str]
) -> None:
    typed = {"rows": {field: more}} if isinstance(more, dict) else typed_after(HARD[name], field, more)
    found = changed(settings_of, HARD[name], typed)
    assert {key.replace("'", ""): value for key, value in found.items()} == {
        key.replace("'", ""): value for key, value in expected.items()
    }


@pytest.mark.parametrize(
    ("raw", "typed", "field", "value"),
    [
        ("a metric of the cluster's own", {"metric": "rps"}, SCALE.format("metric"), "rps"),
        ("a number with a leading zero", {"max": "11"}, SCALE.format("max-scale"), "11"),
        ("a target below one", {"target": "0.5"}, SCALE.format("target"), "0.5"),
        ("older spellings", {"min": "3"}, SCALE.format("minScale"), "3"),
        ("older spellings", {"utilization": "71.5"}, SCALE.format("targetUtilizationPercentage"), "71.5"),
        ("both spellings", {"min": "4"}, SCALE.format("min-scale"), "4"),
    ],
)
@pytest.mark.parametrize("make", [settings_of, operate_of])
def test_a_scale_changes_in_its_own_spelling(
    make: Any, raw: str, typed: dict[str, str], field: str, value: str
) -> None:
    assert changed(make, HARD[raw], typed) == {field: value}


def test_older_spellings_of_a_scale_are_shown() -> None:
    form = operate_of(HARD["older spellings"])
    shown = [form[name].value() for name in ("min", "max", "initial", "utilization")]
    assert shown == ["2", "7", "1", "70.5"]
    assert operate_of(HARD["both spellings"])["min"].value() == "3", "the newer one is what Knative reads"


def test_the_port_and_its_protocol_change_by_themselves() -> None:
    raw = HARD["a port with its transport"]
    assert changed(settings_of, raw, {"port": "9090"}) == {
        f"{APP}.ports": '[{"containerPort": 9090, "name": "h2c", "protocol": "TCP"}]'
    }
    assert changed(settings_of, raw, {"protocol": ""}) == {
        f"{APP}.ports": '[{"containerPort": 8080, "protocol": "TCP"}]'
    }


def test_a_toleration_that_no_row_can_say_stays_when_another_is_added() -> None:
    raw = HARD["tolerations of every kind"]
    row = {"key": "new", "operator": "Exists", "effect": "NoExecute"}
    form = settings_of(raw, sent_back(settings_of(raw), rows={"tolerations": row}))
    assert form.is_valid(), form.errors
    assert form.change is not None
    kept = form.change.apply(Service(raw)).template_spec["tolerations"]
    assert kept == [
        *raw["spec"]["template"]["spec"]["tolerations"],
        {"key": "new", "operator": "Exists", "effect": "NoExecute"},
    ]


@pytest.mark.parametrize(
    ("name", "field", "text"),
    [
        ("a probe of two handlers", "startup", "tcpSocket"),
        ("a projected volume", "mounts", "projected"),
        ("tolerations of every kind", "tolerations", "tomorrow"),
    ],
)
def test_what_a_field_cannot_say_is_shown_beside_it(name: str, field: str, text: str) -> None:
    assert text in " ".join(settings_of(HARD[name]).fields[field].beyond)


def test_a_probe_that_controls_cannot_say_is_read_only_and_stays() -> None:
    raw = HARD["a probe of two handlers"]
    form = settings_of(raw)
    assert form.fields["startup"].disabled
    with pytest.raises(KeyError):
        sent_back(form, **{"startup-kind": "tcp"})
    assert changed(settings_of, raw, {}) == {}


EDITS: dict[str, Callable[[Raw], object]] = {
    "arguments": lambda raw: _app(raw).update(args=["--other"]),
    "scale": lambda raw: raw["spec"]["template"]["metadata"]["annotations"].update({f"{AUTOSCALING}min-scale": "9"}),
    "concurrency": lambda raw: raw["spec"]["template"]["spec"].update(containerConcurrency=99),
    "probe": lambda raw: _app(raw).update(readinessProbe={"tcpSocket": {"port": 0}}),
    "sources": lambda raw: _app(raw).update(envFrom=[{"secretRef": {"name": "others"}}]),
    "mounts": lambda raw: (_app(raw).pop("volumeMounts"), raw["spec"]["template"]["spec"].pop("volumes")),
    "resources": lambda raw: _app(raw).update(resources={"limits": {"cpu": "9"}}),
    "labels": lambda raw: raw["metadata"].update(labels={"other": "1"}),
    "annotations": lambda raw: raw["metadata"]["annotations"].update(other="1"),
    "visibility": lambda raw: raw["metadata"]["labels"].update({"networking.knative.dev/visibility": "cluster-local"}),
    "pull secrets": lambda raw: raw["spec"]["template"]["spec"].update(imagePullSecrets=[{"name": "other"}]),
    "tolerations": lambda raw: raw["spec"]["template"]["spec"].update(tolerations=[{"key": "a"}]),
    "port": lambda raw: _app(raw).update(ports=[{"containerPort": 9999}]),
    "a metric": lambda raw: raw["spec"]["template"]["metadata"]["annotations"].update({f"{AUTOSCALING}metric": "own"}),
}  # fmt: skip


def _app(raw: Raw) -> Raw:
    found: Raw = raw["spec"]["template"]["spec"]["containers"][0]
    return found


@pytest.mark.parametrize("edit", EDITS)
def test_what_somebody_else_changed_while_the_form_was_open_is_not_put_back(edit: str) -> None:
    now = factories.service()
    EDITS[edit](now)
    assert changed(settings_of, factories.service(), {}, now) == {}
    assert changed(settings_of, factories.service(), {"timeout": "77"}, now) == {
        "spec.template.spec.timeoutSeconds": "77"
    }


@pytest.mark.parametrize("edit", ["scale", "concurrency", "a metric"])
def test_an_operator_does_not_put_back_what_somebody_else_scaled(edit: str) -> None:
    now = factories.service()
    EDITS[edit](now)
    assert changed(operate_of, factories.service(), {"max": "5"}, now) == {SCALE.format("max-scale"): "5"}


@pytest.mark.parametrize(
    ("edit", "typed", "expected"),
    [
        ("labels", {"labels": "app=shop\r\ntier=back"}, {"metadata.labels.tier": "back"}),
        ("labels", {"labels": "tier=front"}, {}),
        ("port", {"protocol": "http1"}, {f"{APP}.ports": '[{"containerPort": 9999, "name": "http1"}]'}),
        ("pull secrets", {"pull_secrets": "mine"}, {"spec.template.spec.imagePullSecrets[mine].name": "mine"}),
        ("probe", {"readiness-period": "5"}, {f"{APP}.readinessProbe.periodSeconds": "5"}),
    ],
)
def test_an_edit_of_a_list_keeps_what_somebody_else_put_into_it(
    edit: str, typed: dict[str, str], expected: dict[str, str]
) -> None:
    now = factories.service()
    EDITS[edit](now)
    assert changed(settings_of, factories.service(), typed, now) == expected


def test_a_field_that_was_touched_is_checked_though_what_it_showed_was_not() -> None:
    raw = HARD["more than the limits of this console"]
    form = settings_of(raw, sent_back(settings_of(raw), timeout="9001", concurrency="5000"))
    assert not form.is_valid()
    assert set(form.errors) == {"timeout"}


@pytest.mark.parametrize("field", ["labels", "annotations", "revision_labels", "revision_annotations", "node_selector"])
def test_a_key_that_is_typed_twice_is_refused_as_yaml_refuses_it(field: str) -> None:
    raw = factories.service()
    form = settings_of(raw, sent_back(settings_of(raw), **typed_after(raw, field, "new=1\r\nnew=2")))
    assert not form.is_valid()
    assert "“new” is listed twice" in str(form.errors[field])


def test_a_path_that_is_mounted_twice_is_refused_beside_the_field() -> None:
    raw = factories.service()
    form = settings_of(raw, sent_back(settings_of(raw), rows={"mounts": {"path": "/etc/shop", "kind": "empty-dir"}}))
    assert not form.is_valid()
    assert "“/etc/shop” is listed twice" in str(form.errors["mounts"])


def test_what_a_form_showed_cannot_be_forged() -> None:
    raw = factories.service()
    data = sent_back(settings_of(raw), timeout="77") | {"shown": "e30:forged"}
    form = settings_of(raw, data)
    assert not form.is_valid()
    assert "Open it again" in str(form.non_field_errors())

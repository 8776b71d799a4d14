"""The settings form: only what was touched changes, and what it cannot say stays."""

from __future__ import annotations

from typing import Any

import pytest

from console.knative import changes
from console.knative.changes import Combined
from console.knative.diff import diff
from console.knative.objects import Service
from console.web.forms.settings import SettingsForm
from tests import factories
from tests.web.sent_back import sent_back

Rows = dict[str, dict[str, str]]


def form_of(service: Service, data: dict[str, Any] | None = None) -> SettingsForm:
    container = service.user_container
    assert container is not None
    return SettingsForm(service, container, data)


def sent(service: Service, rows: Rows | None = None, **typed: str) -> SettingsForm:
    """The form as a browser sends it back with some fields typed over, and some rows added."""
    return form_of(service, sent_back(form_of(service), rows=rows, **typed))


def after(service: Service, rows: Rows | None = None, **typed: str) -> list[tuple[str, str | None, str | None]]:
    """What differs in the service after the change that the form means."""
    form = sent(service, rows, **typed)
    assert form.is_valid(), form.errors
    assert form.change is not None
    changed = changes.load(changes.dump(form.change)).apply(service)
    pinned_name = "spec.template.metadata.name"  # every template edit clears it
    return [(row.field, row.before, row.after) for row in diff(service.raw, changed.raw) if row.field != pinned_name]


@pytest.fixture
def shop() -> Service:
    return Service(factories.service())


def test_a_form_that_comes_back_untouched_means_no_change(shop: Service) -> None:
    form = sent(shop)
    assert form.is_valid(), form.errors
    assert form.change is None


@pytest.mark.parametrize(
    ("typed", "field", "now"),
    [
        ({"min": "3"}, "spec.template.metadata.annotations['autoscaling.knative.dev/min-scale']", "3"),
        ({"concurrency": "50"}, "spec.template.spec.containerConcurrency", "50"),
        ({"timeout": ""}, "spec.template.spec.timeoutSeconds", None),
        ({"response_start": "9"}, "spec.template.spec.responseStartTimeoutSeconds", "9"),
        ({"idle": "0"}, "spec.template.spec.idleTimeoutSeconds", "0"),
        ({"rollout": "90s"}, "metadata.annotations['serving.knative.dev/rollout-duration']", "90s"),
        (
            {"progress_deadline": "2m"},
            "spec.template.metadata.annotations['serving.knative.dev/progress-deadline']",
            "2m",
        ),
        ({"cpu_limit": "2"}, "spec.template.spec.containers[app].resources.limits.cpu", "2"),
        ({"service_account": "other"}, "spec.template.spec.serviceAccountName", "other"),
        ({"command": "/app\n--serve"}, "spec.template.spec.containers[app].command", '["/app", "--serve"]'),
        ({"labels": "app=shop\r\ntier=back"}, "metadata.labels.tier", "back"),
        ({"labels": "app=shop"}, "metadata.labels.tier", None),
        ({"revision_labels": "team=back"}, "spec.template.metadata.labels.team", "back"),
        ({"pull_secrets": "registry"}, "spec.template.spec.imagePullSecrets", None),
    ],
)
def test_one_field_changes_one_field(shop: Service, typed: dict[str, str], field: str, now: str | None) -> None:
    rows = after(shop, **typed)
    assert len(rows) == 1
    assert rows[0][0].startswith(field)
    if now is not None:
        assert rows[0][2] == now


def test_a_mount_comes_with_its_volume_and_the_others_stay(shop: Service) -> None:
    rows = after(shop, {"mounts": {"path": "/etc/tls", "kind": "secret", "name": "shop-tls"}})
    assert {row[2] for row in rows if "/etc/tls" in row[0] or "shop-tls" in row[0]}
    assert not any("/etc/shop" in row[0] for row in rows)


def test_several_rows_of_a_field_can_be_edited() -> None:
    raw = factories.service()
    pod = raw["spec"]["template"]["spec"]
    pod["containers"][0]["volumeMounts"] *= 2
    pod["containers"][0]["volumeMounts"][1] = {"name": "config", "mountPath": "/second"}
    pod["containers"][0]["resources"] = {"limits": {"a.b/c": "1", "a.b/d": "2"}}
    pod["tolerations"] = [{"key": "a"}, {"key": "b"}]
    form = form_of(Service(raw))
    fields = ("env_from", "mounts", "other_resources", "tolerations")
    assert [len(form[name].rows) for name in fields] == [2, 2, 2, 2]
    assert [name for name in fields if form.fields[name].disabled] == []


def test_a_references_list_adds_and_removes(shop: Service) -> None:
    rows = after(shop, {"env_from": {"kind": "secret", "name": "more"}}, **{"env_from-0-name": ""})
    assert len(rows) == 1
    assert "more" in str(rows[0][2])
    assert "shop-env" not in str(rows[0][2])


def test_a_probe_keeps_its_timing_and_one_that_cannot_be_said_is_locked(shop: Service) -> None:
    rows = after(shop, **{"readiness-path": "/healthy", "readiness-port": "9000"})
    assert ("spec.template.spec.containers[app].readinessProbe.httpGet.path", "/ready", "/healthy") in rows
    assert not any("successThreshold" in row[0] for row in rows)
    raw = factories.service()
    raw["spec"]["template"]["spec"]["containers"][0]["livenessProbe"] = {
        "httpGet": {"path": "/"},
        "exec": {"command": ["true"]},
    }
    form = form_of(Service(raw))
    assert form.fields["liveness"].disabled
    forged = form_of(Service(raw), sent_back(form) | {"liveness-kind": "tcp"})
    assert forged.is_valid()
    assert forged.change is None


def test_a_revisions_name_comes_last(shop: Service) -> None:
    form = sent(shop, revision_name="shop-blue", timeout="60")
    assert form.is_valid()
    assert isinstance(form.change, Combined)
    assert isinstance(form.change.changes[-1], changes.SetRevisionName)
    assert form.change.apply(shop).template["metadata"]["name"] == "shop-blue"


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("labels", "no pair"),
        ("labels", "bad key!=x"),
        ("labels", "app=not a value"),
        ("annotations", "=x"),
        ("pull_secrets", "two words"),
        ("revision_name", "Shop"),
        ("window", "soon"),
        ("command", "\n".join("x" * 300)),
    ],
)
def test_what_cannot_be_read_is_said_beside_its_field(shop: Service, field: str, typed: str) -> None:
    form = sent(shop, **{field: typed})
    assert not form.is_valid()
    assert set(form.errors) == {field}


@pytest.mark.parametrize(
    ("field", "texts", "control"),
    [
        ("mounts", {"path": "relative", "kind": "secret", "name": "x"}, "path"),
        ("mounts", {"path": "/path", "kind": "secret"}, "name"),
        ("mounts", {"path": "/path", "kind": "claim", "name": "two words"}, "name"),
        ("mounts", {"path": "/path", "kind": "empty-dir", "size": "much"}, "size"),
        ("mounts", {"path": "/path", "kind": "secret", "name": "x", "items": "a"}, "items"),
        ("mounts", {"path": "/path", "kind": "image", "name": "Not An Image"}, "name"),
        ("mounts", {"path": "/path", "kind": "ephemeral"}, "size"),
        ("env_from", {"kind": "config-map", "prefix": "A_"}, "name"),
        ("env_from", {"name": "x", "prefix": "1-"}, "prefix"),
        ("tolerations", {"value": "x"}, "key"),
        ("tolerations", {"key": "a", "operator": "Exists", "value": "x"}, "value"),
        ("tolerations", {"key": "a", "seconds": "5"}, "seconds"),
        ("tolerations", {"key": "a", "effect": "NoExecute", "seconds": "soon"}, "seconds"),
        ("other_resources", {"name": "cpu", "limit": "1"}, "name"),
        ("other_resources", {"name": "example.com/a"}, "limit"),
        ("other_resources", {"name": "example.com/a", "limit": "x"}, "limit"),
    ],
)
def test_what_is_wrong_in_a_row_is_said_beside_its_control(
    shop: Service, field: str, texts: dict[str, str], control: str
) -> None:
    form = sent(shop, {field: texts})
    assert not form.is_valid()
    assert set(form.errors) == {field}
    wrong = form[field].rows[-1].form
    assert set(wrong.errors) == {control}
    assert str(wrong[control].errors) in form[field].as_field_group()
    assert [row.form.errors for row in form[field].rows[:-1] if row.form.errors] == []


@pytest.mark.parametrize(
    ("texts", "control"),
    [
        ({"kind": "http", "path": "no-slash"}, "path"),
        ({"kind": "tcp", "port": "99999"}, "port"),
        ({"kind": "grpc", "port": ""}, "port"),
        ({"kind": "exec", "command": ""}, "command"),
        ({"kind": "http", "headers": "no colon"}, "headers"),
        ({"kind": "tcp", "period": "often"}, "period"),
    ],
)
def test_what_is_wrong_in_a_probe_is_said_beside_its_control(
    shop: Service, texts: dict[str, str], control: str
) -> None:
    form = sent(shop, **{f"startup-{name}": text for name, text in texts.items()})
    assert not form.is_valid()
    assert set(form.errors) == {"startup"}
    assert set(form["startup"].controls.errors) == {control}
    assert str(form["startup"].controls[control].errors) in form["startup"].as_field_group()


@pytest.mark.parametrize("typed", ["1500ms", "soon", "1.5s"])
@pytest.mark.parametrize("field", ["rollout", "progress_deadline"])
def test_a_duration_that_knative_refuses_is_refused_beside_its_field(shop: Service, field: str, typed: str) -> None:
    form = sent(shop, **{field: typed})
    assert not form.is_valid()
    assert set(form.errors) == {field}


def test_a_rollouts_duration_keeps_the_spelling_that_it_has() -> None:
    raw = factories.service()
    raw["metadata"]["annotations"]["serving.knative.dev/rolloutDuration"] = "60s"
    assert form_of(Service(raw))["rollout"].value() == "60s"
    assert after(Service(raw), rollout="90s") == [
        ("metadata.annotations['serving.knative.dev/rolloutDuration']", "60s", "90s")
    ]


def volume_of(changed: Service, path: str) -> dict[str, Any]:
    """What is mounted at the path, without its name."""
    pod = changed.raw["spec"]["template"]["spec"]
    mounts = pod["containers"][0]["volumeMounts"]
    name = next(mount["name"] for mount in mounts if mount["mountPath"] == path)
    return {key: value for volume in pod["volumes"] if volume["name"] == name for key, value in volume.items()} | {
        "name": ""
    }


def changed_by(service: Service, rows: Rows | None = None, **typed: str) -> Service:
    form = sent(service, rows, **typed)
    assert form.is_valid(), form.errors
    return form.change.apply(service)


def test_an_image_and_an_ephemeral_volume_are_mounted(shop: Service) -> None:
    image = {"path": "/model", "kind": "image", "name": "r.example.com/model:1", "pull_policy": "Always"}
    found = volume_of(changed_by(shop, {"mounts": image}), "/model")
    assert found == {"name": "", "image": {"reference": "r.example.com/model:1", "pullPolicy": "Always"}}
    scratch = {"path": "/scratch", "kind": "ephemeral", "size": "1Gi", "storage_class": "fast"}
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "fast",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    found = volume_of(changed_by(shop, {"mounts": scratch}), "/scratch")
    assert found == {"name": "", "ephemeral": {"volumeClaimTemplate": {"spec": claim}}}


def test_an_edit_of_an_ephemeral_volume_keeps_what_its_row_does_not_say() -> None:
    raw = factories.service()
    spec = {
        "accessModes": ["ReadWriteOnce", "ReadOnlyMany"],
        "storageClassName": "fast",
        "volumeMode": "Filesystem",
        "resources": {"requests": {"storage": "1Gi"}, "limits": {"storage": "4Gi"}},
    }
    pod = raw["spec"]["template"]["spec"]
    template = {"metadata": {"labels": {"a": "b"}}, "spec": spec}
    pod["volumes"][0] = {"name": "config", "ephemeral": {"volumeClaimTemplate": template}}
    row = form_of(Service(raw))["mounts"].rows[0]
    assert (row.form["size"].value(), row.form["storage_class"].value()) == ("1Gi", "fast")
    assert "ReadOnlyMany" in row.note.text
    assert "volumeMode" in row.note.text
    path = "/etc/shop"
    found = volume_of(changed_by(Service(raw), **{"mounts-0-size": "2Gi", "mounts-0-storage_class": ""}), path)
    wanted = {**spec, "resources": {"requests": {"storage": "2Gi"}, "limits": {"storage": "4Gi"}}}
    del wanted["storageClassName"]
    assert found["ephemeral"]["volumeClaimTemplate"] == {"metadata": {"labels": {"a": "b"}}, "spec": wanted}


def test_single_keys_of_a_mount_are_written_changed_and_taken_back() -> None:
    raw = factories.service()
    pod = raw["spec"]["template"]["spec"]
    pod["volumes"][0]["configMap"] |= {"items": [{"key": "a", "path": "b"}], "defaultMode": 256}
    path = "spec.template.spec.volumes[config].configMap.items"
    changed = after(Service(raw), **{"mounts-0-items": "a=b\nc=d"})
    assert [row[0] for row in changed] == [path]
    assert "defaultMode" in form_of(Service(raw))["mounts"].rows[0].note.text
    rows = after(Service(raw), **{"mounts-0-items": ""})
    assert [(field, now) for field, _was, now in rows] == [(path, None)]
    with_mode = factories.service()
    with_mode["spec"]["template"]["spec"]["volumes"][0]["configMap"]["items"] = [{"key": "a", "path": "b", "mode": 256}]
    row = form_of(Service(with_mode))["mounts"].rows[0]
    assert "items" not in [field.name for field in row.more_fields]
    assert "256" in row.note.text
    moved = after(Service(with_mode), **{"mounts-0-path": "/moved"})
    assert not any("items" in field for field, _was, _now in moved)


def test_single_keys_that_two_containers_share_change_for_one_of_them() -> None:
    raw = factories.service()
    pod = raw["spec"]["template"]["spec"]
    pod["containers"][1]["volumeMounts"] = [{"name": "config", "mountPath": "/theirs"}]
    form = sent(Service(raw), **{"mounts-0-items": "a=b"})
    assert form.is_valid(), form.errors
    spec = form.change.apply(Service(raw)).template_spec
    by_name = {volume["name"]: volume for volume in spec["volumes"]}
    theirs = by_name[spec["containers"][1]["volumeMounts"][0]["name"]]
    ours = by_name[spec["containers"][0]["volumeMounts"][0]["name"]]
    assert theirs == {"name": "config", "configMap": {"name": "shop-config"}}
    assert ours["configMap"] == {"name": "shop-config", "items": [{"key": "a", "path": "b"}]}


def test_more_rows_than_a_request_may_carry_are_shown_and_stay() -> None:
    raw = factories.service()
    raw["spec"]["template"]["spec"]["tolerations"] = [{"key": f"k{number}"} for number in range(300)]
    form = form_of(Service(raw))
    assert form.fields["tolerations"].disabled
    assert "k299" in form["tolerations"].as_field_group()
    assert after(Service(raw), timeout="77") == [("spec.template.spec.timeoutSeconds", "120", "77")]


def test_an_empty_field_shows_what_the_cluster_takes_for_it(shop: Service) -> None:
    """Of a readiness probe without a period it is not what Kubernetes takes: Knative asks it without pause."""
    settings = factories.capabilities(config_defaults={"revision-timeout-seconds": "240"})
    container = shop.containers[0]
    form = SettingsForm(shop, container, capabilities=settings)
    assert 'placeholder="240"' in str(form["timeout"])
    assert "Cluster default: 240" in form["timeout"].as_field_group()
    assert 'placeholder="10"' in str(form["liveness"])
    assert 'placeholder="10"' not in str(form["readiness"])

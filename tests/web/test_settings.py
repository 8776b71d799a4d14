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


def form_of(service: Service, data: dict[str, Any] | None = None) -> SettingsForm:
    container = service.user_container
    assert container is not None
    return SettingsForm(service, container, data)


def sent(service: Service, **typed: str) -> SettingsForm:
    """The form as a browser sends it back with some fields typed over."""
    form = form_of(service)
    data = {name: str(form.initial.get(name, "")) for name in form.fields if name != "cluster_local"}
    return form_of(service, {**data, **typed})


def after(service: Service, **typed: str) -> list[tuple[str, str | None, str | None]]:
    """What differs in the service after the change that the form means."""
    form = sent(service, **typed)
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
    form = form_of(shop)
    assert form.initial["mounts"] == "/etc/shop config-map shop-config ro"
    rows = after(shop, mounts="/etc/shop config-map shop-config ro\n/etc/tls secret shop-tls\n/tmp empty-dir")
    assert {row[2] for row in rows if "/etc/tls" in row[0] or "shop-tls" in row[0]}
    assert not any("/etc/shop" in row[0] for row in rows)


def test_a_references_list_adds_and_removes(shop: Service) -> None:
    assert form_of(shop).initial["env_from"] == "secret shop-env\nconfig-map flags"
    rows = after(shop, env_from="config-map flags\nsecret more")
    assert len(rows) == 1
    assert "more" in str(rows[0][2])
    assert "shop-env" not in str(rows[0][2])


def test_a_probe_keeps_its_timing_and_one_that_cannot_be_said_is_locked(shop: Service) -> None:
    rows = after(shop, readiness="http /healthy 9000")
    assert ("spec.template.spec.containers[app].readinessProbe.httpGet.path", "/ready", "/healthy") in rows
    assert not any("successThreshold" in row[0] for row in rows)
    raw = factories.service()
    raw["spec"]["template"]["spec"]["containers"][0]["livenessProbe"] = {
        "httpGet": {"path": "/", "httpHeaders": [{"name": "Host", "value": "x"}]}
    }
    form = form_of(Service(raw))
    assert form.fields["liveness"].disabled
    sent_back = sent(Service(raw), liveness="tcp")
    assert sent_back.is_valid()
    assert sent_back.change is None


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
        ("env_from", "vault x"),
        ("mounts", "relative secret x"),
        ("mounts", "/path vault x"),
        ("mounts", "/path 'open"),
        ("readiness", "ping"),
        ("readiness", "http path"),
        ("readiness", "tcp 99999"),
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

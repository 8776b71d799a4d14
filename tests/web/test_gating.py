"""Forms offer what the gates of a cluster's Knative allow, and say which one is missing."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.http import QueryDict

from console.knative.capabilities import Capabilities
from console.knative.objects import Service
from console.mirror.capabilities import encoded
from console.mirror.store import MirrorWriter
from console.web.forms.settings import SettingsForm
from tests import factories
from tests.web.pages import read

CLOSED = factories.capabilities(config_features={})
MISSING = "Needs kubernetes.podspec-tolerations: enabled in config-features"


def form_of(known: Capabilities, raw: Any = None, data: str | None = None, at: int = 0) -> SettingsForm:
    service = Service(raw or factories.service())
    return SettingsForm(service, service.containers[at], data and QueryDict(data), capabilities=known)


def test_a_field_whose_gate_is_closed_is_not_offered_and_says_what_it_needs() -> None:
    form = form_of(CLOSED)
    assert form.fields["tolerations"].disabled
    assert MISSING in form["tolerations"].as_field_group()
    assert form.fields["node_selector"].disabled
    assert "kubernetes.podspec-nodeselector: enabled" in form["node_selector"].as_field_group()


def test_an_open_gate_is_not_spoken_of() -> None:
    form = form_of(factories.capabilities())
    assert not form.fields["tolerations"].disabled
    assert "podspec-tolerations" not in form["tolerations"].as_field_group()


def test_what_the_service_has_can_be_taken_away_though_the_gate_is_closed() -> None:
    raw = factories.service()
    raw["spec"]["template"]["spec"]["tolerations"] = [{"key": "gpu", "operator": "Exists"}]
    form = form_of(CLOSED, raw)
    assert not form.fields["tolerations"].disabled
    assert MISSING in form["tolerations"].as_field_group()
    emptied = form_of(CLOSED, raw, "tolerations-TOTAL_FORMS=0&tolerations-INITIAL_FORMS=0")
    assert emptied.is_valid()
    after = emptied.change.apply(Service(raw)).raw
    assert "tolerations" not in after["spec"]["template"]["spec"]


def test_gates_that_nobody_may_read_close_nothing() -> None:
    form = form_of(Capabilities())
    assert not form.fields["tolerations"].disabled
    assert "Requires the Knative feature flag kubernetes.podspec-tolerations" in form["tolerations"].as_field_group()


def test_a_volume_whose_gate_is_closed_is_neither_offered_nor_accepted() -> None:
    form = form_of(CLOSED)
    page = form["mounts"].as_field_group()
    assert 'value="claim"' not in page
    assert "PersistentVolumeClaim: Needs kubernetes.podspec-persistent-volume-claim: enabled" in page
    assert 'value="empty-dir"' in page, "that gate is open unless somebody closes it"
    typed = "mounts-TOTAL_FORMS=1&mounts-INITIAL_FORMS=0&mounts-0-path=/data&mounts-0-kind=claim&mounts-0-name=disk"
    sent = form_of(CLOSED, data=typed)
    assert not sent.is_valid()
    assert "Needs kubernetes.podspec-persistent-volume-claim: enabled" in str(sent.errors["mounts"])
    assert form_of(factories.capabilities(), data=typed).is_valid()


def test_probes_of_a_sidecar_need_their_gate_and_those_of_the_serving_container_do_not() -> None:
    assert not form_of(CLOSED).fields["liveness"].disabled
    beside = form_of(CLOSED, at=1)
    assert beside.container.name == "sidecar"
    assert "Needs multi-container-probing: enabled in config-features" in beside["liveness"].as_field_group()


def test_an_unknown_default_is_called_unknown_and_knatives_own_is_named_as_that() -> None:
    form = form_of(Capabilities())
    group = form["timeout"].as_field_group()
    assert "Default unknown (Knative’s own: 300)" in group
    assert "placeholder" not in str(form["timeout"])
    assert "Default unknown" in form["cpu_limit"].as_field_group()


def test_a_limit_that_is_not_known_refuses_nothing() -> None:
    assert form_of(Capabilities(), data="timeout=900").is_valid()
    assert not form_of(factories.capabilities(), data="timeout=900").is_valid()


@pytest.mark.parametrize("page", ["settings", "deploy", "operate"])
def test_every_form_with_defaults_reads_those_of_its_cluster(client, people, mirror: MirrorWriter, page: str) -> None:
    known = factories.capabilities(config_autoscaler={"stable-window": "45s"}, config_features={})
    mirror.keep_capabilities(encoded(known, time.time()))
    client.force_login(people["deployer"])
    text = read(client.get(f"/services/box/default/shop/{page}/")).text
    assert "Cluster default: 45s" in text
    assert ("Needs kubernetes.podspec-tolerations" in text) is (page != "operate")


def test_a_page_of_a_cluster_shows_version_support_gates_and_defaults(client, people, mirror, settings) -> None:
    settings.CLUSTERS = json.dumps([{"name": "box", "url": "https://box.example.com", "token": "x"}])
    known = factories.capabilities("1.15.2", config_gc={"min-non-active-revisions": "5"}, config_network=None)
    mirror.keep_capabilities(encoded(known, time.time()))
    client.force_login(people["administrator"])
    text = read(client.get("/cluster/box/")).text
    assert "1.15.2" in text
    assert "its support ended on 2025-01-21" in text
    assert "kubernetes.podspec-tolerations enabled" in text
    assert "kubernetes.podspec-volumes-image" not in text, "1.15 has no such gate"
    assert "min-non-active-revisions config-gc 5" in text
    assert "rollout-duration config-network unknown" in text
    assert "what they allow and set is unknown: config-network" in text

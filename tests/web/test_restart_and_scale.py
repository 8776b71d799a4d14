"""Restart, scale, roll back, clone, logs, limits: from the button over the preview to an operation."""

from __future__ import annotations

import re

import pytest

from console.audit.models import Entry
from console.knative.changes import Combined, CreateService, KeepDigest, Restart, SetEnv, SplitTraffic
from console.knative.changes.volumes import volume_name
from console.mirror.capabilities import encoded
from console.operations.models import Operation, Preview
from tests import factories
from tests.operations.factories import GO, RUST
from tests.operations.steps import finish
from tests.web.pages import read
from tests.web.test_changes import Shown, shown

__all__ = ["shown"]


def press(shown: Shown, response) -> Operation:
    """Press the button of a preview and let a worker do it."""
    assert response.status_code == 200, read(response).text
    address = re.search(r'action="(/previews/[^"]+/submit/)"', response.content.decode())
    assert address
    made = shown.client.post(address[1])
    operation = finish(Operation.objects.get(id=made["Location"].split("/")[2]))
    shown.mirror_it()
    return operation


def change_of_preview() -> object:
    from console.knative import changes
    from console.sealing import unseal

    return changes.load(unseal(Preview.objects.order_by("-created_at").first().sealed_change))


def test_an_operator_restarts_what_runs_and_nothing_else(shown: Shown, people) -> None:
    shown.client.force_login(people["operator"])
    page = shown.client.post(f"{shown.path}operate/", {"what": "restart", "keep_digest": "1"})
    assert "Creates a new revision." in read(page).text
    change = change_of_preview()
    assert isinstance(change, Restart)
    assert set(change.digests) == {"app", "sidecar"}
    operation = press(shown, page)
    assert (operation.status, operation.kind, operation.revision) == ("succeeded", "Restart", f"{shown.name}-00002")
    assert "@sha256:" in shown.service["spec"]["template"]["spec"]["containers"][1]["image"]


def test_a_newer_build_needs_the_right_to_deploy(shown: Shown, people) -> None:
    shown.client.force_login(people["operator"])
    refused = shown.client.post(f"{shown.path}operate/", {"what": "restart"})
    assert refused.status_code == 403
    assert Entry.objects.filter(action="deploy.refused", actor="operator").exists()


def test_an_operator_scales_without_bringing_another_build(shown: Shown, people) -> None:
    shown.client.force_login(people["operator"])
    typed = {"what": "scale", "min": "2", "max": "5", "concurrency": "0", "keep_digest": "1"}
    change_page = shown.client.post(f"{shown.path}operate/", typed)
    text = read(change_page).text
    assert "autoscaling.knative.dev/min-scale" in text
    change = change_of_preview()
    assert isinstance(change, Combined)
    assert {type(part).__name__ for part in change.changes} == {"SetScale", "KeepDigest"}


def test_a_scale_that_may_bring_another_build_needs_the_right_to_deploy(shown: Shown, people) -> None:
    shown.client.force_login(people["operator"])
    typed = {"what": "scale", "min": "2", "max": "5"}
    assert shown.client.post(f"{shown.path}operate/", typed).status_code == 403
    shown.client.force_login(people["deployer"])
    assert "autoscaling.knative.dev/min-scale" in read(shown.client.post(f"{shown.path}operate/", typed)).text


def test_a_problem_of_a_scale_is_shown_beside_it(shown: Shown) -> None:
    response = shown.client.post(f"{shown.path}operate/", {"what": "scale", "min": "many", "max": "5"})
    assert response.status_code == 422
    assert 'value="many"' in response.content.decode()
    assert not Preview.objects.exists()


def test_the_hints_are_the_clusters_own_defaults(shown: Shown) -> None:
    text = read(shown.client.get(f"{shown.path}settings/")).text
    assert "Default: 300" in text
    assert "Default: 100" in text
    assert "settings cannot be read completely" not in text
    shown.mirror.keep_capabilities(encoded(factories.capabilities(config_gc=None), 1.0))
    assert "settings cannot be read completely" in read(shown.client.get(f"{shown.path}settings/")).text


def test_names_of_the_cluster_are_offered(shown: Shown) -> None:
    page = shown.client.get(f"{shown.path}settings/").content.decode()
    for name, kind in (("db", "Secret"), ("settings", "ConfigMap")):
        assert page.count(f'<option value="{name}">{kind}</option>') == 2, "for variables and for mounts"
    keys = shown.client.get(f"{shown.path}env/").content.decode()
    assert '<option value="db/url">' in keys, "a key that a service uses"
    assert '<option value="settings/">' in keys


def test_rolling_back_a_new_revision_gives_the_one_before_the_traffic_again(shown: Shown) -> None:
    operation = press(shown, shown.set_target("Second"))
    page = shown.client.get(f"/operations/{operation.id}/")
    assert "Roll back" in read(page).text
    preview = shown.client.post(f"/operations/{operation.id}/rollback/")
    assert f"Pinned to {shown.name}-00001: a new revision gets 0%." in read(preview).text
    back = press(shown, preview)
    assert back.status == "succeeded"
    shares = {t["revisionName"]: t["percent"] for t in shown.service["status"]["traffic"]}
    assert shares == {f"{shown.name}-00001": 100}
    follow = read(shown.client.get(shown.path)).text
    assert "Track the latest revision again" in follow


def test_a_rollback_needs_the_right_to_move_traffic(shown: Shown, people) -> None:
    operation = press(shown, shown.set_target("Second"))
    shown.client.force_login(people["viewer"])
    assert "Roll back" not in read(shown.client.get(f"/operations/{operation.id}/")).text
    assert shown.client.post(f"/operations/{operation.id}/rollback/").status_code == 403
    assert Preview.objects.count() == 0


def test_all_traffic_to_one_revision_in_one_press(shown: Shown) -> None:
    press(shown, shown.set_target("Second"))
    page = shown.client.post(f"{shown.path}revisions/{shown.name}-00001/serve/")
    change = change_of_preview()
    assert isinstance(change, SplitTraffic)
    assert [(t.revision, t.percent) for t in change.targets] == [(f"{shown.name}-00001", 100)]
    assert press(shown, page).status == "succeeded"


def test_the_times_of_one_operation_are_asked_for_and_kept(shown: Shown) -> None:
    page = shown.set_target("Second")
    assert 'placeholder="600"' in page.content.decode()
    address = f"/previews/{Preview.objects.get().id}/submit/"
    wrong = shown.client.post(address, {"deadline": "-1", "error_window": "soon", "reason": "because"})
    assert wrong.status_code == 422
    text = wrong.content.decode()
    assert all(f'value="{typed}"' in text for typed in ("-1", "soon", "because"))
    assert not Operation.objects.exists()
    assert shown.client.post(address, {"deadline": "90", "error_window": "0.5"}).status_code == 302
    operation = Operation.objects.get()
    assert (operation.deadline_seconds, operation.error_window_seconds) == (90, 0.5)


def test_the_times_of_a_service_are_a_setting(shown: Shown) -> None:
    preview = shown.client.post(f"{shown.path}settings/", {"container": "app", **unchanged(shown), "deadline": "120"})
    operation = press(shown, preview)
    assert operation.kind == "SetAnnotations"
    again = shown.set_target("Second")
    assert 'placeholder="120"' in again.content.decode()


def unchanged(shown: Shown) -> dict[str, str]:
    """The settings form as a browser sends it back."""
    from console.knative.objects import Service
    from console.web.forms.settings import SettingsForm

    service = Service(shown.service)
    form = SettingsForm(service, service.containers[0])
    return {name: str(form.initial.get(name, "")) for name in form.fields if name != "cluster_local"}


def test_settings_keep_the_running_builds_by_default(shown: Shown) -> None:
    page = shown.client.get(f"{shown.path}settings/").content.decode()
    assert re.search(r'name="keep_digest" value="1" checked', page)
    shown.client.post(f"{shown.path}settings/", {**unchanged(shown), "timeout": "77", "keep_digest": "1"})
    kept = {part.container for part in change_of_preview().changes if isinstance(part, KeepDigest)}
    assert kept == {"app", "sidecar"}


def test_a_digest_of_another_image_is_never_kept(shown: Shown) -> None:
    """The newest image did not come up: what runs is the one before, and an env change must not bring it back."""
    shown.world.edit(
        shown.name,
        lambda s: s["spec"]["template"]["spec"]["containers"][0].update(image="example.com/shop/missing:1"),
    )
    shown.mirror_it()
    shown.set_target("Second", keep_digest="1")
    change = change_of_preview()
    parts = change.changes if isinstance(change, Combined) else (change,)
    assert isinstance(parts[0], SetEnv)
    assert "app" not in {part.container for part in parts if isinstance(part, KeepDigest)}


def test_the_same_image_can_be_resolved_again(shown: Shown) -> None:
    same = shown.client.post(f"{shown.path}image/", {"container": "app", "image": GO, "keep_others": "1"})
    assert "Nothing would change" in read(same).text
    page = shown.client.post(f"{shown.path}image/", {"container": "app", "image": GO, "again": "1"})
    assert "Creates a new revision." in read(page).text
    assert press(shown, page).kind == "SetImage"


def test_a_clone_carries_everything_and_shows_no_value(shown: Shown) -> None:
    typed = {"place": "box/default", "name": f"{shown.name}-copy", "image": RUST}
    page = shown.client.post(f"{shown.path}clone/", typed)
    text = read(page).text
    assert f"kn service create {shown.name}-copy" in text
    assert "canary-secret-first" not in page.content.decode()
    change = change_of_preview()
    assert isinstance(change, CreateService)
    values = {e["name"]: e.get("value") for e in change.manifest["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert values["PASSWORD"] == "canary-secret-first"


def test_a_clone_under_a_name_that_is_taken_or_wrong_is_said(shown: Shown) -> None:
    wrong = shown.client.post(f"{shown.path}clone/", {"place": "box/default", "name": "No Name"})
    assert wrong.status_code == 422
    taken = shown.client.post(f"{shown.path}clone/", {"place": "box/default", "name": shown.name})
    assert taken.status_code == 422


def test_a_new_service_may_have_every_setting_at_once(shown: Shown) -> None:
    typed = {
        "place": "box/default", "name": "all-set", "image": GO, "variables": "TARGET=x", "min": "1", "port": "9000",
        "protocol": "h2c", "readiness-kind": "http", "readiness-path": "/up", "readiness-delay": "3",
        "mounts-TOTAL_FORMS": "1", "mounts-INITIAL_FORMS": "0",
        "mounts-0-path": "/tmp/x", "mounts-0-kind": "empty-dir", "mounts-0-size": "1Gi", "cluster_local": "on",
        "env_from-TOTAL_FORMS": "1", "env_from-INITIAL_FORMS": "0", "env_from-0-kind": "secret",
        "env_from-0-name": "db",
        "labels": "team=shop", "cpu_limit": "500m", "deadline": "60",
    }  # fmt: skip
    page = shown.client.post("/services/new/", typed)
    assert page.status_code == 200, read(page).text
    made = change_of_preview().manifest
    container = made["spec"]["template"]["spec"]["containers"][0]
    assert container["ports"] == [{"containerPort": 9000, "name": "h2c"}]
    assert container["readinessProbe"] == {"httpGet": {"path": "/up", "port": 0}, "initialDelaySeconds": 3}
    assert container["envFrom"] == [{"secretRef": {"name": "db"}}]
    assert container["resources"] == {"limits": {"cpu": "500m"}}
    folder = {"name": volume_name("/tmp/x"), "emptyDir": {"sizeLimit": "1Gi"}}
    assert made["spec"]["template"]["spec"]["volumes"] == [folder]
    assert made["metadata"]["labels"] == {"team": "shop", "networking.knative.dev/visibility": "cluster-local"}
    assert made["metadata"]["annotations"] == {"sluice.dev/deadline-seconds": "60"}


def test_a_new_service_keeps_what_was_typed_when_a_setting_is_wrong(shown: Shown) -> None:
    typed = {"place": "box/default", "name": "bad-one", "image": GO, "user": "nobody", "min": "3"}
    page = shown.client.post("/services/new/", typed)
    assert page.status_code == 422
    text = page.content.decode()
    assert 'value="nobody"' in text
    assert 'value="3"' in text
    assert '<details class="more-settings" open>' in text


def test_logs_are_shown_and_those_of_a_failure_are_kept(shown: Shown) -> None:
    address = f"{shown.path}revisions/{shown.name}-00001/logs/"
    page = shown.client.get(address)
    assert 'class="box log"' in page.content.decode()
    assert "hx-trigger" not in page.content.decode().split('id="log"')[1].split(">")[0]
    live = shown.client.get(f"{address}?follow=1&lines=500").content.decode()
    assert "every 3s" in live
    crashed = press(shown, shown.client.post(f"{shown.path}image/", {"image": "example.com/shop/crash:1"}))
    failed = read(shown.client.get(f"/operations/{crashed.id}/"))
    assert "(exit code 1)" in failed.text
    assert f"{shown.path}revisions/{crashed.revision}/logs/" in failed.links
    kept = read(shown.client.get(f"{shown.path}revisions/{crashed.revision}/logs/")).text
    assert "Saved from failed deployments" in kept
    assert "panic: dial tcp" in kept


def test_a_conflict_shows_both_sides_and_what_one_wanted(shown: Shown) -> None:
    shown.client.post(f"{shown.path}image/", {"container": "app", "image": RUST})
    operation_page = shown.client.post(f"/previews/{Preview.objects.get().id}/submit/")

    def theirs(service) -> None:
        service["spec"]["template"]["spec"]["containers"][0]["image"] = "gcr.io/knative-samples/helloworld-python"

    shown.world.edit(shown.name, theirs)
    finish(Operation.objects.get())
    text = read(shown.client.get(operation_page["Location"])).text
    assert f"{GO} gcr.io/knative-samples/helloworld-python {RUST}" in text
    assert "admin (cluster identity) changed the same fields" in text


@pytest.mark.parametrize(
    ("mark", "says"),
    [
        ("meta.helm.sh/release-name", "Helm deploys this service. Its next deployment will overwrite this change"),
        ("flagger.app/primary-revision", "Flagger controls the traffic of this service"),
    ],
)
def test_a_tool_that_undoes_less_is_told_as_that(shown: Shown, mark: str, says: str) -> None:
    shown.world.edit(shown.name, lambda s: s["metadata"]["annotations"].update({mark: "x"}))
    shown.mirror_it()
    assert says in read(shown.client.get(f"{shown.path}traffic/")).text
    assert says in read(shown.set_target("Second")).text


def test_a_tool_that_owns_the_service_is_named_on_each_form(shown: Shown) -> None:
    shown.world.edit(shown.name, lambda s: s["metadata"]["annotations"].update({"argocd.argoproj.io/tracking-id": "x"}))
    shown.mirror_it()
    for page in ("env", "image", "traffic", "settings", "operate", "yaml", "delete"):
        assert "Argo CD manages this service" in read(shown.client.get(f"{shown.path}{page}/")).text, page
    chosen = {"services": f"box/default/{shown.name}", "kind": "label", "name": "a", "value": "b"}
    assert "managed by Argo CD, will be reverted" in read(shown.client.post("/services/bulk/", chosen)).text

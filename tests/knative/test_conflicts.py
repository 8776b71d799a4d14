"""Values that are refused together: where the webhook refuses them, beside the one that changed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from console.knative.conflicts import conflict
from console.knative.objects import Service
from console.knative.validation import amount
from console.sandbox.errors import StatusError
from console.sandbox.knative.admission import admit
from console.sandbox.resources import SERVICES

Object = dict[str, Any]
Edit = Callable[[Object], Any]


def service(**annotations: str) -> Object:
    """A service as the webhook stored it, with a sidecar."""
    containers = [
        {"name": "app", "image": "ghcr.io/shop/app:1", "ports": [{"containerPort": 8080}]},
        {"name": "proxy", "image": "ghcr.io/shop/proxy:1"},
    ]
    scaled = {f"autoscaling.knative.dev/{name.replace('_', '-')}": text for name, text in annotations.items()}
    template = {"metadata": {"annotations": scaled}, "spec": {"containers": containers}}
    metadata = {"name": "shop", "namespace": "default"}
    made = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"template": template},
    }
    return admit("create", SERVICES, None, made, "alice")


def scale(**texts: str) -> Edit:
    def edit(raw: Object) -> None:
        annotations = raw["spec"]["template"]["metadata"].setdefault("annotations", {})
        annotations.update({f"autoscaling.knative.dev/{name.replace('_', '-')}": text for name, text in texts.items()})

    return edit


def container(at: int = 0, **fields: Any) -> Edit:
    return lambda raw: raw["spec"]["template"]["spec"]["containers"][at].update(fields)


def spec(**fields: Any) -> Edit:
    return lambda raw: raw["spec"]["template"]["spec"].update(fields)


def mounted(*paths: str) -> Edit:
    def edit(raw: Object) -> None:
        mounts = [{"name": "v", "mountPath": path, "readOnly": True} for path in paths]
        spec(volumes=[{"name": "v", "configMap": {"name": "c"}}])(raw)
        container(volumeMounts=mounts)(raw)

    return edit


HTTP = {"httpGet": {"path": "/", "port": 0}}
REFUSED: list[tuple[Object, Edit, str, str]] = [
    (service(), scale(min_scale="5", max_scale="2"), "scale-min-above-max", "max"),
    (service(max_scale="2"), scale(min_scale="5"), "scale-min-above-max", "min"),
    (service(min_scale="5"), scale(max_scale="2"), "scale-min-above-max", "max"),
    (service(), scale(minScale="5", maxScale="2"), "scale-min-above-max", "max"),
    (service(activation_scale="3"), scale(min_scale="4"), "scale-min-above-activation", "min"),
    (service(min_scale="4"), scale(activation_scale="3"), "scale-min-above-activation", "activation"),
    (service(max_scale="3"), scale(activation_scale="4"), "scale-activation-above-max", "activation"),
    (service(activation_scale="4"), scale(max_scale="3"), "scale-activation-above-max", "max"),
    (service(), container(1, ports=[{"containerPort": 9000}]), "port-second", "port"),
    (service(), container(ports=[]), "port-none", "port"),
    (service(), container(ports=[{"containerPort": 8012}]), "port-reserved", "port"),
    (service(), container(readinessProbe={**HTTP, "timeoutSeconds": 5}), "probe-without-period", "readiness"),
    (
        service(),
        container(readinessProbe={**HTTP, "periodSeconds": 0, "failureThreshold": 2}),
        "probe-without-period",
        "readiness",
    ),
    (service(), container(livenessProbe={"tcpSocket": {"port": "admin"}}), "probe-other-port", "liveness"),
    (service(), mounted("/etc/a", "/etc/a/"), "line-double", "mounts"),
    (service(), mounted("/dev"), "mount-reserved", "mounts"),
]
ACCEPTED: list[tuple[Object, Edit]] = [
    (service(), scale(min_scale="5", max_scale="0")),
    (service(), scale(min_scale="2", max_scale="2", activation_scale="2")),
    (service(max_scale="2"), scale(initial_scale="5")),
    (service(), scale(target="500")),
    (service(), spec(containerConcurrency=10)),
    (service(), spec(timeoutSeconds=10, responseStartTimeoutSeconds=20, idleTimeoutSeconds=30)),
    (service(), container(readinessProbe={**HTTP, "periodSeconds": 5, "timeoutSeconds": 9})),
    (service(), container(readinessProbe={**HTTP, "timeoutSeconds": 0, "successThreshold": 0})),
    (service(), container(readinessProbe={**HTTP, "periodSeconds": 5, "failureThreshold": 0})),
    (service(), container(livenessProbe={**HTTP, "timeoutSeconds": 0, "failureThreshold": 0})),
    (service(), container(livenessProbe={"httpGet": {"path": "/", "port": "http"}})),
    (service(), container(livenessProbe={"tcpSocket": {"port": 9999}})),
    (service(), container(resources={"requests": {"cpu": "1000m"}, "limits": {"cpu": "1"}})),
    (service(), mounted("/etc/a", "/etc/a/b", "/dev/shm")),
]


def edited(raw: Object, edit: Edit) -> Object:
    after = copy.deepcopy(raw)
    edit(after)
    return after


@pytest.mark.parametrize(("before", "edit", "code", "field"), REFUSED)
def test_what_the_webhook_refuses_together_is_told_beside_the_field_that_was_changed(
    before: Object, edit: Edit, code: str, field: str
) -> None:
    after = edited(before, edit)
    with pytest.raises(StatusError):
        admit("update", SERVICES, before, after, "bob")
    found = conflict(Service(after), Service(before))
    assert found is not None
    assert (found.code, found.field) == (code, field)


@pytest.mark.parametrize(("before", "edit"), ACCEPTED)
def test_what_the_webhook_accepts_is_accepted_however_odd(before: Object, edit: Edit) -> None:
    after = edited(before, edit)
    admit("update", SERVICES, before, after, "bob")
    assert conflict(Service(after), Service(before)) is None


@pytest.mark.parametrize(("before", "edit", "_code", "_field"), REFUSED)
def test_what_was_so_before_is_no_problem_of_another_change(
    before: Object, edit: Edit, _code: str, _field: str
) -> None:
    old = edited(before, edit)
    new = edited(old, spec(timeoutSeconds=7))
    assert conflict(Service(new), Service(old)) is None


@pytest.mark.parametrize(
    ("request_", "limit"), [("2", "1"), ("1001m", "1"), ("1.5Gi", "1Gi"), ("1M", "1000k"), ("1e3", "999")]
)
def test_a_request_above_its_limit_is_told_in_the_container_where_it_is(request_: str, limit: str) -> None:
    before = service()
    is_above = amount(request_) > amount(limit)
    resources = {"requests": {"memory": request_}, "limits": {"memory": limit}}
    found = conflict(Service(edited(before, container(1, resources=resources))), Service(before))
    assert (found and (found.code, found.field, found.container)) == (
        ("request-above-limit", "memory_request", "proxy") if is_above else None
    )
    assert is_above == (request_ != "1M")


def test_containers_without_names_have_one_port_together() -> None:
    raw = service()
    for one in raw["spec"]["template"]["spec"]["containers"]:
        one["name"] = ""
    assert conflict(Service(raw), Service({})) is None

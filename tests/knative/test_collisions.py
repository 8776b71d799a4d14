"""Which changes of others speak against a change: those of the same fields, to another value, on purpose."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from console.knative.changes import EnvEntry, KeepDigest, Redeploy, ReplaceManifest, Restart, SetEnv, SetImage
from console.knative.changes.base import Change
from console.knative.diff import collisions
from console.knative.objects import Service

TAG = "registry.example.com:5000/shop/cart:1.4"
DIGEST = "sha256:" + "5ea96b" + "0" * 58
PINNED = f"registry.example.com:5000/shop/cart@{DIGEST}"
STAMP = "client.knative.dev/updateTimestamp"
USER_IMAGE = "client.knative.dev/user-image"


def service(image: str = TAG, **annotations: str) -> Service:
    container = {"name": "app", "image": image, "env": [{"name": "TARGET", "value": "First"}]}
    template = {"metadata": {"annotations": annotations}, "spec": {"containers": [container]}}
    marks = {"serving.knative.dev/lastModifier": "ann", "serving.knative.dev/creator": "ann"}
    metadata = {"name": "cart", "namespace": "shop", "resourceVersion": "1", "annotations": marks}
    return Service({"metadata": metadata, "spec": {"template": template}})


def edited(before: Service, edit: Callable[[dict[str, Any]], object]) -> Service:
    raw = copy.deepcopy(dict(before.raw))
    edit(raw)
    return Service(raw)


def against(change: Change, seen: Service, fresh: Service) -> list[str]:
    return [each.field for each in collisions(seen, fresh, change.touches(), change.apply(seen))]


def container(raw: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = raw["spec"]["template"]["spec"]["containers"][0]
    return found


def kn_update(raw: dict[str, Any]) -> None:
    """`kn service update --env OTHER=x`: the variable, its time stamp, and the digest that runs (lock-to-digest)."""
    container(raw)["env"].append({"name": "OTHER", "value": "x"})
    container(raw)["image"] = PINNED
    raw["spec"]["template"]["metadata"]["annotations"] |= {STAMP: "2026-01-01T00:00:00Z", USER_IMAGE: TAG}
    raw["metadata"]["annotations"]["serving.knative.dev/lastModifier"] = "kn-user"


@pytest.mark.parametrize(
    "change",
    [
        SetImage("app", "registry.example.com:5000/shop/cart:1.5"),
        Restart("2026-01-02T00:00:00Z", {"app": DIGEST}),
        Redeploy("2026-01-02T00:00:00Z"),
        KeepDigest("app", DIGEST),
        SetEnv("app", (EnvEntry("TARGET", "Second"),)),
    ],
    ids=lambda change: type(change).__name__,
)
@pytest.mark.parametrize("stamped", [{}, {STAMP: "2025-12-31T00:00:00Z", USER_IMAGE: TAG}], ids=["plain", "by-kn"])
def test_a_kn_command_for_something_else_is_no_conflict(change: Change, stamped: dict[str, str]):
    seen = service(**stamped)
    assert against(change, seen, edited(seen, kn_update)) == []


def test_a_kn_command_for_the_same_is_one():
    seen = service()
    fresh = edited(seen, kn_update)
    assert against(SetEnv("app", (EnvEntry("OTHER", "y"),)), seen, fresh) == [
        "spec.template.spec.containers[app].env[OTHER]"
    ]


def test_another_digest_of_the_same_repository_is_a_deployment_and_no_bookkeeping():
    """A pipeline that sets a digest leaves kn's annotation as it was, and no time stamp."""
    seen = service(**{USER_IMAGE: TAG})
    fresh = edited(seen, lambda raw: container(raw).update(image=PINNED))
    image = "registry.example.com:5000/shop/cart:1.5"
    assert against(SetImage("app", image), seen, fresh) == ["spec.template.spec.containers[app].image"]


def test_kn_with_another_image_is_a_conflict_with_an_image():
    seen = service()

    def kn_image(raw: dict[str, Any]) -> None:
        container(raw)["image"] = "registry.example.com:5000/shop/cart:2"
        marks = {STAMP: "2026-01-01T00:00:00Z", USER_IMAGE: "registry.example.com:5000/shop/cart:2"}
        raw["spec"]["template"]["metadata"]["annotations"] |= marks

    fresh = edited(seen, kn_image)
    change = SetImage("app", "registry.example.com:5000/shop/cart:1.5")
    assert against(change, seen, fresh) == ["spec.template.spec.containers[app].image"]


@pytest.mark.parametrize(
    "mark",
    [
        STAMP,
        "sluice.dev/operation",
        "sluice.dev/changed-by",
        "sluice.dev/changed-generation",
        "sluice.dev/fenced-by",
        "serving.knative.dev/lastModifier",
        "serving.knative.dev/creator",
        "kubectl.kubernetes.io/last-applied-configuration",
        "kubernetes.io/change-cause",
        "kapp.k14s.io/original",
    ],
)
@pytest.mark.parametrize("place", ["service", "template"])
def test_bookkeeping_of_tools_is_no_conflict_with_a_change_of_everything(mark: str, place: str):
    seen = service()

    def write(raw: dict[str, Any]) -> None:
        holder = raw if place == "service" else raw["spec"]["template"]
        holder["metadata"]["annotations"][mark] = "another"

    wanted = edited(seen, lambda raw: container(raw).update(image="other"))
    assert against(ReplaceManifest(dict(wanted.raw)), seen, edited(seen, write)) == []


@pytest.mark.parametrize("mark", ["sluice.dev/deadline-seconds", "shop.example/owner"])
def test_what_a_person_decided_is_one(mark: str):
    seen = service()
    fresh = edited(seen, lambda raw: raw["metadata"]["annotations"].update({mark: "30"}))
    wanted = edited(seen, lambda raw: container(raw).update(image="other"))
    assert against(ReplaceManifest(dict(wanted.raw)), seen, fresh) == [f"metadata.annotations['{mark}']"]


@pytest.mark.parametrize(
    "change",
    [
        KeepDigest("app", DIGEST),
        SetImage("app", "registry.example.com:5000/shop/cart:1.5"),
        SetEnv("app", (EnvEntry("TARGET", "Second"), EnvEntry("NEW", "x"))),
        Restart("2026-01-02T00:00:00Z", {"app": DIGEST}),
    ],
    ids=lambda change: type(change).__name__,
)
def test_two_people_who_want_the_same_do_not_collide(change: Change):
    seen = service()
    assert against(change, seen, change.apply(seen)) == []


def test_of_two_fields_the_one_that_differs_is_told():
    seen = service()
    theirs = SetEnv("app", (EnvEntry("TARGET", "Second"), EnvEntry("NEW", "theirs"))).apply(seen)
    mine = SetEnv("app", (EnvEntry("TARGET", "Second"), EnvEntry("NEW", "mine")))
    assert against(mine, seen, theirs) == ["spec.template.spec.containers[app].env[NEW]"]

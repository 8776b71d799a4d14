"""The steps of the recordings: what was asked of a real Knative, one after the other, of one Service named greet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.sandbox.knative_world import Object, set_env, set_image, set_traffic

PINNED = ({"revisionName": "greet-00003", "percent": 100}, {"revisionName": "greet-00001", "percent": 0, "tag": "old"})


def env(*pairs: tuple[str, str]) -> Callable[[Object], None]:
    """A change: the whole environment of the first container."""

    def change(service: Object) -> None:
        container = service["spec"]["template"]["spec"]["containers"][0]
        container["env"] = [{"name": name, "value": value} for name, value in pairs]

    return change


def split(*targets: Object) -> Callable[[Object], None]:
    return set_traffic(*targets)


def to(revision: str, percent: int, tag: str = "") -> Object:
    """A target that names a revision."""
    return {"revisionName": revision, "percent": percent} | ({"tag": tag} if tag else {})


def both(*changes: Callable[[Object], None]) -> Callable[[Object], None]:
    def change(service: Object) -> None:
        for each in changes:
            each(service)

    return change


def set_field(*path: str | int, value: Any) -> Callable[[Object], None]:
    def change(service: Object) -> None:
        at: Any = service
        for step in path[:-1]:
            at = at.setdefault(step, {}) if isinstance(step, str) else at[step]
        at[path[-1]] = value

    return change


GO, RUST = "gcr.io/knative-samples/helloworld-go", "gcr.io/knative-samples/helloworld-rust"
STEPS: dict[str, Callable[[Object], None]] = {
    "env-update": set_env("TARGET", "Second"),
    "image-update": set_image(RUST),
    "split-50-50": split(to("greet-00003", 50), to("greet-00002", 50)),
    "split-50-25-25": split(to("greet-00003", 50), to("greet-00002", 25), to("greet-00001", 25)),
    "split-unknown-revision": split(to("greet-00009", 100)),
    "split-recover": split(to("greet-00003", 100)),
    "split-tags": split(to("greet-00003", 50, "blue"), to("greet-00002", 50, "green")),
    "split-latest-plus-named": split(to("greet-00003", 50), {"latestRevision": True, "percent": 50}),
    "split-tag-only-0-percent": split(*PINNED),
    "update-with-pinned-traffic-new-revision": set_env("TARGET", "Third"),
    "bad-env-name": set_env("1BAD NAME", "x"),
    "dup-env": env(("A", "x"), ("A", "y")),
    "unresolvable-image": set_image("registry.invalid/x/y:1"),
    "image-recover": set_env("TARGET", "Fourth"),
    "image-recover2": set_image(GO),
    "byo-revision-name": set_field("spec", "template", "metadata", "name", value="greet-custom"),
}
REFUSED: dict[str, Callable[[Object], None]] = {
    "split-sum-110": split(to("greet-00003", 50), to("greet-00002", 60)),
    "split-sum-90": split(to("greet-00003", 50), to("greet-00002", 40)),
    "split-out-of-range": split(to("greet-00003", 150), to("greet-00002", -50)),
    "split-dup-tag": split(to("greet-00003", 50, "blue"), to("greet-00002", 50, "blue")),
    "split-latest-and-name": split({"revisionName": "greet-00003", "latestRevision": True, "percent": 100}),
    "split-bad-tag": split(to("greet-00003", 100, "Bad_Tag")),
    "reserved-env": set_env("PORT", "1"),
    "bad-image-ref": set_image("not a valid image!!"),
    "bad-concurrency": set_field("spec", "template", "spec", "containerConcurrency", value=-5),
    "bad-timeout": set_field("spec", "template", "spec", "timeoutSeconds", value=99999),
    "bad-minscale": set_field(
        "spec", "template", "metadata", "annotations", value={"autoscaling.knative.dev/min-scale": "-1"}
    ),
    "byo-name-bad-prefix": set_field("spec", "template", "metadata", "name", value="wrongprefix"),
    "create-no-container": set_field("spec", "template", "spec", value={"containers": []}),
    "creator-immutable": set_field("metadata", "annotations", "serving.knative.dev/creator", value="mallory"),
}
REFUSED_WITH_OWN_NAME: dict[str, Callable[[Object], None]] = {
    "byo-name-reused": set_env("TARGET", "X"),
    "dry-run": set_field("spec", "template", "spec", "containerConcurrency", value=7),
}

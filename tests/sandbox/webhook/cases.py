"""The creates and updates: each puts one good, borderline or bad value (or a few together) into a good object.

All of them are written down by tables and come out the same every time; a case's name says what was put where.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from tests.sandbox.webhook import containers, gates, pods, templates, updates

Object = dict[str, Any]
Path = tuple[str | int, ...]

API, GO = "serving.knative.dev/v1", "gcr.io/knative-samples/helloworld-go"
POD: Path = ("spec", "template", "spec")
CONTAINER: Path = (*POD, "containers", 0)
TEMPLATE_ANNOTATIONS: Path = ("spec", "template", "metadata", "annotations")


class Case(NamedTuple):
    """A create, or with a patch a merge patch of what the create stores; config maps by name."""

    name: str
    kind: str
    create: Object
    patch: Object | None = None
    configuration: dict[str, dict[str, str]] = {}


def cases() -> list[Case]:
    """All cases; their names are unique."""
    found = [
        *_creates(),
        *_gated(),
        *_updates(),
        *_of_other_kinds(),
    ]
    names = [case.name for case in found]
    assert len(names) == len(set(names)), [name for name in names if names.count(name) > 1]
    return found


def service(name: str = "shop", **container: Any) -> Object:
    """A small good Service."""
    return {
        "apiVersion": API,
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"template": {"spec": {"containers": [{"image": GO, **container}]}}},
    }


def put(obj: Object, path: Path, value: Any) -> Object:
    """The object with the value at the path, whose parents are made where they are missing."""
    copied = copy.deepcopy(obj)
    at: Any = copied
    for step, following in pairwise(path):
        at = at[step] if isinstance(step, int) else at.setdefault(step, [] if isinstance(following, int) else {})
    at[path[-1]] = copy.deepcopy(value)
    return copied


def _creates() -> Iterator[Case]:
    for where, path, given in (
        ("container", CONTAINER, containers.CONTAINER),
        ("pod", POD, templates.POD),
        ("metadata", ("metadata",), templates.METADATA),
        ("template", ("spec", "template"), templates.TEMPLATE),
    ):
        for field, several in given.items():
            for number, value in enumerate(several):
                yield Case(f"{where}.{field} {number}", "Service", put(service(), (*path, field), value))
    for key, several in templates.SCALING.items():
        for number, value in enumerate(several):
            asked = {f"autoscaling.knative.dev/{key}": value}
            yield Case(f"scaling {key} {number}", "Service", put(service(), TEMPLATE_ANNOTATIONS, asked))
    for number, asked in enumerate(templates.TEMPLATE_ANNOTATIONS):
        yield Case(f"template annotations {number}", "Service", put(service(), TEMPLATE_ANNOTATIONS, asked))
    for number, traffic in enumerate(templates.TRAFFIC):
        yield Case(f"traffic {number}", "Service", put(service(), ("spec", "traffic"), traffic))
    for number, pod in enumerate(pods.PODS):
        yield Case(f"whole pod {number}", "Service", put(service(), POD, pod))
    for name in templates.NAMES:
        yield Case(f"name {name!r}", "Service", service(name))
    for number, (path, value) in enumerate(templates.WRONG_TYPES):
        yield Case(f"wrong type {number}", "Service", put(service(), path, value))


def _gated() -> Iterator[Case]:
    """What config maps allow and forbid."""
    for number, (name, data, given) in enumerate(gates.GATED):
        for count, pod in enumerate(given):
            made = put(service(), POD, pod)
            yield Case(f"{name} {number} {next(iter(data))} pod {count}", "Service", made, None, {name: data})
    for number, (data, asked) in enumerate(gates.SCALING_LIMITS):
        made = put(service(), TEMPLATE_ANNOTATIONS, asked)
        yield Case(f"config-autoscaler {number}", "Service", made, None, {"config-autoscaler": data})


def _updates() -> Iterator[Case]:
    hard = updates.hard_service(service())
    for number, patch in enumerate(updates.PATCHES):
        yield Case(f"patch {number}", "Service", hard, patch)
    named = put(service(), ("spec", "template", "metadata", "name"), "shop-first")
    for number, patch in enumerate(updates.PATCHES_OF_NAMED):
        yield Case(f"patch of a named revision {number}", "Service", named, patch)
    for field, several in containers.CONTAINER.items():
        for number, value in enumerate(several[:2]):
            container = {"image": GO, field: value}
            patch = {"spec": {"template": {"spec": {"containers": [container]}}}}
            yield Case(f"patch container.{field} {number}", "Service", service(), patch)


def _of_other_kinds() -> Iterator[Case]:
    spec = service()["spec"]["template"]["spec"]
    configuration = {"apiVersion": API, "kind": "Configuration", "spec": {"template": {"spec": spec}}}
    route = {"apiVersion": API, "kind": "Route", "spec": {"traffic": [{"configurationName": "shop", "percent": 100}]}}
    revision = {"apiVersion": API, "kind": "Revision", "spec": spec}
    for kind, obj in (("Configuration", configuration), ("Route", route), ("Revision", revision)):
        good = {**obj, "metadata": {"name": "shop", "namespace": "default"}}
        for number, metadata in enumerate(updates.OBJECT_METADATA):
            made = {**obj, "metadata": {"name": "shop", "namespace": "default", **metadata}}
            yield Case(f"{kind} metadata {number}", kind, made)
        for number, patch in enumerate(updates.OBJECT_PATCHES[kind]):
            yield Case(f"{kind} patch {number}", kind, good, patch)
    for number, traffic in enumerate(templates.TRAFFIC):
        made = {**route, "metadata": {"name": "shop", "namespace": "default"}, "spec": {"traffic": traffic}}
        yield Case(f"Route traffic {number}", "Route", made)

"""Each limit holds at its number and not one beyond; what was too large before may stay so, and not grow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from console.knative import limits
from console.knative.changes import ReplaceManifest
from console.knative.objects import Service
from tests import factories

Edit = Callable[[dict[str, Any], int], Any]


def pod(raw: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = raw["spec"]["template"]["spec"]
    return found


def bare() -> dict[str, Any]:
    """A service with one container and nothing that counts."""
    raw = factories.service()
    pod(raw)["containers"] = [{"name": "app", "image": "a"}]
    pod(raw).pop("volumes", None)
    for holder in (raw, raw["spec"]["template"]):
        holder["metadata"]["annotations"] = {}
    return raw


def deep(levels: int) -> Any:
    found: Any = []
    for _level in range(levels - 1):
        found = [found]
    return found


def entries(name: str) -> Edit:
    return lambda raw, number: pod(raw)["containers"][0].update({name: [{"name": f"n{at}"} for at in range(number)]})


EDITS: dict[str, tuple[int, Edit]] = {
    "limit-containers": (
        limits.MAX_CONTAINERS,
        lambda raw, number: pod(raw).update(containers=[{"name": f"c{at}"} for at in range(number)]),
    ),
    "limit-variables": (limits.MAX_VARIABLES, entries("env")),
    "limit-env-sources": (limits.MAX_ENV_SOURCES, entries("envFrom")),
    "limit-volumes": (
        limits.MAX_VOLUMES,
        lambda raw, number: pod(raw).update(volumes=[{"name": f"v{at}"} for at in range(number)]),
    ),
    "limit-mounts": (limits.MAX_MOUNTS, entries("volumeMounts")),
    "limit-annotations": (
        limits.MAX_ANNOTATION_BYTES,
        lambda raw, number: raw["metadata"].update(annotations={"a/b": "x" * (number - 3)}),
    ),
    "limit-text": (
        limits.MAX_TEXT_BYTES,
        lambda raw, number: pod(raw)["containers"][0].update(args=["é" * (number // 2) + "x" * (number % 2)]),
    ),
    "limit-nodes": (
        limits.MAX_NODES,
        lambda raw, number: raw["spec"].update(more=[0] * (number - limits.nodes(limits._own(raw)) - 2)),
    ),
    "limit-depth": (limits.MAX_DEPTH, lambda raw, number: raw["spec"].update(more=deep(number - 2))),
}  # fmt: skip


@pytest.mark.parametrize("code", EDITS)
def test_a_limit_holds_at_its_number_and_says_it_beyond(code: str) -> None:
    maximum, edit = EDITS[code]
    fits, beyond = bare(), bare()
    edit(fits, maximum)
    edit(beyond, maximum + 1)
    assert limits.exceeded(fits, bare()) is None
    found = limits.exceeded(beyond, bare())
    assert found
    assert (found.code, found.facts) == (code, {"count": maximum + 1, "limit": maximum})


@pytest.mark.parametrize("code", EDITS)
def test_what_the_cluster_holds_already_may_be_edited_and_not_enlarged(code: str) -> None:
    maximum, edit = EDITS[code]
    before, more = bare(), bare()
    edit(before, maximum + 1)
    edit(more, maximum + 2)
    assert limits.exceeded(before, before) is None
    assert limits.exceeded(more, before)


def test_every_limit_is_tried_here() -> None:
    assert set(EDITS) == {limit.code for limit in limits._LIMITS}


@pytest.mark.parametrize("junk", [{}, {"spec": 3}, {"spec": {"template": []}}, {"metadata": {"annotations": [1]}}])
def test_what_is_not_built_as_a_service_is_counted_too(junk: dict[str, Any]) -> None:
    assert limits.exceeded(junk, {}) is None


def test_two_thousand_variables_are_no_problem() -> None:
    raw = bare()
    variable = {"valueFrom": {"secretKeyRef": {"name": "secret", "key": "key", "optional": True}}}
    pod(raw)["containers"][0]["env"] = [{"name": f"V{at}", **variable} for at in range(2000)]
    before = Service(factories.service())
    assert limits.exceeded(ReplaceManifest(raw).apply(before).raw, before.raw) is None

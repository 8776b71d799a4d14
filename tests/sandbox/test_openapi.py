"""The OpenAPI documents: whole, without a reference that leads nowhere or a field of Knative's that says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from console.sandbox.knative.version import RELEASES, Version, speaking_as
from console.sandbox.openapi.document import document
from console.sandbox.resources import KNATIVE_GROUP, TABLE, groups

ROOT = "#/components/schemas/"
GROUPS = [group for group, _ in groups()]


def schemas(group: str) -> dict[str, Any]:
    rows = [each for each in TABLE if each.group == group]
    found: dict[str, Any] = document(group, rows, "v1")["components"]["schemas"]
    return found


def every(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object of a document with its path."""
    if isinstance(value, dict):
        yield path, value
        for key, each in value.items():
            yield from every(each, f"{path}.{key}")
    elif isinstance(value, list):
        for each in value:
            yield from every(each, path)


@pytest.mark.parametrize("group", GROUPS)
def test_every_reference_leads_somewhere(group: str) -> None:
    found = schemas(group)
    references = {each["$ref"] for _, each in every(found) if "$ref" in each}
    assert references
    assert {each.removeprefix(ROOT) for each in references} <= found.keys()


@pytest.mark.parametrize("group", GROUPS)
def test_every_kind_is_named(group: str) -> None:
    told = {one["kind"] for each in schemas(group).values() for one in each.get("x-kubernetes-group-version-kind", ())}
    read_only = {"ResourceQuota", "LimitRange"}  # of which there are none
    assert told == {each.kind for each in TABLE if each.group == group} - read_only


@pytest.mark.parametrize("group", GROUPS)
def test_what_is_required_is_there(group: str) -> None:
    wrong = [
        path
        for path, each in every(schemas(group))
        if set(each.get("required", ())) - each.get("properties", {}).keys()
    ]
    assert wrong == []


@pytest.mark.parametrize("release", RELEASES)
def test_every_field_of_knatives_kinds_says_what_it_means(release: Version) -> None:
    with speaking_as(release):
        kinds = {
            name: each for name, each in schemas(KNATIVE_GROUP).items() if "x-kubernetes-group-version-kind" in each
        }
    silent = {
        f"{path}.{key}"
        for path, each in every(kinds)
        for key, field in each.get("properties", {}).items()
        if not field.get("description")
    }
    assert silent == set()


def test_a_list_that_a_patch_merges_says_by_what() -> None:
    pod = schemas("")["io.k8s.api.core.v1.PodSpec"]["properties"]
    assert pod["containers"]["x-kubernetes-patch-merge-key"] == "name"
    service = schemas("")["io.k8s.api.core.v1.ServiceSpec"]["properties"]
    assert service["ports"]["x-kubernetes-patch-merge-key"] == "port"

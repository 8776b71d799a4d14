"""Services in which every field of the CRD's schema is filled: whatever a change does not name is still there."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from console.knative import diff, paths
from console.knative.changes import KeepDigest, ReplaceManifest
from console.knative.changes.base import Change
from console.knative.objects import Service
from console.knative.redaction import mask_env
from console.web.forms.settings import SettingsForm
from tests import factories
from tests.knative.test_changes import FOLLOWERS, every_change
from tests.recording import RECORDINGS
from tests.sweeps import examples

SCHEMA = json.loads((Path(RECORDINGS) / "knative-service-fields-0.42.json").read_text())["spec"]


def filled(schema: Any, hint: str = "x") -> Any:
    """A value with every field of the schema; lists have two entries, and free objects a key that nobody knows."""
    if isinstance(schema, list):
        return [filled(schema[0], f"{hint}-{number}") for number in (1, 2)]
    if isinstance(schema, dict):
        return {"tomorrow" if name == "*" else name: filled(inner, name) for name, inner in schema.items()}
    if schema == "any":
        return {"keep": ["me", 1, None]}
    return {"integer": 7, "boolean": True, "int-or-string": "7"}.get(schema, hint.lower().strip("*") or "x")


def full_service() -> dict[str, Any]:
    """A service with every field; what the API lets only one of stand for is spread over entries."""
    raw = factories.service()
    raw["spec"] = filled(SCHEMA)
    pod = raw["spec"]["template"]["spec"]
    pod["containers"] = [
        _container(entry, name) for entry, name in zip(pod["containers"], ("app", "sidecar"), strict=True)
    ]
    pod["initContainers"] = [
        {"name": "init", "image": "r.example.com/init:1", **entry} for entry in pod["initContainers"]
    ]
    pod["nodeSelector"] = {"tomorrow": "ssd"}  # only texts are accepted here
    pod["volumes"] = [{**volume, "name": f"volume-{number}"} for number, volume in enumerate(pod["volumes"])]
    raw["spec"]["traffic"] = [
        {**target, "revisionName": f"shop-0000{number}", "tag": f"tag-{number}", "percent": 50}
        for number, target in enumerate(raw["spec"]["traffic"])
    ]
    return raw


def _container(container: dict[str, Any], name: str) -> dict[str, Any]:
    """Named, with a literal variable and one of each reference, and two mounts at paths of their own."""
    made = copy.deepcopy(container)
    references = made["env"][0]["valueFrom"]
    made |= {"name": name, "imagePullPolicy": "Always"}
    made["env"] = [{"name": "TARGET", "value": "First"}, {"name": "PASSWORD", "value": factories.SECRET_VALUE}]
    made["env"] += [{"name": f"FROM_{kind}", "valueFrom": {kind: inner}} for kind, inner in references.items()]
    made["volumeMounts"] = [{**m, "mountPath": f"/mnt/{n}", "name": f"volume-{n}"} for n, m in
                            enumerate(made["volumeMounts"])]  # fmt: skip
    return made


def leaves(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Every value of the JSON by its path, indexes for entries of lists."""
    if isinstance(value, dict):
        return {at: leaf for key, inner in value.items() for at, leaf in leaves(inner, (*path, key)).items()}
    if isinstance(value, list):
        return {at: leaf for n, inner in enumerate(value) for at, leaf in leaves(inner, (*path, str(n))).items()}
    return {path: value}


def test_every_field_of_the_schema_is_filled() -> None:
    present = {tuple(part for part in path if not part.isdigit()) for path in leaves(full_service()["spec"])}
    wanted = {
        tuple("tomorrow" if part == "*" else part for part in path if not part.isdigit()) for path in leaves(SCHEMA)
    }
    missing = {path for path in wanted if not any(found[: len(path)] == path for found in present)}
    assert missing == set()
    assert len(wanted) > 130


@settings(max_examples=examples(200))
@given(every_change)
def test_no_change_loses_a_field_that_it_does_not_name(change: Change) -> None:
    before = Service(full_service())
    after = change.apply(before)
    for row in diff.diff(before.raw, after.raw):
        named = any(paths.overlap(row.path, path) for path in change.touches())
        assert named or row.path in FOLLOWERS, row.field
    assert after.template_spec["containers"][1:] == before.template_spec["containers"][1:] or "sidecar" in repr(change)
    assert after.template_spec["initContainers"] == before.template_spec["initContainers"]


def test_keeping_a_digest_loses_nothing() -> None:
    before = Service(full_service())
    after = KeepDigest("app", "sha256:" + "a" * 64).apply(before)
    assert {row.path[-1] for row in diff.diff(before.raw, after.raw)} <= {
        "image",
        "name",
        "client.knative.dev/user-image",
    }


def test_a_manifest_that_comes_back_as_it_was_shown_changes_nothing() -> None:
    before = Service(full_service())
    after = ReplaceManifest(mask_env(before.raw)).apply(before)
    assert after.spec == before.spec


@pytest.mark.parametrize("container", [0, 1])
def test_the_settings_form_sent_back_untouched_changes_nothing(container: int) -> None:
    service = Service(full_service())
    shown = SettingsForm(service, service.containers[container])
    data = {name: str(shown.initial.get(name, "")) for name in shown.fields if name != "cluster_local"}
    form = SettingsForm(service, service.containers[container], data)
    assert form.is_valid(), form.errors
    assert form.change is None

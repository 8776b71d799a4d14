"""What machines write is named, so that what people write under the same prefix is theirs."""

from __future__ import annotations

import pytest

from console.knative import marks
from tests.recording import entries
from tests.support.manifests.marks import TOOL_ANNOTATIONS, TOOL_LABELS

PEOPLES = (
    "serving.knative.dev/rollout-duration",
    "serving.knative.dev/progress-deadline",
    "serving.knative.dev/no-gc",
    "sluice.dev/deadline-seconds",
    "kubectl.kubernetes.io/default-container",
    "client.knative.dev/note",
    "sidecar.istio.io/inject",
    "networking.knative.dev/ingress-class",
    "autoscaling.knative.dev/class",
    "app.kubernetes.io/name",
    "example.com/owner",
    "notcrossplane.io/x",
    "plain",
)


@pytest.mark.parametrize("key", PEOPLES)
def test_a_key_of_people_is_shown_compared_and_copied(key: str) -> None:
    found = {key: "x"}
    assert marks.without_stamps(found) == found
    assert marks.without_revision_stamps(found) == found
    assert marks.for_a_copy(found) == found
    assert marks.stamps(found) == {}


def test_every_key_that_a_real_control_plane_adds_is_named() -> None:
    """The recorded services were written without any label or annotation."""
    left = {
        (entry["obj"]["kind"], key)
        for entry in entries()
        if (entry.get("obj") or {}).get("kind") in ("Service", "Revision")
        for kind in ("labels", "annotations")
        for key in (
            marks.without_stamps
            if entry["obj"]["kind"] == "Service"
            else marks.without_revision_stamps
        )((entry["obj"].get("metadata") or {}).get(kind) or {})
    }  # fmt: skip
    assert left <= {("Revision", key) for key in _of_templates()}


def _of_templates() -> set[str]:
    """The annotations that the recorded requests wrote into templates."""
    templates = [(entry.get("obj") or {}).get("spec", {}).get("template") or {} for entry in entries()]
    return {key for template in templates for kind in ("labels", "annotations")
            for key in (template.get("metadata") or {}).get(kind) or {}}  # fmt: skip


def test_the_marks_of_deployment_tools_are_not_copied() -> None:
    assert marks.for_a_copy(TOOL_LABELS) == {"team": "shop"}
    assert marks.for_a_copy(TOOL_ANNOTATIONS) == {"example.com/owner": "shop"}
    told = marks.ownership(TOOL_LABELS | TOOL_ANNOTATIONS)
    assert told.keys() == {*TOOL_LABELS, *TOOL_ANNOTATIONS} - {"team", "example.com/owner"}
    assert told["kapp.k14s.io/app"] == "kapp (Carvel)"
    assert told["objectset.rio.cattle.io/hash"] == "Fleet (Rancher)"
    assert all(told.values()), told


def test_who_manages_the_original_is_what_its_label_says() -> None:
    assert marks.ownership({"app.kubernetes.io/managed-by": "skaffold"}) == {"app.kubernetes.io/managed-by": "skaffold"}

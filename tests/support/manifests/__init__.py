"""Services that careless forms break: legal objects, as the API returns them, each hard in its own way."""

from __future__ import annotations

from tests.support.manifests import full, marks, pods, scaling, splits, variables, volumes, words
from tests.support.manifests.build import Object, revisions

__all__ = ["BY_NAME", "Object", "revisions"]

BY_NAME: dict[str, Object] = {
    raw["metadata"]["name"]: raw
    for module in (words, variables, scaling, volumes, marks, pods, splits, full)
    for raw in module.MANIFESTS
}

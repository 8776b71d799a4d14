"""What a namespace that is being deleted says about itself (NamespaceStatus.conditions)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

Object = dict[str, Any]
ALWAYS = {
    "NamespaceDeletionDiscoveryFailure": ("ResourcesDiscovered", "All resources successfully discovered"),
    "NamespaceDeletionGroupVersionParsingFailure": ("ParsedGroupVersions", "All legacy kube types successfully parsed"),
    "NamespaceDeletionContentFailure": (
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
}


def terminating_status(status: Object, left: Iterable[tuple[str, Object]], now: str) -> Object:
    """The status with its conditions; `left` are the remaining objects by their qualified resource."""
    resources: Counter[str] = Counter()
    finalizers: Counter[str] = Counter()
    for qualified, obj in left:
        resources[qualified if "." in qualified else f"{qualified}."] += 1
        finalizers.update(obj["metadata"].get("finalizers") or ())
    conditions = [_condition(kind, "False", *words, now) for kind, words in ALWAYS.items()]
    conditions += [_content(resources, now), _finalizers(finalizers, now)]
    return status | {"phase": "Terminating", "conditions": conditions}


def _content(resources: Counter[str], now: str) -> Object:
    kind = "NamespaceContentRemaining"
    if not resources:
        return _condition(kind, "False", "ContentRemoved", "All content successfully removed", now)
    counted = ", ".join(f"{name} has {count} resource instances" for name, count in sorted(resources.items()))
    return _condition(kind, "True", "SomeResourcesRemain", f"Some resources are remaining: {counted}", now)


def _finalizers(finalizers: Counter[str], now: str) -> Object:
    kind = "NamespaceFinalizersRemaining"
    if not finalizers:
        return _condition(kind, "False", "ContentHasNoFinalizers", "All content-preserving finalizers finished", now)
    counted = ", ".join(f"{name} in {count} resource instances" for name, count in sorted(finalizers.items()))
    message = f"Some content in the namespace has finalizers remaining: {counted}"
    return _condition(kind, "True", "SomeFinalizersRemain", message, now)


def _condition(kind: str, status: str, reason: str, message: str, now: str) -> Object:
    return {"type": kind, "status": status, "lastTransitionTime": now, "reason": reason, "message": message}

"""What an update means for an object: what is taken, what stays, and whether the generation moves."""

from __future__ import annotations

from typing import Any

from console.sandbox.resources import Resource

SERVER_FIELDS = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")


def merge_update(
    resource: Resource, current: dict[str, Any], obj: dict[str, Any], subresource: str | None = None
) -> dict[str, Any]:
    """What an update of `current` with `obj` will store, but for the new resourceVersion (dry runs need just this)."""
    if subresource == "status":
        managed = {key: value for key, value in obj["metadata"].items() if key == "managedFields"}
        owned = {**current, "metadata": {**current["metadata"], **managed}}
        return {**owned, "status": obj["status"]} if "status" in obj else without_status(owned)
    metadata = dict(obj["metadata"])
    for field in SERVER_FIELDS:
        metadata.pop(field, None)
        if field in current["metadata"]:
            metadata[field] = current["metadata"][field]
    metadata["resourceVersion"] = current["metadata"]["resourceVersion"]
    updated = {"apiVersion": resource.api_version, "kind": resource.kind, **obj, "metadata": metadata}
    if resource.has_status:
        updated.pop("status", None)
        if "status" in current:
            updated["status"] = current["status"]
    if resource.has_generation and content(updated) != content(current):
        metadata["generation"] = current["metadata"]["generation"] + 1
    return updated


def may_go(obj: dict[str, Any]) -> bool:
    """An object that was marked as deleted and that neither a finalizer nor a grace period holds any longer."""
    metadata = obj["metadata"]
    is_held = metadata.get("finalizers") or metadata.get("deletionGracePeriodSeconds")
    return "deletionTimestamp" in metadata and not is_held


def content(obj: dict[str, Any]) -> dict[str, Any]:
    """What the generation counts: all but metadata and status."""
    return {field: value for field, value in obj.items() if field not in ("metadata", "status")}


def without_status(obj: dict[str, Any]) -> dict[str, Any]:
    """The object without its status."""
    return {field: value for field, value in obj.items() if field != "status"}


def owner_uids(obj: dict[str, Any] | None) -> list[str]:
    """The uids that an object's ownerReferences name."""
    if obj is None:
        return []
    return [reference["uid"] for reference in obj["metadata"].get("ownerReferences", ())]

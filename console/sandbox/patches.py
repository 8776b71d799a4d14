"""JSON patch (RFC 6902), JSON merge patch (RFC 7386) and, for core kinds, strategic merge patch.

Each function returns a new tree and leaves its arguments as they are.
"""

from __future__ import annotations

from typing import Any

import jsonpatch

from console.sandbox import errors

OPERATIONS_ALLOWED = 10_000

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"

# Lists of core kinds that a strategic merge patch merges by a key instead of replacing. `ports` are those of containers
# and of Services.
MERGE_KEYS: dict[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "ports": ("containerPort", "port"),
    "imagePullSecrets": ("name",),
    "secrets": ("name",),
    "ownerReferences": ("uid",),
    "conditions": ("type",),
    "hostAliases": ("ip",),
}
MERGED_SETS = frozenset({"finalizers"})


def merge_patch(target: Any, patch: Any) -> Any:
    """`target` with a JSON merge patch applied: null removes, objects merge, all else replaces."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def strategic_merge(target: Any, patch: Any) -> Any:
    """`target` with a strategic merge patch applied: as a merge patch, but known lists merge by their key."""
    if not isinstance(patch, dict):
        return patch
    if patch.get("$patch") == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            field = key.partition("/")[2]
            merged[field] = [each for each in merged.get(field, ()) if each not in value]
        elif key.startswith("$"):
            continue  # $setElementOrder and $retainKeys only order or prune what kubectl itself wrote
        elif value is None:
            merged.pop(key, None)
        elif isinstance(value, list):
            merged[key] = _merge_list(key, merged.get(key) or [], value)
        else:
            merged[key] = strategic_merge(merged.get(key), value)
    return merged


def _merge_list(field: str, current: list[Any], patch: list[Any]) -> list[Any]:
    if field in MERGED_SETS:
        return current + [each for each in patch if each not in current]
    merge_key = _merge_key(field, patch)
    if merge_key is None or not all(
        isinstance(each, dict) and ("$patch" in each or merge_key in each) for each in patch
    ):
        return patch
    if any(each.get("$patch") == "replace" for each in patch):
        return [each for each in patch if "$patch" not in each]
    merged = list(current)
    for each in patch:
        index = next((i for i, old in enumerate(merged) if old.get(merge_key) == each.get(merge_key)), None)
        if each.get("$patch") == "delete":
            merged = [old for old in merged if old.get(merge_key) != each.get(merge_key)]
        elif index is None:
            merged.append(each)
        else:
            merged[index] = strategic_merge(merged[index], each)
    return merged


def _merge_key(field: str, patch: list[Any]) -> str | None:
    keys = MERGE_KEYS.get(field) or (None,)
    return next((key for key in keys if any(isinstance(each, dict) and key in each for each in patch)), keys[0])


def json_patch(document: Any, operations: Any) -> Any:
    """`document` after the operations; raises StatusError 400 for no patch at all, 422 when one cannot be applied."""
    if not isinstance(operations, list) or not all(isinstance(each, dict) for each in operations):
        raise errors.bad_request("error decoding patch: json: cannot unmarshal into Go value of type jsonpatch.Patch")
    if len(operations) > OPERATIONS_ALLOWED:
        message = f"The allowed maximum operations in a JSON patch is {OPERATIONS_ALLOWED}, got {len(operations)}"
        raise errors.StatusError(413, "RequestEntityTooLarge", message)
    try:
        return jsonpatch.apply_patch(document, operations)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
        message = "the server rejected our request due to an error in our request"
        raise errors.StatusError(422, "Invalid", message) from error

"""get, list (with pages) and pod logs."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import msgspec

from console.sandbox import errors
from console.sandbox.calls import Call
from console.sandbox.resources import PODS
from console.sandbox.selectors import Predicate, both, field_predicate, label_predicate
from console.sandbox.store import Object, Store

CURRENT = -1  # the version in a token that continues an inconsistent list
TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


class Page(msgspec.Struct):
    """What a continue token holds: the version of the snapshot and the last key that was given out."""

    version: int
    namespace: str
    name: str

    def token(self) -> str:
        """Opaque to clients."""
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")

    @classmethod
    def from_token(cls, token: str) -> Page:
        """Raises StatusError 400 for text that is not a token."""
        try:
            decoded = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            return msgspec.json.decode(decoded, type=cls)
        except (binascii.Error, ValueError, msgspec.DecodeError) as error:
            raise errors.bad_request(f"continue key is not valid: {error}") from error


def selection(call: Call) -> Predicate:
    """What the labelSelector and fieldSelector of a list or watch accept."""
    labels, fields = call.query.get("labelSelector", ""), call.query.get("fieldSelector", "")
    return both([label_predicate(labels), field_predicate(fields, call.resource)])


def list_objects(store: Store, call: Call) -> dict[str, Any]:
    """The List object; raises StatusError 400, 410 (continue token or exact version too old) or 504."""
    limit, token = call.number("limit") or 0, call.query.get("continue", "")
    page = Page.from_token(token) if token else None
    version = page.version if page else _wanted_version(store, call)
    is_current = version == CURRENT
    objects, count = _range(store, call, None if is_current else version, page)
    version = store.version if is_current else version
    accepts = selection(call)
    chosen = (obj for obj in objects if accepts(obj))
    items = list(islice(chosen, limit + 1)) if limit else list(chosen)
    metadata: dict[str, Any] = {"resourceVersion": str(version)}
    if limit and len(items) > limit:
        if not (call.query.get("labelSelector") or call.query.get("fieldSelector")):
            metadata["remainingItemCount"] = count - limit
        items = items[:limit]
        metadata["continue"] = Page(version, *_key(items[-1])).token()
    return {
        "apiVersion": call.resource.api_version,
        "kind": f"{call.resource.kind}List",
        "metadata": metadata,
        "items": items,
    }


def only_metadata(found: dict[str, Any]) -> dict[str, Any]:
    """The List object with nothing but the metadata of each item, as meta.k8s.io/v1 has it."""
    version = "meta.k8s.io/v1"
    items = [
        {"apiVersion": version, "kind": "PartialObjectMetadata", "metadata": item["metadata"]}
        for item in found["items"]
    ]
    return {**found, "apiVersion": version, "kind": "PartialObjectMetadataList", "items": items}


def pod_log(store: Store, call: Call) -> str:
    """The text that `pods/log` answers; raises StatusError 400 or 404. Following is not offered."""
    pod = store.get(PODS, call.namespace, call.name)
    container = _chosen_container(pod, call.query.get("container", ""))
    lines = store.logs.read(call.namespace, call.name, container, previous=call.flag("previous"))
    if lines is None:
        raise errors.bad_request(f'previous terminated container "{container}" in pod "{call.name}" not found')
    if not lines and (reason := _waiting_reason(pod, container)):
        message = f'container "{container}" in pod "{call.name}" is waiting to start: {reason}'
        raise errors.bad_request(message)
    since = call.number("sinceSeconds")
    if since is not None:
        earliest = (datetime.now(UTC) - timedelta(seconds=since)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        lines = [line for line in lines if line.at >= earliest]
    tail = call.number("tailLines")
    if tail is not None:
        lines = lines[len(lines) - tail :] if tail < len(lines) else lines
    stamped = call.flag("timestamps")
    text = "".join(f"{line.at} {line.text}\n" if stamped else f"{line.text}\n" for line in lines)
    limit = call.number("limitBytes")
    return text if limit is None else text.encode()[:limit].decode(errors="ignore")


def _wanted_version(store: Store, call: Call) -> int:
    """The version to list at: only resourceVersionMatch=Exact asks for one that is not the newest."""
    version, match = call.version(), call.query.get("resourceVersionMatch", "")
    if match and version is None:
        details = "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
        raise errors.invalid(call.resource, "", "resourceVersionMatch", details, "FieldValueForbidden")
    if version is not None and version > store.version:
        message = f"Timeout: Too large resource version: {version}, current: {store.version}"
        raise errors.StatusError(504, "Timeout", message, retry_after=1)
    return version if match == "Exact" and version else CURRENT


def _range(store: Store, call: Call, version: int | None, page: Page | None) -> tuple[Iterator[Object], int]:
    """What comes after the page, and how many objects that are before any selection."""
    after = (page.namespace, page.name) if page else ("", "")
    try:
        return store.range(call.resource, call.namespace or None, at=version, after=after)
    except errors.StatusError as error:
        if page is None:
            raise
        rest = Page(CURRENT, page.namespace, page.name).token()
        raise errors.expired(TOO_OLD, continue_token=rest) from error


def _key(obj: Object) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _chosen_container(pod: Object, wanted: str) -> str:
    names = [container["name"] for container in pod["spec"]["containers"]]
    if not wanted and len(names) > 1:
        choices = " ".join(names)
        name = pod["metadata"]["name"]
        raise errors.bad_request(f"a container name must be specified for pod {name}, choose one of: [{choices}]")
    if wanted and wanted not in names:
        raise errors.bad_request(f"container {wanted} is not valid for pod {pod['metadata']['name']}")
    return wanted or names[0]


def _waiting_reason(pod: Object, container: str) -> str:
    for status in pod.get("status", {}).get("containerStatuses", ()):
        if status["name"] == container:
            return str(status.get("state", {}).get("waiting", {}).get("reason", ""))
    return "ContainerCreating"

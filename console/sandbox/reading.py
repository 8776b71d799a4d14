"""get and list (with pages)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from console.sandbox import errors
from console.sandbox.calls import Call
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

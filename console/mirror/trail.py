"""What the watch said of services, one event after another: each change with the person whom the object names at it.

The mirror holds each service as it is; two changes within one look at it are one there. The trail keeps them apart
until the audit log has read them. Values of variables are keyed digests, as everywhere in the mirror.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from console.knative.authors import changed_with
from console.knative.objects import Service


class Event(msgspec.Struct, frozen=True):
    """A service after somebody wrote it, without its status; or the one that was deleted."""

    address: str  # namespace/name
    object: dict[str, Any]
    tool: str
    is_gone: bool

    @property
    def service(self) -> Service:
        return Service(self.object)

    def encoded(self) -> bytes:
        return msgspec.json.encode(self)

    def facts(self) -> bytes:
        """A digest of what people write: the same for two events between which only the status changed."""
        metadata = self.object.get("metadata") or {}
        written = {
            key: metadata.get(key) for key in ("uid", "generation", "labels", "annotations", "deletionTimestamp")
        }
        return hashlib.sha256(msgspec.json.encode([written, self.is_gone], order="deterministic")).digest()


def event(sealed: Mapping[str, Any], raw: Mapping[str, Any], *, is_gone: bool) -> Event:
    """Return the event of a sealed object; `raw` still has the managedFields, which name the tool."""
    service = Service(sealed)
    kept = {key: value for key, value in sealed.items() if key != "status"}
    return Event(f"{service.namespace}/{service.name}", kept, changed_with(raw.get("metadata") or {}), is_gone)

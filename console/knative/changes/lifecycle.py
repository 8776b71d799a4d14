"""Making, replacing, redeploying and removing; and several changes as one, so that they make one revision."""

import copy
from dataclasses import dataclass
from typing import Any, ClassVar

from console.knative.changes.base import (
    Change,
    ChangeRefused,
    edited,
    edited_template,
    result,
    template_metadata,
    unmasked,
)
from console.knative.changes.image import KeepDigest
from console.knative.changes.manifest import kept_annotations, new_spec, refuse_misshapen
from console.knative.diff import creates_revision
from console.knative.objects import UPDATE_TIMESTAMP, Service
from console.knative.paths import TEMPLATE_ANNOTATIONS, FieldPath
from console.knative.problems import Problem


@dataclass(frozen=True, slots=True)
class Combined:
    """Several changes in order, written at once. Digests are kept only where the others make a revision."""

    changes: tuple[Change, ...]

    @property
    def permission(self) -> str:
        """The right of the first part; `changes.permissions` has those of all."""
        return self.changes[0].permission

    def apply(self, service: Service) -> Service:
        kept = [change for change in self.changes if isinstance(change, KeepDigest)]
        others = [change for change in self.changes if not isinstance(change, KeepDigest)]
        after = service
        for change in others:
            after = change.apply(after)
        if others and not creates_revision(service, after):
            return after
        for keep in kept:
            after = keep.apply(after)
        return after

    def touches(self) -> frozenset[FieldPath]:
        return frozenset().union(*(change.touches() for change in self.changes))


@dataclass(frozen=True, slots=True)
class Redeploy:
    """Make a new revision of the same template, for instance to take a tag's newest build. `at`: an ISO timestamp."""

    at: str
    permission: ClassVar[str] = "deploy"

    def apply(self, service: Service) -> Service:
        raw, template = edited_template(service)
        template_metadata(template, "annotations")[UPDATE_TIMESTAMP] = self.at
        return result(service, raw)

    def touches(self) -> frozenset[FieldPath]:
        return frozenset({(*TEMPLATE_ANNOTATIONS, UPDATE_TIMESTAMP)})


@dataclass(frozen=True, slots=True)
class ReplaceManifest:
    """Replace labels, annotations and spec by an edited manifest; identity and what the webhook stamps stay.

    A variable, an argument, a header or an annotation that is shown masked keeps what the service has.
    """

    manifest: dict[str, Any]
    permission: ClassVar[str] = "deploy"

    def apply(self, service: Service) -> Service:
        refuse_misshapen(self.manifest, service)
        raw = edited(service)
        metadata = self.manifest.get("metadata") or {}
        raw["spec"] = new_spec(self.manifest, service)
        raw["metadata"]["annotations"] = {**(metadata.get("annotations") or {}), **kept_annotations(service)}
        raw["metadata"]["labels"] = dict(metadata.get("labels") or {})
        return unmasked(raw, service)

    def touches(self) -> frozenset[FieldPath]:
        return frozenset({("spec",), ("metadata", "labels"), ("metadata", "annotations")})


@dataclass(frozen=True, slots=True)
class CreateService:
    """A new service from a whole manifest."""

    manifest: dict[str, Any]
    permission: ClassVar[str] = "deploy"

    def apply(self, service: Service) -> Service:
        return Service(copy.deepcopy(self.manifest))

    def touches(self) -> frozenset[FieldPath]:
        return frozenset({()})


@dataclass(frozen=True, slots=True)
class DeleteService:
    """The end of a service and of all its revisions."""

    permission: ClassVar[str] = "delete"

    def apply(self, service: Service) -> Service:
        return service

    def touches(self) -> frozenset[FieldPath]:
        return frozenset({()})


@dataclass(frozen=True, slots=True)
class DeleteRevision:
    """The end of one revision. One that is routed, or the latest, is refused: the controller would make it again."""

    revision: str
    permission: ClassVar[str] = "delete"

    def apply(self, service: Service) -> Service:
        if self.revision == service.latest_created_revision:
            raise ChangeRefused(Problem("revision-is-latest", {"revision": self.revision}))
        if any(target.revision == self.revision for target in (*service.spec_traffic, *service.status_traffic)):
            raise ChangeRefused(Problem("revision-is-routed", {"revision": self.revision}))
        return service

    def touches(self) -> frozenset[FieldPath]:
        return frozenset()

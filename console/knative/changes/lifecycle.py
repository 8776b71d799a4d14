"""Making, replacing, redeploying and removing; and several changes as one, so that they make one revision."""

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from console.knative.changes.base import (
    Act,
    Change,
    ChangeRefused,
    JudgedBy,
    Step,
    Verb,
    edited,
    edited_template,
    result,
    template_metadata,
    unmasked,
)
from console.knative.changes.manifest import kept_annotations, new_spec, refuse_misshapen
from console.knative.changes.traffic import SHARE
from console.knative.diff import creates_revision
from console.knative.objects import UPDATE_TIMESTAMP, Service
from console.knative.paths import TEMPLATE_ANNOTATIONS, TRAFFIC, FieldPath
from console.knative.problems import Problem
from console.knative.redaction import MASK, env_values


@dataclass(frozen=True, slots=True)
class Combined(Change):
    """Several changes in order, written at once. Digests are kept only where the others make a revision."""

    changes: tuple[Change, ...]

    @property
    def permission(self) -> str:
        """The right of the first part; `changes.permissions` has those of all."""
        return self.changes[0].permission

    @property
    def parts(self) -> tuple[Change, ...]:
        return tuple(part for change in self.changes for part in change.parts)

    def apply(self, service: Service) -> Service:
        steps = tuple(self.steps(service))
        return steps[-1].after if steps else service

    def steps(self, service: Service) -> Iterator[Step]:
        keeps = [part for part in self.parts if part.judged_by is JudgedBy.NOTHING]
        last = [part for part in self.parts if part.comes_last]
        after = service
        for step in _in_turn((part for part in self.parts if part not in keeps and part not in last), service):
            yield step
            after = step.after
        is_needed = last or len(keeps) == len(self.parts) or creates_revision(service, after)
        yield from _in_turn((*(keeps if is_needed else ()), *last), after)

    def touches(self) -> frozenset[FieldPath]:
        return frozenset().union(*(part.touches() for part in self.parts))

    def typed_values(self) -> frozenset[str]:
        return frozenset().union(*(part.typed_values() for part in self.parts))


@dataclass(frozen=True, slots=True)
class Deploy(Combined):
    """What one release changes, written at once as one revision: edits, and perhaps the share that it gets.

    A share alone is refused: there would be no new revision to get it.
    """

    permission: ClassVar[str] = "deploy"

    def steps(self, service: Service) -> Iterator[Step]:
        after = service
        for step in Combined.steps(self, service):
            yield step
            after = step.after
        routed = [part for part in self.parts if TRAFFIC in part.touches()]
        if routed and not creates_revision(service, after):
            raise ChangeRefused(Problem("no-new-revision", field=SHARE))


def _in_turn(parts: Iterable[Change], service: Service) -> Iterator[Step]:
    """Apply the parts, each to what the one before it made."""
    for part in parts:
        step = Step(part, service, part.apply(service))
        yield step
        service = step.after


@dataclass(frozen=True, slots=True)
class Redeploy(Change):
    """Make a new revision of the same template, for instance to take a tag's newest build. `at`: an ISO timestamp."""

    at: str
    permission: ClassVar[str] = "deploy"
    act: ClassVar[Act] = Act.RESTART
    judged_by: ClassVar[JudgedBy] = JudgedBy.KIND
    is_companion: ClassVar[bool] = True
    makes_pods: ClassVar[bool] = True

    def apply(self, service: Service) -> Service:
        raw, template = edited_template(service)
        template_metadata(template, "annotations")[UPDATE_TIMESTAMP] = self.at
        return result(service, raw)

    def touches(self) -> frozenset[FieldPath]:
        return frozenset({(*TEMPLATE_ANNOTATIONS, UPDATE_TIMESTAMP)})


@dataclass(frozen=True, slots=True)
class ReplaceManifest(Change):
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

    def typed_values(self) -> frozenset[str]:
        return env_values(self.manifest) - {MASK}


@dataclass(frozen=True, slots=True)
class CreateService(Change):
    """A new service from a whole manifest."""

    manifest: dict[str, Any]
    permission: ClassVar[str] = "deploy"
    act: ClassVar[Act] = Act.CREATE
    verb: ClassVar[Verb] = Verb.CREATE

    def apply(self, service: Service) -> Service:
        return Service(copy.deepcopy(self.manifest))

    def touches(self) -> frozenset[FieldPath]:
        return frozenset({()})

    def typed_values(self) -> frozenset[str]:
        return env_values(self.manifest) - {MASK}


@dataclass(frozen=True, slots=True)
class DeleteService(Change):
    """The end of a service and of all its revisions."""

    permission: ClassVar[str] = "delete"
    act: ClassVar[Act] = Act.DELETE
    verb: ClassVar[Verb] = Verb.DELETE
    judged_by: ClassVar[JudgedBy] = JudgedBy.KIND

    def apply(self, service: Service) -> Service:
        return service

    def touches(self) -> frozenset[FieldPath]:
        return frozenset({()})


@dataclass(frozen=True, slots=True)
class DeleteRevision(Change):
    """The end of one revision. One that is routed, or the latest, is refused: the controller would make it again."""

    revision: str
    permission: ClassVar[str] = "delete"
    act: ClassVar[Act] = Act.DELETE
    verb: ClassVar[Verb] = Verb.DELETE_REVISION
    judged_by: ClassVar[JudgedBy] = JudgedBy.KIND

    def apply(self, service: Service) -> Service:
        if self.revision == service.latest_created_revision:
            raise ChangeRefused(Problem("revision-is-latest", {"revision": self.revision}))
        if any(target.revision == self.revision for target in (*service.spec_traffic, *service.status_traffic)):
            raise ChangeRefused(Problem("revision-is-routed", {"revision": self.revision}))
        return service

    def touches(self) -> frozenset[FieldPath]:
        return frozenset()

    def object_name(self, service: Service) -> str:
        return self.revision

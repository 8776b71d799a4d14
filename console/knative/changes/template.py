"""Changes of the template around its containers, and of the service's own labels and annotations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from console.knative.changes.base import (
    Change,
    ChangeRefused,
    edited,
    edited_template,
    entries,
    merge,
    pod_spec,
    result,
    set_or_remove,
    template_metadata,
)
from console.knative.objects import VISIBILITY, Service
from console.knative.paths import POD_SPEC, REVISION_NAME, TEMPLATE_ANNOTATIONS, TEMPLATE_LABELS, FieldPath
from console.knative.problems import Problem

AUTOSCALING = "autoscaling.knative.dev/"
PROGRESS_DEADLINE = "serving.knative.dev/progress-deadline"  # of the template
# Of the service, in the spellings that Knative reads: the first that is there counts (serving register.go).
ROLLOUT_DURATION = ("serving.knative.dev/rollout-duration", "serving.knative.dev/rolloutDuration")
Timeout = Literal["timeoutSeconds", "responseStartTimeoutSeconds", "idleTimeoutSeconds"]
# Fields of the forms for the seconds of a request, and their names in the pod spec (serving 0.50, revision_types.go).
TIMEOUTS: tuple[tuple[str, Timeout], ...] = (
    ("timeout", "timeoutSeconds"),
    ("response_start", "responseStartTimeoutSeconds"),
    ("idle", "idleTimeoutSeconds"),
)
# Fields of SetScale: the annotation's name and kn's flag (serving pkg/apis/autoscaling/register.go; kn service update).
SCALE_FIELDS = {
    "min": ("min-scale", "--scale-min"),
    "max": ("max-scale", "--scale-max"),
    "initial": ("initial-scale", "--scale-init"),
    "activation": ("activation-scale", "--scale-activation"),
    "metric": ("metric", "--scale-metric"),
    "target": ("target", "--scale-target"),
    "utilization": ("target-utilization-percentage", "--scale-utilization"),
    "window": ("window", "--scale-window"),
}
# Older spellings that Knative still reads where the newer one is missing (the KeyPriority lists of that register.go).
_OLD_NAMES = {
    "min-scale": "minScale",
    "max-scale": "maxScale",
    "initial-scale": "initialScale",
    "target-utilization-percentage": "targetUtilizationPercentage",
}


def scale_spellings(field: str) -> tuple[str, ...]:
    """Return the annotations that Knative reads for the field; the first that is there counts."""
    name = SCALE_FIELDS[field][0]
    return tuple(AUTOSCALING + word for word in (name, _OLD_NAMES.get(name)) if word)


def scale_spelling(annotations: Mapping[str, str], field: str) -> str:
    """Return the annotation that counts for the field: the one that is there, else the newest spelling."""
    spellings = scale_spellings(field)
    return next((name for name in spellings if name in annotations), spellings[0])


def spelled_rollout(annotations: Mapping[str, str]) -> str:
    """Return the annotation that holds the rollout's duration: the one that is there, else the newest spelling."""
    return next((name for name in ROLLOUT_DURATION if name in annotations), ROLLOUT_DURATION[0])


@dataclass(frozen=True, slots=True)
class SetScale(Change):
    """Autoscaling of new revisions by field (`SCALE_FIELDS`): a text sets it, None restores the cluster's default."""

    fields: dict[str, str | None]
    permission: ClassVar[str] = "operate"

    def apply(self, service: Service) -> Service:
        raw, template = edited_template(service)
        annotations = template_metadata(template, "annotations")
        for field, value in self.fields.items():
            if value is None:  # an older spelling would come to life when the newer is removed
                merge(annotations, dict.fromkeys(scale_spellings(field)))
            else:
                annotations[scale_spelling(annotations, field)] = value
        return result(service, raw)

    def touches(self) -> frozenset[FieldPath]:
        return frozenset((*TEMPLATE_ANNOTATIONS, name) for field in self.fields for name in scale_spellings(field))


@dataclass(frozen=True, slots=True)
class SetConcurrency(Change):
    """The hard limit of requests at once in one replica; 0 is none, None the cluster's default."""

    limit: int | None
    permission: ClassVar[str] = "operate"

    def apply(self, service: Service) -> Service:
        raw, template = edited_template(service)
        set_or_remove(pod_spec(template), "containerConcurrency", self.limit)
        return result(service, raw)

    def touches(self) -> frozenset[FieldPath]:
        return frozenset({(*POD_SPEC, "containerConcurrency")})


@dataclass(frozen=True, slots=True)
class SetTimeout(Change):
    """Seconds that a request may take, till its response begins, or without a byte; None: the cluster's default."""

    seconds: int | None
    field: Timeout = "timeoutSeconds"
    permission: ClassVar[str] = "deploy"

    def apply(self, service: Service) -> Service:
        raw, template = edited_template(service)
        set_or_remove(pod_spec(template), self.field, self.seconds)
        return result(service, raw)

    def touches(self) -> frozenset[FieldPath]:
        return frozenset({(*POD_SPEC, self.field)})


@dataclass(frozen=True, slots=True)
class SetServiceAccount(Change):
    """The service account of the pods; empty restores the namespace's default."""

    name: str
    permission: ClassVar[str] = "deploy"

    def apply(self, service: Service) -> Service:
        raw, template = edited_template(service)
        set_or_remove(pod_spec(template), "serviceAccountName", self.name or None)
        return result(service, raw)

    def touches(self) -> frozenset[FieldPath]:
        return frozenset({(*POD_SPEC, "serviceAccountName")})


@dataclass(frozen=True, slots=True)
class SetPullSecrets(Change):
    """The secrets that pull images. An entry that stays keeps what else it holds."""

    names: tuple[str, ...]
    permission: ClassVar[str] = "deploy"

    def apply(self, service: Service) -> Service:
        raw, template = edited_template(service)
        spec = pod_spec(template)
        present = list(spec.get("imagePullSecrets") or ())
        taken = [(name, _take(present, name)) for name in self.names]
        wanted = [{"name": name} if entry is None else entry for name, entry in taken]  # an entry may be {}
        set_or_remove(spec, "imagePullSecrets", wanted or None)
        return result(service, raw)

    def touches(self) -> frozenset[FieldPath]:
        return frozenset({(*POD_SPEC, "imagePullSecrets")})


def _take(entries: list[dict[str, Any]], name: str) -> dict[str, Any] | None:
    """Remove the first entry with the name from the list; a name may be listed twice."""
    found = next((entry for entry in entries if str(entry.get("name", "")) == name), None)
    if found is not None:
        entries.remove(found)
    return found


@dataclass(frozen=True, slots=True)
class SetLabels(Change):
    """Labels of the service or of new revisions; None removes one."""

    labels: dict[str, str | None]
    on: Literal["service", "revision"] = "service"
    permission: ClassVar[str] = "deploy"

    def apply(self, service: Service) -> Service:
        return _set_metadata(service, self.on, "labels", self.labels)

    def touches(self) -> frozenset[FieldPath]:
        root = ("metadata", "labels") if self.on == "service" else TEMPLATE_LABELS
        return frozenset((*root, key) for key in self.labels)


@dataclass(frozen=True, slots=True)
class SetAnnotations(Change):
    """Annotations of the service or of new revisions; None removes one."""

    annotations: dict[str, str | None]
    on: Literal["service", "revision"] = "service"
    permission: ClassVar[str] = "deploy"

    def apply(self, service: Service) -> Service:
        return _set_metadata(service, self.on, "annotations", self.annotations)

    def touches(self) -> frozenset[FieldPath]:
        root = ("metadata", "annotations") if self.on == "service" else TEMPLATE_ANNOTATIONS
        return frozenset((*root, key) for key in self.annotations)


def _set_metadata(service: Service, on: str, kind: str, wanted: dict[str, str | None]) -> Service:
    if on == "revision":
        raw, template = edited_template(service)
        merge(template_metadata(template, kind), wanted)
    else:
        raw = edited(service)
        merge(entries(raw["metadata"], kind), wanted)
    return result(service, raw)


@dataclass(frozen=True, slots=True)
class SetVisibility(Change):
    """Reachable from outside the cluster, or only from inside."""

    cluster_local: bool
    permission: ClassVar[str] = "traffic"

    def apply(self, service: Service) -> Service:
        return _set_metadata(
            service, "service", "labels", {VISIBILITY: "cluster-local" if self.cluster_local else None}
        )

    def touches(self) -> frozenset[FieldPath]:
        return frozenset({("metadata", "labels", VISIBILITY)})


@dataclass(frozen=True, slots=True)
class SetRevisionName(Change):
    """Name the revision that this change makes. Every edit of the template clears the name."""

    name: str
    permission: ClassVar[str] = "deploy"
    comes_last: ClassVar[bool] = True

    def apply(self, service: Service) -> Service:
        if not self.name.startswith(f"{service.name}-"):
            raise ChangeRefused(Problem("revision-name-prefix", {"name": self.name, "prefix": f"{service.name}-"}))
        raw, template = edited_template(service)
        if not isinstance(template.get("metadata"), dict):
            template["metadata"] = {}
        template["metadata"]["name"] = self.name
        return Service(raw)

    def touches(self) -> frozenset[FieldPath]:
        return frozenset({REVISION_NAME})

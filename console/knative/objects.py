"""Knative's objects as thin views over the JSON that the API returned; never copies, never mutated."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from console.knative import images, replicas, traffic
from console.knative.conditions import Condition, Tally, parse_time, tally
from console.knative.containers import Container, Raw, containers_of, user_container_of
from console.knative.owners import Owner, owners
from console.knative.traffic import TrafficTarget, TrafficTruth

USER_IMAGE = "client.knative.dev/user-image"
UPDATE_TIMESTAMP = "client.knative.dev/updateTimestamp"
GENERATION_LABEL = "serving.knative.dev/configurationGeneration"  # of a revision
CREATOR = "serving.knative.dev/creator"
LAST_MODIFIER = "serving.knative.dev/lastModifier"
VISIBILITY = "networking.knative.dev/visibility"
OPERATION = "sluice.dev/operation"


class Health(StrEnum):
    """A service in one word."""

    READY = "ready"
    PROGRESSING = "progressing"
    FAILED = "failed"


NOT_WRITTEN = Condition("Ready", "Unknown")
_HEALTH = {"True": Health.READY, "False": Health.FAILED}


@dataclass(frozen=True, slots=True)
class KubeObject:
    """What every object has."""

    raw: Raw

    @property
    def metadata(self) -> Raw:
        return self.raw.get("metadata") or {}

    @property
    def spec(self) -> Raw:
        return self.raw.get("spec") or {}

    @property
    def status(self) -> Raw:
        return self.raw.get("status") or {}

    @property
    def name(self) -> str:
        return str(self.metadata.get("name", ""))

    @property
    def namespace(self) -> str:
        return str(self.metadata.get("namespace", ""))

    @property
    def uid(self) -> str:
        return str(self.metadata.get("uid", ""))

    @property
    def resource_version(self) -> str:
        return str(self.metadata.get("resourceVersion", ""))

    @property
    def generation(self) -> int:
        return int(self.metadata.get("generation") or 0)

    @property
    def observed_generation(self) -> int:
        return int(self.status.get("observedGeneration") or 0)

    @property
    def is_settled(self) -> bool:
        """The controller has seen the newest spec: only then do the conditions speak of it."""
        return self.generation == self.observed_generation

    @property
    def labels(self) -> Mapping[str, str]:
        return self.metadata.get("labels") or {}

    @property
    def annotations(self) -> Mapping[str, str]:
        return self.metadata.get("annotations") or {}

    @property
    def created_at(self) -> datetime | None:
        return parse_time(self.metadata.get("creationTimestamp"))

    @property
    def is_being_deleted(self) -> bool:
        return bool(self.metadata.get("deletionTimestamp"))

    @property
    def creator(self) -> str:
        """Who made it, as the webhook stamped it. A Revision's creator is the modifier whose change made it."""
        return self.annotations.get(CREATOR, "")

    @property
    def last_modifier(self) -> str:
        return self.annotations.get(LAST_MODIFIER, "")

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Sorted as kn does: Ready first, the others by name."""
        found = [Condition.read(raw) for raw in self.status.get("conditions") or ()]
        return tuple(sorted(found, key=lambda condition: (condition.type != "Ready", condition.type)))

    def condition(self, kind: str) -> Condition | None:
        """The condition of this type; the others are not read: a watcher asks this of each revision three times."""
        written = self.status.get("conditions") or ()
        found = next((raw for raw in written if str(raw.get("type", "")) == kind), None)
        return None if found is None else Condition.read(found)

    @property
    def ready(self) -> Condition:
        """The Ready condition; Unknown when the controller has not written one yet."""
        return self.condition("Ready") or NOT_WRITTEN

    @property
    def tally(self) -> Tally:
        return tally(self.conditions)

    @property
    def health(self) -> Health:
        return self.health_by(self.ready)

    def health_by(self, ready: Condition) -> Health:
        """Its health, of its Ready condition, which only counts when the controller has seen the newest spec."""
        if not self.is_settled:
            return Health.PROGRESSING
        return _HEALTH.get(ready.status, Health.PROGRESSING)


@dataclass(frozen=True, slots=True)
class Service(KubeObject):
    """A serving.knative.dev/v1 Service."""

    def with_annotations(self, annotations: Mapping[str, str]) -> "Service":
        """Return the service with exactly these annotations, and everything else as it is."""
        return Service({**self.raw, "metadata": {**self.metadata, "annotations": dict(annotations)}})

    @property
    def url(self) -> str:
        return str(self.status.get("url", ""))

    @property
    def template(self) -> Raw:
        return self.spec.get("template") or {}

    @property
    def template_spec(self) -> Raw:
        return self.template.get("spec") or {}

    @property
    def template_annotations(self) -> Mapping[str, str]:
        return (self.template.get("metadata") or {}).get("annotations") or {}

    @property
    def containers(self) -> tuple[Container, ...]:
        return containers_of(self.template_spec)

    @property
    def user_container(self) -> Container | None:
        return user_container_of(self.containers)

    @property
    def image(self) -> str:
        """The image of the serving container, by the name that a person gave it (images.shown)."""
        container = self.user_container
        return images.shown(container.image, self.template_annotations.get(USER_IMAGE, "")) if container else ""

    @property
    def spec_traffic(self) -> tuple[TrafficTarget, ...]:
        """The wished split. Empty means all to the latest revision (route_defaults.go)."""
        found = tuple(TrafficTarget.read(raw) for raw in self.spec.get("traffic") or ())
        return found or (TrafficTarget(percent=100, follows_latest=True),)

    @property
    def status_traffic(self) -> tuple[TrafficTarget, ...]:
        return tuple(TrafficTarget.read(raw) for raw in self.status.get("traffic") or ())

    @property
    def latest_ready_revision(self) -> str | None:
        return self.status.get("latestReadyRevisionName") or None

    @property
    def latest_created_revision(self) -> str | None:
        return self.status.get("latestCreatedRevisionName") or None

    @property
    def truth(self) -> TrafficTruth:
        return traffic.truth(self.spec_traffic, self.status_traffic, self.latest_ready_revision)

    @property
    def is_cluster_local(self) -> bool:
        return self.labels.get(VISIBILITY) == "cluster-local"

    @property
    def owners(self) -> tuple[Owner, ...]:
        """The other tools that write the object, by the marks that they leave."""
        return owners(self.metadata)


@dataclass(frozen=True, slots=True)
class Route(KubeObject):
    """A serving.knative.dev/v1 Route."""


@dataclass(frozen=True, slots=True)
class Revision(KubeObject):
    """A serving.knative.dev/v1 Revision."""

    @property
    def service_name(self) -> str:
        return self.labels.get("serving.knative.dev/service", "")

    @property
    def configuration_generation(self) -> int:
        """The generation that kn shows in brackets; 0 when the label is missing or no number."""
        text = self.labels.get(GENERATION_LABEL, "")
        return int(text) if text.isdecimal() else 0

    @property
    def routing_state(self) -> str:
        """active, reserve or pending: what may be deleted."""
        return self.labels.get("serving.knative.dev/routingState", "")

    @property
    def containers(self) -> tuple[Container, ...]:
        return containers_of(self.spec)

    @property
    def user_container(self) -> Container | None:
        return user_container_of(self.containers)

    @property
    def image(self) -> str:
        """The image of the serving container, by the name that a person gave it (images.shown)."""
        container = self.user_container
        return images.shown(container.image, self.annotations.get(USER_IMAGE, "")) if container else ""

    @property
    def image_digest(self) -> str:
        """`sha256:...` that the controller resolved, from status or from the pinned reference; empty when unknown."""
        container = self.user_container
        for status in self.status.get("containerStatuses") or ():
            if container and status.get("name") == container.name and "@" in str(status.get("imageDigest", "")):
                return str(status["imageDigest"]).rpartition("@")[2]
        return container.image.rpartition("@")[2] if container and "@" in container.image else ""

    @property
    def digests(self) -> dict[str, str]:
        """`sha256:...` by container, as far as the controller resolved them."""
        statuses = self.status.get("containerStatuses") or ()
        return {
            str(status.get("name", "")): str(status["imageDigest"]).rpartition("@")[2]
            for status in statuses
            if "@" in str(status.get("imageDigest", ""))
        }

    @property
    def image_text(self) -> str:
        """As kn prints it: `gcr.io/knative-samples/helloworld-go (pinned to 5ea96b)`."""
        digest = self.image_digest.removeprefix("sha256:")
        name = self.image.partition("@")[0]
        return f"{name} (pinned to {digest[:6]})" if digest else name

    @property
    def actual_replicas(self) -> int:
        return int(self.status.get("actualReplicas") or 0)

    @property
    def desired_replicas(self) -> int:
        return int(self.status.get("desiredReplicas") or 0)

    @property
    def replicas_text(self) -> str:
        """`1`, or `1/2`: running of wanted; empty where the controller has not told it yet."""
        return replicas.text(*(replicas.count(self.status, field) for field in ("actualReplicas", "desiredReplicas")))

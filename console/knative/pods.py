"""Pods of a revision, and what Kubernetes tells about them and others, as views over the JSON."""

from dataclasses import dataclass
from datetime import datetime

from console.knative.conditions import parse_time
from console.knative.containers import Raw
from console.knative.objects import KubeObject

QUEUE_PROXY = "queue-proxy"  # the container that Knative adds to each pod


@dataclass(frozen=True, slots=True)
class End:
    """How a container ended."""

    reason: str
    message: str
    exit_code: int
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def read(cls, raw: Raw) -> "End":
        return cls(
            str(raw.get("reason", "")),
            str(raw.get("message", "")),
            int(raw.get("exitCode") or 0),
            parse_time(raw.get("startedAt")),
            parse_time(raw.get("finishedAt")),
        )


@dataclass(frozen=True, slots=True)
class ContainerState:
    """What a container does at present, and how it ended: now, else the last time before."""

    raw: Raw

    @property
    def name(self) -> str:
        return str(self.raw.get("name", ""))

    @property
    def image(self) -> str:
        return str(self.raw.get("image", ""))

    @property
    def is_ready(self) -> bool:
        return bool(self.raw.get("ready"))

    @property
    def is_running(self) -> bool:
        return self._state.get("running") is not None

    @property
    def started_at(self) -> datetime | None:
        """Since when it runs; None when it does not."""
        return parse_time((self._state.get("running") or {}).get("startedAt"))

    @property
    def reason(self) -> str:
        """Why it waits; empty when it does not."""
        return str((self._state.get("waiting") or {}).get("reason", ""))

    @property
    def message(self) -> str:
        return str((self._state.get("waiting") or {}).get("message", ""))

    @property
    def ended(self) -> End | None:
        raw = self._state.get("terminated") or (self.raw.get("lastState") or {}).get("terminated")
        return End.read(raw) if raw else None

    @property
    def _state(self) -> Raw:
        return self.raw.get("state") or {}


@dataclass(frozen=True, slots=True)
class Pod(KubeObject):
    """A v1 Pod of a revision."""

    @property
    def revision_name(self) -> str:
        return self.labels.get("serving.knative.dev/revision", "")

    @property
    def container_statuses(self) -> tuple[Raw, ...]:
        return tuple(self.status.get("containerStatuses") or ())

    @property
    def states(self) -> tuple[ContainerState, ...]:
        """Init containers that have not finished, then the service's own, then Knative's."""
        starting = [ContainerState(raw) for raw in self.status.get("initContainerStatuses") or ()]
        own = [ContainerState(raw) for raw in self.container_statuses]
        unfinished = [
            state for state in starting if not (state.is_ready or (state.ended and not state.ended.exit_code))
        ]
        return (*unfinished, *sorted(own, key=lambda state: state.name == QUEUE_PROXY))

    @property
    def is_ready(self) -> bool:
        condition = self.condition("Ready")
        return bool(condition and condition.is_true)

    @property
    def ready_text(self) -> str:
        """kubectl's READY column, `2/2`."""
        ready = sum(1 for status in self.container_statuses if status.get("ready"))
        return f"{ready}/{len(self.container_statuses) or len(self.spec.get('containers') or ())}"

    @property
    def phase(self) -> str:
        """kubectl's STATUS column: Terminating, a waiting reason, or the phase."""
        if self.is_being_deleted:
            return "Terminating"
        return next((reason for _, reason, _ in self.waiting), str(self.status.get("phase", "Unknown")))

    @property
    def waiting(self) -> tuple[tuple[str, str, str], ...]:
        """(container, reason, message) of each container that waits."""
        return tuple((state.name, state.reason, state.message) for state in self.states if state.reason)

    @property
    def has_started(self) -> bool:
        """A container of the revision's own runs, or ran; Knative's queue-proxy does not count."""
        return any(state.name != QUEUE_PROXY and (state.is_running or state.ended) for state in self.states)

    @property
    def restarts(self) -> int:
        return sum(int(status.get("restartCount") or 0) for status in self.container_statuses)


@dataclass(frozen=True, slots=True)
class Event(KubeObject):
    """A v1 Event."""

    @property
    def is_warning(self) -> bool:
        return self.raw.get("type") == "Warning"

    @property
    def reason(self) -> str:
        return str(self.raw.get("reason", ""))

    @property
    def message(self) -> str:
        return str(self.raw.get("message", ""))

    @property
    def about(self) -> str:
        involved = self.raw.get("involvedObject") or {}
        return f"{involved.get('kind', '')}/{involved.get('name', '')}"

    @property
    def at(self) -> datetime | None:
        """When it happened last, however the reporter counts (core/v1 count, events/v1 series)."""
        series = (self.raw.get("series") or {}).get("lastObservedTime")
        return parse_time(series or self.raw.get("lastTimestamp") or self.raw.get("eventTime")) or self.created_at

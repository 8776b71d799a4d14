"""Pods of a revision, and what Kubernetes tells about them and others, as views over the JSON."""

from dataclasses import dataclass
from datetime import datetime

from console.knative.conditions import parse_time
from console.knative.containers import Raw
from console.knative.objects import KubeObject


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
        return self._states("state", "waiting")

    @property
    def terminations(self) -> tuple[tuple[str, str, str], ...]:
        """(container, reason, message) of each container that has ended, now or the last time."""
        return self._states("state", "terminated") + self._states("lastState", "terminated")

    @property
    def exits(self) -> tuple[tuple[str, int, str], ...]:
        """(container, exit code, reason) of each container that ended with an error, now or the last time."""
        found = []
        for status in self.container_statuses:
            for when in ("state", "lastState"):
                ended = (status.get(when) or {}).get("terminated") or {}
                if ended.get("exitCode"):
                    found.append((str(status.get("name", "")), int(ended["exitCode"]), str(ended.get("reason", ""))))
        return tuple(found)

    @property
    def has_started(self) -> bool:
        """A container of the revision's own runs, or ran; Knative's queue-proxy does not count."""
        return any(
            status.get("name") != "queue-proxy"
            and ((status.get("state") or {}).get("running") or (status.get("lastState") or {}).get("terminated"))
            for status in self.container_statuses
        )

    @property
    def restarts(self) -> int:
        return sum(int(status.get("restartCount") or 0) for status in self.container_statuses)

    def _states(self, when: str, state: str) -> tuple[tuple[str, str, str], ...]:
        found = []
        for status in self.container_statuses:
            if facts := (status.get(when) or {}).get(state):
                reason, message = str(facts.get("reason", "")), str(facts.get("message", ""))
                found.append((str(status.get("name", "")), reason, message))
        return tuple(found)


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
        return parse_time(self.raw.get("lastTimestamp") or self.raw.get("eventTime")) or self.created_at

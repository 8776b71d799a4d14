"""Following one generation of a service until it serves or fails: kn's lines, phases, and one outcome.

A pure state machine: time is passed in, nothing is read. Between two tasks `state` carries it over.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from console.knative.objects import Revision, Service
from console.knative.traffic import shares

READY_TO_SERVE = "Ready to serve."


class Phase(StrEnum):
    """The stations of a change, in the order in which they are passed."""

    ACCEPTED = "accepted"
    REVISION_CREATED = "revision-created"
    IMAGE_RESOLVED = "image-resolved"
    PODS_STARTING = "pods-starting"
    READY = "ready"
    TRAFFIC_MOVED = "traffic-moved"
    LOAD_BALANCER = "load-balancer"


ORDER = tuple(Phase)


class Outcome(StrEnum):
    """What a read of the service shows about the change. An outcome needs a read of the service as it is now."""

    SUCCEEDED = "succeeded"
    NOT_SERVING = "succeeded-not-serving"
    NOT_READY = "succeeded-not-ready"  # the change is in effect; the service is not ready for another reason
    FAILED = "failed"
    TIMED_OUT = "timed-out"
    SUPERSEDED = "superseded"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the timeline, as kn prints it: seconds since the start and the Ready condition's message."""

    elapsed: float
    text: str
    phase: Phase

    def __str__(self) -> str:
        return f"{self.elapsed:7.3f}s {self.text}"


@dataclass(slots=True)
class Follow:
    """What has been seen of one generation so far.

    `previous_revision` is the latest created revision before the change; `makes_revision` tells whether a new one is
    expected, `is_certain` whether the API's answer to the write said so (it is lost when a worker dies there).
    `changes_spec` is False for a change of labels and annotations only. Ready=False counts as a failure only after
    `error_window` seconds, like in kn.
    """

    generation: int
    makes_revision: bool
    previous_revision: str | None = None
    is_certain: bool = True
    changes_spec: bool = True
    error_window: float = 2.0
    deadline: float = 600.0
    revision: str | None = None
    last_message: str = ""
    failing_since: float | None = None
    outcome: Outcome | None = None
    phases: dict[str, float] = field(default_factory=dict)

    @property
    def state(self) -> dict[str, Any]:
        """Everything as JSON data, except the outcome; `Follow(**state)` continues from there.

        The next turn reads the service again, because its state may have changed.
        """
        return {**asdict(self), "outcome": None}

    @property
    def was_ready(self) -> bool:
        """The change was in effect at some time, whatever came after it."""
        return Phase.LOAD_BALANCER in self.phases

    def observe(self, elapsed: float, service: Service | None, revision: Revision | None = None) -> tuple[Line, ...]:
        """Take in what the cluster shows at `elapsed` seconds; return new lines, and set `outcome` to what it means."""
        self.outcome = None
        self._reach(Phase.ACCEPTED, 0.0)
        if service is None or service.is_being_deleted:
            self.outcome = Outcome.GONE
            return ()
        if service.generation > self.generation:
            self.outcome = Outcome.SUPERSEDED
            return ()
        lines: tuple[Line, ...] = ()
        if service.is_settled and service.generation == self.generation:
            self._find_revision(service)
            self._note_phases(elapsed, service, revision)
            lines = self._read_ready(elapsed, service)
        if self.outcome is None and elapsed >= self.deadline:
            self.outcome = Outcome.TIMED_OUT
        return lines

    def _find_revision(self, service: Service) -> None:
        created = service.latest_created_revision
        if self.makes_revision and created != self.previous_revision:
            self.revision = created

    def _read_ready(self, elapsed: float, service: Service) -> tuple[Line, ...]:
        ready = service.ready
        if ready.is_true:
            return self._read_success(elapsed, service)
        if ready.is_false:
            self.failing_since = elapsed if self.failing_since is None else self.failing_since
            if elapsed - self.failing_since >= self.error_window:
                self.outcome = Outcome.NOT_READY if self._is_in_effect(service) else Outcome.FAILED
        else:
            self.failing_since = None
        return self._say(elapsed, ready.message)

    def _read_success(self, elapsed: float, service: Service) -> tuple[Line, ...]:
        """The service is ready. That counts once it serves the revision of this change, split as its spec says."""
        self.failing_since = None
        if self.makes_revision and self.revision is None and not self.is_certain:
            self.makes_revision = False  # Ready speaks of this very spec: no revision came of it, so none will
        if self.makes_revision and service.latest_ready_revision != (self.revision or ""):
            return ()  # an old truth: the controller has not met the new template yet
        if not is_split_as_specified(service):
            return ()  # Ready speaks of the split before
        self.outcome = Outcome.NOT_SERVING if self._serves_nothing(service) else Outcome.SUCCEEDED
        self._reach(Phase.LOAD_BALANCER, elapsed)
        return self._say(elapsed, READY_TO_SERVE)

    def _is_in_effect(self, service: Service) -> bool:
        """What was asked for is so although the service is not ready: labels are set, or the traffic has moved.

        A service whose newest revision failed is not ready until that is mended, wherever its traffic goes.
        """
        routes = service.condition("RoutesReady")
        is_routed = routes is not None and routes.is_true and is_split_as_specified(service)
        return not self.makes_revision and (is_routed or not self.changes_spec)

    def _say(self, elapsed: float, message: str) -> tuple[Line, ...]:
        """kn prints each message once and `...` for none; a state that is only seen again is not a new line here."""
        if not message or message == self.last_message:
            return ()
        self.last_message = message
        return (Line(elapsed, message, self._phase_now()),)

    def _serves_nothing(self, service: Service) -> bool:
        if not (self.makes_revision and self.revision):
            return False
        return not any(target.revision == self.revision and target.percent for target in service.status_traffic)

    def _note_phases(self, elapsed: float, service: Service, revision: Revision | None) -> None:
        if self.makes_revision and self.revision:
            self._reach(Phase.REVISION_CREATED, elapsed)
            if revision and revision.name == self.revision and revision.conditions:
                available = revision.condition("ResourcesAvailable")
                if available and available.reason != "ResolvingDigests" and not revision.ready.is_false:
                    self._reach(Phase.IMAGE_RESOLVED, elapsed)
                    self._reach(Phase.PODS_STARTING, elapsed)
                if revision.ready.is_true:
                    self._reach(Phase.READY, elapsed)
        if self.makes_revision and service.latest_ready_revision == self.revision and self.revision:
            for phase in (Phase.IMAGE_RESOLVED, Phase.PODS_STARTING, Phase.READY):
                self._reach(phase, elapsed)
        ready_reason = service.ready.reason
        if ready_reason in ("IngressNotConfigured", "Uninitialized") or service.ready.is_true:
            self._reach(Phase.TRAFFIC_MOVED, elapsed)

    def _phase_now(self) -> Phase:
        return max((Phase(name) for name in self.phases), key=ORDER.index)

    def _reach(self, phase: Phase, elapsed: float) -> None:
        self.phases.setdefault(phase.value, elapsed)


def is_split_as_specified(service: Service) -> bool:
    """status.traffic gives every revision the share that spec.traffic gives it."""
    wanted: dict[str, int] = {}
    for target in service.spec_traffic:
        name = service.latest_ready_revision if target.is_latest else target.revision
        if target.percent and name:
            wanted[name] = wanted.get(name, 0) + target.percent
    return wanted == shares(service.status_traffic)


def expected_phases(makes_revision: bool) -> tuple[Phase, ...]:
    """Return the phases that a change passes: a traffic change makes no revision."""
    if makes_revision:
        return tuple(Phase)
    return (Phase.ACCEPTED, Phase.TRAFFIC_MOVED, Phase.LOAD_BALANCER)


def durations(phases: Mapping[str, float]) -> dict[str, float]:
    """Return the seconds from each reached phase's predecessor to it: where the time went."""
    reached = sorted((at, ORDER.index(Phase(name)), name) for name, at in phases.items())
    found = {}
    before = 0.0
    for at, _, name in reached:
        found[name] = round(at - before, 3)
        before = at
    return found


def closing(service: Service, follow: Follow, *, created: bool = False) -> tuple[str, str]:
    """Return kn's last two lines: what became of the service, and its URL."""
    subject = f"Service '{service.name}'"
    latest = service.latest_ready_revision or service.latest_created_revision or ""
    if created:
        return f"{subject} created to latest revision '{latest}' is available at URL:", service.url
    if follow.makes_revision:
        return f"{subject} updated to latest revision '{latest}' is available at URL:", service.url
    return f"{subject} with latest revision '{latest}' (unchanged) is available at URL:", service.url

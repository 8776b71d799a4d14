"""Why it does not work: the cause behind a failed revision or route, from conditions, pods and events."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from console.knative.conditions import Condition
from console.knative.objects import Revision, Route, Service
from console.knative.pods import Event, Pod


@dataclass(frozen=True, slots=True)
class Cause:
    """What went wrong: a code for the words, the facts to fill them, and the cluster's own message."""

    code: str
    raw: str
    facts: dict[str, str] = field(default_factory=dict, hash=False)


DEADLINE = "deadline"  # nothing but the time that passed
_EXIT_CODE = re.compile(r"ExitCode(\d+)")

# What a message tells, most telling first. Messages of Knative Serving 0.42, the kubelet, the scheduler and quota.
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("quota", re.compile(r"exceeded quota: (?P<quota>[^,]+)")),
    ("unschedulable", re.compile(r"\d+/\d+ nodes are available: (?P<detail>.*)|Unschedulable")),
    ("secret-missing", re.compile(r'secrets? "(?P<name>[^"]+)" not found|couldn\'t find key (?P<key>\S+) in Secret')),
    (
        "config-map-missing",
        re.compile(r'configmaps? "(?P<name>[^"]+)" not found|couldn\'t find key (?P<key>\S+) in ConfigMap'),
    ),
    (
        "image-missing",
        re.compile(r'Unable to fetch image "(?P<image>[^"]+)"|ErrImagePull|ImagePullBackOff|Failed to pull image'),
    ),
    ("out-of-memory", re.compile(r"OOMKilled")),
    ("liveness", re.compile(r"[Ll]iveness probe failed:? ?(?P<detail>.*)")),
    (
        "crash",
        re.compile(
            r"Container failed with: ?(?P<line>.*)|CrashLoopBackOff|back-off .* restarting failed container|ExitCode"
        ),
    ),
    ("probe", re.compile(r"(?:[Rr]eadiness|[Ss]tartup) probe failed:? ?(?P<detail>.*)")),
    (DEADLINE, re.compile(r"ProgressDeadlineExceeded|nitial scale was never achieved")),
    ("revision-missing", re.compile(r'Revision "(?P<revision>[^"]+)" referenced in traffic not found')),
    ("ingress", re.compile(r"[Ii]ngress|load balancer")),
)


def find(
    service: Service,
    *,
    revision: Revision | None = None,
    route: Route | None = None,
    pods: Iterable[Pod] = (),
    events: Iterable[Event] = (),
) -> Cause:
    """Return the most telling cause that any of the objects gives; the service's own message when nothing else does."""
    pods = tuple(pods)
    texts = list(_texts(service, revision, route, pods, events))
    for code, pattern in _PATTERNS:
        for text in texts:
            if match := pattern.search(text):
                facts = {name: value for name, value in match.groupdict().items() if value}
                # What runs and is not ready has failed its probes, also when no event tells of them.
                runs = code == DEADLINE and any(pod.has_started for pod in pods)
                return Cause("probe" if runs else code, text, facts | _exit(pods, texts))
    return Cause("unknown", texts[0] if texts else service.ready.reason)


def _exit(pods: Iterable[Pod], texts: Iterable[str]) -> dict[str, str]:
    """The exit code of a container that ended with an error, from its pod or from what Knative kept of it."""
    for pod in pods:
        for container, code, _reason in pod.exits:
            return {"exit_code": str(code), "container": container}
    for text in texts:
        if match := _EXIT_CODE.search(text):
            return {"exit_code": match[1]}
    return {}


def _texts(
    service: Service, revision: Revision | None, route: Route | None, pods: Iterable[Pod], events: Iterable[Event]
) -> Iterable[str]:
    """Messages from the nearest to the failure outwards."""
    for pod in pods:
        for _, reason, message in (*pod.waiting, *pod.terminations):
            if reason not in ("ContainerCreating", "PodInitializing", "Completed"):
                yield f"{reason}: {message}" if message else reason
        for raw in pod.status.get("conditions") or ():
            condition = Condition.read(raw)
            if condition.type == "PodScheduled" and condition.is_false:
                yield f"{condition.reason}: {condition.message}"
    for holder in (revision, route, service):
        for condition in holder.conditions if holder else ():
            if condition.is_false and condition.severity != "Info":
                yield f"{condition.reason}: {condition.message}" if condition.message else condition.reason
    for event in events:
        if event.is_warning:
            yield f"{event.reason}: {event.message}"

"""Why a service does not work: the cause (console.knative.causes) behind a failed revision or route.

The present state comes before past events: the state of the pods first, then the conditions of the revision, then
warnings that are newer than the pods, then the conditions of route and service. Patterns are only matched, from their
beginning, with messages that the API, the kubelet or the scheduler write; what a container printed is never read for
a cause, whatever words it holds.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.knative import causes
from console.knative.causes import Cause, Code, Exit, Facts, Image
from console.knative.conditions import Condition
from console.knative.objects import Health, Revision, Route, Service
from console.knative.pods import QUEUE_PROXY, ContainerState, End, Event, Pod


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause, and where its log is: `pod` and `container` are empty where none is concerned.

    `is_output`: the message holds what a container printed.
    """

    cause: Cause
    pod: str = ""
    container: str = ""
    is_output: bool = False

    @property
    def code(self) -> Code:
        return self.cause.code


# Reasons for which the kubelet lets a container wait (pkg/kubelet/images/types.go, kuberuntime, Kubernetes 1.34).
_PULL = (
    *("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError"),
    *("RegistryUnavailable", "SignatureValidationFailed"),
)
_START = ("CreateContainerError", "RunContainerError", "PostStartHookError", "StartError", "ContainerCannotRun")
_CONFIG = "CreateContainerConfigError"
_WAITS = {**dict.fromkeys(_PULL, Code.IMAGE_MISSING), **dict.fromkeys(_START, Code.CANNOT_START)}
# Reasons of conditions that are enough to know the cause (Knative hands on those of containers, pods and deployments).
_REASONS = {
    **_WAITS,
    "OOMKilled": Code.OUT_OF_MEMORY,
    "CrashLoopBackOff": Code.CRASH,
    "Unschedulable": Code.UNSCHEDULABLE,
}
# What Knative is waiting for without success, though its deadline has not passed.
_LASTING = frozenset(
    {
        *(Code.IMAGE_MISSING, Code.CRASH, Code.EXITS, Code.OUT_OF_MEMORY, Code.CANNOT_START, Code.QUOTA),
        *(Code.UNSCHEDULABLE, Code.SECRET_MISSING, Code.CONFIG_MAP_MISSING, Code.REVISION_MISSING),
        Code.REVISION_NOT_OWNED,
    }
)
_NO_CRASH = (0, 137, 143)  # as SIGTERM and SIGKILL end a process that minds them or does not
_STEADY = timedelta(seconds=30)  # a container that fails its probe for longer than that is not between two crashes

# Messages by their beginning. Those of Knative Serving 0.42, the kubelet, the scheduler and the quota controller.
_MESSAGES: tuple[tuple[Code, re.Pattern[str]], ...] = (
    (Code.SECRET_MISSING, re.compile(r'(?:Error: )?secret "(?P<name>[^"]+)" not found')),
    (
        Code.SECRET_MISSING,
        re.compile(r"(?:Error: )?couldn't find key (?P<key>\S+) in Secret (?:\S*/)?(?P<name>[^/\s]+)"),
    ),
    (Code.CONFIG_MAP_MISSING, re.compile(r'(?:Error: )?configmap "(?P<name>[^"]+)" not found')),
    (
        Code.CONFIG_MAP_MISSING,
        re.compile(r"(?:Error: )?couldn't find key (?P<key>\S+) in ConfigMap (?:\S*/)?(?P<name>[^/\s]+)"),
    ),
    (
        Code.SECRET_MISSING,
        re.compile(
            r'MountVolume\.SetUp failed for volume "[^"]*"\s?: '
            r'(?:secret "(?P<name>[^"]+)" not found|references non-existent secret key: (?P<key>\S+))'
        ),
    ),
    (
        Code.CONFIG_MAP_MISSING,
        re.compile(
            r'MountVolume\.SetUp failed for volume "[^"]*"\s?: '
            r'(?:configmap "(?P<name>[^"]+)" not found|references non-existent config key: (?P<key>\S+))'
        ),
    ),
    (Code.VOLUME, re.compile(r"MountVolume\.|Unable to attach or mount volumes|AttachVolume\.")),
    (
        Code.IMAGE_MISSING,
        re.compile(r'(?:Unable to fetch|Failed to pull|Back-off pulling) image "(?P<image>[^"]+)"'),
    ),
    (
        Code.QUOTA,
        re.compile(r'(?:Error creating: )?pods(?: "[^"]*")? is forbidden: exceeded quota: (?P<quota>[^,]+)'),
    ),
    (Code.UNSCHEDULABLE, re.compile(r"\d+/\d+ nodes are available: |no nodes available to schedule pods")),
    (Code.LIVENESS, re.compile(r"Liveness probe (?:failed|errored)|Container \S+ failed liveness probe")),
    (Code.PROBE, re.compile(r"(?:Readiness|Startup) probe (?:failed|errored)|Container \S+ failed startup probe")),
    (Code.CRASH, re.compile(r"Container failed with: |[Bb]ack-off \S* ?restarting failed container")),
    (Code.DEADLINE, re.compile(r"Initial scale was never achieved|ProgressDeadlineExceeded")),
    (Code.REVISION_MISSING, re.compile(r'Revision "(?P<revision>[^"]+)" referenced in traffic not found')),
    # Since 1.21: serving pkg/apis/serving/v1/route_lifecycle.go, MarkRevisionNotOwned
    (
        Code.REVISION_NOT_OWNED,
        re.compile(
            r'Revision "(?P<revision>[^"]+)" (?:belongs to Service "(?P<service>[^"]+)", not|does not belong to) '
        ),
    ),
)
_COPIED = re.compile(r'Revision "[^"]*" failed with message: ')
_EXIT_CODE = re.compile(r"ExitCode(\d+)")


def find(
    service: Service,
    *,
    revision: Revision | None = None,
    route: Route | None = None,
    pods: Iterable[Pod] = (),
    events: Iterable[Event] = (),
) -> Finding:
    """Return the cause that is nearest to the failure; the service's own message when nothing else names one."""
    pods = _living_first(pods)
    warnings = sorted((event for event in events if event.is_warning), key=lambda event: _stamp(event.at), reverse=True)
    candidates = (
        *(_of_pod(pod, warnings) for pod in pods),
        _of_conditions(revision, pods, warnings),
        _of_conditions(route, pods, ()),
        _of_conditions(service, pods, ()),
    )
    found = [cause for cause in candidates if cause]
    best = _telling(found) or _of_events(pods, warnings) or next(iter(found), None)
    return best or Finding(Cause(Code.UNKNOWN, service.ready.reason))


def of_service(service: Service) -> Finding | None:
    """Return the cause by a failed service's conditions, for lists that read nothing else; None where it is well."""
    return find(service) if service.health is Health.FAILED else None


def of_revision(revision: Revision, pods: Iterable[Pod]) -> Finding | None:
    """Return why the revision does not work, by its own pods and conditions; None where it works or begins."""
    if revision.ready.is_true:
        return None
    pods = _living_first(pods)
    found = [cause for cause in (*(_of_pod(pod, ()) for pod in pods), _of_conditions(revision, pods, ())) if cause]
    best = _telling(found) or next(iter(found), None)
    return best if best and (revision.ready.is_false or best.code in _LASTING) else None


def at_present(
    service: Service, *, revisions: Iterable[Revision], route: Route | None, pods: Iterable[Pod]
) -> Finding | None:
    """Return what keeps the newest spec of the service from being served now; None where nothing does.

    While Knative is still trying, only what does not pass by itself is a cause: a pod that just starts is not ready
    either.
    """
    if service.health is Health.READY:
        return None
    newest = None
    if service.latest_created_revision != service.latest_ready_revision:
        newest = next((one for one in revisions if one.name == service.latest_created_revision), None)
    own = [pod for pod in pods if newest and pod.revision_name == newest.name]
    cause = find(service, revision=newest, route=route, pods=own)
    return cause if service.health is Health.FAILED or cause.code in _LASTING else None


def _telling(found: Iterable[Finding]) -> Finding | None:
    """The first that names more than that something failed, or took too long."""
    return next((one for one in found if one.code not in (Code.UNKNOWN, Code.DEADLINE)), None)


def _living_first(pods: Iterable[Pod]) -> list[Pod]:
    """The newest pod first, those that are being deleted last."""
    newest = sorted(pods, key=lambda pod: _stamp(pod.created_at), reverse=True)
    return sorted(newest, key=lambda pod: pod.is_being_deleted)


def _of_pod(pod: Pod, warnings: Iterable[Event]) -> Finding | None:
    """The cause from a pod's present state; None where nothing is wrong with it."""
    if pod.status.get("reason") == "Evicted":
        return Finding(Cause(Code.EVICTED, str(pod.status.get("message") or "Evicted")), pod.name)
    about = [event for event in warnings if event.about == f"Pod/{pod.name}"]
    for state in pod.states:
        if cause := _of_container(pod, state, about):
            return cause
    for condition in pod.conditions:
        if condition.type == "PodScheduled" and condition.is_false:
            return Finding(Cause(Code.UNSCHEDULABLE, _text(condition)), pod.name)
    return _of_waiting_pod(pod, about)


def _of_container(pod: Pod, state: ContainerState, warnings: Iterable[Event]) -> Finding | None:
    where = (pod.name, state.name)
    if state.reason in (*_WAITS, _CONFIG):
        told, facts = _match(state.message) or (Code.CANNOT_START, Facts())
        code = _WAITS.get(state.reason, told)
        if code is Code.IMAGE_MISSING or code is not told:
            facts = Image(state.image) if code is Code.IMAGE_MISSING else Facts()
        return Finding(Cause(code, _said(state.reason, state.message), facts), *where)
    if state.is_ready:
        return None
    if state.ended and not _runs_steadily(state, warnings):
        return _of_end(state, state.ended, warnings, where)
    if state.reason == "CrashLoopBackOff":
        return Finding(Cause(Code.CRASH, _said(state.reason, state.message)), *where)
    if state.is_running and state.name != QUEUE_PROXY:
        return _of_running(pod, state, warnings, where)
    return None


def _runs_steadily(state: ContainerState, warnings: Iterable[Event]) -> bool:
    """It has failed its probe long after its present start: the reason of an earlier end is not the present cause."""
    if not (state.is_running and state.started_at):
        return False
    return _first(warnings, Code.PROBE, since=state.started_at + _STEADY) is not None


def _of_end(state: ContainerState, ended: End, warnings: Iterable[Event], where: tuple[str, str]) -> Finding:
    """A container that ended, now or before its present attempt, and has not become ready since."""
    said = ended.message.strip()
    raw = _said(ended.reason or "Error", said)
    if ended.reason == "OOMKilled":
        return Finding(Cause(Code.OUT_OF_MEMORY, raw), *where, is_output=bool(said))
    if ended.reason in _START:
        return Finding(Cause(Code.CANNOT_START, raw), *where)
    killed = _first(warnings, Code.LIVENESS, since=ended.started_at)
    if killed and ended.exit_code in _NO_CRASH:
        return Finding(Cause(Code.LIVENESS, _event_text(killed)), *where)
    if ended.exit_code == 0:
        return Finding(Cause(Code.EXITS, raw), *where, is_output=bool(said))
    facts = Exit(ended.exit_code, state.name)
    return Finding(Cause(Code.CRASH, raw, facts), *where, is_output=bool(said))


def _of_running(pod: Pod, state: ContainerState, warnings: Iterable[Event], where: tuple[str, str]) -> Finding:
    """A container that runs and is not ready has failed its probes, also where no event reports them."""
    for code in (Code.LIVENESS, Code.PROBE):
        if event := _first(warnings, code, since=state.started_at):
            return Finding(Cause(code, _event_text(event)), *where)
    ready = next((one for one in pod.conditions if one.type == "Ready"), None)
    return Finding(Cause(Code.PROBE, _text(ready) if ready else ""), *where)


def _of_waiting_pod(pod: Pod, warnings: Iterable[Event]) -> Finding | None:
    """A pod that has a node and whose containers are not there yet: warnings since it got the node say why."""
    if pod.is_ready or any(state.is_running or state.ended for state in pod.states):
        return None
    placed = next((one for one in pod.conditions if one.type == "PodScheduled"), None)
    since = placed.changed_at if placed else pod.created_at
    for event in warnings:
        found = _match(event.message) if _stamp(event.at) >= _stamp(since) else None
        if found and (found[0] is not Code.UNSCHEDULABLE or placed is None):
            return Finding(Cause(found[0], _event_text(event), found[1]), pod.name)
    return None


def _of_conditions(
    holder: Revision | Route | Service | None, pods: Iterable[Pod], warnings: Iterable[Event]
) -> Finding | None:
    """The cause from an object's own conditions; the parts before Ready, which copies one of them."""
    if holder is None:
        return None
    failed = [one for one in holder.conditions if one.is_false and one.severity != "Info"]
    told = [_of_condition(one) for one in sorted(failed, key=lambda one: one.type == "Ready")]
    cause = next((one for one in told if one.code not in (Code.UNKNOWN, Code.DEADLINE)), None) or next(iter(told), None)
    if cause and cause.code == Code.DEADLINE and any(pod.has_started and not pod.is_ready for pod in pods):
        return Finding(Cause(Code.PROBE, cause.cause.raw))
    return cause


def _of_condition(condition: Condition) -> Finding:
    raw = _text(condition)
    message = _COPIED.sub("", condition.message, count=1)
    if exit_code := _EXIT_CODE.fullmatch(condition.reason):
        facts = Exit(int(exit_code[1]))
        return Finding(Cause(Code.CRASH if facts.exit_code else Code.EXITS, raw, facts), is_output=True)
    found = _match(message)
    if code := _REASONS.get(condition.reason):
        return Finding(Cause(code, raw, found[1] if found and found[0] is code else Facts()))
    if found:
        return Finding(Cause(found[0], raw, found[1]), is_output=found[0] is Code.CRASH)
    if condition.reason == "ProgressDeadlineExceeded":
        return Finding(Cause(Code.DEADLINE, raw))
    is_ingress = condition.type == "IngressReady" and condition.reason not in ("RevisionMissing", "RevisionNotOwned")
    return Finding(Cause(Code.INGRESS if is_ingress else Code.UNKNOWN, raw))


def _of_events(pods: list[Pod], warnings: Iterable[Event]) -> Finding | None:
    """The newest warning that names a cause, where neither pods nor conditions do: of pods that were never created."""
    for event in warnings:
        is_settled = any(event.about == f"Pod/{pod.name}" for pod in pods)
        if not is_settled and (found := _match(event.message)):
            return Finding(Cause(found[0], _event_text(event), found[1]))
    return None


def _match(message: str) -> tuple[Code, Facts] | None:
    """The cause that the beginning of a cluster's message identifies, with its facts."""
    for code, pattern in _MESSAGES:
        if match := pattern.match(message):
            return code, causes.facts_type(code)(**{name: value for name, value in match.groupdict().items() if value})
    return None


def _first(warnings: Iterable[Event], code: Code, *, since: datetime | None) -> Event | None:
    """The newest warning of that cause that is not older than `since`."""
    for event in warnings:
        found = _match(event.message)
        if found and found[0] is code and (since is None or event.at is None or event.at >= since):
            return event
    return None


def _stamp(at: datetime | None) -> float:
    return at.timestamp() if at else 0.0


def _text(condition: Condition) -> str:
    return _said(condition.reason, condition.message)


def _event_text(event: Event) -> str:
    return _said(event.reason, event.message)


def _said(reason: str, message: str) -> str:
    return f"{reason}: {message}" if message else reason

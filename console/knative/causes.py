"""Why it does not work: the cause behind a failed revision or route.

The present state comes before past events: the state of the pods first, then the conditions of the revision, then
warnings that are newer than the pods, then the conditions of route and service. Patterns are only matched, from their
beginning, with messages that the API, the kubelet or the scheduler write; what a container printed is never read for
a cause, whatever words it holds.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from console.knative.conditions import Condition
from console.knative.objects import Health, Revision, Route, Service
from console.knative.pods import QUEUE_PROXY, ContainerState, End, Event, Pod


class Code(StrEnum):
    """What can be behind a failure. Words for each are in console.web.words."""

    IMAGE_MISSING = "image-missing"
    CRASH = "crash"
    EXITS = "exits"
    OUT_OF_MEMORY = "out-of-memory"
    LIVENESS = "liveness"
    PROBE = "probe"
    CANNOT_START = "cannot-start"
    DEADLINE = "deadline"
    QUOTA = "quota"
    UNSCHEDULABLE = "unschedulable"
    EVICTED = "evicted"
    VOLUME = "volume"
    SECRET_MISSING = "secret-missing"  # noqa: S105 - a code, not a password
    CONFIG_MAP_MISSING = "config-map-missing"
    REVISION_MISSING = "revision-missing"
    INGRESS = "ingress"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Cause:
    """What went wrong: a code for the words, the facts to fill them, and the cluster's own message.

    `pod` and `container` name whose log tells more; empty where none is concerned. `is_output`: the message holds
    what a container printed.
    """

    code: str
    raw: str
    facts: dict[str, str] = field(default_factory=dict, hash=False)
    pod: str = ""
    container: str = ""
    is_output: bool = False


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
    }
)
_NO_CRASH = (0, 137, 143)  # as SIGTERM and SIGKILL end a process that minds them or does not
_STEADY = timedelta(seconds=30)  # a container that fails its probe for longer than that is not between two crashes

# Messages by their beginning. Those of Knative Serving 0.42, the kubelet, the scheduler and the quota controller.
_MESSAGES: tuple[tuple[Code, re.Pattern[str]], ...] = (
    (
        Code.SECRET_MISSING,
        re.compile(
            r'(?:Error: )?(?:secret "(?P<name>[^"]+)" not found|couldn\'t find key (?P<key>\S+) in Secret (?P<in>\S+))'
        ),
    ),
    (
        Code.CONFIG_MAP_MISSING,
        re.compile(
            r'(?:Error: )?(?:configmap "(?P<name>[^"]+)" not found'
            r"|couldn't find key (?P<key>\S+) in ConfigMap (?P<in>\S+))"
        ),
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
        re.compile(
            r'Unable to fetch image "(?P<image>[^"]+)"|(?:Failed to pull|Back-off pulling) image "(?P<pulled>[^"]+)"'
        ),
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
) -> Cause:
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
    telling = (cause for cause in found if cause.code not in (Code.UNKNOWN, Code.DEADLINE))
    best = next(telling, None) or _of_events(pods, warnings) or next(iter(found), None)
    return best or Cause(Code.UNKNOWN, service.ready.reason)


def of_service(service: Service) -> Cause | None:
    """Return the cause by a failed service's conditions, for lists that read nothing else; None where it is well."""
    return find(service) if service.health is Health.FAILED else None


def at_present(
    service: Service, *, revisions: Iterable[Revision], route: Route | None, pods: Iterable[Pod]
) -> Cause | None:
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


def _living_first(pods: Iterable[Pod]) -> list[Pod]:
    """The newest pod first, those that are being deleted last."""
    newest = sorted(pods, key=lambda pod: _stamp(pod.created_at), reverse=True)
    return sorted(newest, key=lambda pod: pod.is_being_deleted)


def _of_pod(pod: Pod, warnings: Iterable[Event]) -> Cause | None:
    """The cause from a pod's present state; None where nothing is wrong with it."""
    if pod.status.get("reason") == "Evicted":
        return Cause(Code.EVICTED, str(pod.status.get("message") or "Evicted"), pod=pod.name)
    about = [event for event in warnings if event.about == f"Pod/{pod.name}"]
    for state in pod.states:
        if cause := _of_container(pod, state, about):
            return cause
    for condition in pod.conditions:
        if condition.type == "PodScheduled" and condition.is_false:
            return Cause(Code.UNSCHEDULABLE, _text(condition), pod=pod.name)
    return _of_waiting_pod(pod, about)


def _of_container(pod: Pod, state: ContainerState, warnings: Iterable[Event]) -> Cause | None:
    where = (pod.name, state.name)
    if state.reason in (*_WAITS, _CONFIG):
        told, facts = _match(state.message) or (Code.CANNOT_START, {})
        code = _WAITS.get(state.reason, told)
        facts = {"image": state.image} if code is Code.IMAGE_MISSING else facts
        return Cause(code, _said(state.reason, state.message), facts, *where)
    if state.is_ready:
        return None
    if state.ended and not _runs_steadily(state, warnings):
        return _of_end(state, state.ended, warnings, where)
    if state.reason == "CrashLoopBackOff":
        return Cause(Code.CRASH, _said(state.reason, state.message), {}, *where)
    if state.is_running and state.name != QUEUE_PROXY:
        return _of_running(pod, state, warnings, where)
    return None


def _runs_steadily(state: ContainerState, warnings: Iterable[Event]) -> bool:
    """It has failed its probe long after its present start: the reason of an earlier end is not the present cause."""
    if not (state.is_running and state.started_at):
        return False
    return _first(warnings, Code.PROBE, since=state.started_at + _STEADY) is not None


def _of_end(state: ContainerState, ended: End, warnings: Iterable[Event], where: tuple[str, str]) -> Cause:
    """A container that ended, now or before its present attempt, and has not become ready since."""
    said = ended.message.strip()
    raw = _said(ended.reason or "Error", said)
    if ended.reason == "OOMKilled":
        return Cause(Code.OUT_OF_MEMORY, raw, {}, *where, is_output=bool(said))
    if ended.reason in _START:
        return Cause(Code.CANNOT_START, raw, {}, *where)
    killed = _first(warnings, Code.LIVENESS, since=ended.started_at)
    if killed and ended.exit_code in _NO_CRASH:
        return Cause(Code.LIVENESS, _event_text(killed), {}, *where)
    if ended.exit_code == 0:
        return Cause(Code.EXITS, raw, {}, *where, is_output=bool(said))
    facts = {"exit_code": str(ended.exit_code), "container": state.name}
    return Cause(Code.CRASH, raw, facts, *where, is_output=bool(said))


def _of_running(pod: Pod, state: ContainerState, warnings: Iterable[Event], where: tuple[str, str]) -> Cause:
    """A container that runs and is not ready has failed its probes, also where no event reports them."""
    for code in (Code.LIVENESS, Code.PROBE):
        if event := _first(warnings, code, since=state.started_at):
            return Cause(code, _event_text(event), {}, *where)
    ready = next((one for one in pod.conditions if one.type == "Ready"), None)
    return Cause(Code.PROBE, _text(ready) if ready else "", {}, *where)


def _of_waiting_pod(pod: Pod, warnings: Iterable[Event]) -> Cause | None:
    """A pod that has a node and whose containers are not there yet: warnings since it got the node say why."""
    if pod.is_ready or any(state.is_running or state.ended for state in pod.states):
        return None
    placed = next((one for one in pod.conditions if one.type == "PodScheduled"), None)
    since = placed.changed_at if placed else pod.created_at
    for event in warnings:
        found = _match(event.message) if _stamp(event.at) >= _stamp(since) else None
        if found and (found[0] is not Code.UNSCHEDULABLE or placed is None):
            return Cause(found[0], _event_text(event), found[1], pod=pod.name)
    return None


def _of_conditions(
    holder: Revision | Route | Service | None, pods: Iterable[Pod], warnings: Iterable[Event]
) -> Cause | None:
    """The cause from an object's own conditions; the parts before Ready, which copies one of them."""
    if holder is None:
        return None
    failed = [one for one in holder.conditions if one.is_false and one.severity != "Info"]
    told = [_of_condition(one) for one in sorted(failed, key=lambda one: one.type == "Ready")]
    cause = next((one for one in told if one.code not in (Code.UNKNOWN, Code.DEADLINE)), None) or next(iter(told), None)
    if cause and cause.code == Code.DEADLINE and any(pod.has_started and not pod.is_ready for pod in pods):
        return Cause(Code.PROBE, cause.raw)
    return cause


def _of_condition(condition: Condition) -> Cause:
    raw = _text(condition)
    message = _COPIED.sub("", condition.message, count=1)
    if exit_code := _EXIT_CODE.fullmatch(condition.reason):
        facts = {"exit_code": exit_code[1]}
        return Cause(Code.CRASH if exit_code[1] != "0" else Code.EXITS, raw, facts, is_output=True)
    if code := _REASONS.get(condition.reason):
        return Cause(code, raw)
    if found := _match(message):
        return Cause(found[0], raw, found[1], is_output=found[0] is Code.CRASH)
    if condition.reason == "ProgressDeadlineExceeded":
        return Cause(Code.DEADLINE, raw)
    is_ingress = condition.type == "IngressReady" and condition.reason != "RevisionMissing"
    return Cause(Code.INGRESS if is_ingress else Code.UNKNOWN, raw)


def _of_events(pods: list[Pod], warnings: Iterable[Event]) -> Cause | None:
    """The newest warning that names a cause, where neither pods nor conditions do: of pods that were never created."""
    for event in warnings:
        is_settled = any(event.about == f"Pod/{pod.name}" for pod in pods)
        if not is_settled and (found := _match(event.message)):
            return Cause(found[0], _event_text(event), found[1])
    return None


def _match(message: str) -> tuple[Code, dict[str, str]] | None:
    """The cause that the beginning of a cluster's message identifies, with its facts."""
    for code, pattern in _MESSAGES:
        if match := pattern.match(message):
            facts = {name: value for name, value in match.groupdict().items() if value}
            if "pulled" in facts:
                facts["image"] = facts.pop("pulled")
            if "in" in facts:
                facts["name"] = facts.pop("in").rpartition("/")[2]
            return code, facts
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

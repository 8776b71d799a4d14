"""Which of many messages is the cause: what is so now, told by the API, and never what a container printed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from console.knative import root_causes
from console.knative.causes import Code, Exit, Named, Quota, RevisionName, RevisionOfAnother
from console.knative.objects import Revision, Route, Service
from console.knative.pods import Event, Pod

SCHEDULING = "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available."
COPIED = 'Revision "shop-00002" failed with message: '
NO_SECRET = 'secret "db" not found'
LATE = "Initial scale was never achieved"
OVER = 'pods "x" is forbidden: exceeded quota: small, requested: pods=1'
NO_KEY = "couldn't find key a in ConfigMap default/f"
PULL = 'Failed to pull image "registry.example.com/shop:2": rpc error: code = Unknown desc = timeout'
# Lines that applications print, and that mean nothing for the cause.
LINES = [
    "exceeded quota: the tenant used 5 of 5 seats",
    'secret "session" not found',
    'configmap "flags" not found in the local store',
    "0/3 nodes are available: the elastic cluster is red",
    "OOMKilled is what we call it when the parser gives up",
    "Liveness probe failed: upstream",
    "Readiness probe failed: upstream",
    "ImagePullBackOff",
    "Unable to fetch image \"logo.png\"",
    "ProgressDeadlineExceeded",
    'Revision "7" referenced in traffic not found.',
    'Revision "7" does not belong to Service "shop".',
    "ingress or load balancer: no route",
]  # fmt: skip


def at(minute: int, second: int = 0) -> str:
    return f"2026-11-25T19:{minute:02}:{second:02}Z"


def container(state: dict[str, Any], last: dict[str, Any] | None = None, *, name: str = "app", **more: Any) -> Any:
    return {"name": name, "image": "registry.example.com/shop:2", "state": state, "lastState": last or {}, **more}


def ended(reason: str = "Error", code: int = 1, message: str = "", begin: int = 4, end: int = 5) -> dict[str, Any]:
    facts = {"reason": reason, "exitCode": code, "message": message, "startedAt": at(begin), "finishedAt": at(end)}
    return {"terminated": facts}


def pod(*statuses: dict[str, Any], name: str = "shop-00002-deployment-a-b", conditions: Any = (), **more: Any) -> Pod:
    scheduled = [{"type": "PodScheduled", "status": "True", "lastTransitionTime": at(1)}]
    status = {"phase": "Running", "containerStatuses": list(statuses), "conditions": list(conditions) or scheduled}
    metadata = {"name": name, "namespace": "default", "creationTimestamp": at(0), **more}
    return Pod({"metadata": metadata, "status": status})


def warning(reason: str, message: str, when: str = at(0), about: str = "Pod/shop-00002-deployment-a-b") -> Event:
    kind, _, name = about.partition("/")
    involved = {"kind": kind, "name": name}
    facts = {"type": "Warning", "reason": reason, "message": message, "lastTimestamp": when}
    return Event({**facts, "involvedObject": involved})


def service(*conditions: tuple[str, str, str, str]) -> Service:
    return Service({"metadata": {"name": "shop"}, "status": {"conditions": _conditions(conditions)}})


def revision(*conditions: tuple[str, str, str, str]) -> Revision:
    return Revision({"metadata": {"name": "shop-00002"}, "status": {"conditions": _conditions(conditions)}})


def _conditions(found: Any) -> list[dict[str, str]]:
    return [dict(zip(("type", "status", "reason", "message"), one, strict=True)) for one in found]


BACKING_OFF = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting failed container=app"}}
UNKNOWN = service(("Ready", "Unknown", "", ""))
OLD_WARNINGS = [
    warning("FailedScheduling", SCHEDULING, at(0, 5)),
    warning("Failed", PULL, at(2)),
    warning("FailedMount", 'MountVolume.SetUp failed for volume "tls" : secret "tls" not found', at(2)),
    warning("Failed", 'Error: configmap "flags" not found', at(3)),
    warning("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", at(3)),
    warning("Unhealthy", "Liveness probe failed: timeout", at(3)),
]

STATES = [
    ("a crash between two attempts", container(BACKING_OFF, ended()), Code.CRASH),
    ("a crash this moment", container(ended()), Code.CRASH),
    ("a crash, running again", container({"running": {"startedAt": at(6)}}, ended()), Code.CRASH),
    ("too little memory", container(BACKING_OFF, ended("OOMKilled", 137)), Code.OUT_OF_MEMORY),
    ("an end without an error", container(BACKING_OFF, ended("Completed", 0)), Code.EXITS),
    ("a pull", container({"waiting": {"reason": "ErrImagePull", "message": PULL}}), Code.IMAGE_MISSING),
    ("a name", container({"waiting": {"reason": "InvalidImageName", "message": "bad"}}), Code.IMAGE_MISSING),
    (
        "a secret",
        container({"waiting": {"reason": "CreateContainerConfigError", "message": NO_SECRET}}),
        Code.SECRET_MISSING,
    ),
    (
        "a key",
        container(
            {"waiting": {"reason": "CreateContainerConfigError", "message": NO_KEY}}
        ),
        Code.CONFIG_MAP_MISSING,
    ),
    (
        "a command",
        container(BACKING_OFF, ended("StartError", 128, 'exec: "serve": executable file not found in $PATH')),
        Code.CANNOT_START,
    ),
    ("a sandbox", container({"waiting": {"reason": "RunContainerError", "message": "x"}}), Code.CANNOT_START),
    ("probes", container({"running": {"startedAt": at(6)}}), Code.PROBE),
]  # fmt: skip


@pytest.mark.parametrize(("state", "code"), [case[1:] for case in STATES], ids=[case[0] for case in STATES])
def test_what_a_container_does_now_speaks_before_what_was(state: dict[str, Any], code: Code) -> None:
    for about in ((), OLD_WARNINGS):
        assert root_causes.find(UNKNOWN, pods=[pod(state)], events=about).code == code


def test_the_event_of_the_case_does_not_beat_the_crash() -> None:
    import yaml

    [raw] = yaml.safe_load_all((Path(__file__).parent / "old_event.yaml").read_text())
    name = raw["involvedObject"]["name"]
    crashed = pod(container(BACKING_OFF, ended()), name=name)
    assert root_causes.find(UNKNOWN, pods=[crashed], events=[Event(raw)]).code == Code.CRASH
    unhealthy = service(("ConfigurationsReady", "False", "RevisionFailed", "Revision failed"))
    assert root_causes.find(unhealthy, pods=[crashed], events=[Event(raw)]).code == Code.CRASH


@pytest.mark.parametrize("line", LINES)
def test_what_a_container_printed_is_no_cause(line: str) -> None:
    crashed = container(BACKING_OFF, ended(message=line))
    failed = revision(
        ("ContainerHealthy", "False", "ExitCode1", f"Container failed with: {line}"),
        ("Ready", "False", "ExitCode1", f"Container failed with: {line}"),
    )
    copied = service(
        ("ConfigurationsReady", "False", "RevisionFailed", f"{COPIED}Container failed with: {line}."),
        ("Ready", "False", "RevisionFailed", f"{COPIED}Container failed with: {line}."),
    )
    for found in (
        root_causes.find(copied, pods=[pod(crashed)]),
        root_causes.find(copied, revision=failed),
        root_causes.find(copied),
        root_causes.find(copied, revision=failed, events=OLD_WARNINGS),
    ):
        assert found.code == Code.CRASH
        assert found.is_output
    assert root_causes.find(copied, revision=failed).cause.facts == Exit(1)


@pytest.mark.parametrize("reason", ["", "ContainerCreating", "PodInitializing"])
def test_a_pod_that_only_begins_is_not_blamed_for_what_was_before_it_had_a_node(reason: str) -> None:
    begins = pod(container({"waiting": {"reason": reason}}))
    assert root_causes.find(UNKNOWN, pods=[begins], events=OLD_WARNINGS[:1]).code == Code.UNKNOWN


def test_a_mount_that_fails_since_the_pod_has_a_node_is_the_cause() -> None:
    begins = pod(container({"waiting": {"reason": "ContainerCreating"}}))
    found = root_causes.find(UNKNOWN, pods=[begins], events=OLD_WARNINGS[:1] + OLD_WARNINGS[2:3])
    assert (found.code, found.cause.facts) == (Code.SECRET_MISSING, Named("tls"))


def test_a_pod_without_a_node_says_so_itself() -> None:
    waits = pod(
        conditions=[{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": SCHEDULING}]
    )
    assert root_causes.find(UNKNOWN, pods=[waits]).code == Code.UNSCHEDULABLE


def test_an_event_of_another_pod_does_not_count_against_this_one() -> None:
    other = warning("FailedMount", 'MountVolume.SetUp failed for volume "x" : secret "x" not found', at(9), "Pod/other")
    running = pod(container({"running": {"startedAt": at(6)}}))
    assert root_causes.find(UNKNOWN, pods=[running], events=[other]).code == Code.PROBE


def test_a_probe_that_fails_long_after_a_crash_is_what_ails_it() -> None:
    runs = pod(container({"running": {"startedAt": at(6)}}, ended()))
    fails = warning("Unhealthy", "Readiness probe failed: 503", at(9))
    assert root_causes.find(UNKNOWN, pods=[runs], events=[fails]).code == Code.PROBE


@pytest.mark.parametrize(
    ("code", "expected"), [(137, Code.LIVENESS), (143, Code.LIVENESS), (0, Code.LIVENESS), (1, Code.CRASH)]
)
def test_an_end_by_the_liveness_probe_is_told_from_a_crash(code: int, expected: Code) -> None:
    again = pod(container(BACKING_OFF, ended(code=code)))
    killed = warning("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500", at(4, 40))
    assert root_causes.find(UNKNOWN, pods=[again], events=[killed]).code == expected


def test_a_pod_that_serves_is_no_cause_whatever_it_ended_of_before() -> None:
    recovered = container({"running": {"startedAt": at(6)}}, ended(), ready=True)
    missing = Route({"status": {"conditions": _conditions([
        ("AllTrafficAssigned", "False", "RevisionMissing", 'Revision "shop-00009" referenced in traffic not found.')
    ])}})  # fmt: skip
    found = root_causes.find(UNKNOWN, route=missing, pods=[pod(recovered)])
    assert (found.code, found.cause.facts) == (Code.REVISION_MISSING, RevisionName("shop-00009"))


@pytest.mark.parametrize(
    ("message", "facts"),
    [
        (
            'Revision "cart-00001" belongs to Service "cart", not Service "shop".',
            RevisionOfAnother("cart-00001", "cart"),
        ),
        ('Revision "alone-00001" does not belong to Service "shop".', RevisionOfAnother("alone-00001")),
    ],
)
def test_a_revision_of_another_service_in_the_split_is_named(message: str, facts: RevisionOfAnother) -> None:
    """In the words of serving 1.21 and newer: route_lifecycle.go, MarkRevisionNotOwned."""
    conditions = _conditions([("AllTrafficAssigned", "False", "RevisionNotOwned", message)])
    found = root_causes.find(UNKNOWN, route=Route({"status": {"conditions": conditions}}))
    assert (found.code, found.cause.facts) == (Code.REVISION_NOT_OWNED, facts)
    ingress = _conditions([("IngressReady", "False", "RevisionNotOwned", message)])
    found = root_causes.find(UNKNOWN, route=Route({"status": {"conditions": ingress}}))
    assert found.code == Code.REVISION_NOT_OWNED, "the reason is not the ingress's"


def test_a_pod_that_is_going_away_speaks_last() -> None:
    going = pod(container(ended("OOMKilled", 137)), name="old", deletionTimestamp=at(8))
    assert root_causes.find(UNKNOWN, pods=[going, pod(container(BACKING_OFF, ended()))]).code == Code.CRASH
    assert root_causes.find(UNKNOWN, pods=[going]).code == Code.OUT_OF_MEMORY


@pytest.mark.parametrize("reason", ["ImagePullBackOff", "Odd"])
def test_the_image_that_a_condition_names_is_known(reason: str) -> None:
    failed = revision(("ResourcesAvailable", "False", reason, 'Back-off pulling image "example.com/x:1"'))
    assert root_causes.find(UNKNOWN, revision=failed).cause.facts.to_json() == {"image": "example.com/x:1"}


@pytest.mark.parametrize(
    ("conditions", "code"),
    [
        ((("ContainerHealthy", "False", "ContainerMissing", 'Unable to fetch image "x": no'),), Code.IMAGE_MISSING),
        ((("ResourcesAvailable", "False", "ImagePullBackOff", 'Back-off pulling image "x"'),), Code.IMAGE_MISSING),
        ((("ResourcesAvailable", "False", "Unschedulable", SCHEDULING),), Code.UNSCHEDULABLE),
        (
            (("ResourcesAvailable", "False", "FailedCreate", OVER),),
            Code.QUOTA,
        ),
        ((("ResourcesAvailable", "False", "CreateContainerConfigError", NO_SECRET),), Code.SECRET_MISSING),
        ((("ContainerHealthy", "False", "ExitCode0", "Container failed with: "),), Code.EXITS),
        ((("ResourcesAvailable", "False", "ProgressDeadlineExceeded", LATE),), Code.DEADLINE),
        ((("ResourcesAvailable", "False", "Odd", "Something of tomorrow"),), Code.UNKNOWN),
    ],
)  # fmt: skip
def test_conditions_speak_where_no_pod_is_left(conditions: Any, code: Code) -> None:
    failed = revision(*conditions, ("Ready", "False", conditions[0][2], conditions[0][3]))
    assert root_causes.find(UNKNOWN, revision=failed).code == code
    [(_type, _status, _reason, message)] = conditions
    copied = service(("ConfigurationsReady", "False", "RevisionFailed", f"{COPIED}{message}"))
    if code not in (Code.EXITS, Code.UNKNOWN):
        assert root_causes.find(copied).code == code, "a list has the service alone"


def test_the_newest_warning_speaks_where_no_pod_came_to_be() -> None:
    events = [
        warning("FailedScheduling", SCHEDULING, at(0), "Pod/gone"),
        warning("FailedCreate", f"Error creating: {OVER}", at(5), "ReplicaSet/shop-00002-deployment-a"),
    ]
    for order in (events, events[::-1]):
        found = root_causes.find(UNKNOWN, events=order)
        assert (found.code, found.cause.facts) == (Code.QUOTA, Quota("small"))


def test_a_deadline_with_a_running_container_is_its_probe() -> None:
    late = revision(("ResourcesAvailable", "False", "ProgressDeadlineExceeded", LATE))
    assert root_causes.find(UNKNOWN, revision=late, pods=[pod(container({"running": {}}))]).code == Code.PROBE


def test_a_cause_names_the_container_whose_log_tells_more() -> None:
    crashed = container(BACKING_OFF, ended(), name="helper")
    fine = container({"running": {"startedAt": at(2)}}, ready=True)
    found = root_causes.find(UNKNOWN, pods=[pod(fine, crashed)])
    assert (found.pod, found.container) == ("shop-00002-deployment-a-b", "helper")

"""Why it failed, gathered while the pods are still there: cause, raw message, and the container's last lines."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

import structlog

from console.cluster import errors
from console.cluster.gateway import Gateway
from console.knative import root_causes
from console.knative.causes import MAX_RAW, Cause, PodState, WarningEvent
from console.knative.objects import Service
from console.knative.pods import QUEUE_PROXY, Event, Pod
from console.knative.progress import Follow
from console.knative.redaction import Redactor, secrets_of
from console.knative.root_causes import Finding

LOG_LINES = 40
MAX_WARNINGS, MAX_PODS = 10, 20
MAX_MESSAGE = 1000  # characters of an event's message

T = TypeVar("T")

log = structlog.get_logger(__name__)


def diagnose(gateway: Gateway, service: Service, follow: Follow) -> Cause:
    """Return the cause; what the service, its revision and their pods keep secret is in no text.

    What cannot be read is left out: the account may lack the permission to read one kind, and the others still help.
    """
    namespace, name = service.namespace, follow.revision or service.latest_created_revision or ""
    reader = _Reader()
    route = reader.read(lambda: gateway.route(namespace, service.name), None)
    concerns_revision = follow.makes_revision and bool(name)
    revision = reader.read(lambda: gateway.revision(namespace, name), None) if concerns_revision else None
    no_pods: tuple[Pod, ...] = ()
    pods = reader.read(lambda: gateway.pods(namespace, revision=name), no_pods) if concerns_revision else no_pods
    events = _events(reader, gateway, namespace, name) if concerns_revision else ()
    found = root_causes.find(service, revision=revision, route=route, pods=pods, events=events)
    holders = (service, *((revision,) if revision else ()), *pods)
    redact = Redactor(frozenset().union(*(secrets_of(holder.raw) for holder in holders)))
    evidence = replace(
        found.cause,
        logs=_log_tail(reader, gateway, pods, found),
        warnings=tuple(WarningEvent(e.about, e.reason, e.message) for e in events if e.is_warning)[-MAX_WARNINGS:],
        pods=tuple(PodState(pod.name, pod.phase, pod.ready_text) for pod in pods)[:MAX_PODS],
    )
    return _cut(evidence.redacted(redact))


def _cut(cause: Cause) -> Cause:
    """The cause with its messages cut: after they were redacted, for half of a secret is not found."""
    warnings = tuple(replace(event, message=event.message[:MAX_MESSAGE]) for event in cause.warnings)
    return replace(cause, raw=cause.raw[:MAX_RAW], warnings=warnings)


class _Reader:
    """Reads one thing after the other; after the first that the cluster does not answer, nothing more is asked."""

    def __init__(self) -> None:
        self._is_away = False

    def read(self, read: Callable[[], T], otherwise: T) -> T:
        """Return what can be read; `otherwise` where the cluster does not give it."""
        if self._is_away:
            return otherwise
        try:
            return read()
        except (errors.Refused, errors.Forbidden, errors.NotFound) as error:
            log.info("diagnosis_facts_not_read", reason=type(error).__name__)
        except errors.ClusterError as error:
            log.warning("evidence_incomplete", reason=type(error).__name__)
            self._is_away = True
        return otherwise


def _events(reader: _Reader, gateway: Gateway, namespace: str, revision: str) -> tuple[Event, ...]:
    """What happened to the revision, its deployment and its pods."""
    nothing: tuple[Event, ...] = ()
    return (
        *reader.read(lambda: gateway.events(namespace, about=revision), nothing),
        *reader.read(lambda: gateway.events(namespace, about=f"{revision}-deployment"), nothing),
        *reader.read(lambda: gateway.pod_warnings(namespace, revision), nothing),
    )


def _log_tail(reader: _Reader, gateway: Gateway, pods: tuple[Pod, ...], finding: Finding) -> str:
    """The last log lines of the container that the finding names, else of the first that is not ready."""
    unready = ((pod, state.name) for pod in pods for state in pod.states if not state.is_ready)
    of_service = [(pod, container) for pod, container in unready if container != QUEUE_PROXY]
    of_service.sort(key=lambda found: (found[0].name, found[1]) != (finding.pod, finding.container))
    for pod, container in of_service:
        for previous in (False, True):
            text = reader.read(partial(gateway.pod_log, pod.namespace, pod.name, container, previous=previous), "")
            if text.strip():
                return "\n".join(text.strip().splitlines()[-LOG_LINES:])
    return ""

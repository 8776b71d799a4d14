"""Why it failed, gathered while the pods are still there: cause, raw message, and the container's last words."""

from typing import Any

import structlog

from console.cluster import errors
from console.cluster.gateway import Gateway
from console.knative import causes
from console.knative.objects import Revision, Route, Service
from console.knative.pods import Event, Pod
from console.knative.progress import Follow
from console.knative.redaction import env_values, redact_text

LOG_LINES = 40
MOST_WARNINGS = 10

log = structlog.get_logger(__name__)


def gather(gateway: Gateway, service: Service, follow: Follow) -> dict[str, Any]:
    """Return the cause as JSON data; env values are removed from every text."""
    name = follow.revision or service.latest_created_revision or ""
    revision: Revision | None = None
    route: Route | None = None
    pods: tuple[Pod, ...] = ()
    events: tuple[Event, ...] = ()
    logs = ""
    secrets = env_values(service.raw)
    try:
        route = gateway.route(service.namespace, service.name)
        if follow.makes_revision and name:
            revision = gateway.revision(service.namespace, name)
            pods = gateway.pods(service.namespace, revision=name)
            events = (
                *gateway.events(service.namespace, about=name),
                *gateway.events(service.namespace, about=f"{name}-deployment"),
                *gateway.pod_warnings(service.namespace, name),
            )
            logs = _last_words(gateway, pods)
    except errors.ClusterError as error:
        log.warning("evidence_incomplete", service=service.name, reason=str(error)[:300])
    cause = causes.find(service, revision=revision, route=route, pods=pods, events=events)
    return {
        "code": cause.code,
        "raw": redact_text(cause.raw, secrets)[:4000],
        "facts": {key: redact_text(value, secrets) for key, value in cause.facts.items()},
        "logs": redact_text(logs, secrets),
        "warnings": [
            {"about": event.about, "reason": event.reason, "message": redact_text(event.message, secrets)[:1000]}
            for event in events
            if event.is_warning
        ][-MOST_WARNINGS:],
        "pods": [{"name": pod.name, "phase": pod.phase, "ready": pod.ready_text} for pod in pods][:20],
    }


def _last_words(gateway: Gateway, pods: tuple[Pod, ...]) -> str:
    """The last log lines of the first user container that ended or is not ready."""
    for pod in pods:
        for status in pod.container_statuses:
            container = str(status.get("name", ""))
            if container == "queue-proxy" or status.get("ready"):
                continue
            for previous in (False, True):
                try:
                    text = gateway.pod_log(pod.namespace, pod.name, container, previous=previous)
                except (errors.Refused, errors.NotFound):
                    continue  # this container has no such log
                if text.strip():
                    return "\n".join(text.strip().splitlines()[-LOG_LINES:])
    return ""

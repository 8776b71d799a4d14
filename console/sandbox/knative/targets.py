"""What a Route's spec means now: the revisions that its targets resolve to, or why they do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from console.sandbox.knative.conditions import FALSE, TRUE, condition_of
from console.sandbox.knative.objects import SERVICE_LABEL, Object, host_of, labels_of, status_of
from console.sandbox.knative.routing import Destination
from console.sandbox.knative.version import NEWEST, knative_version
from console.sandbox.resources import CONFIGURATIONS, REVISIONS
from console.sandbox.store import Store


@dataclass(frozen=True, slots=True)
class BadTarget:
    """A target that nothing can be sent to; `is_final` when waiting does not help."""

    reason: str
    message: str
    is_final: bool


def resolve(store: Store, route: Object) -> list[Object] | BadTarget:
    """The `status.traffic` that the spec asks for, or the first bad target."""
    resolved = []
    for target in route["spec"]["traffic"]:
        found = _revision_of(store, route, target)
        if isinstance(found, BadTarget):
            return found
        entry: dict[str, Any] = {"latestRevision": not target.get("revisionName"), "revisionName": found}
        for field in ("percent", "tag"):
            if target.get(field) is not None:
                entry[field] = target[field]
        if target.get("tag"):
            entry["url"] = f"http://{host_of(route, target['tag'])}"
        resolved.append(entry)
    return resolved


def hosts_of(route: Object, traffic: list[Object]) -> dict[str, tuple[Destination, ...]]:
    """The ingress's hosts for a `status.traffic`: the Route's own with all shares, and one for each tag."""
    namespace = route["metadata"]["namespace"]
    hosts = {host_of(route): tuple(_destination(namespace, each, each.get("percent") or 0) for each in traffic)}
    for each in traffic:
        if each.get("tag"):
            hosts[host_of(route, each["tag"])] = (_destination(namespace, each, 100),)
    return hosts


def named_revisions(store: Store, route: Object) -> set[str]:
    """The revisions that belong to the Route: those it names, those it serves, and the latest of what it follows."""
    namespace = route["metadata"]["namespace"]
    names = {target["revisionName"] for target in route["spec"]["traffic"] if target.get("revisionName")}
    names |= {target["revisionName"] for target in status_of(route).get("traffic") or []}
    for target in route["spec"]["traffic"]:
        configuration = store.find(CONFIGURATIONS, namespace, target.get("configurationName") or "")
        if configuration is not None:
            status = status_of(configuration)
            fields = ("latestCreatedRevisionName", "latestReadyRevisionName")
            names |= {status[field] for field in fields if field in status}
    return names


def _destination(namespace: str, entry: Object, weight: int) -> Destination:
    return Destination((namespace, entry["revisionName"]), weight)


def _revision_of(store: Store, route: Object, target: Object) -> str | BadTarget:
    if target.get("revisionName"):
        return _named(store, route, target["revisionName"])
    return _latest(store, route["metadata"]["namespace"], target.get("configurationName") or "")


def _named(store: Store, route: Object, name: str) -> str | BadTarget:
    revision = store.find(REVISIONS, route["metadata"]["namespace"], name)
    if revision is None:
        return BadTarget("RevisionMissing", f'Revision "{name}" referenced in traffic not found.', is_final=True)
    if another := _of_another(route, revision):
        return another
    ready = condition_of(revision, "Ready").get("status")
    if ready == FALSE:
        return BadTarget("RevisionMissing", f'Revision "{name}" failed to become ready.', is_final=True)
    if ready != TRUE:
        return BadTarget("RevisionMissing", f'Revision "{name}" is not yet ready.', is_final=False)
    return name


def _of_another(route: Object, revision: Object) -> BadTarget | None:
    """A Service's Route sends nothing to another Service's revision; 1.15 did."""
    service, owner = (labels_of(each).get(SERVICE_LABEL, "") for each in (route, revision))
    if not service or service == owner or knative_version() < NEWEST:
        return None
    name = revision["metadata"]["name"]
    what = f'belongs to Service "{owner}", not Service' if owner else "does not belong to Service"
    return BadTarget("RevisionNotOwned", f'Revision "{name}" {what} "{service}".', is_final=True)


def _latest(store: Store, namespace: str, name: str) -> str | BadTarget:
    configuration = store.find(CONFIGURATIONS, namespace, name)
    if configuration is None:
        message = f'Configuration "{name}" referenced in traffic not found.'
        return BadTarget("ConfigurationMissing", message, is_final=True)
    latest = status_of(configuration).get("latestReadyRevisionName")
    if latest and store.find(REVISIONS, namespace, latest):
        return str(latest)
    if condition_of(configuration, "Ready").get("status") == FALSE:
        message = f'Configuration "{name}" does not have any ready Revision.'
        return BadTarget("RevisionMissing", message, is_final=True)
    message = f'Configuration "{name}" is waiting for a Revision to become ready.'
    return BadTarget("RevisionMissing", message, is_final=False)

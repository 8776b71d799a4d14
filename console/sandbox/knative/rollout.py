"""A gradual rollout: shares that move from the old latest revision to the new one."""

from __future__ import annotations

from console.sandbox.knative.objects import ROUTING_STATE_LABEL, SERVICE_LABEL, Object, labels_of
from console.sandbox.resources import REVISIONS
from console.sandbox.store import Store


def blended(before: list[Object], after: list[Object], share: float) -> list[Object]:
    """`after`, but that targets which follow latest give `1 - share` of their percent to the revision of `before`.

    Nothing is blended when `before` followed no latest revision or the same one; at least one percent moves.
    """
    old = next((each["revisionName"] for each in before if each.get("latestRevision")), None)
    mixed = []
    for target in after:
        percent = target.get("percent") or 0
        if not target.get("latestRevision") or old in (None, target["revisionName"]) or not percent:
            mixed.append(target)
            continue
        moved = min(percent, max(1, round(percent * share)))
        mixed.append(target | {"percent": moved})
        if percent - moved:
            mixed.append({"revisionName": old, "percent": percent - moved})
    return mixed


def old_traffic(store: Store, route: Object, wanted: list[Object]) -> list[Object]:
    """Where the traffic of a rollout comes from when the process that began it is gone.

    A revision that still counts as routed without being wanted is the old one.
    """
    namespace, name = route["metadata"]["namespace"], labels_of(route).get(SERVICE_LABEL)
    reason = next(
        (each.get("reason") for each in (route.get("status") or {}).get("conditions") or [] if each["type"] == "Ready"),
        None,
    )
    if reason != "RolloutInProgress":
        return []
    named = {each["revisionName"] for each in wanted}
    return [
        {"revisionName": revision["metadata"]["name"], "latestRevision": True, "percent": 100}
        for revision in store.list(REVISIONS, namespace)
        if labels_of(revision).get(SERVICE_LABEL) == name
        and labels_of(revision).get(ROUTING_STATE_LABEL) == "active"
        and revision["metadata"]["name"] not in named
    ][-1:]

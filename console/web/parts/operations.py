"""What the list of operations and the page of one show."""

from typing import Any, NamedTuple
from uuid import UUID

from django.http import QueryDict

from console import periods
from console.access.authorization import Rights
from console.access.labels import labels_of, labels_of_many
from console.access.permissions import Permission
from console.knative.diff import FieldChange
from console.knative.objects import Service
from console.mirror import read
from console.operations import queries
from console.operations.models import SEALED, Operation
from console.operations.models.statuses import SUCCESSFUL, Status
from console.operations.protection.decisions import newest_of
from console.operations.rights.needs import lacks_to_cancel, may_make
from console.operations.steps import steps
from console.operations.submitting import rollback
from console.web import next_steps, outcomes, windows
from console.web.charts import phases as phase_charts
from console.web.paging import PAGE_SIZE

FILTERS = ("cluster", "namespace", "name", "status", "actor")


class Sight(NamedTuple):
    """What decides what somebody sees of an operation: may they do what with its service, and with its change."""

    permissions: frozenset[Permission]
    may_cancel: bool
    may_retry: bool


def listing(rights: Rights, query: QueryDict) -> dict[str, Any]:
    """Return a page of the operations on services that the person may see, newest first."""
    found = queries.visible(rights, labels_of_many())
    for name in FILTERS:
        if value := query.get(name, "").strip():
            found = found.filter(**{name: value})
    if batch := as_uuid(query.get("batch", "")):
        found = found.filter(batch=batch)
    asked = periods.period({name: query.get(name, "") for name in periods.FIELDS})
    if asked.since:
        found = found.filter(submitted_at__gte=asked.since)
    if asked.until:
        found = found.filter(submitted_at__lt=asked.until)
    rows = windows.stored(found.defer(*SEALED), "submitted_at")
    window = windows.window(rows, "submitted_at", query, size=PAGE_SIZE, newest_first=True)
    return {"window": window, "problems": asked.problems}


def as_uuid(text: str) -> UUID | None:
    """The id that the text says; what cannot be read filters nothing."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def sight(rights: Rights, found: Operation) -> Sight:
    """Return what decides what somebody with these rights sees of it."""
    labels = labels_of(found.ref)
    may_cancel = found.is_active and not found.is_written and not lacks_to_cancel(rights, found, labels)
    may_retry = not found.is_open and found.status not in SUCCESSFUL and may_make(rights, found)
    return Sight(rights.on(found.ref, labels), may_cancel, may_retry)


def shown(found: Operation, sight: Sight) -> dict[str, Any]:
    """Return an operation with its timeline, as complete after a year as while it ran."""
    usual = queries.usual(found)
    approval = queries.approval_of(found)
    may_roll_back = Permission.TRAFFIC in sight.permissions and rollback.is_possible(found)
    may = {"cancel": sight.may_cancel, "retry": sight.may_retry, "rollback": may_roll_back}
    return {
        "operation": found,
        "ref": found.ref,
        "lines": queries.lines(found),
        "rows": rows(found),
        "outcome": outcomes.outcome(found, _serves_now(found)),
        "phases": phase_charts.chart(queries.phase_spans(found), usual),
        "steps": steps(found, usual),
        "usual": usual,
        "sides": queries.both_sides(found),
        "relatives": queries.relatives(found),
        "is_success": found.status in SUCCESSFUL,
        "next": next_steps.offer(
            found,
            [name for name, is_so in may.items() if is_so],
            sight.permissions,
            _now(found),
            rollback.served_before(found) if may_roll_back else {},
        ),
        "may_audit": Permission.AUDIT in sight.permissions,
        "decision": newest_of(found.id) if found.broke_glass or (approval and approval.decided_at) else None,
        "approval": approval,
        "Status": Status,
    }


def rows(found: Operation) -> list[FieldChange]:
    """Return what the change changes, without values that people may not see."""
    return [FieldChange(tuple(row["path"]), row["before"], row["after"]) for row in found.changes]


def _now(found: Operation) -> Service | None:
    """The service at this moment, by the mirror; None where it is gone or cannot be read, or nothing has ended."""
    try:
        return None if found.is_open else read.service(found.ref)
    except read.MirrorUnavailable:
        return None


def _serves_now(found: Operation) -> queries.ServesNow:
    """Which revision serves at this moment, by the mirror; unknown while it is stale or cannot be read."""
    try:
        is_fresh = not read.freshness(found.cluster).is_stale
        return queries.serves_now(found, read.service(found.ref), is_fresh=is_fresh)
    except read.MirrorUnavailable:
        return queries.ServesNow()

"""Operations: submitting what was previewed, watching it become real, cancelling, trying again."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from console.access.actors import actor_from
from console.access.decorators import refuse, signed_in
from console.access.labels import labels_of
from console.access.permissions import Permission
from console.knative.diff import FieldChange
from console.knative.objects import Service
from console.knative.split_effect import split_effect
from console.mirror import read
from console.operations import activity as recent
from console.operations import queries
from console.operations.lookups import revealing
from console.operations.models import SEALED, Operation
from console.operations.models.protection import Approval
from console.operations.models.statuses import SUCCESSFUL, Status
from console.operations.protection import approvals
from console.operations.protection.review import review
from console.operations.rights.needs import lacks_to_cancel, may_make
from console.operations.steps import steps
from console.operations.submitting import rollback, submission
from console.web import change_words, impact, next_steps, outcomes, typed, windows
from console.web.charts import days as day_charts
from console.web.charts import phases as phase_charts
from console.web.forms.limits import LimitsForm
from console.web.live_page import live_page
from console.web.paging import PAGE_SIZE
from console.web.requests import ConsoleRequest
from console.web.views.stopped import gone, stopped


@signed_in
@live_page
def operations(request: ConsoleRequest) -> HttpResponse:
    """All operations on services that the person may see, newest first, in pages by cursor."""
    found = queries.visible(request.rights, labels_of)
    for name in ("cluster", "namespace", "name", "status", "actor"):
        if value := request.GET.get(name, "").strip():
            found = found.filter(**{name: value})
    if batch := as_uuid(request.GET.get("batch", "")):
        found = found.filter(batch=batch)
    rows = windows.stored(found.defer(*SEALED), "submitted_at")
    shown = windows.window(rows, "submitted_at", request.GET, size=PAGE_SIZE, newest_first=True)
    return render(request, "operations/list.html", {"window": shown, "statuses": Status})


@signed_in
def activity(request: ConsoleRequest) -> HttpResponse:
    """Changes of the last two weeks by day, person and service."""
    found = recent.activity(queries.visible(request.rights, labels_of), timezone.now())
    counts = [(day, (count.succeeded, count.stopped, count.failed)) for day, count in found.days]
    context = {"activity": found, "chart": day_charts.changes(counts)}
    return render(request, "operations/activity.html", context)


@signed_in
@live_page
def operation(request: ConsoleRequest, id: UUID) -> HttpResponse:
    """One operation with its timeline, as complete after a year as while it ran."""
    return page(request, find_operation(request, id))


def page(request: ConsoleRequest, found: Operation, problem: str = "") -> HttpResponse:
    """The operation's page; `problem` is why a decision on it could not be taken."""
    usual = queries.usual(found)
    labels = labels_of(found.ref)
    permissions = request.rights.on(found.ref, labels)
    may = {
        "cancel": found.is_active and not found.is_written and not lacks_to_cancel(request.rights, found, labels),
        "retry": not found.is_open and found.status not in SUCCESSFUL and may_make(request.rights, found),
        "rollback": Permission.TRAFFIC in permissions and rollback.is_possible(found),
    }
    context = {
        "operation": found,
        "ref": found.ref,
        "lines": found.lines.all(),
        "rows": _rows(found),
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
            permissions,
            _now(found),
            rollback.target(found) if may["rollback"] else "",
        ),
        "may_audit": Permission.AUDIT in permissions,
        "Status": Status,
        "problem": problem,
        **_approval(request, found),
    }
    return render(request, "operations/operation.html", context, status=422 if problem else 200)


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


def _approval(request: ConsoleRequest, found: Operation) -> dict[str, Any]:
    """What the page shows of the approval that the operation waits for, or had."""
    approval = Approval.objects.filter(operation=found).first()
    if approval is None or found.status != Status.WAITING:
        return {"approval": approval}
    facts, now = review(found), read.service(found.ref)
    may_decide = approvals.may_decide(request.user, request.rights, found)
    rows = _approved_rows(request, found, facts.after, may_decide=may_decide)
    return {
        "rows": rows,
        "lines": change_words.lines(rows, found.seen),
        "split": None
        if found.verb.removes
        else split_effect(found.seen, facts.after, makes_revision=found.makes_revision),
        "approval": approval,
        "review": facts,
        "impact": impact.sentences(
            found.change,
            found.seen,
            facts.after,
            makes_revision=found.makes_revision,
            revisions=len(read.revisions(found.ref)) if read.is_whole(found.cluster, "revisions") else None,
        ),
        "is_changed": now is not None and bool(found.seen.raw) and not facts.is_of(now.generation),
        "may_decide": may_decide,
        "may_withdraw": found.user_id == request.user.pk,
        "typed": request.POST.get("comment", ""),
    }


def _approved_rows(
    request: ConsoleRequest, found: Operation, after: Service, *, may_decide: bool
) -> Sequence[FieldChange]:
    """The rows of a waiting change, with their values for who decides and may reveal, else masked."""
    rows, actor = _rows(found), actor_from(request)
    if not (may_decide and request.rights.allows(Permission.REVEAL, found.ref, labels_of(found.ref))):
        return rows
    return revealing.for_approver(rows, found.seen, after, ref=found.ref, actor=actor)


def _rows(found: Operation) -> list[FieldChange]:
    return [FieldChange(tuple(row["path"]), row["before"], row["after"]) for row in found.changes]


@require_http_methods(["GET", "POST"])
@signed_in
def submit(request: ConsoleRequest, id: UUID) -> HttpResponse:
    """Make an operation of a preview. A second press leads to the operation that the first one made."""
    if request.method != "POST":  # after the sign-in page, or when the address is loaded again
        return gone(request, [str(id)])
    asked = LimitsForm(request.POST)
    if not asked.is_valid():
        return stopped(request, [str(id)], asked)
    request.back = partial(stopped, request, [str(id)], asked)
    made = submission.submit(
        id,
        user=request.user,
        actor=actor_from(request),
        reason=request.POST.get("reason", ""),
        limits=asked.limits,
        break_glass="break_glass" in request.POST,
    )
    typed.applied(request)
    return redirect("operation", id=made.id)


@require_POST
@signed_in
def cancel(request: ConsoleRequest, id: UUID) -> HttpResponse:
    found = find_operation(request, id)
    if lacking := lacks_to_cancel(request.rights, found, labels_of(found.ref)):
        return refuse(request, lacking, found.ref)
    submission.cancel(found, actor=actor_from(request))
    return redirect("operation", id=id)


@require_POST
@signed_in
def retry(request: ConsoleRequest, id: UUID) -> HttpResponse:
    found = find_operation(request, id)
    request.back = partial(_told, request, id)
    made = submission.retry(found, user=request.user, actor=actor_from(request))
    return redirect("operation", id=made.id)


def _told(request: ConsoleRequest, id: UUID, why: str) -> HttpResponse:
    """The operation's page, with a message."""
    messages.warning(request, why)
    return redirect("operation", id=id)


def find_operation(request: ConsoleRequest, id: UUID) -> Operation:
    """The operation, or the same 404 for one that does not exist and one that the person may not see."""
    found = Operation.objects.filter(id=id).first()
    if found is None or not queries.may_see(request.rights, found, labels_of(found.ref)):
        raise Http404
    return found


def as_uuid(text: str) -> UUID | None:
    """The id that the text says; what cannot be read filters nothing."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None

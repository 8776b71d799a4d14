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
from console.access.labels import labels_of, labels_of_many
from console.access.permissions import Permission
from console.audit.summary import DAYS, MAX_DAYS, last_days
from console.knative.diff import FieldChange
from console.knative.objects import Service
from console.knative.split_effect import split_effect
from console.mirror import read
from console.operations import activity as recent
from console.operations import queries
from console.operations.lookups import revealing
from console.operations.models import Operation
from console.operations.models.protection import Approval
from console.operations.models.statuses import Status
from console.operations.protection import approvals
from console.operations.protection.review import review
from console.operations.rights.needs import lacks_to_cancel
from console.operations.submitting import submission
from console.web import change_words, impact, typed
from console.web.charts import days as day_charts
from console.web.forms.limits import LimitsForm
from console.web.live_page import live_page
from console.web.parts import operations as parts
from console.web.requests import ConsoleRequest
from console.web.spans import span_of
from console.web.topics import topic_of, topic_of_part
from console.web.views.stopped import gone, stopped


@signed_in
@live_page
def operations(request: ConsoleRequest) -> HttpResponse:
    """All operations on services that the person may see, newest first, in pages by cursor."""
    context = {
        **parts.listing(request.rights, request.GET),
        "topic": topic_of_part("operations", "", request.GET),
        "statuses": Status,
    }
    return render(request, "operations/list.html", context, status=422 if context["problems"] else 200)


@signed_in
def activity(request: ConsoleRequest) -> HttpResponse:
    """Changes of the last days, or of a period, by day, person and service."""
    span = span_of(request.GET.dict(), timezone.now(), last_days, DAYS, DAYS[1])
    found = recent.activity(queries.visible(request.rights, labels_of_many()), span.since, span.until, span.zone)
    counts = [(day, (count.succeeded, count.stopped, count.failed)) for day, count in found.days]
    context = {
        "activity": found,
        "chart": day_charts.changes(counts),
        "days": span.days,
        "choices": DAYS,
        "problems": span.problems,
        "max_days": MAX_DAYS,
    }
    return render(request, "operations/activity.html", context, status=422 if span.problems else 200)


@signed_in
@live_page
def operation(request: ConsoleRequest, id: UUID) -> HttpResponse:
    """One operation with its timeline, as complete after a year as while it ran."""
    return page(request, find_operation(request, id))


def page(request: ConsoleRequest, found: Operation, problem: str = "") -> HttpResponse:
    """The operation's page; `problem` is why a decision on it could not be taken."""
    context = {
        **parts.shown(found, parts.sight(request.rights, found)),
        "topic": _topic(found),
        "problem": problem,
    }
    context |= _approval(request, found, context["approval"])
    return render(request, "operations/operation.html", context, status=422 if problem else 200)


def _topic(found: Operation) -> str:
    """While it runs, what changes is sent. While it waits, the page depends on who looks, and is fetched again."""
    if found.is_active:
        return topic_of_part("operation", found.id)
    return topic_of(found) if found.status == Status.WAITING else ""


def _approval(request: ConsoleRequest, found: Operation, approval: Approval | None) -> dict[str, Any]:
    """What the page shows of the approval that the operation waits for."""
    if approval is None or found.status != Status.WAITING:
        return {}
    may_decide = approvals.may_decide(request.user, request.rights, found)
    told = {
        **({"topic": ""} if may_decide else {}),  # not while somebody may be typing a comment
        "approval": approval,
        "may_decide": may_decide,
        "may_withdraw": found.user_id == request.user.pk,
        "typed": request.POST.get("comment", ""),
    }
    return {**told, **_reviewed(request, found, may_decide=may_decide)} if found.is_readable else told


def _reviewed(request: ConsoleRequest, found: Operation, *, may_decide: bool) -> dict[str, Any]:
    """What the change would do, for who decides."""
    facts, now = review(found), read.service(found.ref)
    rows = _approved_rows(request, found, facts.after, may_decide=may_decide)
    return {
        "rows": rows,
        "lines": change_words.lines(rows, found.seen),
        "split": None
        if found.verb.removes
        else split_effect(found.seen, facts.after, makes_revision=found.makes_revision),
        "review": facts,
        "impact": impact.sentences(
            found.change,
            found.seen,
            facts.after,
            makes_revision=found.makes_revision,
            revisions=len(read.revisions(found.ref)) if read.is_whole(found.cluster, "revisions") else None,
        ),
        "is_changed": now is not None and bool(found.seen.raw) and not facts.is_of(now.generation),
    }


def _approved_rows(
    request: ConsoleRequest, found: Operation, after: Service, *, may_decide: bool
) -> Sequence[FieldChange]:
    """The rows of a waiting change, with their values for who decides and may reveal, else masked."""
    rows, actor = parts.rows(found), actor_from(request)
    if not (may_decide and request.rights.allows(Permission.REVEAL, found.ref, labels_of(found.ref))):
        return rows
    return revealing.for_approver(rows, found.seen, after, ref=found.ref, actor=actor, operation=found.id)


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
        acknowledged=request.POST.getlist("acknowledged"),
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
    found = queries.one(id)
    if found is None or not queries.may_see(request.rights, found, labels_of(found.ref)):
        raise Http404
    return found

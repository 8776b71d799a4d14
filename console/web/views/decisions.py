"""What approvers saw: approvals, refusals and overrides with the preview that was on the screen, and its proof."""

from typing import Any

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from console.access.actors import actor_from
from console.access.auditing import visible_entries
from console.access.decorators import refuse, require_permission
from console.access.labels import labels_of
from console.access.permissions import Permission
from console.audit import policy, searching
from console.audit.models import Entry
from console.audit.searching import Search
from console.knative.diff import FieldChange
from console.knative.split_effect import split_effect
from console.operations.lookups import revealing
from console.operations.models import Operation
from console.operations.protection.decisions import ACTIONS, Decision, decisions, rules_of
from console.operations.protection.review import review
from console.web import change_words, decision_words, impact, reports
from console.web.parts import operations as parts
from console.web.requests import ConsoleRequest
from console.web.views.audit import paged, query_of

BATCH_SIZE = 200  # decisions of a file whose previews are in memory at once
COLUMNS = (
    *("entry", "at", "decision", "decided_by", "ip", "roles", "comment", "cluster", "namespace", "service", "change"),
    *("requested_by", "reason", "operation", "digest", "stored_preview", "values_shown_in_entry"),
)


@require_permission(Permission.AUDIT)
def decided(request: ConsoleRequest) -> HttpResponse:
    """Approvals, refusals and overrides as far as the person may read them, newest first."""
    found = _search(request)
    page = paged(request, found)
    context = {
        "page": page,
        "decisions": decisions(page.entries),
        "problems": found.problems,
        "actions": decision_words.NAMES.items(),
        "query": query_of(request),
    }
    return render(request, "audit/decisions.html", context, status=422 if found.problems else 200)


@require_POST
@require_permission(Permission.AUDIT)
def export(request: ConsoleRequest, form: str) -> HttpResponseBase:
    """The filtered decisions as a file."""
    if form not in reports.FORMS:
        raise Http404
    found = _search(request)
    if found.problems:
        return decided(request)
    entries = list(found.entries.order_by("-sequence")[: reports.MAX_ROWS + 1])
    rows = [row for start in range(0, len(entries), BATCH_SIZE) for row in _rows(entries[start : start + BATCH_SIZE])]
    return reports.file(request, "decisions", form, COLUMNS, rows, query_of(request))


@require_permission(Permission.AUDIT)
def decision(request: ConsoleRequest, sequence: int) -> HttpResponse:
    """One decision with the preview that was on the screen, values hidden."""
    found = _find(request, sequence)
    rows = parts.rows(found.operation) if found.operation else []
    return _show(request, found, rows, is_revealed=False)


@require_POST
@require_permission(Permission.AUDIT)
def reveal(request: ConsoleRequest, sequence: int) -> HttpResponse:
    """The same with the values, for who may reveal them; leaves an entry that names the variables."""
    found = _find(request, sequence)
    operation = found.operation
    if operation is None or not found.is_readable:
        return redirect("audit-decision", sequence=sequence)
    if not _may_reveal(request, operation):
        return refuse(request, Permission.REVEAL, operation.ref)
    after = review(operation).after
    rows = revealing.for_auditor(
        parts.rows(operation),
        operation.seen,
        after,
        ref=operation.ref,
        actor=actor_from(request),
        operation=operation.id,
    )
    return _show(request, found, rows, is_revealed=True)


def _show(request: ConsoleRequest, found: Decision, rows: Any, *, is_revealed: bool) -> HttpResponse:
    operation = found.operation
    context = {
        "decision": found,
        "entry": found.entry,
        "sentence": decision_words.SENTENCES[found.match] % {"days": policy.policy().operations_days},
        "is_revealed": is_revealed,
        "may_reveal": found.is_readable and operation is not None and _may_reveal(request, operation),
        **(_screen(operation, rows) if operation and found.is_readable else {}),
    }
    return render(request, "audit/decision.html", context)


def _screen(operation: Operation, rows: list[FieldChange]) -> dict[str, Any]:
    """What the page of the decision showed: only what was sealed, nothing of the cluster as it is now."""
    facts = review(operation)
    return {
        "operation": operation,
        "rows": rows,
        "lines": change_words.lines(rows, operation.seen),
        "split": None
        if operation.verb.removes
        else split_effect(operation.seen, facts.after, makes_revision=operation.makes_revision),
        "impact": impact.sentences(
            operation.change, operation.seen, facts.after, makes_revision=operation.makes_revision, revisions=None
        ),
        "review": facts,
        "rules": rules_of(operation),
    }


def _may_reveal(request: ConsoleRequest, operation: Operation) -> bool:
    return request.rights.allows(Permission.REVEAL, operation.ref, labels_of(operation.ref))


def _search(request: ConsoleRequest) -> Search:
    return searching.search(visible_entries(request.rights).filter(action__in=ACTIONS), request.GET.dict())


def _find(request: ConsoleRequest, sequence: int) -> Decision:
    """The decision; the same 404 for an entry that is none, and for one that the person may not read."""
    entry = visible_entries(request.rights).filter(sequence=sequence, action__in=ACTIONS).first()
    if entry is None:
        raise Http404
    return decisions([entry])[0]


def _rows(entries: list[Entry]) -> list[dict[str, Any]]:
    return [_row(one) for one in decisions(entries)]


def _row(one: Decision) -> dict[str, Any]:
    entry, operation = one.entry, one.operation
    return {
        "entry": entry.sequence,
        "at": entry.at.isoformat(),
        "decision": f"{entry.action} {entry.outcome}",
        "decided_by": entry.actor,
        "ip": entry.ip,
        "roles": entry.roles,
        "comment": one.words,
        "cluster": entry.cluster,
        "namespace": entry.namespace,
        "service": entry.service,
        "change": one.kind,
        "requested_by": operation.actor if operation else "",
        "reason": operation.reason if operation else "",
        "operation": str(entry.operation or ""),
        "digest": one.digest,
        "stored_preview": one.match.value,
        "values_shown_in_entry": one.revealed.sequence if one.revealed else "",
    }

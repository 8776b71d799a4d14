"""The audit log as a file: small ones at once, big ones written by a worker while a page shows how far it is."""

from collections.abc import AsyncIterator
from typing import TypeVar
from uuid import UUID

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from console import audit
from console.access import audit_exports
from console.access.actors import actor_from
from console.access.decorators import require_permission
from console.access.permissions import Permission
from console.audit import checkpoints, export
from console.audit.models import Export
from console.audit.offline import VERIFIER
from console.web.requests import ConsoleRequest
from console.web.views.audit import query_of, search, show_list

Response = TypeVar("Response", HttpResponse, StreamingHttpResponse)
FORMS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8"}


@require_POST
@require_permission(Permission.AUDIT)
def download(request: ConsoleRequest, form: str) -> HttpResponse:
    """The filtered entries as CSV or JSON lines, newest first; the export itself leaves an entry."""
    if form not in FORMS:
        raise Http404
    found, query = search(request), query_of(request)
    if found.problems:
        return show_list(request)
    if not audit_exports.is_small(found):
        made = audit_exports.start(found, form, query, user=request.user, actor=actor_from(request))
        return redirect("audit-export-progress", id=made.id)
    rows = list(found.entries.filter(sequence__lt=found.high).order_by("-sequence")[: audit_exports.MAX_DIRECT])
    audit_exports.tell(form, query, actor_from(request))
    origin = audit_exports.origin(found, query, request.user)
    lines = export.csv_lines(rows) if form == "csv" else export.signed_lines(rows, origin)
    return _named(HttpResponse(_mark(request, form) + "".join(lines), content_type=FORMS[form]), form)


@require_permission(Permission.AUDIT)
def progress(request: ConsoleRequest, id: UUID) -> HttpResponse:
    """How far an export is; its link when it is done."""
    one = _mine(request, id)
    context = {"export": one, "is_readable": audit_exports.is_readable(one, request.rights)}
    return render(request, "audit/export.html", context)


@require_permission(Permission.AUDIT)
def file(request: ConsoleRequest, id: UUID) -> StreamingHttpResponse:
    """The file of a finished export, while the person may read everything in it; downloading it leaves an entry."""
    one = _mine(request, id)
    if one.finished_at is None or one.error or not audit_exports.is_readable(one, request.rights):
        raise Http404
    audit.record(
        "audit.download",
        actor=actor_from(request),
        outcome=audit.Outcome.SUCCEEDED,
        text=f"{one.form} {one.query}"[:500],
    )
    contents = _after(_mark(request, one.form).encode(), audit_exports.contents(one))
    return _named(StreamingHttpResponse(contents, content_type=FORMS[one.form]), one.form)


@require_permission(Permission.AUDIT)
def proof(request: ConsoleRequest) -> HttpResponse:
    """How an export is checked without the console: the keys, a checkpoint, the program."""
    keys = checkpoints.public_keys()
    given = f"--public-key {keys[0]} --checkpoint sluice-checkpoint.jsonl"
    command = f"python3 {VERIFIER.name} {given} sluice-audit.jsonl"
    return render(request, "audit/proof.html", {"keys": keys, "command": command})


@require_POST
@require_permission(Permission.AUDIT)
def checkpoint(request: ConsoleRequest) -> HttpResponse:
    """The signed head of the chain, to be kept where the console cannot write; leaves an entry."""
    made = checkpoints.make()
    audit.record(
        "audit.checkpoint", actor=actor_from(request), outcome=audit.Outcome.SUCCEEDED, text=f"entry {made.sequence}"
    )
    response = HttpResponse(made.to_line() + "\n", content_type=FORMS["jsonl"])
    response["Content-Disposition"] = f'attachment; filename="sluice-checkpoint-{made.sequence}.jsonl"'
    return response


@require_permission(Permission.AUDIT)
def verifier(_request: ConsoleRequest) -> HttpResponse:
    """The program that checks exports: one file of plain Python."""
    response = HttpResponse(VERIFIER.read_bytes(), content_type="text/x-python; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{VERIFIER.name}"'
    return response


def _mark(request: ConsoleRequest, form: str) -> str:
    """The byte order mark, where it was asked for: some spreadsheets read a CSV as UTF-8 only behind one."""
    asked = request.POST.get("bom") or request.GET.get("bom")
    return export.BOM if form == "csv" and asked else ""


async def _after(mark: bytes, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if mark:
        yield mark
    async for part in parts:
        yield part


def _mine(request: ConsoleRequest, id: UUID) -> Export:
    """The person's own export; the same 404 for somebody else's and for one that does not exist."""
    found = audit_exports.of_person(id, request.user)
    if found is None:
        raise Http404
    return found


def _named(response: Response, form: str) -> Response:
    response["Content-Disposition"] = f'attachment; filename="sluice-audit.{form}"'
    return response

"""What a revision's containers print, while somebody looks."""

from django.http import Http404, HttpResponse
from django.shortcuts import render

from console.access.actors import actor_from
from console.access.decorators import require_permission
from console.access.permissions import Permission
from console.audit import reads
from console.knative.references import ServiceRef
from console.mirror import read
from console.operations import ClusterError, queries
from console.operations.lookups import logs as newest
from console.web import outcomes
from console.web.parts.service import find
from console.web.requests import ConsoleRequest
from console.web.views.services import frame


@require_permission(Permission.VIEW)
def logs(request: ConsoleRequest, ref: ServiceRef, revision: str) -> HttpResponse:
    """The last lines of one container, and what failed operations kept of pods that are gone."""
    found = find(ref)
    if read.revision(ref, revision) is None:
        raise Http404
    asked = request.GET.get("lines", "")
    lines = int(asked) if asked.isdecimal() and len(asked) < 10 and int(asked) in newest.LINES else newest.LINES[0]
    wanted = newest.Wanted(
        lines, request.GET.get("pod", ""), request.GET.get("container", ""), "previous" in request.GET
    )
    is_followed = "follow" in request.GET
    look = newest.followed if is_followed else newest.tail
    trouble = None
    try:
        log = look(ref, revision, user=request.user, wanted=wanted)
    except ClusterError as error:  # what failed operations kept can be shown all the same
        log, trouble = newest.Log(()), outcomes.answer_error(error)
    reads.note("logs", actor=actor_from(request), by=(Permission.VIEW,), ref=ref, subject=f"revision {revision}")
    context = {
        **frame(request, ref, found),
        "here": "revisions",
        "revision_name": revision,
        "log": log,
        "trouble": trouble,
        "lines": lines,
        "line_counts": newest.LINES,
        "previous": wanted.previous,
        "follow": is_followed,
        "kept": [one for one in queries.of_service(ref).filter(revision=revision)[:20] if one.why and one.why.logs],
    }
    return render(request, "services/logs.html", context)

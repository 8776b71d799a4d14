"""A service, its revisions."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from console.access.decorators import require_permission
from console.access.permissions import Permission
from console.knative import diff, marks
from console.knative.objects import Revision, Service
from console.knative.references import ServiceRef
from console.mirror import heads, read
from console.operations.lookups import cluster_rights
from console.web.actions import service_url
from console.web.live_page import live_page
from console.web.parts import service as parts
from console.web.parts.service import Sight, history, overview
from console.web.parts.service import frame as frame_of
from console.web.requests import ConsoleRequest
from console.web.topics import topic_of_part


@require_permission(Permission.VIEW)
@live_page
def service(request: ConsoleRequest, ref: ServiceRef) -> HttpResponse:
    """One service: what is serving, what a new revision will get, and what can be done."""
    context = {**overview(ref, sight_of(request, ref)), "topic": topic_of_part("service", ref)}
    return render(request, "services/service.html", context)


@require_permission(Permission.VIEW)
@live_page
def revisions(request: ConsoleRequest, ref: ServiceRef) -> HttpResponse:
    """The history: every column of `kn revision list`, and who made each revision. Two that are ticked are compared."""
    asked = request.GET.getlist("compare")
    chosen = [one.name for one in heads.heads(ref) if one.name in asked] if asked else []
    if len(chosen) == 2:
        newer, older = chosen
        return redirect(f"{service_url('revision', ref, revision=newer)}?{urlencode({'with': older})}#compare")
    context = {
        **history(ref, sight_of(request, ref), request.GET),
        "topic": topic_of_part("revisions", ref, request.GET),
        "compare_problem": _("Tick two revisions to compare them.") if asked else "",
    }
    return render(request, "services/revisions.html", context)


@require_permission(Permission.VIEW)
@live_page
def revision(request: ConsoleRequest, ref: ServiceRef, revision: str) -> HttpResponse:
    """Everything of `kn revision describe`, its pods now, and what differs from another revision."""
    other_name = request.GET.get("with", "")
    other = read.revision(ref, other_name) if other_name else None
    context = {
        **parts.revision(ref, revision, sight_of(request, ref)),
        "topic": topic_of_part("revision", f"{ref}/{revision}"),
        "others": [head.name for head in heads.heads(ref) if head.name != revision],
        "other": other,
        "differences": _differences(ref, other_name, revision) if other else (),
    }
    return render(request, "services/revision.html", context)


def sight_of(request: ConsoleRequest, ref: ServiceRef) -> Sight:
    """Return what decides what the person sees of the service. The cluster is asked only for who may change it."""
    changes = request.permissions - {Permission.VIEW}
    refused = cluster_rights.refused(ref, request.user) if changes else {}
    return Sight(request.permissions, frozenset(refused.items()))


def frame(request: ConsoleRequest, ref: ServiceRef, found: Service) -> dict[str, Any]:
    """Return what every page of a service shows around its own content."""
    return frame_of(ref, found, sight_of(request, ref))


def _differences(ref: ServiceRef, before: str, after: str) -> tuple[diff.FieldChange, ...]:
    """What differs between two revisions; one that is gone meanwhile leaves nothing to compare."""
    old, new = read.sealed_revision(ref, before), read.sealed_revision(ref, after)
    return diff.diff(_comparable(old), _comparable(new)) if old and new else ()


def _comparable(one: Revision) -> dict[str, object]:
    """A revision in the shape of a service's template, so that the same difference serves both."""
    metadata = {
        "labels": marks.without_revision_stamps(one.labels),
        "annotations": marks.without_revision_stamps(one.annotations),
    }
    return {"spec": {"template": {"metadata": metadata, "spec": dict(one.spec)}}}

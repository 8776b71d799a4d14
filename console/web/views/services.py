"""The services list, a service, its revisions."""

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from console.access.decorators import require_permission, signed_in
from console.access.permissions import Permission
from console.knative import diff, kn, marks
from console.knative.objects import Revision, Service
from console.knative.references import ServiceRef
from console.mirror import read
from console.operations import queries
from console.operations.lookups import cluster_rights
from console.operations.protection.gate import Protection
from console.web import actions, diagnosis, paging, words
from console.web.requests import ConsoleRequest
from console.web.service_list import SORTS, matches, needs_attention
from console.web.unread import unread


@signed_in
def services(request: ConsoleRequest) -> HttpResponse:
    """Every service that the person may see, in all clusters, from the mirror."""
    clusters = [cluster for cluster in read.clusters() if request.rights.reaches(cluster)]
    stale = {cluster: age for cluster in clusters if (age := read.freshness(cluster)).is_stale}
    seen = [
        row
        for cluster in clusters
        for row in read.services(cluster)
        if request.rights.allows(Permission.VIEW, row.ref, row.labels)
    ]
    rows, order = paging.sort(
        [row for row in seen if matches(row, request.GET)], request.GET.get("sort", ""), SORTS, "name"
    )
    page = paging.page(rows, request.GET.get("page"))
    known = Protection()
    context = {
        "page": page,
        "protected": {row.uid for row in page if known.of_service(row.ref, row.labels).rules},
        "order": order,
        "total": len(seen),
        "clusters": clusters,
        "namespaces": sorted({row.namespace for row in seen}),
        "attention": sum(1 for row in seen if needs_attention(row)),
        "healths": words.HEALTH,
        "stale": stale,
        "unread": unread(request.rights, "services"),
        "may_create": request.rights.allows(Permission.DEPLOY),
        "may_bulk": any(request.rights.allows(one) for one in (Permission.DEPLOY, Permission.OPERATE)),
    }
    return render(request, "services/list.html", context)


@require_permission(Permission.VIEW)
def service(request: ConsoleRequest, ref: ServiceRef) -> HttpResponse:
    """One service: what is serving, what a new revision will get, and what can be done."""
    found = find(ref)
    revisions = kn.newest_first(read.revisions(ref))
    makers = queries.makers(ref, found.uid)
    framed, cause = frame(request, ref, found), diagnosis.diagnose(ref, found)
    context = {
        **framed,
        "cause": cause,
        "next_steps": diagnosis.next_steps(cause, framed["actions"]) if cause else (),
        "targets": [(target, kn.target_text(target, found)) for target in found.status_traffic],
        "revisions": [revision_facts(revision, found, makers) for revision in revisions[:10]],
        "revision_count": len(revisions),
        "operations": queries.of_service(ref)[:5],
    }
    return render(request, "services/service.html", context)


@require_permission(Permission.VIEW)
def revisions(request: ConsoleRequest, ref: ServiceRef) -> HttpResponse:
    """The history: every column of `kn revision list`, and who made each revision."""
    found = find(ref)
    makers = queries.makers(ref, found.uid)
    facts = [revision_facts(revision, found, makers) for revision in kn.newest_first(read.revisions(ref))]
    text = request.GET.get("q", "").strip().lower()
    facts = [
        row
        for row in facts
        if not text or text in f"{row['row'].name} {row['revision'].image} {row['row'].tags}".lower()
    ]
    keys = {
        "generation": lambda row: row["revision"].configuration_generation,
        "name": lambda row: row["row"].name,
        "traffic": lambda row: row["percent"],
    }
    facts, order = paging.sort(facts, request.GET.get("sort", ""), keys, "-generation")
    context = {**frame(request, ref, found), "page": paging.page(facts, request.GET.get("page")), "order": order}
    return render(request, "services/revisions.html", context)


@require_permission(Permission.VIEW)
def revision(request: ConsoleRequest, ref: ServiceRef, revision: str) -> HttpResponse:
    """Everything of `kn revision describe`, its pods now, and what differs from another revision."""
    found = find(ref)
    one = read.revision(ref, revision)
    if one is None:
        raise Http404
    other_name = request.GET.get("with", "")
    other = read.revision(ref, other_name) if other_name else None
    context = {
        **frame(request, ref, found),
        **revision_facts(one, found, queries.makers(ref, found.uid)),
        "pods": [pod for pod in read.pods(ref) if pod.revision_name == one.name],
        "pods_unread": not read.is_whole(ref.cluster, "pods"),
        "others": [r.name for r in kn.newest_first(read.revisions(ref)) if r.name != one.name],
        "other": other,
        "differences": _differences(ref, other_name, one.name) if other else (),
    }
    return render(request, "services/revision.html", context)


def find(ref: ServiceRef) -> Service:
    """Return the service from the mirror; raises Http404, or MirrorIncomplete where it may exist all the same."""
    found = read.service(ref)
    if found is None:
        raise Http404
    return found


def frame(request: ConsoleRequest, ref: ServiceRef, found: Service) -> dict[str, Any]:
    """Return what every page of a service shows around its own content."""
    refused = cluster_rights.refused(ref, request.user) if request.permissions - {Permission.VIEW} else {}
    offered = actions.of_service(ref, request.permissions, refused)
    return {
        "ref": ref,
        "service": found,
        "truth": found.truth,
        "truth_sentence": words.truth(found.truth),
        "summary": read.summary(ref),
        "actions": offered,
        "locked": actions.locked(offered),
        "refused_by_cluster": actions.refused(offered),
        "permissions": request.permissions - refused.keys(),
        "freshness": read.freshness(ref.cluster),
        "kn_row": kn.service_row(found, timezone.now()),
        "policy_status": Protection().of_service(ref, found.labels),
        "broken_glass": queries.broken_glass(ref),
    }


def revision_facts(one: Revision, of: Service, makers: Mapping[str, str]) -> dict[str, Any]:
    """Return a revision with what the service's traffic says of it, and who made it (by name, through the console)."""
    percent, tags = kn.routed(one.name, of)
    return {
        "revision": one,
        "row": kn.revision_row(one, of, timezone.now()),
        "made_by": makers.get(one.name, ""),
        "percent": percent,
        "tags": tags,
        "tag_urls": [(t.tag, t.url or "") for t in of.status_traffic if t.revision == one.name and t.tag],
        "is_latest": one.name == of.latest_ready_revision,
    }


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

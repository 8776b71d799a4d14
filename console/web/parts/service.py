"""What the pages of a service show of it: the overview, the history of its revisions, and the frame of every page."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from django.http import Http404, QueryDict
from django.utils import timezone

from console.access.permissions import Permission
from console.knative import kn, marks, volumes
from console.knative.objects import Revision, Service
from console.knative.references import ServiceRef
from console.mirror import heads, read
from console.mirror.heads import Head
from console.operations import queries
from console.operations.protection.gate import Protection
from console.web import actions, diagnosis, paging, service_page, words

Routed = tuple[Head, int, tuple[str, ...]]  # a revision, its percent of the traffic, its tags
REVISION_SORTS: dict[str, Callable[[Routed], Any]] = {
    "generation": lambda row: row[0].generation,
    "name": lambda row: row[0].name,
    "traffic": lambda row: (row[1], bool(row[2]), row[0].generation),
}


class Sight(NamedTuple):
    """What decides what somebody sees of a service: may they do what, and what of it would the cluster refuse."""

    permissions: frozenset[Permission]
    refused: frozenset[tuple[Permission, str]] = frozenset()  # with the verb that the cluster does not allow


def overview(ref: ServiceRef, sight: Sight) -> dict[str, Any]:
    """Return what is serving, what a new revision will get, and what can be done."""
    found = find(ref)
    revisions, pods = heads.heads(ref), read.pods(ref)
    makers = queries.makers(ref, found.uid)
    framed, cause = frame(ref, found, sight), diagnosis.diagnose(ref, found)
    shown = heads.named(ref, service_page.chosen(found, revisions))
    facts = [revision_facts(revision, found, makers.of_revisions) for revision in shown]
    serving = service_page.serving(facts)
    may_route = Permission.TRAFFIC in framed["permissions"]
    return {
        **framed,
        "cause": cause,
        "next_steps": diagnosis.next_steps(cause, framed["actions"]) if cause else (),
        "kept_back": service_page.kept_back(ref, found) if cause and may_route else None,
        "under_way": service_page.under_way(ref, found.uid),
        "created_by": makers.of_service,
        "serving": serving[: service_page.MAX_SERVING],
        "serving_more": len(serving) - service_page.MAX_SERVING,
        "way_back": service_page.way_back(ref, found, revisions) if may_route else None,
        "revisions": service_page.ordered(facts),
        "revision_count": len(revisions),
        "pods": sorted(pods, key=lambda pod: pod.name, reverse=True)[: service_page.MAX_PODS],  # the newest revision's
        "pod_count": len(pods),
        "pods_unread": not read.has_whole(framed["mirror_states"], "pods"),
        "warnings": service_page.warnings(pods, cause),
        "containers": [(one, volumes.mounts(found.template_spec, one)) for one in found.containers],
        "scaling": service_page.scaling(found),
        "serves_all": kn.routed(found.latest_created_revision or "", found)[0] == 100,
        "sections": {one.name: one for one in framed["actions"] if one.place == actions.Place.SECTION and one.allowed},
        "operations": queries.recent(ref),
        **own_and_system_labels(found, marks.without_stamps),
    }


def revision(ref: ServiceRef, name: str, sight: Sight) -> dict[str, Any]:
    """Return everything of `kn revision describe`, its pods now, and why it is not ready."""
    found, one = find(ref), read.revision(ref, name)
    if one is None:
        raise Http404
    facts = revision_facts(one, found, queries.makers(ref, found.uid).of_revisions)
    pods = [pod for pod in read.pods(ref) if pod.revision_name == one.name]
    framed, cause = frame(ref, found, sight), diagnosis.diagnose_revision(ref, found, one, pods)
    is_newest = one.name == found.latest_created_revision
    return {
        **framed,
        **facts,
        "facts": facts,
        "cause": cause,
        "next_steps": diagnosis.next_steps(cause, framed["actions"]) if cause and is_newest else (),
        "pods": pods,
        "pods_unread": not read.has_whole(framed["mirror_states"], "pods"),
        "containers": [(each, volumes.mounts(one.spec, each)) for each in one.containers],
        **own_and_system_labels(one, marks.without_revision_stamps),
    }


def history(ref: ServiceRef, sight: Sight, query: QueryDict) -> dict[str, Any]:
    """Return every column of `kn revision list`, and who made each revision."""
    found = find(ref)
    known = heads.heads(ref)
    passing = _passing(ref, found, known, query.get("q", "").strip().lower())
    routes = kn.routes(found)
    rows: list[Routed] = [(one, *routes.get(one.name, (0, ()))) for one in passing]
    rows, order = paging.sort(rows, query.get("sort", ""), REVISION_SORTS, "-traffic")
    page = paging.page(rows, query.get("page"))
    makers = queries.makers(ref, found.uid).of_revisions
    shown = {one.name: one for one in heads.named(ref, [head.name for head, *_routed in page])}
    page.object_list = [revision_facts(shown[one.name], found, makers) for one, *_routed in page if one.name in shown]
    return {**frame(ref, found, sight), "page": page, "order": order, "comparable": len(known) > 1}


def _passing(ref: ServiceRef, of: Service, known: Sequence[Head], text: str) -> Sequence[Head]:
    """Those of the revisions whose name, image or tags have the text; only for one are images read."""
    if not text:
        return known
    found = {
        one.name
        for one in read.revisions(ref)
        if text in f"{one.name} {one.image} {','.join(kn.routed(one.name, of)[1])}".lower()
    }
    return [head for head in known if head.name in found]


def find(ref: ServiceRef) -> Service:
    """Return the service from the mirror; raises Http404, or MirrorIncomplete where it may exist all the same."""
    found = read.service(ref)
    if found is None:
        raise Http404
    return found


def frame(ref: ServiceRef, found: Service, sight: Sight) -> dict[str, Any]:
    """Return what every page of a service shows around its own content."""
    refused = dict(sight.refused)
    offered = actions.of_service(ref, sight.permissions, refused)
    states = read.states(ref.cluster)
    return {
        "ref": ref,
        "service": found,
        "truth": found.truth,
        "truth_sentence": words.truth(found.truth),
        "summary": read.summary(ref),
        "actions": offered,
        "locked": actions.locked(offered),
        "refused_by_cluster": actions.refused(offered),
        "permissions": sight.permissions - refused.keys(),
        "mirror_states": states,
        "freshness": read.freshness_of(states),
        "kn_row": kn.service_row(found, timezone.now()),
        "policy_status": Protection().of_service(ref, found.labels, found.owners),
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


def own_and_system_labels(
    one: Service | Revision, of_people: Callable[[Mapping[str, str]], Mapping[str, str]]
) -> dict[str, Any]:
    """Return the labels and annotations that people write, and apart from them those that machines write."""
    labels, annotations = of_people(one.labels), of_people(one.annotations)
    every = {**one.labels, **one.annotations}
    system = {key: value for key, value in every.items() if key not in labels and key not in annotations}
    return {"own_labels": labels, "own_annotations": annotations, "system_labels": system}

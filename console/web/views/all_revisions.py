"""The revisions of all services, as `kn revision list -A` has them."""

from collections.abc import Mapping
from datetime import UTC, datetime

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language

from console.access.decorators import signed_in
from console.mirror import read
from console.mirror.overview import overview
from console.mirror.read import Freshness, KindState
from console.web import paging, words
from console.web.requests import ConsoleRequest
from console.web.revision_list import FILTERS, SERVING, SORTS, USUAL_SORT, Filter, listing
from console.web.revision_rows import Look, rendered


@signed_in
def all_revisions(request: ConsoleRequest) -> HttpResponse:
    """Every revision of the services that the person may see, in all clusters, from the mirror."""
    clusters = {name: at for name, at in overview().clusters.items() if request.rights.reaches(name)}
    order = paging.order(request.GET.get("sort", ""), SORTS, USUAL_SORT)
    found = listing(request.rights, clusters, Filter.of(request.GET), order)
    page = paging.page(found.rows, request.GET.get("page"))
    states = {cluster: at.states for cluster, at in clusters.items()}
    ages = {cluster: read.freshness_of(known) for cluster, known in states.items()}
    looks = {cluster: _look(states[cluster], age, names_cluster=len(clusters) > 1) for cluster, age in ages.items()}
    context = {
        "page": page,
        "order": order,
        "rows": [rendered(row, looks) for row in page],
        "look": Look("", names_cluster=len(clusters) > 1),
        "total": found.total,
        "found": len(found.rows),
        "clusters": list(clusters),
        "namespaces": found.namespaces,
        "healths": words.HEALTH,
        "serving": SERVING,
        "is_filtered": any(request.GET.get(name) for name in FILTERS),
        "stale": {cluster: age for cluster, age in ages.items() if age.is_stale},
        "unread": [cluster for cluster, known in states.items() if not read.has_whole(known, "services", "revisions")],
    }
    return render(request, "revisions/list.html", context)


def _look(known: Mapping[str, KindState], age: Freshness, *, names_cluster: bool) -> Look:
    """How the rows of a cluster look: those of one that does not answer say how old they are."""
    language = get_language() or ""
    if not age.is_stale:
        return Look(language, names_cluster)
    oldest = min((state.at for state in known.values()), default=0.0)
    return Look(language, names_cluster, True, datetime.fromtimestamp(oldest, UTC) if oldest else None)

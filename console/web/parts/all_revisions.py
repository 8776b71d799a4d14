"""What the list of the revisions of all services shows, as `kn revision list -A` has them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.http import QueryDict
from django.utils.translation import get_language

from console.access.authorization import Rights
from console.mirror import read
from console.mirror.overview import overview
from console.mirror.read import Freshness, KindState
from console.web import paging, places, words
from console.web.revision_list import FILTERS, SERVING, SORTS, USUAL_SORT, Filter, listing
from console.web.revision_rows import Look, rendered


def shown(rights: Rights, query: QueryDict) -> dict[str, Any]:
    """Return a page of the revisions of the services that the person may see, in all clusters, from the mirror."""
    clusters = {name: at for name, at in overview().clusters.items() if rights.reaches(name)}
    order = paging.order(query.get("sort", ""), SORTS, USUAL_SORT)
    found = listing(rights, clusters, Filter.of(query), order)
    page = places.page(found.rows, found.key, query, is_descending=order.startswith("-"))
    states = {cluster: at.states for cluster, at in clusters.items()}
    ages = {cluster: read.freshness_of(known) for cluster, known in states.items()}
    looks = {cluster: _look(states[cluster], age, names_cluster=len(clusters) > 1) for cluster, age in ages.items()}
    return {
        "page": page,
        "order": order,
        "rows": [(f"{row.cluster}.{row.namespace}.{row.name}", rendered(row, looks)) for row in page.rows],
        "look": Look("", names_cluster=len(clusters) > 1),
        "total": found.total,
        "found": len(found.rows),
        "clusters": list(clusters),
        "namespaces": found.namespaces,
        "healths": words.HEALTH,
        "serving": SERVING,
        "is_filtered": any(query.get(name) for name in FILTERS),
        "stale": {cluster: age for cluster, age in ages.items() if age.is_stale},
        "unread": [cluster for cluster, known in states.items() if not read.has_whole(known, "services", "revisions")],
    }


def _look(known: Mapping[str, KindState], age: Freshness, *, names_cluster: bool) -> Look:
    """How the rows of a cluster look: those of one that does not answer say how old they are."""
    language = get_language() or ""
    if not age.is_stale:
        return Look(language, names_cluster)
    oldest = min((state.at for state in known.values()), default=0.0)
    return Look(language, names_cluster, True, datetime.fromtimestamp(oldest, UTC) if oldest else None)

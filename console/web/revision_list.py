"""What the list of all revisions is filtered and sorted by, and what a person sees of it."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy

from console.access.authorization import Rights
from console.mirror import revision_copies
from console.mirror.overview import ClusterNow
from console.mirror.revisions import RevisionRow
from console.web.visible import Order, Visible, kept

MAX_VISIBLE = 4  # sets of rights; with 50,000 revisions some 5 MB each
MAX_ORDERS = 24  # with 50,000 revisions some 400 kB each

# kn's own order first: by namespace and service, the newest revision first.
SORTS: dict[str, Callable[[RevisionRow], Any]] = {
    "service": lambda row: (row.namespace, row.service, -row.generation),
    "name": lambda row: (row.name, row.namespace),
    "namespace": lambda row: (row.namespace, row.name),
    "cluster": lambda row: (row.cluster, row.namespace, row.service, -row.generation),
    "traffic": lambda row: (-row.percent, not row.tags, row.namespace, row.service, -row.generation),
    "generation": lambda row: -row.generation,
    "state": lambda row: ({"failed": 0, "progressing": 1, "ready": 2}.get(row.health, 3), row.namespace, row.name),
    "age": lambda row: -(row.created_at.timestamp() if row.created_at else 0),
}
USUAL_SORT = "service"
SERVING = {
    "yes": gettext_lazy("serves traffic"),
    "no": gettext_lazy("serves no traffic"),
}
FILTERS = ("q", "cluster", "namespace", "state", "traffic")

_lock = threading.Lock()
_visible: OrderedDict[Hashable, Visible[RevisionRow]] = OrderedDict()
_orders: OrderedDict[Hashable, Order[RevisionRow]] = OrderedDict()


class Filter(NamedTuple):
    """What an address asks for."""

    text: str = ""
    cluster: str = ""
    namespace: str = ""
    state: str = ""
    traffic: str = ""  # one of SERVING

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Filter":
        text, *choices = (query.get(name, "") for name in FILTERS)
        return cls(text.strip().lower(), *choices)

    def passes(self, row: RevisionRow) -> bool:
        """A tag alone is no traffic: the revision answers at the address of its tag."""
        return (
            self.cluster in ("", row.cluster)
            and self.namespace in ("", row.namespace)
            and self.state in ("", row.health)
            and (self.traffic not in SERVING or (self.traffic == "yes") == (row.percent > 0))
            and (not self.text or self._is_in(row))
        )

    def _is_in(self, row: RevisionRow) -> bool:
        places = (row.name, row.service, row.namespace, row.image, row.reason, *row.tags)
        return any(self.text in place.lower() for place in places)


class Listing(NamedTuple):
    """The list as somebody sees it now."""

    rows: Sequence[RevisionRow]  # that pass the filter, in the order
    key: Callable[[RevisionRow], Any]  # by which they are in order, no two the same
    total: int  # of all that the person may see
    namespaces: list[str]  # of those


def listing(rights: Rights, clusters: Mapping[str, ClusterNow], asked: Filter, order: str) -> Listing:
    """Return what the person sees of the clusters. `order`: one of SORTS, with `-` before it the other way round."""
    by = order.removeprefix("-")
    whose = (rights.sight, tuple(clusters))
    with _lock:
        visible = kept(_visible, whose, MAX_VISIBLE, Visible)
        visible.update(rights, {cluster: revision_copies.copy(cluster, at) for cluster, at in clusters.items()})
        found = kept(_orders, (whose, asked, by), MAX_ORDERS, lambda: Order(SORTS[by], asked.passes))
        found.update(visible)
        total, namespaces = sum(map(len, visible.clusters.values())), sorted(+visible.namespaces)
        rows = found.rows[::-1] if order.startswith("-") else list(found.rows)
    return Listing(rows, found.key, total, namespaces)

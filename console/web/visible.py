"""The services that people see, filtered and in order: kept by rights, filter and order, and updated from changes.

A request costs what has changed since the one before, not what there is. Kept in each process, for the rights, filters
and orders that were asked for last; a `Visible` belongs to all people with the same rights (Rights.sight).
"""

import threading
from bisect import bisect_left
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from console.access.authorization import Rights
from console.access.permissions import Permission
from console.knative.references import ServiceRef
from console.mirror import read
from console.mirror.copies import Copy
from console.mirror.summaries import ServiceSummary
from console.web.attention import Reason, may_concern, reason_of
from console.web.service_list import SORTS, Filter

MAX_VISIBLE = 16  # sets of rights; with 10,000 services some 1 MB each
MAX_ORDERS = 64  # with 10,000 services some 80 kB each
MAX_PAIRS = 500  # changes that are applied one by one; more are cheaper to sort again
MAX_STEPS = 50

Pair = tuple[ServiceSummary | None, ServiceSummary | None]  # a service before and after a change
Kept = TypeVar("Kept")
_lock = threading.Lock()
_visible: OrderedDict[Hashable, "Visible"] = OrderedDict()
_orders: OrderedDict[Hashable, "Order"] = OrderedDict()


class Listing(NamedTuple):
    """A list as somebody sees it now."""

    rows: Sequence[ServiceSummary]  # that pass the filter, in the order
    total: int  # of all that the person may see
    namespaces: list[str]  # of those
    concerns: list[tuple[ServiceSummary, Reason]]  # what of the rows needs attention


class Visible:
    """What may be seen with certain rights in certain clusters."""

    def __init__(self) -> None:
        self.step = 0  # counts the updates
        self.clusters: dict[str, dict[str, ServiceSummary]] = {}  # by `namespace/name`
        self.namespaces: Counter[str] = Counter()
        self.watched: dict[tuple[str, str], ServiceSummary] = {}  # those that may need attention
        self._steps: deque[tuple[int, list[Pair]]] = deque(maxlen=MAX_STEPS)
        self._copies: dict[str, Copy] = {}

    def all(self) -> Iterable[ServiceSummary]:
        return (row for rows in self.clusters.values() for row in rows.values())

    def update(self, rights: Rights, clusters: Iterable[str]) -> None:
        """Take over what has changed in the mirror since the last time."""
        copies = [(cluster, read.copy(cluster)) for cluster in clusters]  # all of them, or an error and no change
        if pairs := [pair for cluster, copy in copies for pair in self._changes(rights, cluster, copy)]:
            self.step += 1
            self._steps.append((self.step, pairs))
        if len(pairs) > MAX_PAIRS:
            self._steps.clear()  # nobody applies them one by one

    def since(self, step: int) -> list[Pair] | None:
        """Return the changes after a step in their order; None when they are not kept any more, or too many."""
        later = [pairs for number, pairs in self._steps if number > step]
        is_known = len(later) == self.step - step and sum(map(len, later)) <= MAX_PAIRS
        return [pair for pairs in later for pair in pairs] if is_known else None

    def _changes(self, rights: Rights, cluster: str, now: Copy) -> list[Pair]:
        before, self._copies[cluster] = self._copies.get(cluster), now
        rows = self.clusters.setdefault(cluster, {})
        names = now.changed_since(before) if before else None
        if names is None:
            names = frozenset(rows.keys() | now.by_name.keys())
        found = [(name, rows.get(name), self._seen(rights, now.by_name.get(name))) for name in names]
        return [self._put(rows, name, old, new) for name, old, new in found if old is not new]

    @staticmethod
    def _seen(rights: Rights, row: ServiceSummary | None) -> ServiceSummary | None:
        return row if row and rights.allows(Permission.VIEW, row.ref, row.labels) else None

    def _put(
        self, rows: dict[str, ServiceSummary], name: str, old: ServiceSummary | None, new: ServiceSummary | None
    ) -> Pair:
        if old:
            del rows[name]
            self.watched.pop((old.cluster, name), None)
            self.namespaces[old.namespace] -= 1
        if new:
            rows[name] = new
            self.namespaces[new.namespace] += 1
            if may_concern(new):
                self.watched[new.cluster, name] = new
        return old, new


class Order:
    """The services of a `Visible` that pass a filter, sorted."""

    def __init__(self, by: str, asked: Filter) -> None:
        self.key, self._asked = _total(SORTS[by]), asked
        self.rows: list[ServiceSummary] = []
        self._of: Visible | None = None
        self._step = 0

    def update(self, visible: Visible) -> None:
        """Take over what has changed since the last time."""
        pairs = visible.since(self._step) if self._of is visible else None
        if pairs is None or not all(self._replace(old, new) for old, new in pairs):
            self.rows = sorted(filter(self._asked.passes, visible.all()), key=self.key)
        self._of, self._step = visible, visible.step

    def _replace(self, old: ServiceSummary | None, new: ServiceSummary | None) -> bool:
        """Put the new one in place of the old one; False when the old one is not where it should be."""
        if old and self._asked.passes(old):
            place = self._place(old)
            if place >= len(self.rows) or self.rows[place] is not old:
                return False
            del self.rows[place]
        if new and self._asked.passes(new):
            self.rows.insert(self._place(new), new)
        return True

    def _place(self, row: ServiceSummary) -> int:
        return bisect_left(self.rows, self.key(row), key=self.key)


def listing(
    rights: Rights,
    clusters: Sequence[str],
    asked: Filter,
    order: str,
    *,
    now: datetime,
    waiting: Collection[ServiceRef],
    only_concerns: bool = False,
) -> Listing:
    """Return what the person sees of the clusters. `order`: one of SORTS, with `-` before it the other way round.

    `waiting`: services with a change that waits for approval; `only_concerns`: those that need attention.
    """
    by = order.removeprefix("-")
    whose = (rights.sight, tuple(clusters))
    with _lock:
        visible = _kept(_visible, whose, MAX_VISIBLE, Visible)
        visible.update(rights, clusters)
        found = _kept(_orders, (whose, asked, by), MAX_ORDERS, lambda: Order(by, asked))
        found.update(visible)
        concerns = _concerns(visible, asked, now, waiting)
        rows = sorted((row for row, _ in concerns), key=found.key) if only_concerns else list(found.rows)
        total, namespaces = sum(map(len, visible.clusters.values())), sorted(+visible.namespaces)
    return Listing(rows[::-1] if order.startswith("-") else rows, total, namespaces, concerns)


def _concerns(
    visible: Visible, asked: Filter, now: datetime, waiting: Collection[ServiceRef]
) -> list[tuple[ServiceSummary, Reason]]:
    places = {(ref.cluster, f"{ref.namespace}/{ref.name}") for ref in waiting} - visible.watched.keys()
    waits = (row for cluster, name in places if (row := visible.clusters.get(cluster, {}).get(name)))
    asked_for = (row for row in (*visible.watched.values(), *waits) if asked.passes(row))
    return [(row, reason) for row in asked_for if (reason := reason_of(row, now, waiting))]


def _total(key: Callable[[ServiceSummary], Any]) -> Callable[[ServiceSummary], Any]:
    """The order, in which no two services are equal."""
    return lambda row: (key(row), row.cluster, row.namespace, row.name)


def _kept(kept: "OrderedDict[Hashable, Kept]", key: Hashable, most: int, make: Callable[[], Kept]) -> Kept:
    """The one that is kept for the key, or a new one; the one that was not asked for the longest goes."""
    if key not in kept:
        kept[key] = make()
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)
    return kept[key]

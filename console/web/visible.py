"""What people see in lists, filtered and in order: kept by rights, filter and order, and updated from changes.

A request costs what has changed since the one before, not what there is. Kept in each process, for the rights, filters
and orders that were asked for last; a `Visible` belongs to all people with the same rights (Rights.sight). Here are
the services; revisions are in console.web.revision_list.
"""

import threading
from bisect import bisect_left
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from console.access.authorization import Rights
from console.access.permissions import Permission
from console.knative.references import ServiceRef
from console.mirror import read
from console.mirror.copies import Copy
from console.mirror.overview import ClusterNow
from console.mirror.summaries import ServiceSummary
from console.web.attention import Reason, may_concern, reason_of
from console.web.service_list import SORTS, Filter

MAX_VISIBLE = 16  # sets of rights; with 10,000 services some 1 MB each
MAX_ORDERS = 64  # with 10,000 services some 80 kB each
MAX_PAIRS = 500  # changes that are applied one by one; more are cheaper to sort again
MAX_STEPS = 50


class Listed(Protocol):
    """What a list is of: services, or something that belongs to one, whose rights decide."""

    @property
    def cluster(self) -> str: ...
    @property
    def namespace(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def ref(self) -> ServiceRef: ...
    @property
    def labels(self) -> Mapping[str, str]: ...


T = TypeVar("T", bound=Listed)
Pair = tuple[T | None, T | None]  # a row before and after a change
Kept = TypeVar("Kept")
_lock = threading.Lock()
_visible: OrderedDict[Hashable, "Visible[ServiceSummary]"] = OrderedDict()
_orders: OrderedDict[Hashable, "Order[ServiceSummary]"] = OrderedDict()


class Listing(NamedTuple):
    """A list as somebody sees it now."""

    rows: Sequence[ServiceSummary]  # that pass the filter, in the order
    total: int  # of all that the person may see
    namespaces: list[str]  # of those
    concerns: list[tuple[ServiceSummary, Reason]]  # what of the rows needs attention


class Visible(Generic[T]):
    """What may be seen with certain rights in certain clusters. `is_watched` picks rows."""

    def __init__(self, is_watched: Callable[[T], bool] = lambda _row: False) -> None:
        self.step = 0  # counts the updates
        self.clusters: dict[str, dict[str, T]] = {}  # by `namespace/name`
        self.namespaces: Counter[str] = Counter()
        self.watched: dict[tuple[str, str], T] = {}  # those that may need attention
        self._is_watched = is_watched
        self._steps: deque[tuple[int, list[Pair[T]]]] = deque(maxlen=MAX_STEPS)
        self._copies: dict[str, Copy[T]] = {}

    def all(self) -> Iterable[T]:
        return (row for rows in self.clusters.values() for row in rows.values())

    def update(self, rights: Rights, copies: Mapping[str, Copy[T]]) -> None:
        """Take over what has changed in the mirror since the last time, of all clusters at once."""
        if pairs := [pair for cluster, copy in copies.items() for pair in self._changes(rights, cluster, copy)]:
            self.step += 1
            self._steps.append((self.step, pairs))
        if len(pairs) > MAX_PAIRS:
            self._steps.clear()  # nobody applies them one by one

    def since(self, step: int) -> list[Pair[T]] | None:
        """Return the changes after a step in their order; None when they are not kept any more, or too many."""
        later = [pairs for number, pairs in self._steps if number > step]
        is_known = len(later) == self.step - step and sum(map(len, later)) <= MAX_PAIRS
        return [pair for pairs in later for pair in pairs] if is_known else None

    def _changes(self, rights: Rights, cluster: str, now: Copy[T]) -> list[Pair[T]]:
        before, self._copies[cluster] = self._copies.get(cluster), now
        rows = self.clusters.setdefault(cluster, {})
        names = now.changed_since(before) if before else None
        if names is None:
            names = frozenset(rows.keys() | now.by_name.keys())
        found = [(name, rows.get(name), self._seen(rights, now.by_name.get(name))) for name in names]
        return [self._put(rows, name, old, new) for name, old, new in found if old is not new]

    @staticmethod
    def _seen(rights: Rights, row: T | None) -> T | None:
        return row if row and rights.allows(Permission.VIEW, row.ref, row.labels) else None

    def _put(self, rows: dict[str, T], name: str, old: T | None, new: T | None) -> Pair[T]:
        if old:
            del rows[name]
            self.watched.pop((old.cluster, name), None)
            self.namespaces[old.namespace] -= 1
        if new:
            rows[name] = new
            self.namespaces[new.namespace] += 1
            if self._is_watched(new):
                self.watched[new.cluster, name] = new
        return old, new


class Order(Generic[T]):
    """The rows of a `Visible` that pass a filter, sorted by a key."""

    def __init__(self, key: Callable[[T], Any], passes: Callable[[T], bool]) -> None:
        self.key, self._passes = _total(key), passes
        self.rows: list[T] = []
        self._of: Visible[T] | None = None
        self._step = 0

    def update(self, visible: Visible[T]) -> None:
        """Take over what has changed since the last time."""
        pairs = visible.since(self._step) if self._of is visible else None
        if pairs is None or not all(self._replace(old, new) for old, new in pairs):
            self.rows = sorted(filter(self._passes, visible.all()), key=self.key)
        self._of, self._step = visible, visible.step

    def _replace(self, old: T | None, new: T | None) -> bool:
        """Put the new one in place of the old one; False when the old one is not where it should be."""
        if old and self._passes(old):
            place = self._place(old)
            if place >= len(self.rows) or self.rows[place] is not old:
                return False
            del self.rows[place]
        if new and self._passes(new):
            self.rows.insert(self._place(new), new)
        return True

    def _place(self, row: T) -> int:
        return bisect_left(self.rows, self.key(row), key=self.key)


def listing(
    rights: Rights,
    clusters: Mapping[str, ClusterNow],
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
    with _lock:
        visible, found = _updated(rights, clusters, asked, order.removeprefix("-"))
        concerns = _concerns(visible, asked, now, waiting)
        rows = sorted((row for row, _ in concerns), key=found.key) if only_concerns else list(found.rows)
        total, namespaces = sum(map(len, visible.clusters.values())), sorted(+visible.namespaces)
    return Listing(rows[::-1] if order.startswith("-") else rows, total, namespaces, concerns)


def in_order(rights: Rights, clusters: Mapping[str, ClusterNow], asked: Filter, order: str) -> Sequence[ServiceSummary]:
    """Return the rows of a listing alone; `order`: one of SORTS."""
    with _lock:
        return list(_updated(rights, clusters, asked, order)[1].rows)


def _updated(
    rights: Rights, clusters: Mapping[str, ClusterNow], asked: Filter, by: str
) -> tuple[Visible[ServiceSummary], Order[ServiceSummary]]:
    """What is kept for these, with what has changed since."""
    whose = (rights.sight, tuple(clusters))
    visible = kept(_visible, whose, MAX_VISIBLE, lambda: Visible(may_concern))
    visible.update(rights, {cluster: read.copy(cluster, at.services) for cluster, at in clusters.items()})
    found = kept(_orders, (whose, asked, by), MAX_ORDERS, lambda: Order(SORTS[by], asked.passes))
    found.update(visible)
    return visible, found


def _concerns(
    visible: Visible[ServiceSummary], asked: Filter, now: datetime, waiting: Collection[ServiceRef]
) -> list[tuple[ServiceSummary, Reason]]:
    places = {(ref.cluster, f"{ref.namespace}/{ref.name}") for ref in waiting} - visible.watched.keys()
    waits = (row for cluster, name in places if (row := visible.clusters.get(cluster, {}).get(name)))
    asked_for = (row for row in (*visible.watched.values(), *waits) if asked.passes(row))
    return [(row, reason) for row in asked_for if (reason := reason_of(row, now, waiting))]


def _total(key: Callable[[T], Any]) -> Callable[[T], Any]:
    """The order, in which no two rows are equal."""
    return lambda row: (key(row), row.cluster, row.namespace, row.name)


def kept(by_key: "OrderedDict[Hashable, Kept]", key: Hashable, most: int, make: Callable[[], Kept]) -> Kept:
    """Return what is kept for the key, or a new one; the one that was not asked for the longest goes."""
    if key not in by_key:
        by_key[key] = make()
    by_key.move_to_end(key)
    while len(by_key) > most:
        by_key.popitem(last=False)
    return by_key[key]

"""Which services a rule, freeze window or grant covers at the moment, and what its form offers to choose from."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from console.access.authorization import Rights
from console.access.scopes import Scope, matches, of_service
from console.knative.references import ServiceRef
from console.mirror import read
from console.mirror.overview import ClusterNow, overview
from console.mirror.summaries import ServiceSummary
from console.operations.models.protection import Scoped
from console.web import visible
from console.web.service_list import Filter

MAX_NAMES = 20
MAX_CHOICES = 300


@dataclass(frozen=True, slots=True)
class Covered:
    """The services in a scope that the person may see; `place` is the scope as it was judged.

    `unread`: clusters in scope that may have more.
    """

    place: str
    services: tuple[ServiceRef, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def named(self) -> tuple[ServiceRef, ...]:
        return self.services[:MAX_NAMES]

    @property
    def further(self) -> int:
        """How many there are beyond those that are named."""
        return max(0, len(self.services) - MAX_NAMES)


@dataclass(frozen=True, slots=True)
class Choices:
    """Names that a scope can be made of."""

    clusters: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Count:
    """How many services there are in a scope; more where a cluster in it has not been read to its end."""

    number: int
    is_whole: bool


def covered(scoped: Scoped, rights: Rights) -> Covered:
    """Return what the rule or window covers now, by the mirror."""
    return _covered(scoped.cluster, scoped.place, scoped.includes, rights)


def covered_by(scope: Scope, rights: Rights) -> Covered:
    """Return what the scope covers now, by the mirror."""
    return _covered(scope.cluster, str(scope), lambda ref, labels: scope.covers(of_service(ref, labels)), rights)


def counted(scopes: Iterable[Scope], rights: Rights) -> list[Count]:
    """Return how many services each scope covers now; the services are read once for all of them."""
    clusters = _reached(rights)
    labels: dict[tuple[str, str], list[Mapping[str, str]]] = defaultdict(list)  # of the services of a namespace
    for row in _seen(clusters, rights):
        labels[row.cluster, row.namespace].append(row.labels)
    whole = {name: read.is_whole(name, "services") for name in clusters}
    return [
        Count(
            sum(_number(scope, *place, found) for place, found in labels.items()),
            all(whole[name] for name in clusters if matches(scope.cluster, name)),
        )
        for scope in scopes
    ]


def _number(scope: Scope, cluster: str, namespace: str, labels: list[Mapping[str, str]]) -> int:
    """How many of a namespace's services, given by their labels, are in the scope."""
    if not (matches(scope.cluster, cluster) and matches(scope.namespace, namespace)):
        return 0
    return sum(scope.selector.items() <= each.items() for each in labels)


def _covered(
    pattern: str, place: str, includes: Callable[[ServiceRef, Mapping[str, str]], bool], rights: Rights
) -> Covered:
    reached = _reached(rights)
    clusters = [name for name in reached if matches(pattern, name)]
    found = [row.ref for row in _seen(reached, rights) if row.cluster in clusters and includes(row.ref, row.labels)]
    unread = tuple(name for name in clusters if not read.is_whole(name, "services"))
    return Covered(place, tuple(sorted(found, key=str)), unread)


def choices(rights: Rights) -> Choices:
    """Return the names and labels that the person sees."""
    clusters = _reached(rights)
    rows = _seen(clusters, rights)
    return Choices(
        tuple(clusters),
        _sorted(row.namespace for row in rows),
        _sorted(row.name for row in rows),
        _sorted(f"{key}={value}" for row in rows for key, value in row.labels.items()),
    )


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names))[:MAX_CHOICES])


def _reached(rights: Rights) -> dict[str, ClusterNow]:
    return {name: at for name, at in overview().clusters.items() if rights.reaches(name)}


def _seen(reached: Mapping[str, ClusterNow], rights: Rights) -> Sequence[ServiceSummary]:
    """The services that the person sees, as lists keep them for the same rights."""
    return visible.in_order(rights, reached, Filter(), "name")

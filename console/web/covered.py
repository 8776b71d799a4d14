"""Which services a rule or freeze window covers at the moment, and what its form offers to choose from."""

from collections.abc import Iterable
from dataclasses import dataclass

from console.access.authorization import Rights
from console.access.permissions import Permission
from console.access.scopes import matches
from console.knative.references import ServiceRef
from console.mirror import read
from console.mirror.summaries import ServiceSummary
from console.operations.models.protection import Scoped

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


def covered(scoped: Scoped, rights: Rights) -> Covered:
    """Return what the scope covers now, by the mirror."""
    clusters = [name for name in _reached(rights) if matches(scoped.cluster, name)]
    found = [row.ref for row in _seen(clusters, rights) if scoped.includes(row.ref, row.labels)]
    unread = tuple(name for name in clusters if not read.is_whole(name, "services"))
    return Covered(scoped.place, tuple(sorted(found, key=str)), unread)


def choices(rights: Rights) -> Choices:
    """Return the names and labels that the person sees."""
    clusters = _reached(rights)
    rows = list(_seen(clusters, rights))
    return Choices(
        tuple(clusters),
        _sorted(row.namespace for row in rows),
        _sorted(row.name for row in rows),
        _sorted(f"{key}={value}" for row in rows for key, value in row.labels.items()),
    )


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names))[:MAX_CHOICES])


def _reached(rights: Rights) -> list[str]:
    return [name for name in read.clusters() if rights.reaches(name)]


def _seen(clusters: Iterable[str], rights: Rights) -> Iterable[ServiceSummary]:
    for cluster in clusters:
        for row in read.services(cluster):
            if rights.allows(Permission.VIEW, row.ref, row.labels):
                yield row

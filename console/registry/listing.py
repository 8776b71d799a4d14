"""All clusters of this installation as their page lists them: those of the environment, then those that were added."""

from dataclasses import dataclass

from django.conf import settings

from console.cluster.connections import parse
from console.registry.models import Cluster

CONSOLE = "console"


@dataclass(frozen=True, slots=True)
class Entry:
    """One cluster. `origin` is `console`, `in-cluster`, `url` or `kubeconfig <context>`; `added` only for the first.

    Hidden: CONSOLE_CLUSTERS has one of the same name, which is used instead.
    """

    name: str
    origin: str
    url: str
    ingress: str
    impersonates: bool
    added: Cluster | None = None
    is_hidden: bool = False


def entries() -> tuple[Entry, ...]:
    """Return every cluster, by name."""
    configured = {found.name: found for found in parse(settings.CLUSTERS)}
    rows = [
        Entry(
            found.name,
            found.origin,
            found.url,
            found.ingress,
            settings.IMPERSONATE if found.impersonate is None else found.impersonate,
        )
        for found in configured.values()
    ]
    rows += [
        Entry(
            cluster.name,
            CONSOLE,
            cluster.url,
            cluster.ingress,
            cluster.impersonates,
            cluster,
            cluster.name in configured,
        )
        for cluster in Cluster.objects.all()
    ]
    return tuple(sorted(rows, key=lambda row: (row.name, row.is_hidden)))


def is_configured(name: str) -> bool:
    """Whether CONSOLE_CLUSTERS has a cluster of that name."""
    return any(found.name == name for found in parse(settings.CLUSTERS))

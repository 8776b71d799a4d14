"""Operations as pages read them: only those of services that the person may see."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from console.access.authorization import Rights
from console.access.permissions import Permission
from console.knative.progress import durations, expected_phases
from console.knative.references import ServiceRef
from console.operations.models import OnService, Operation
from console.operations.statuses import OPEN, SUCCESSFUL

GLASS_SHOWN = timedelta(days=7)  # how long a service's page warns of a broken glass
USUAL_OF = 20  # the newest successful operations of a kind that make up "usual"


def visible(rights: Rights, labels: Any) -> QuerySet[Operation]:
    """Return the operations on services that the person may see. `labels(ref)` tells a service's labels."""
    if rights.is_administrator:
        return Operation.objects.all()
    refs = Operation.objects.order_by().values_list("cluster", "namespace", "name").distinct()
    seen = [ref for ref in (ServiceRef(*row) for row in refs) if rights.allows(Permission.VIEW, ref, labels(ref))]
    by_place: dict[tuple[str, str], list[str]] = {}
    for ref in seen:
        by_place.setdefault((ref.cluster, ref.namespace), []).append(ref.name)
    condition = Q(pk=None)
    for (cluster, namespace), names in by_place.items():  # SQLite reads no more than 1,000 conditions in a row
        condition |= Q(cluster=cluster, namespace=namespace, name__in=names)
    return Operation.objects.filter(condition)


def of_service(ref: ServiceRef) -> QuerySet[Operation]:
    return Operation.objects.filter(cluster=ref.cluster, namespace=ref.namespace, name=ref.name)


def broken_glass(ref: ServiceRef) -> Operation | None:
    """Return the newest operation of the last days that passed by the service's protection."""
    since = timezone.now() - GLASS_SHOWN
    return of_service(ref).filter(broke_glass=True, submitted_at__gt=since).first()


def under_way(cluster: str) -> int:
    """Return the number of operations on the cluster that have not ended; those that wait for an approval count too."""
    return Operation.objects.filter(cluster=cluster, status__in=OPEN).count()


def may_see(rights: Rights, thing: OnService, labels: Mapping[str, str]) -> bool:
    return rights.allows(Permission.VIEW, thing.ref, labels)


@dataclass(frozen=True)
class PhaseSpan:
    """One station of an operation: reached or not, when, and how long it took (seconds)."""

    name: str
    reached_at: float | None
    seconds: float
    start: float


def phase_spans(operation: Operation) -> tuple[PhaseSpan, ...]:
    """Return the stations in order, for the picture of where the time went."""
    took = durations(operation.phases)
    return tuple(
        PhaseSpan(phase.value, at, took.get(phase.value, 0.0), (at or 0.0) - took.get(phase.value, 0.0))
        for phase in expected_phases(operation.makes_revision)
        for at in (operation.phases.get(phase.value),)
    )


def usual_seconds(operation: Operation) -> float | None:
    """Return the median time of this service's earlier successes of the same kind, or None below three of them."""
    earlier = of_service(operation.ref).filter(
        kind=operation.kind, status__in=SUCCESSFUL, submitted_at__lt=operation.submitted_at
    )[:USUAL_OF]
    times = [one.seconds for one in earlier if one.seconds is not None]
    return statistics.median(times) if len(times) >= 3 else None

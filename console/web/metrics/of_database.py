"""What is so now, as the database has it."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.db.models import Count, Max, Min, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from console.access.models import ApiToken
from console.audit.models import Entry
from console.operations.models import Operation
from console.operations.models.statuses import ACTIVE, OPEN, TERMINAL, Status
from console.operations.queue import left_behind

HOUR = timedelta(hours=1)


def figures() -> Iterator[Metric]:
    """Yield them; raises DatabaseError."""
    now = timezone.now()
    recent = Operation.objects.filter(finished_at__gt=now - HOUR)
    operations = Operation.objects.order_by()
    yield _by_status("sluice_operations_open", "Operations that have not ended.", operations, OPEN)
    ended = "Operations that ended within the last hour, by status."
    yield _by_status("sluice_operations_ended_last_hour", ended, recent.order_by(), TERMINAL)
    released = Coalesce("released_at", "submitted_at")  # waiting for an approval is not waiting for a worker
    oldest = operations.filter(status=Status.QUEUED).aggregate(at=Min(released))["at"]
    yield GaugeMetricFamily(
        "sluice_operations_queued_oldest_seconds",
        "How long the oldest queued operation has waited for a worker; 0 when none is queued.",
        value=max(0.0, (now - oldest).total_seconds()) if oldest else 0.0,
    )
    leased = operations.filter(status__in=ACTIVE, lease_until__gt=now).count()
    yield GaugeMetricFamily("sluice_operations_leased", "Operations held by a worker.", value=leased)
    yield GaugeMetricFamily(
        "sluice_operations_left_behind",
        "Active operations without a worker, which the next sweep enqueues again.",
        value=left_behind().count(),
    )
    newest = Entry.objects.aggregate(newest=Max("sequence"))["newest"]
    yield CounterMetricFamily("sluice_audit_entries", "Entries of the audit log.", value=newest or 0)
    tokens = ApiToken.objects.filter(revoked_at=None, expires_at__gt=now).count()
    yield GaugeMetricFamily("sluice_api_tokens_valid", "API tokens that are neither expired nor revoked.", value=tokens)


def _by_status(name: str, text: str, found: QuerySet[Operation], statuses: Iterable[Status]) -> Metric:
    """Every status has a line, also with 0: a missing one cannot be compared."""
    counts = dict(found.filter(status__in=list(statuses)).values_list("status").annotate(Count("id")))
    metric = GaugeMetricFamily(name, text, labels=["status"])
    for status in statuses:
        metric.add_metric([status.value], counts.get(status.value, 0))
    return metric

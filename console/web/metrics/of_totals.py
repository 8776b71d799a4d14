"""What has happened since the installation began, as console.audit.totals and console.operations.totals count it.

Every line that is possible is there from the first scrape on, also with 0: Prometheus measures growth from a value that
it has seen, and would miss the first override or the first failure of a kind.
"""

from collections.abc import Iterator, Mapping
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from console.audit import totals
from console.audit.totals import FOUND_BROKEN_AT, VERIFIED_AT, Labels
from console.knative.changes import KINDS
from console.operations.models.statuses import TERMINAL
from console.operations.totals import BUCKETS, ENDED, OUTSIDE, OUTSIDE_CHANGES, OVERRIDES, SECONDS, SECONDS_SUM


def figures() -> Iterator[Metric]:
    """Yield them; raises DatabaseError."""
    found = totals.everything()
    yield _ended(found.get(ENDED, {}))
    yield _durations(found.get(SECONDS, {}), found.get(SECONDS_SUM, {}))
    overrides = found.get(OVERRIDES, {}).get((), 0)
    yield CounterMetricFamily("sluice_overrides", "Emergency overrides of approvals and freezes.", value=overrides)
    outside = CounterMetricFamily(
        "sluice_outside_changes", "Changes of services made outside the console.", labels=["change"]
    )
    for change in OUTSIDE_CHANGES:
        outside.add_metric([change], found.get(OUTSIDE, {}).get((change,), 0))
    yield outside
    yield from _verification(found.get(VERIFIED_AT, {}).get((), 0), found.get(FOUND_BROKEN_AT, {}).get((), 0))


def _ended(counts: Mapping[Labels, float]) -> Metric:
    text = "Operations that ended, by kind and how."
    metric = CounterMetricFamily("sluice_operations_ended", text, labels=["kind", "status"])
    for kind in KINDS:
        for status in TERMINAL:
            metric.add_metric([kind, status.value], counts.get((kind, status.value), 0))
    return metric


def _durations(counts: Mapping[Labels, float], sums: Mapping[Labels, float]) -> Metric:
    text = "How long operations took from submission or approval until they ended."
    metric = HistogramMetricFamily("sluice_operation_duration_seconds", text, labels=["kind"])
    for kind in KINDS:
        grown = accumulate(counts.get((kind, limit), 0) for limit in BUCKETS)
        metric.add_metric([kind], list(zip(BUCKETS, grown, strict=True)), sums.get((kind,), 0))
    return metric


def _verification(verified_at: float, found_broken_at: float) -> Iterator[Metric]:
    text = "When `manage.py audit verify` last proved the whole log; 0: never."
    yield GaugeMetricFamily("sluice_audit_verified_timestamp_seconds", text, value=verified_at)
    text = "1 when the last verification found the log broken."
    yield GaugeMetricFamily("sluice_audit_broken", text, value=float(found_broken_at > verified_at))

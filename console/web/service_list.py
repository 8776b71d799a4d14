"""Which services a list shows, and in which order: for the page and for the API."""

from collections.abc import Callable, Mapping
from typing import Any

from console.knative.objects import Health
from console.mirror.summaries import ServiceSummary

SORTS: dict[str, Callable[[ServiceSummary], Any]] = {
    "name": lambda row: (row.name, row.namespace),
    "namespace": lambda row: (row.namespace, row.name),
    "cluster": lambda row: (row.cluster, row.namespace, row.name),
    "health": lambda row: ({"failed": 0, "progressing": 1, "ready": 2}.get(row.health, 3), row.name),
    "age": lambda row: -(row.created_at.timestamp() if row.created_at else 0),
    "changed": lambda row: -(row.changed_at.timestamp() if row.changed_at else 0),
}


def matches(row: ServiceSummary, query: Mapping[str, str]) -> bool:
    """The service passes the filter that the address names."""
    text = query.get("q", "").strip().lower()
    labels = (f"{key}={value}" for key, value in row.labels.items())
    return (
        query.get("cluster", "") in ("", row.cluster)
        and query.get("namespace", "") in ("", row.namespace)
        and query.get("health", "") in ("", row.health)
        and (not query.get("attention") or needs_attention(row))
        and (not text or any(text in where.lower() for where in (row.name, row.namespace, row.image, row.url, *labels)))
    )


def needs_attention(row: ServiceSummary) -> bool:
    return row.health != Health.READY.value or row.newer_not_serving

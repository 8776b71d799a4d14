"""What a list of services is filtered and sorted by, and which columns it shows."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from console.knative.references import ServiceRef
from console.mirror.summaries import ServiceSummary
from console.web.attention import NO_ONE, reason_of

SORTS: dict[str, Callable[[ServiceSummary], Any]] = {
    "name": lambda row: (row.name, row.namespace),
    "namespace": lambda row: (row.namespace, row.name),
    "cluster": lambda row: (row.cluster, row.namespace, row.name),
    "health": lambda row: ({"failed": 0, "progressing": 1, "ready": 2}.get(row.health, 3), row.name),
    "age": lambda row: -(row.created_at.timestamp() if row.created_at else 0),
    "changed": lambda row: -(row.changed_at.timestamp() if row.changed_at else 0),
}


class Column(StrEnum):
    """A column that a person may show or hide; name and state are always shown."""

    NAMESPACE = "namespace"
    IMAGE = "image"
    REPLICAS = "replicas"
    TRAFFIC = "traffic"
    LATEST = "latest"
    AGE = "age"
    CHANGED = "changed"


COLUMNS = {
    Column.NAMESPACE: gettext_lazy("Namespace"),
    Column.IMAGE: gettext_lazy("Image"),
    Column.REPLICAS: gettext_lazy("Replicas"),
    Column.TRAFFIC: gettext_lazy("Traffic"),
    Column.LATEST: gettext_lazy("Latest ready"),
    Column.AGE: gettext_lazy("Age"),
    Column.CHANGED: gettext_lazy("Last change"),
}


class Heading(NamedTuple):
    """A column of the list as its table has it. A label of None: the one to pick services in, which has no word."""

    label: Promise | None
    sort: str = ""
    css: str = ""


_NAME, _CLUSTER, _STATE = gettext_lazy("Name"), gettext_lazy("Cluster"), gettext_lazy("State")
_SORTED = {Column.NAMESPACE: "namespace", Column.AGE: "age", Column.CHANGED: "changed"}
_CSS = {Column.IMAGE: "mono", Column.REPLICAS: "num", Column.TRAFFIC: "wide", Column.CHANGED: "changed"}
USUAL_COLUMNS = frozenset({Column.IMAGE, Column.REPLICAS, Column.TRAFFIC, Column.CHANGED})
FILTERS = ("q", "cluster", "namespace", "health", "attention")
VIEW = (*FILTERS, "sort", "columns")  # what a saved view holds


class Filter(NamedTuple):
    """What the address asks for of the services themselves; empty texts ask for nothing."""

    text: str = ""  # in lower case; part of a name, namespace, image, URL or label
    cluster: str = ""
    namespace: str = ""
    health: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Filter":
        text = query.get("q", "").strip().lower()
        return cls(text, query.get("cluster", ""), query.get("namespace", ""), query.get("health", ""))

    def passes(self, row: ServiceSummary) -> bool:
        """The service is asked for, at whatever time."""
        return (
            self.cluster in ("", row.cluster)
            and self.namespace in ("", row.namespace)
            and self.health in ("", row.health)
            and (not self.text or self._is_in(row))
        )

    def _is_in(self, row: ServiceSummary) -> bool:
        labels = (f"{key}={value}" for key, value in row.labels.items())
        return any(self.text in where.lower() for where in (row.name, row.namespace, row.image, row.url, *labels))


def matches(
    row: ServiceSummary, query: Mapping[str, str], now: datetime, waiting: Collection[ServiceRef] = NO_ONE
) -> bool:
    """The service passes the filter that the address names; `waiting`: those with a change that waits for approval."""
    is_asked_for = not query.get("attention") or reason_of(row, now, waiting) is not None
    return is_asked_for and Filter.of(query).passes(row)


def columns_of(names: Sequence[str]) -> frozenset[Column]:
    """Return the columns that the address names, or the usual ones; names that are no column are left out."""
    known = frozenset(column for column in Column if column.value in names)
    return known or USUAL_COLUMNS


def view_of(query: QueryDict) -> str:
    """Return what of an address makes a view: its filter, order and columns, without the place in the list."""
    pairs = [(name, value.strip()) for name in VIEW for value in query.getlist(name)]
    return urlencode([(name, value) for name, value in pairs if value])


def headings(columns: Collection[Column], *, may_pick: bool, names_cluster: bool) -> tuple[Heading, ...]:
    """Return the headings of the list in their order; its rows have their cells in the same one."""
    optional = {column: Heading(COLUMNS[column], _SORTED.get(column, ""), _CSS.get(column, "")) for column in Column}
    found = (
        Heading(None) if may_pick else None,
        Heading(_NAME, "name"),
        optional.pop(Column.NAMESPACE) if Column.NAMESPACE in columns else None,
        Heading(_CLUSTER, "cluster") if names_cluster else None,
        Heading(_STATE, "health", "is-state"),
        *(heading for column, heading in optional.items() if column in columns and column is not Column.NAMESPACE),
    )
    return tuple(one for one in found if one)

"""The rows of the services list, each rendered once for what it shows and used again by every page and viewer.

A `Row` holds all that a row shows of its service, a `Look` all that people who may see the service differ in. Equal
ones give equal HTML: it names moments, not ages, which the browser makes (static/js/ages.js), and nothing of a request.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from django.template import Context, Template
from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import override

from console.access.authorization import Rights
from console.access.permissions import Permission
from console.knative.references import ServiceRef
from console.mirror.overview import ClusterNow
from console.mirror.replicas import Replicas
from console.mirror.serving import Served, serving
from console.mirror.summaries import ServiceSummary
from console.operations.models import Operation
from console.operations.models.statuses import Status
from console.operations.protection.gate import Protection
from console.web.service_list import Column, Heading, headings
from console.web.templatetags import components

NO_CLUSTERS: Mapping[str, ClusterNow] = {}
MAX_ROWS = 2000  # that a process keeps, some 3 kB each (a Chinese one 6 kB); the ones that were used last
DIGEST_BYTES = 16
_BETWEEN_TAGS = re.compile(r">\s*\n\s*<")  # never inside an attribute: < and > are escaped there


@dataclass(frozen=True, slots=True)
class UnderWay:
    """The operation of a service that has not ended."""

    id: UUID
    kind: str
    status: str

    @property
    def is_waiting(self) -> bool:
        """It waits for an approval."""
        return self.status == Status.WAITING

    @property
    def status_label(self) -> str:
        return str(Status(self.status).label)


@dataclass(frozen=True, slots=True)
class Row:
    """A service as the list shows it. What is not known of it is None or empty."""

    summary: ServiceSummary
    replicas: Replicas | None = None
    image: str = ""  # with the largest share of the traffic
    under_way: UnderWay | None = None
    is_protected: bool = False
    is_stale: bool = False  # the copy of its cluster is old

    def __hash__(self) -> int:
        return hash((self.summary.uid, self.replicas, self.image, self.under_way, self.is_protected, self.is_stale))


@dataclass(frozen=True, slots=True)
class Look:
    """How a list looks for a person: may they pick services, and does a row name its cluster?"""

    language: str
    columns: frozenset[Column]
    may_pick: bool = False
    names_cluster: bool = False

    @property
    def headings(self) -> tuple[Heading, ...]:
        return headings(self.columns, may_pick=self.may_pick, names_cluster=self.names_cluster)


def may_pick(rights: Rights) -> bool:
    """Whether rows have a box to pick their services for a bulk edit."""
    return any(rights.allows(one) for one in (Permission.DEPLOY, Permission.OPERATE))


def rows_of(
    found: Iterable[ServiceSummary],
    under_way: Mapping[ServiceRef, Operation],
    stale: Collection[str],
    protection: Protection,
    clusters: Mapping[str, ClusterNow] = NO_CLUSTERS,
) -> list[Row]:
    """Return the rows of the services, in their order. `under_way`: operations; `stale`: clusters whose copy is old.

    One call of Redis for each cluster at most; none where nothing has changed at what `clusters` says. Who may see a
    service may see all of its row.
    """
    by_cluster: defaultdict[str, list[ServiceSummary]] = defaultdict(list)
    for summary in (summaries := list(found)):
        by_cluster[summary.cluster].append(summary)
    served: dict[tuple[str, str], Served] = {}
    for cluster, here in by_cluster.items():
        now = clusters.get(cluster)
        served |= {(cluster, uid): one for uid, one in serving(cluster, here, now.revisions if now else None).items()}
    return [
        Row(
            summary,
            *served[summary.cluster, summary.uid],
            _under_way(under_way.get(ref := summary.ref)),
            protection.protects(ref, summary.labels),
            summary.cluster in stale,
        )
        for summary in summaries
    ]


def _under_way(operation: Operation | None) -> UnderWay | None:
    return UnderWay(operation.id, operation.kind, operation.status) if operation else None


class RowHtml(SafeString):
    """A row's `<tr>`, and a digest of it: pages are compared by that (console.web.validators)."""

    digest: str

    @classmethod
    def of(cls, html: SafeString) -> "RowHtml":
        made = cls(html)
        made.digest = hashlib.blake2b(html.encode(), digest_size=DIGEST_BYTES).hexdigest()
        return made


@lru_cache(maxsize=MAX_ROWS)
def rendered(row: Row, look: Look) -> RowHtml:
    """Return the row's `<tr>`, the same for everybody who may see the service and has the same look."""
    with override(look.language):
        return RowHtml.of(fresh(row, look))


def fresh(row: Row, look: Look) -> SafeString:
    """Render the row in the present language, whatever was rendered before."""
    labels = [("" if one.label is None else str(one.label), one.css) for one in look.headings]
    table = components.Table([components.Column(*label_and_css) for label_and_css in labels])
    shown = {components.TABLE: table, "row": row.summary, "facts": row, "look": look}
    html = _template().render(Context(shown))
    return mark_safe(_BETWEEN_TAGS.sub(">\n<", html))  # noqa: S308  the template has escaped it


@lru_cache(maxsize=1)
def _template() -> Template:
    return get_template("services/_row.html").template  # type: ignore[attr-defined,no-any-return]  # of Django's engine

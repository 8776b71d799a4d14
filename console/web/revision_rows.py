"""The rows of the list of all revisions, each rendered once and used again by every page and viewer."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from django.template import Context, Template
from django.template.loader import get_template
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy, override

from console.mirror.revisions import RevisionRow
from console.web.templatetags import components

MAX_ROWS = 2000  # that a process keeps, some 2 kB each

Place = tuple[str, str, str]


class Heading(NamedTuple):
    """A column of the list as its table has it."""

    label: Promise
    sort: str = ""
    css: str = ""


_HEADINGS = (
    Heading(gettext_lazy("Revision"), "name"),
    Heading(gettext_lazy("Service"), "service", "of-service"),
    Heading(gettext_lazy("Namespace"), "namespace", "of-namespace"),
    Heading(gettext_lazy("Traffic"), "traffic", "routed"),
    Heading(gettext_lazy("Generation"), "generation", "num"),
    Heading(gettext_lazy("Age"), "age", "since"),
    Heading(gettext_lazy("State"), "state", "is-state"),
    Heading(gettext_lazy("Image"), "", "mono"),
)
_CLUSTER = Heading(gettext_lazy("Cluster"), "cluster", "of-cluster")


class Look(NamedTuple):
    """What rows differ in, besides what they show."""

    language: str
    names_cluster: bool = False
    is_stale: bool = False  # the copy of its cluster is old
    synced_at: datetime | None = None  # when that was last true; None: never, or now

    @property
    def headings(self) -> tuple[Heading, ...]:
        return (*_HEADINGS[:3], _CLUSTER, *_HEADINGS[3:]) if self.names_cluster else _HEADINGS


_rendered: dict[tuple[Place, Look], tuple[RevisionRow, SafeString]] = {}


def rendered(row: RevisionRow, looks: Mapping[str, Look]) -> SafeString:
    """Return the row's `<tr>`, by the look of its cluster; the same for everybody who may see the service."""
    look = looks[row.cluster]
    key = ((row.cluster, row.namespace, row.name), look)
    known = _rendered.get(key)
    if known and known[0] is row:
        return known[1]
    if len(_rendered) >= MAX_ROWS:
        _rendered.clear()
    with override(look.language):
        html = _fresh(row, look)
    _rendered[key] = (row, html)
    return html


def _fresh(row: RevisionRow, look: Look) -> SafeString:
    table = components.Table([components.Column(str(one.label), one.css) for one in look.headings])
    return _template().render(Context({components.TABLE: table, "row": row, "look": look}))


@lru_cache(maxsize=1)
def _template() -> Template:
    return get_template("revisions/_row.html").template  # type: ignore[attr-defined,no-any-return]  # of Django's engine

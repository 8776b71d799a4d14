"""The views of the API. Each reads the mirror or the database, and returns a Struct of answers.py or records.py."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import Http404
from django.utils import timezone
from msgspec import UnsetType

from console import periods
from console.access.actors import Actor
from console.access.labels import labels_of, labels_of_many
from console.access.permissions import Permission
from console.audit import reads, searching
from console.knative.objects import Service
from console.knative.references import ServiceRef
from console.mirror import read
from console.mirror.overview import overview
from console.mirror.summaries import ServiceSummary
from console.operations import queries
from console.operations.models import SEALED, Operation
from console.operations.models.statuses import Status
from console.web import audit_words, revision_list, visible
from console.web.api import answers, cursors, records
from console.web.api.calls import Call
from console.web.api.cursors import Part
from console.web.api.parameters import wrong
from console.web.api.scopes import entries_within
from console.web.attention import NO_ONE, reason_of
from console.web.service_list import SORTS, Filter

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEXTS_OF_ENTRIES = [name for name in searching.FIELDS if name not in periods.FIELDS]


def whoami(call: Call) -> records.WhoAmI:
    rights = [records.right_facts(one, call.rights.scope.permissions) for one in call.rights.whole.rights]
    return records.WhoAmI(
        user=call.token.user.get_username(),
        is_administrator=call.rights.whole.is_administrator,
        token=records.token_facts(call.token),
        rights=[one for one in rights if one.permissions],
    )


def clusters(call: Call) -> answers.ClusterList:
    return answers.ClusterList([_cluster(name) for name in _clusters(call)])


def _cluster(name: str) -> answers.Cluster:
    """The moment of the last sign of life, not an age: an answer of the same facts keeps its ETag."""
    age = read.freshness(name)
    synced_at = datetime.fromtimestamp(round(age.at, 1), UTC) if age.at else None
    return answers.Cluster(name, synced_at, age.is_stale, age.error)


def services(call: Call) -> answers.ServiceList:
    query = call.query
    seen = {name: at for name, at in overview().clusters.items() if call.rights.reaches(name)}
    clusters = {name: at for name, at in seen.items() if query.cluster in ("", name)}
    unread = [name for name, at in clusters.items() if not read.has_whole(at.states, "services")]
    if unread and len(unread) == len(clusters):
        raise read.MirrorIncomplete(", ".join(unread))
    by, part = query.sort.removeprefix("-"), Part.asked(query, "services")
    found = visible.in_order(call.rights, clusters, _filter_of(query), by)
    if query.attention:
        now = timezone.now()
        found = [row for row in found if reason_of(row, now, NO_ONE)]
    ordered = found[::-1] if part.is_descending else found
    rows, following = cursors.page_of_ordered(ordered, partial(_key_of_service, SORTS[by]), part)
    return answers.ServiceList(
        items=[answers.service_row(row) for row in rows],
        next=following,
        total=len(found),
        is_stale=any(read.freshness_of(at.states).is_stale for at in clusters.values()),
        unread_clusters=unread,
        note=_note(list(clusters), unread, "services"),
    )


def _filter_of(query: Any) -> Filter:
    return Filter(query.q.strip().lower(), query.cluster, query.namespace, query.health or "")


def _key_of_service(by: Callable[[ServiceSummary], Any], row: ServiceSummary) -> tuple[Any, ...]:
    """What the row is sorted by, and what tells it from every other one."""
    value = by(row)
    return (*(value if isinstance(value, tuple) else (value,)), row.cluster, row.namespace, row.name)


def all_revisions(call: Call) -> answers.AllRevisionsList:
    query = call.query
    seen = {name: at for name, at in overview().clusters.items() if call.rights.reaches(name)}
    clusters = {name: at for name, at in seen.items() if query.cluster in ("", name)}
    unread = [name for name, at in clusters.items() if not read.has_whole(at.states, "services", "revisions")]
    if unread and len(unread) == len(clusters):
        raise read.MirrorIncomplete(", ".join(unread))
    asked = revision_list.Filter(
        query.q.strip().lower(), query.cluster, query.namespace, query.state or "", query.traffic or ""
    )
    found = revision_list.listing(call.rights, clusters, asked, query.sort)
    rows, following = cursors.page_of_ordered(found.rows, found.key, Part.asked(query, "all-revisions"))
    return answers.AllRevisionsList(
        items=[answers.listed_revision(row) for row in rows],
        next=following,
        total=len(found.rows),
        is_stale=any(read.freshness_of(at.states).is_stale for at in clusters.values()),
        unread_clusters=unread,
        note=_note(list(clusters), unread, "revisions"),
    )


def _clusters(call: Call) -> list[str]:
    """The clusters that the caller may know of, read or not."""
    return [name for name in read.clusters() if call.rights.reaches(name)]


def _note(names: list[str], unread: list[str], what: str) -> str:
    """Why the list may lack some of `what` or show old ones; empty when it is whole and new."""
    old = [name for name in names if name not in unread and read.freshness(name).is_stale]
    notes = [f"Not all {what} of {', '.join(unread)} have been read yet."] if unread else []
    return " ".join([*notes, *([f"The data of {', '.join(old)} may be stale."] if old else [])])


def service(call: Call) -> answers.ServiceDetail:
    found, summary = _service(call.service), read.summary(call.service)
    if summary is None:
        raise Http404
    return answers.service_detail(summary, found, is_stale=read.freshness(call.service.cluster).is_stale)


def revisions(call: Call) -> answers.RevisionList:
    of, query = _service(call.service), call.query
    read.require_whole(call.service.cluster, "revisions")
    text = query.q.strip().lower()
    rows = [answers.revision_row(one, of) for one in read.revisions(call.service)]
    found = [row for row in rows if text in f"{row.name} {row.image} {','.join(row.tags)}".lower()]
    field = {"generation": "generation", "name": "name", "traffic": "traffic_percent"}[query.sort.removeprefix("-")]
    part = Part.asked(query, f"revisions {call.service}")
    page, following = cursors.page(found, lambda row: [getattr(row, field), row.name], part)
    is_stale = read.freshness(call.service.cluster).is_stale
    return answers.RevisionList(page, following, len(found), is_stale)


def revision(call: Call, revision: str) -> answers.RevisionDetail:
    of, one = _service(call.service), read.revision(call.service, revision)
    if one is None:
        raise Http404
    pods = None
    if read.is_whole(call.service.cluster, "pods"):
        pods = [pod for pod in read.pods(call.service) if pod.revision_name == one.name]
    return answers.revision_detail(one, of, pods)


def operations(call: Call) -> records.OperationList:
    query = call.query
    found = queries.visible(call.rights, labels_of_many()).filter(_asked_of_operations(query))
    if query.cursor:
        microseconds, last = cursors.decode(query.cursor, tuple[int, UUID], "operations")
        at = EPOCH + timedelta(microseconds=microseconds)
        found = found.filter(Q(submitted_at__lt=at) | Q(submitted_at=at, id__lt=last))
    newest_first = found.select_related("approval").defer(*SEALED).order_by("-submitted_at", "-id")
    rows = list(newest_first[: query.limit + 1])
    page = rows[: query.limit]
    following = [(page[-1].submitted_at - EPOCH) // timedelta(microseconds=1), page[-1].id] if page else []
    return records.OperationList(
        [records.operation_row(one) for one in page],
        cursors.encode(following, "operations") if len(rows) > query.limit else None,
    )


def _asked_of_operations(query: Any) -> Q:
    condition = Q()
    for name in ("cluster", "namespace", "name", "status", "actor", "kind", "batch"):
        if value := getattr(query, name):
            condition &= Q(**{name: value})
    if query.approver:
        condition &= Q(approval__decided_by=query.approver) & ~Q(status=Status.DECLINED)
    if not isinstance(query.override, UnsetType):
        condition &= Q(broke_glass=query.override)
    if isinstance(query.since, datetime):
        condition &= Q(submitted_at__gte=query.since)
    if isinstance(query.until, datetime):
        condition &= Q(submitted_at__lt=query.until)
    return condition


def operation(call: Call, id: UUID) -> records.OperationDetail:
    found = Operation.objects.filter(id=id).first()
    if found is None or not queries.may_see(call.rights, found, labels_of(found.ref)):
        raise Http404
    return records.operation_detail(found)


def entries(call: Call) -> records.AuditList:
    query = call.query
    if query.action and not audit_words.is_action(query.action):
        raise wrong("action", "no such action", audit_words.KNOWN_ACTIONS)
    asked = {name: str(value) for name in _TEXTS_OF_ENTRIES if (value := getattr(query, name))}
    moments = {name: getattr(query, name) for name in ("since", "until")}
    asked |= {name: moment.isoformat() for name, moment in moments.items() if isinstance(moment, datetime)}
    _note_read(call)  # before it is read: the same answer, and the same ETag, for who asks again
    found = searching.search(entries_within(call.rights), asked)
    below = cursors.decode(query.cursor, list[int], "audit")[0] if query.cursor else None
    page = searching.older(found, below, query.limit)
    below = page.older_below or page.searched_to
    following = cursors.encode([below], "audit") if below else None
    return records.AuditList([records.audit_entry(one) for one in page.entries], following)


def entry(call: Call, sequence: int) -> records.AuditEntry:
    found = entries_within(call.rights).filter(sequence=sequence).first()
    if found is None:
        raise Http404
    _note_read(call)
    return records.audit_entry(found)


def _note_read(call: Call) -> None:
    """Leave the entry of entries that a token read."""
    actor = Actor(call.token.user_id, call.token.user.get_username())
    subject = f"token {call.token.name} ({call.token.prefix}…)"
    reads.note("audit", actor=actor, by=(Permission.AUDIT,), subject=subject)


def _service(ref: ServiceRef) -> Service:
    found = read.service(ref)
    if found is None:
        raise Http404
    return found

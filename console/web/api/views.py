"""The views of the API. Each reads the mirror or the database, and returns a Struct of answers.py or records.py."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from django.db.models import Q
from django.http import Http404
from django.utils import timezone
from msgspec import Meta, UnsetType

from console.access.labels import labels_of
from console.access.permissions import Permission
from console.audit import searching
from console.knative.objects import Service
from console.knative.references import ServiceRef
from console.mirror import read
from console.mirror.overview import overview
from console.mirror.summaries import ServiceSummary
from console.operations import queries
from console.operations.models import Operation
from console.web import revision_list
from console.web.api import answers, cursors, records
from console.web.api.calls import Call
from console.web.api.cursors import Key
from console.web.api.scopes import entries_within
from console.web.service_list import SORTS, matches

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Microseconds = Annotated[int, Meta(ge=0, le=250_000_000_000_000_000)]
Sequence = Annotated[int, Meta(ge=0, le=2**62)]


def whoami(call: Call) -> records.WhoAmI:
    rights = [records.right_facts(one, call.rights.scope.permissions) for one in call.rights.whole.rights]
    return records.WhoAmI(
        user=call.token.user.get_username(),
        is_administrator=call.rights.whole.is_administrator,
        token=records.token_facts(call.token),
        rights=[one for one in rights if one.permissions],
    )


def clusters(call: Call) -> answers.ClusterList:
    found = [(name, read.freshness(name)) for name in _clusters(call)]
    return answers.ClusterList(
        [
            answers.Cluster(name, None if age.seconds is None else round(age.seconds, 1), age.is_stale, age.error)
            for name, age in found
        ]
    )


def services(call: Call) -> answers.ServiceList:
    query = call.query
    names = [name for name in _clusters(call) if query.cluster in ("", name)]
    unread = [name for name in names if not read.is_whole(name, "services")]
    if unread and unread == names:
        raise read.MirrorIncomplete(", ".join(unread))
    wanted = {
        "q": query.q,
        "cluster": query.cluster,
        "namespace": query.namespace,
        "health": query.health,
        "attention": "1" if query.attention else "",
    }
    now = timezone.now()
    found = [
        row
        for name in names
        for row in read.services(name)
        if matches(row, wanted, now) and call.rights.allows(Permission.VIEW, row.ref, row.labels)
    ]
    by = query.sort.removeprefix("-")

    def key(row: ServiceSummary) -> Key:
        value = SORTS[by](row)
        return [*(value if isinstance(value, tuple) else (value,)), row.cluster, row.namespace, row.name]

    descending = query.sort.startswith("-")
    rows, following = cursors.page(found, key, descending=descending, cursor=query.cursor, limit=query.limit)
    return answers.ServiceList(
        items=[answers.service_row(row) for row in rows],
        next=following,
        total=len(found),
        is_stale=any(read.freshness(name).is_stale for name in names),
        unread_clusters=unread,
        note=_note(names, unread, "services"),
    )


def all_revisions(call: Call) -> answers.AllRevisionsList:
    query = call.query
    seen = {name: at for name, at in overview().clusters.items() if call.rights.reaches(name)}
    clusters = {name: at for name, at in seen.items() if query.cluster in ("", name)}
    unread = [name for name, at in clusters.items() if not read.has_whole(at.states, "services", "revisions")]
    if unread and len(unread) == len(clusters):
        raise read.MirrorIncomplete(", ".join(unread))
    asked = revision_list.Filter(query.q.strip().lower(), query.cluster, query.namespace, query.health, query.serves)
    found = revision_list.listing(call.rights, clusters, asked, query.sort)
    descending = query.sort.startswith("-")
    rows, following = cursors.page_of_ordered(
        found.rows, found.key, descending=descending, cursor=query.cursor, limit=query.limit
    )
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
    page, following = cursors.page(
        found,
        lambda row: [getattr(row, field), row.name],
        descending=query.sort.startswith("-"),
        cursor=query.cursor,
        limit=query.limit,
    )
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
    found = queries.visible(call.rights, labels_of)
    for name in ("cluster", "namespace", "name", "status", "actor"):
        if value := getattr(query, name):
            found = found.filter(**{name: value})
    if not isinstance(query.batch, UnsetType):
        found = found.filter(batch=query.batch)
    if query.cursor:
        microseconds, last = cursors.decode(query.cursor, tuple[Microseconds, UUID])
        at = EPOCH + timedelta(microseconds=microseconds)
        found = found.filter(Q(submitted_at__lt=at) | Q(submitted_at=at, id__lt=last))
    rows = list(found.order_by("-submitted_at", "-id")[: query.limit + 1])
    page = rows[: query.limit]
    following = [(page[-1].submitted_at - EPOCH) // timedelta(microseconds=1), page[-1].id] if page else []
    return records.OperationList(
        [records.operation_row(one) for one in page], cursors.encode(following) if len(rows) > query.limit else None
    )


def operation(call: Call, id: UUID) -> records.OperationDetail:
    found = Operation.objects.filter(id=id).first()
    if found is None or not queries.may_see(call.rights, found, labels_of(found.ref)):
        raise Http404
    return records.operation_detail(found)


def entries(call: Call) -> records.AuditList:
    query = call.query
    asked = {
        name: getattr(query, name) for name in ("actor", "cluster", "namespace", "service", "action", "outcome", "q")
    }
    moments = {name: getattr(query, name) for name in ("since", "until")}
    asked |= {name: moment.isoformat() for name, moment in moments.items() if isinstance(moment, datetime)}
    found = searching.search(entries_within(call.rights), asked)
    below = cursors.decode(query.cursor, tuple[Sequence])[0] if query.cursor else None
    page = searching.older(found, below, query.limit)
    last = page.entries[-1].sequence if page.has_older else page.searched_to
    following = None if last is None else cursors.encode([last])
    return records.AuditList([records.audit_entry(one) for one in page.entries], following)


def entry(call: Call, sequence: int) -> records.AuditEntry:
    found = entries_within(call.rights).filter(sequence=sequence).first()
    if found is None:
        raise Http404
    return records.audit_entry(found)


def _service(ref: ServiceRef) -> Service:
    found = read.service(ref)
    if found is None:
        raise Http404
    return found

"""The revisions of whole clusters, read by what has changed and not by what there is.

The watcher writes a record of each revision. A process that shows the list keeps a copy of each cluster's records,
joined with what their services' traffic says of them; the objects themselves are not read.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from sys import intern
from typing import NamedTuple

import msgspec

from console.mirror import keys, read
from console.mirror.copies import MAX_STEPS, Copy
from console.mirror.heads import revision_mark
from console.mirror.overview import ClusterNow
from console.mirror.revisions import NO_LABELS, Record, RevisionRow
from console.mirror.summaries import ServiceSummary
from console.redis_client import client

MAX_CHANGES = 2000  # at once; more are cheaper to read completely. At most store.KEPT_CHANGES.


class _Cluster(NamedTuple):
    """What is known of a cluster, and from which state of the mirror."""

    at: read.Mark
    services: Copy[ServiceSummary]
    rows: Copy[RevisionRow]
    by_service: Mapping[str, set[str]]  # names of revisions by `namespace/service`


_record = msgspec.json.Decoder(Record)
_clusters: dict[str, _Cluster] = {}
_copying = threading.Lock()


def copy(cluster: str, at: ClusterNow | None = None) -> Copy[RevisionRow]:
    """Return this process's copy of a cluster's revisions, as of what was read before, or as of now.

    Raises MirrorUnavailable.
    """
    now = at.revisions if at else revision_mark(cluster)
    services = read.copy(cluster, at.services if at else None)
    with _copying:
        known = _clusters.get(cluster)
        if known is None or known.at != now or known.services is not services:
            known = _clusters[cluster] = _newer(cluster, known, now, services)
        return known.rows


@read.guarded
def _changed(cluster: str, version: int) -> list[str]:
    return [str(name) for name in client().zrangebyscore(keys.revision_changes(cluster), f"({version}", "+inf")]


def _newer(cluster: str, known: _Cluster | None, now: read.Mark, services: Copy[ServiceSummary]) -> _Cluster:
    """Read and join again what has changed, or everything where that is not known."""
    resplit = services.changed_since(known.services) if known else None
    if known is None or resplit is None or known.at.epoch != now.epoch:
        return _whole(cluster, known, now, services)
    if not 0 <= now.version - known.at.version <= MAX_CHANGES:
        return _whole(cluster, known, now, services)
    names = frozenset(_changed(cluster, known.at.version)) if now != known.at else frozenset()
    told = read.records(keys.revision_records(cluster), sorted(names))
    fresh = {name: _row(cluster, name, body, services) for name, body in told.items()}
    of_services = {name for service in resplit for name in known.by_service.get(service, ())} - names
    rejoined = {name: _joined(known.rows.by_name[name], services) for name in of_services}
    kept = {name: row for name, row in known.rows.by_name.items() if name not in names}
    by_name = {**kept, **rejoined, **fresh}
    changed = names | of_services
    version = known.rows.version + 1
    steps = (*known.rows.steps, (known.rows.version, frozenset(changed)))[-MAX_STEPS:]
    rows = Copy(known.rows.epoch, version, by_name, steps)
    gone = (known.rows.by_name[name] for name in names if name in known.rows.by_name)
    return _Cluster(now, services, rows, _reindexed(known.by_service, gone, fresh.values()))


def _whole(cluster: str, known: _Cluster | None, now: read.Mark, services: Copy[ServiceSummary]) -> _Cluster:
    told = read.records(keys.revision_records(cluster))
    by_name = {name: _row(cluster, name, body, services) for name, body in told.items()}
    # No step leads here: who has an earlier copy compares all of it.
    rows = Copy("", known.rows.version + 1 if known else 1, by_name)
    return _Cluster(now, services, rows, _reindexed({}, (), by_name.values()))


def _row(cluster: str, field: str, body: bytes, services: Copy[ServiceSummary]) -> RevisionRow:
    """The row of a record. Texts that many revisions share are kept once."""
    namespace, _, name = field.partition("/")
    record = _record.decode(body)
    return RevisionRow(
        cluster,
        intern(namespace),
        name,
        intern(record.service),
        record.generation,
        record.created_at,
        intern(record.health),
        intern(record.ready),
        intern(record.reason),
        intern(record.conditions),
        intern(record.image),
        *_of_service(services.by_name.get(f"{namespace}/{record.service}"), name),
    )


def _joined(row: RevisionRow, services: Copy[ServiceSummary]) -> RevisionRow:
    """The row with what its service says now."""
    percent, tags, labels = _of_service(services.by_name.get(f"{row.namespace}/{row.service}"), row.name)
    return msgspec.structs.replace(row, percent=percent, tags=tags, labels=labels)


def _of_service(service: ServiceSummary | None, name: str) -> tuple[int, tuple[str, ...], Mapping[str, str]]:
    """What a service says of its revision: its share of the traffic, its tags; and its own labels, for rights."""
    if service is None:
        return 0, (), NO_LABELS
    mine = [share for share in service.shares if share.revision == name]
    if not mine:
        return 0, (), service.labels
    return sum(share.percent for share in mine), tuple(share.tag for share in mine if share.tag), service.labels


def _reindexed(
    by_service: Mapping[str, set[str]], gone: Iterable[RevisionRow], added: Iterable[RevisionRow]
) -> Mapping[str, set[str]]:
    """The index after a change; sets that do not change are shared with the one before."""
    changes: defaultdict[str, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for place, rows in enumerate((gone, added)):
        for row in rows:
            changes[f"{row.namespace}/{row.service}"][place].add(f"{row.namespace}/{row.name}")
    if not changes:
        return by_service
    return {
        **by_service,
        **{service: (by_service.get(service, set()) - lost) | new for service, (lost, new) in changes.items()},
    }

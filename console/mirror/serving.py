"""What serves of the services of a list: replicas and image, read of Redis once for as long as no revision changes."""

from collections.abc import Sequence
from typing import NamedTuple

from console.mirror import keys
from console.mirror.read import Mark, guarded, several_of
from console.mirror.replicas import Replicas, from_record, total
from console.mirror.summaries import ServiceSummary

MAX_KEPT = 5000  # services of a cluster, some 200 bytes each


class Served(NamedTuple):
    """What is known of what serves: None and empty where it is not."""

    replicas: Replicas | None = None
    image: str = ""  # with the largest share of the traffic


class _Kept(NamedTuple):
    """What was read of a cluster at a mark of its revisions, by the service's UID; with the summary that it is of."""

    at: Mark
    found: dict[str, tuple[ServiceSummary, Served]]


NOTHING = Served()
_kept: dict[str, _Kept] = {}


def serving(cluster: str, rows: Sequence[ServiceSummary], at: Mark | None = None) -> dict[str, Served]:
    """Return what serves of each of the cluster's services, by UID. One call of Redis at most.

    `at`: the mark of the cluster's revisions, read before; without it, nothing is believed that was read earlier.
    """
    if at is None or not at.epoch:  # without an epoch, Redis may have lost everything since
        return _read(cluster, rows)
    kept = _kept.get(cluster)
    if kept is None or kept.at != at or len(kept.found) > MAX_KEPT:
        kept = _kept[cluster] = _Kept(at, {})
    found = {row.uid: known[1] for row in rows if (known := kept.found.get(row.uid)) and known[0] is row}
    if missing := [row for row in rows if row.uid not in found]:
        # What was written after the mark may be in it already; then the next mark is another.
        fresh = _read(cluster, missing)
        kept.found.update({row.uid: (row, fresh[row.uid]) for row in missing})
        found |= fresh
    return found


@guarded
def _read(cluster: str, rows: Sequence[ServiceSummary]) -> dict[str, Served]:
    """Replicas are missing where one of the serving revisions has not told them."""
    shared = {
        row.uid: {f"{row.namespace}/{one.revision}" for one in row.shares if one.percent and one.revision}
        for row in rows
    }
    mains = {row.uid: f"{row.namespace}/{main}" for row in rows if (main := row.main_revision)}
    counted, imaged = several_of(
        (keys.replicas(cluster), sorted(set().union(*shared.values()))),
        (keys.images(cluster), sorted(set(mains.values()))),
    )
    counts = {name: from_record(body) for name, body in counted.items()}
    sums = {uid: total(counts.get(name) for name in names) for uid, names in shared.items() if names}
    return {uid: Served(sums.get(uid), imaged.get(mains.get(uid, ""), b"").decode()) for uid in shared}

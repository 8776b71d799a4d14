"""Where the mirror is now, for a list over all clusters: read in one call of Redis, before anything that depends on it.

A page that asked for each of these alone would wait for Redis five times, which costs more than what it reads.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from console.clusters import connections
from console.mirror import feed, keys, read
from console.mirror.read import KindState, Mark
from console.redis_client import client

_last: frozenset[str] = frozenset()  # the clusters that were there the last time: those are asked for ahead


@dataclass(frozen=True, slots=True)
class ClusterNow:
    """A cluster's mirror at a moment: what is written later has other marks."""

    services: Mark
    revisions: Mark
    states: Mapping[str, KindState]


@dataclass(frozen=True, slots=True)
class Overview:
    """All clusters that are configured or still mirrored, by name, and where the feed ended before they were read.

    `position` is None where the feed was never begun and Redis is full, so that it cannot be.
    """

    position: feed.Position | None
    clusters: Mapping[str, ClusterNow]


@read.guarded
def overview() -> Overview:
    """Return where the mirror is now; raises MirrorUnavailable."""
    global _last  # noqa: PLW0603  a guess of this process, not a setting
    configured = connections.names()
    position, mirrored, known = _read(sorted(_last.union(configured)))
    names = mirrored.union(configured)
    if missing := sorted(names - known.keys()):
        known |= _read(missing)[2]
    _last = frozenset(names)
    return Overview(position or _begun(), {name: known[name] for name in sorted(names)})


def _begun() -> feed.Position | None:
    try:
        return feed.end()
    except read.MirrorUnavailable:
        return None


def _read(names: Iterable[str]) -> tuple[feed.Position | None, set[str], dict[str, ClusterNow]]:
    """The end of the feed (None: it has no epoch yet), the clusters in the mirror, and these ones."""
    asked = client().pipeline(transaction=False)
    asked.mget(keys.FEED_EPOCH, keys.FEED_NUMBER)
    asked.smembers(keys.CLUSTERS)
    for name in names:
        asked.mget(keys.epoch(name), keys.version(name), keys.revision_version(name))
        asked.hgetall(keys.freshness(name))
    (epoch, number), mirrored, *told = asked.execute()
    position = feed.Position(str(epoch), int(number or 0)) if epoch else None
    pairs = zip(names, told[::2], told[1::2], strict=True)
    return position, set(map(str, mirrored)), {name: _now(name, marks, states) for name, marks, states in pairs}


def _now(name: str, marks: Iterable[Any], states: Mapping[Any, Any]) -> ClusterNow:
    epoch, services, revisions = marks
    at = str(epoch or "")
    return ClusterNow(Mark(at, int(services or 0)), Mark(at, int(revisions or 0)), read.states_of(name, states))

"""Clusters of which the console does not know everything yet: what a list says beside its rows."""

from console.access.authorization import Rights
from console.mirror import read
from console.mirror.read import Freshness, Kind, MirrorIncomplete


def unread(rights: Rights, *kinds: Kind) -> dict[str, Freshness]:
    """Return the clusters that the person reaches and whose objects of these kinds are not all in the mirror."""
    reached = (cluster for cluster in read.clusters() if rights.reaches(cluster))
    return {cluster: read.freshness(cluster) for cluster in reached if not read.is_whole(cluster, *kinds)}


def refuse_when_nothing_is_known(rights: Rights, *kinds: Kind) -> None:
    """Raise MirrorIncomplete where none of the person's clusters is known: an empty list would be wrong."""
    missing = unread(rights, *kinds)
    if missing and not any(rights.reaches(cluster) for cluster in read.clusters() if cluster not in missing):
        raise MirrorIncomplete(", ".join(missing))

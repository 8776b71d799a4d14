"""Where things lie in Redis."""

ROOT = "sluice:mirror"
LEADER = f"{ROOT}:leader"
FENCING = f"{ROOT}:fencing"
CLUSTERS = f"{ROOT}:clusters"
FEED = f"{ROOT}:feed"  # sorted set: signed announcements by the number of their last time (console.mirror.feed)
FEED_NUMBER = f"{ROOT}:feed:number"  # counter of announcements
FEED_EPOCH = f"{ROOT}:feed:epoch"  # random text, new whenever Redis lost the counter
SURROUNDINGS = f"{ROOT}:feed:surroundings"  # digest of those that were announced last (console.web.live.surroundings)
SERVING = "serving"  # field of `capabilities`
LEAVING = f"{ROOT}:leaving"  # set: clusters that are no longer configured and of which something may be left


def services(cluster: str) -> str:
    """Hash: `namespace/name` to the sealed service."""
    return f"{ROOT}:{cluster}:services"


def summaries(cluster: str) -> str:
    """Hash: `namespace/name` to the ServiceSummary."""
    return f"{ROOT}:{cluster}:summaries"


def replicas(cluster: str) -> str:
    """Hash: namespace/revision to `ready/wanted`, of the revisions that tell it (console.mirror.replicas)."""
    return f"{ROOT}:{cluster}:replicas"


def images(cluster: str) -> str:
    """Hash: namespace/revision to the image of its serving container, by the name that a person gave it."""
    return f"{ROOT}:{cluster}:images"


def revision_records(cluster: str) -> str:
    """Hash: namespace/revision to what a list of revisions shows (console.mirror.revisions)."""
    return f"{ROOT}:{cluster}:revision-records"


def owned(cluster: str, plural: str, namespace: str, service: str) -> str:
    """Hash: name to the sealed revision, route or pod of one service."""
    return f"{ROOT}:{cluster}:{plural}:{namespace}/{service}"


def names(cluster: str, plural: str) -> str:
    """Set of `namespace/service/name`: what a new list must clear when it is gone."""
    return f"{ROOT}:{cluster}:names:{plural}"


def namespaces(cluster: str) -> str:
    return f"{ROOT}:{cluster}:namespaces"


def version(cluster: str) -> str:
    """Counter that grows with each write of a summary: the key of the readers' caches."""
    return f"{ROOT}:{cluster}:version"


def revision_version(cluster: str) -> str:
    """Counter that grows with each write of a record of a revision."""
    return f"{ROOT}:{cluster}:revision-version"


def epoch(cluster: str) -> str:
    """Random text, new whenever Redis lost the counters: versions of different epochs cannot be compared."""
    return f"{ROOT}:{cluster}:epoch"


def changes(cluster: str) -> str:
    """Sorted set: `namespace/name` by the version that last changed its summary; the latest of them only."""
    return f"{ROOT}:{cluster}:changes"


def revision_changes(cluster: str) -> str:
    """Sorted set: namespace/revision by the version that last changed its record; the latest of them only."""
    return f"{ROOT}:{cluster}:revision-changes"


def trail(cluster: str) -> str:
    """Stream: what the watch said of services, in its order; the newest store.KEPT_TRAIL of it."""
    return f"{ROOT}:{cluster}:trail"


def freshness(cluster: str) -> str:
    """Hash: plural to the JSON of KindState."""
    return f"{ROOT}:{cluster}:freshness"


def capabilities(cluster: str) -> str:
    """Hash: of one field, what the cluster's Knative is and allows (console.mirror.capabilities)."""
    return f"{ROOT}:{cluster}:capabilities"


def request_of(operation: str) -> str:
    """The id of the request that asked for an operation, for an hour (console.mirror.requests_of)."""
    return f"sluice:request-of:{operation}"

"""A service in the few hundred bytes that a list of thousands needs."""

from collections import Counter
from datetime import datetime

import msgspec

from console.knative import root_causes
from console.knative.authors import ActorKind, Author, changed_with, last_author, written_at
from console.knative.objects import Service
from console.knative.references import ServiceRef
from console.knative.traffic import Kind


class Share(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One entry of what serves now."""

    revision: str
    percent: int
    tag: str = ""


class ServiceSummary(msgspec.Struct, frozen=True, gc=False):
    """What the services list shows, filters and sorts by. The collector of cycles need not look: it can be in none."""

    cluster: str
    namespace: str
    name: str
    uid: str
    health: str
    ready: str
    reason: str
    message: str
    conditions: str
    url: str
    latest_ready: str
    latest_created: str
    shares: tuple[Share, ...]
    truth: str
    new_revision_percent: int
    newer_not_serving: bool
    labels: dict[str, str]
    image: str
    owner: str
    created_at: datetime | None
    changed_at: datetime | None
    changed_by: str
    is_cluster_local: bool
    changed_with: str = ""  # the tool that wrote the spec last, as it named itself
    changed_by_kind: str = ActorKind.UNKNOWN.value  # whose name `changed_by` is (ActorKind)
    cause: str = ""  # why it failed (causes.Code), as far as its own conditions tell

    @property
    def ref(self) -> ServiceRef:
        return ServiceRef(self.cluster, self.namespace, self.name)

    @property
    def author(self) -> Author:
        """Who changed it last."""
        return Author(self.changed_by, ActorKind(self.changed_by_kind))

    @property
    def main_revision(self) -> str:
        """The revision with the largest share, by all its entries; the first of equal ones. Empty: nothing serves."""
        percents: Counter[str] = Counter()
        for share in self.shares:
            percents[share.revision] += share.percent
        return max((name for name in percents if percents[name] > 0), key=percents.__getitem__, default="")

    @property
    def follows_latest(self) -> bool:
        return self.truth == Kind.FOLLOWS_LATEST


def summarize(cluster: str, service: Service) -> ServiceSummary:
    """Return the summary of a service; the object may still have its managedFields, with the time of a change."""
    truth, author, ready = service.truth, last_author(service), service.ready
    return ServiceSummary(
        cluster=cluster,
        namespace=service.namespace,
        name=service.name,
        uid=service.uid,
        health=service.health_by(ready).value,
        ready=ready.status,
        reason=ready.reason,
        message=ready.message,
        conditions=str(service.tally),
        url=service.url,
        latest_ready=service.latest_ready_revision or "",
        latest_created=service.latest_created_revision or "",
        shares=tuple(Share(t.revision or "", t.percent or 0, t.tag or "") for t in service.status_traffic),
        truth=truth.kind.value,
        new_revision_percent=truth.new_revision_percent,
        newer_not_serving=truth.newer_not_serving,
        labels=dict(service.labels),
        image=service.image,
        owner=", ".join(map(str, service.owners)),
        created_at=service.created_at,
        changed_at=written_at(service.metadata) or _settled_at(service) or service.created_at,
        changed_by=author.name,
        is_cluster_local=service.is_cluster_local,
        changed_with=changed_with(service.metadata),
        changed_by_kind=author.kind.value,
        cause=finding.code.value if (finding := root_causes.of_service(service)) else "",
    )


def _settled_at(service: Service) -> datetime | None:
    """When a condition last changed: the nearest sign of a change where a server keeps no managedFields."""
    return max((condition.changed_at for condition in service.conditions if condition.changed_at), default=None)

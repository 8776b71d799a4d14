"""What the API returns of services and revisions: every returned field is named here, values of variables are not."""

from typing import Any

from msgspec import Struct

from console.knative import kn
from console.knative.authors import ActorKind
from console.knative.conditions import Condition as KnativeCondition
from console.knative.conditions import Word
from console.knative.containers import Container as KnativeContainer
from console.knative.objects import Health, Service
from console.knative.objects import Revision as KnativeRevision
from console.knative.pods import Pod as KnativePod
from console.knative.traffic import TrafficTarget
from console.mirror.revisions import RevisionRow as Listed
from console.mirror.summaries import ServiceSummary
from console.web.api.kinds import ConditionStatus, Moment, TrafficFollows


class Share(Struct, frozen=True):
    """One entry of what serves now."""

    revision: str
    percent: int
    tag: str


class ServiceRow(Struct, frozen=True):
    """A service in the list of services. `conditions` is kn's count, for example `3 OK / 3`.

    `changed_by` names a person of the console only where `changed_by_kind` says so.
    """

    cluster: str
    namespace: str
    name: str
    url: str
    health: Health
    ready: ConditionStatus
    reason: str
    message: str
    conditions: str
    latest_ready_revision: str
    latest_created_revision: str
    traffic: list[Share]
    traffic_follows: TrafficFollows
    new_revision_percent: int
    newer_not_serving: bool
    image: str
    labels: dict[str, str]
    managed_by: str
    created_at: Moment | None
    changed_at: Moment | None
    changed_by: str
    changed_by_kind: ActorKind
    is_cluster_local: bool


class ServiceList(Struct, frozen=True):
    """Services, a page at a time. `is_stale`: the data of a cluster that they come from is old or incomplete.

    `note` then says so in words. `unread_clusters` are those whose services the console does not all know yet.
    """

    items: list[ServiceRow]
    next: str | None
    total: int
    is_stale: bool
    unread_clusters: list[str]
    note: str


class Condition(Struct, frozen=True):
    """What a controller says of an object; `word` is what that means to a person."""

    type: str
    status: ConditionStatus
    word: Word
    reason: str
    message: str
    changed_at: Moment | None


class Target(Struct, frozen=True):
    """One entry of status.traffic."""

    revision: str
    percent: int
    tag: str
    url: str
    follows_latest: bool


class ServiceDetail(ServiceRow, frozen=True):
    """A service with its conditions and its targets. `creator` and `last_modifier` are identities of the cluster."""

    generation: int
    is_settled: bool
    is_stale: bool
    creator: str
    last_modifier: str
    condition_list: list[Condition]
    targets: list[Target]


class RevisionRow(Struct, frozen=True):
    """A revision as `kn revision list` has it (its AGE is `created_at` here), and who made it of which image.

    `created_by` is an identity of the cluster: the console's own where the console made it.
    """

    name: str
    service: str
    traffic_percent: int
    tags: list[str]
    generation: int
    created_at: Moment | None
    conditions: str
    ready: ConditionStatus
    reason: str
    image: str
    image_digest: str
    actual_replicas: int
    desired_replicas: int
    created_by: str
    is_latest_ready: bool


class RevisionList(Struct, frozen=True):
    """Revisions of one service, a page at a time."""

    items: list[RevisionRow]
    next: str | None
    total: int
    is_stale: bool


class ListedRevision(Struct, frozen=True):
    """A revision in the list of all, with what its service says of it. `conditions` is kn's count: `3 OK / 4`."""

    cluster: str
    namespace: str
    name: str
    service: str
    traffic_percent: int
    tags: list[str]
    generation: int
    created_at: Moment | None
    health: Health
    conditions: str
    ready: ConditionStatus
    reason: str
    image: str


class AllRevisionsList(Struct, frozen=True):
    """Revisions of all services, a page at a time; what else is told is as in the list of services."""

    items: list[ListedRevision]
    next: str | None
    total: int
    is_stale: bool
    unread_clusters: list[str]
    note: str


class Variable(Struct, frozen=True):
    """A variable's name, and where its value comes from (empty: it is in the revision, and not shown)."""

    name: str
    source: str


class Container(Struct, frozen=True):
    """A container of a revision."""

    name: str
    image: str
    ports: list[int]
    variables: list[Variable]
    variables_from: list[str]


class Pod(Struct, frozen=True):
    """A pod of a revision now; `ready` as kubectl writes it, `2/2`."""

    name: str
    phase: str
    ready: str
    restarts: int
    created_at: Moment | None


class RevisionDetail(RevisionRow, frozen=True):
    """A revision with its containers, conditions and pods (null while the console has not read the pods)."""

    routing_state: str
    concurrency_limit: int
    timeout_seconds: int
    service_account: str
    labels: dict[str, str]
    condition_list: list[Condition]
    containers: list[Container]
    pods: list[Pod] | None


class Cluster(Struct, frozen=True):
    """A cluster, and when the console's copy of it was last known to be true (null: never filled)."""

    name: str
    synced_at: Moment | None
    is_stale: bool
    error: str


class ClusterList(Struct, frozen=True):
    items: list[Cluster]


def listed_revision(row: Listed) -> ListedRevision:
    return ListedRevision(
        cluster=row.cluster,
        namespace=row.namespace,
        name=row.name,
        service=row.service,
        traffic_percent=row.percent,
        tags=list(row.tags),
        generation=row.generation,
        created_at=row.created_at,
        health=Health(row.health),
        conditions=row.conditions,
        ready=ConditionStatus(row.ready),
        reason=row.reason,
        image=row.image,
    )


def service_row(row: ServiceSummary) -> ServiceRow:
    return ServiceRow(**_row(row))


def _row(row: ServiceSummary) -> dict[str, Any]:
    return {
        "cluster": row.cluster,
        "namespace": row.namespace,
        "name": row.name,
        "url": row.url,
        "health": Health(row.health),
        "ready": ConditionStatus(row.ready),
        "reason": row.reason,
        "message": row.message,
        "conditions": row.conditions,
        "latest_ready_revision": row.latest_ready,
        "latest_created_revision": row.latest_created,
        "traffic": [Share(share.revision, share.percent, share.tag) for share in row.shares],
        "traffic_follows": TrafficFollows(row.truth),
        "new_revision_percent": row.new_revision_percent,
        "newer_not_serving": row.newer_not_serving,
        "image": row.image,
        "labels": row.labels,
        "managed_by": row.owner,
        "created_at": row.created_at,
        "changed_at": row.changed_at,
        "changed_by": row.changed_by,
        "changed_by_kind": row.author.kind,
        "is_cluster_local": row.is_cluster_local,
    }


def service_detail(row: ServiceSummary, found: Service, *, is_stale: bool) -> ServiceDetail:
    return ServiceDetail(
        **_row(row),
        generation=found.generation,
        is_settled=found.is_settled,
        is_stale=is_stale,
        creator=found.creator,
        last_modifier=found.last_modifier,
        condition_list=_conditions(found.conditions),
        targets=[_target(target) for target in found.status_traffic],
    )


def revision_row(one: KnativeRevision, of: Service) -> RevisionRow:
    return RevisionRow(**_revision(one, of))


def _revision(one: KnativeRevision, of: Service) -> dict[str, Any]:
    percent, tags = kn.routed(one.name, of)
    return {
        "name": one.name,
        "service": one.service_name,
        "traffic_percent": percent,
        "tags": list(tags),
        "generation": one.configuration_generation,
        "created_at": one.created_at,
        "conditions": str(one.tally),
        "ready": ConditionStatus(one.ready.status),
        "reason": kn.reason(one),
        "image": one.image,
        "image_digest": one.image_digest,
        "actual_replicas": one.actual_replicas,
        "desired_replicas": one.desired_replicas,
        "created_by": one.creator,
        "is_latest_ready": one.name == of.latest_ready_revision,
    }


def revision_detail(one: KnativeRevision, of: Service, pods: list[KnativePod] | None) -> RevisionDetail:
    return RevisionDetail(
        **_revision(one, of),
        routing_state=one.routing_state,
        concurrency_limit=int(one.spec.get("containerConcurrency") or 0),
        timeout_seconds=int(one.spec.get("timeoutSeconds") or 300),
        service_account=str(one.spec.get("serviceAccountName") or ""),
        labels=dict(one.labels),
        condition_list=_conditions(one.conditions),
        containers=[_container(container) for container in one.containers],
        pods=None if pods is None else [_pod(pod) for pod in pods],
    )


def _pod(pod: KnativePod) -> Pod:
    return Pod(pod.name, pod.phase, pod.ready_text, pod.restarts, pod.created_at)


def _conditions(found: tuple[KnativeCondition, ...]) -> list[Condition]:
    return [
        Condition(one.type, ConditionStatus(one.status), one.word, one.reason, one.message, one.changed_at)
        for one in found
    ]


def _target(target: TrafficTarget) -> Target:
    return Target(target.revision or "", target.percent or 0, target.tag or "", target.url or "", target.follows_latest)


def _container(container: KnativeContainer) -> Container:
    return Container(
        name=container.name,
        image=container.image,
        ports=[int(port.get("containerPort") or 0) for port in container.raw.get("ports") or ()],
        variables=[Variable(variable.name, variable.source) for variable in container.env],
        variables_from=list(container.env_from),
    )

"""Splits that bring traffic to safety: all to one revision, or back to what served before an operation.

They work whatever became of the split meanwhile: Knative applies none that names a revision which it cannot route to,
so those are left out. The cluster decides which revisions exist, not the mirror; the mirror only saves requests.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import structlog

from console.access.models import User
from console.cluster.errors import Forbidden, NotFound
from console.cluster.gateway import Gateway
from console.knative import traffic
from console.knative.changes import ChangeRefused, RollBack, SplitTraffic
from console.knative.objects import Service
from console.knative.problems import Problem
from console.knative.references import ServiceRef
from console.knative.traffic import TrafficTarget
from console.mirror import read
from console.operations.gateways import gateway_for
from console.operations.models import Operation
from console.operations.submitting import rollback

log = structlog.get_logger(__name__)
NOT_OWNED = "RevisionNotOwned"  # Serving 1.23 and later: a Service may not route to another's revision


@dataclass(frozen=True, slots=True)
class Rescue:
    """The split, and the targets that it leaves out: their revision is gone, or another service's that is refused."""

    change: SplitTraffic
    gone: tuple[TrafficTarget, ...]
    foreign: tuple[TrafficTarget, ...]


def all_to(revision: str | None, *, ref: ServiceRef, user: User) -> Rescue:
    """Give one revision (None: @latest) all the traffic of the split that is in the cluster now.

    Where a newer one serves, that is a roll back. Raises ChangeRefused when that revision does not exist, or a
    ClusterError.
    """
    gateway = gateway_for(ref.cluster, user)
    service = gateway.service(ref.namespace, ref.name)
    if revision is not None and revision in _unusable(gateway, ref, [revision]).gone:
        raise ChangeRefused(Problem("revision-unknown", {"revision": revision}))
    spec = traffic.pinned(service.spec_traffic, revision, service.latest_ready_revision)
    found = _reachable(gateway, ref, service, traffic.all_to(revision, spec))
    return replace(found, change=RollBack(found.change.targets)) if _is_older(revision, ref, service) else found


def _is_older(revision: str | None, ref: ServiceRef, service: Service) -> bool:
    """A newer revision than this one serves, as far as the mirror knows them."""
    generations = {one.name: one.configuration_generation for one in read.revisions(ref)}
    served = [generations.get(name, 0) for name in traffic.shares(service.status_traffic)]
    return revision in generations and max(served, default=0) > generations[revision]


def before(operation: Operation, *, user: User) -> Rescue:
    """Return to the split of before the operation. Raises ChangeRefused when nothing of it is left."""
    gateway = gateway_for(operation.cluster, user)
    service = gateway.service(operation.namespace, operation.name)
    found = _reachable(gateway, operation.ref, service, rollback.change_of(operation).targets)
    return replace(found, change=RollBack(found.change.targets))


def _reachable(gateway: Gateway, ref: ServiceRef, service: Service, wished: tuple[TrafficTarget, ...]) -> Rescue:
    found = _unusable(gateway, ref, _names(wished))
    routes = service.condition("RoutesReady")
    foreign = found.foreign if routes is not None and routes.reason == NOT_OWNED else frozenset()
    left = traffic.without(wished, found.gone | foreign)
    if sum(target.percent or 0 for target in left) != 100:
        raise ChangeRefused(Problem("revisions-gone", {"revisions": ", ".join(sorted(found.gone | foreign))}))
    return Rescue(SplitTraffic(left), _those(wished, found.gone), _those(wished, foreign))


@dataclass(frozen=True, slots=True)
class _Unusable:
    """Revisions that do not exist, and those of other services."""

    gone: frozenset[str]
    foreign: frozenset[str]


def _unusable(gateway: Gateway, ref: ServiceRef, names: Iterable[str]) -> _Unusable:
    """Ask the cluster for those that the mirror does not know. What it does not show is taken to be there."""
    known = {revision.name for revision in read.revisions(ref)}
    gone, foreign = set(), set()
    for name in names:
        if name in known:
            continue
        try:
            if gateway.revision(ref.namespace, name).service_name != ref.name:
                foreign.add(name)
        except NotFound:
            gone.add(name)
        except Forbidden:
            log.info("revision_not_shown", revision=name, namespace=ref.namespace)
    return _Unusable(frozenset(gone), frozenset(foreign))


def _names(targets: Iterable[TrafficTarget]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(target.revision for target in targets if target.revision and not target.is_latest))


def _those(targets: Iterable[TrafficTarget], names: frozenset[str]) -> tuple[TrafficTarget, ...]:
    return tuple(target for target in targets if target.revision in names and not target.is_latest)

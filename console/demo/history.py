"""Giving a demo console its history, once: while its log is empty and its cluster is the seeded sandbox."""

from collections import defaultdict

from django.utils import timezone

from console.access.models import User
from console.audit.models import Entry
from console.clusters import connections
from console.demo.script import EVENTS
from console.demo.writing import Writer, write_all
from console.knative.objects import Revision, Service
from console.operations.gateways import gateway_for
from console.operations.models import Operation

CLUSTER = "sandbox"


def write_history(users: dict[str, User]) -> int:
    """Write the script's events; returns how many. None where there is a history, or no sandbox with all services.

    Raises ClusterError when the sandbox does not answer.
    """
    if CLUSTER not in connections.names() or Entry.objects.exists() or Operation.objects.exists():
        return 0
    gateway = gateway_for(CLUSTER, None)
    services = {_address(one): one for one in gateway.services()}
    if not {event.service for event in EVENTS if event.service} <= services.keys():
        return 0
    revisions: dict[str, dict[int, Revision]] = defaultdict(dict)
    for one in gateway.revisions():
        revisions[f"{one.namespace}/{one.service_name}"][one.configuration_generation] = one
    ordered = {address: dict(sorted(found.items())) for address, found in revisions.items()}
    return write_all(Writer(CLUSTER, timezone.now(), services, ordered, users))


def _address(service: Service) -> str:
    return f"{service.namespace}/{service.name}"

"""What the cluster itself would let a person do with a service, so that a page need not offer what would be refused.

Asked when a page of the service is shown and nobody asked within the last minute (SelfSubjectAccessReview, as the
identity that would make the change). A page waits TIMEOUT for it at most, and a cluster that did not answer is not
asked again for AWAY_SECONDS: what is not known is offered, and the cluster's own refusal is shown where it comes.
"""

import hashlib
import time
from dataclasses import replace

import msgspec
import redis
import structlog

from console import database
from console.access.models import User
from console.access.permissions import Permission
from console.cluster.connections import Connection
from console.cluster.errors import ClusterError, Forbidden
from console.cluster.gateway import Gateway
from console.cluster.resources import SERVICES
from console.cluster.transport import Identity
from console.clusters import connections
from console.knative.references import ServiceRef
from console.operations.gateways import identity_on
from console.redis_client import client
from console.signing import sign, verify

CACHE_TTL = 60
AWAY_SECONDS = 15
TIMEOUT = 1.0  # seconds, for all questions of a page

log = structlog.get_logger(__name__)

# What each permission comes to in the cluster: the verb on the service.
_VERBS = {
    Permission.DEPLOY: "update",
    Permission.TRAFFIC: "update",
    Permission.OPERATE: "update",
    Permission.DELETE: "delete",
}


def refused(ref: ServiceRef, user: User) -> dict[Permission, str]:
    """Return the permissions that the cluster would not honor, each with what it does not allow (`update services`).

    Empty when all would be honored, or when the cluster could not be asked in time.
    """
    try:
        verbs = _refused_verbs(ref, user)
    except (redis.RedisError, ValueError) as error:  # ValueError: somebody else wrote there, and no text
        log.warning("cluster_rights_not_known", cluster=ref.cluster, reason=type(error).__name__)
        return {}
    return {permission: f"{verb} {SERVICES.plural}" for permission, verb in _VERBS.items() if verb in verbs}


def _refused_verbs(ref: ServiceRef, user: User) -> frozenset[str]:
    away = f"sluice:cluster-rights:away:{ref.cluster}"
    try:
        connection = connections.get(ref.cluster)
        identity = identity_on(connection, user)
        key = _key(ref, identity)
        known = client().get(key)
        if known is not None and (body := verify(str(known), key)) is not None:
            return frozenset(msgspec.json.decode(body, type=list[str]))
        if client().exists(away):
            return frozenset()
        found = _ask(connection, identity, ref)
    except Forbidden:
        # Not even the question: the account may not act as the person, say.
        return frozenset(_VERBS.values())
    except ClusterError as error:
        client().set(away, "1", ex=AWAY_SECONDS)
        log.info("cluster_rights_not_known", cluster=ref.cluster, reason=type(error).__name__)
        return frozenset()
    client().set(key, sign(msgspec.json.encode(sorted(found)), key), ex=CACHE_TTL)
    return found


def _ask(connection: Connection, identity: Identity | None, ref: ServiceRef) -> frozenset[str]:
    database.give_back()
    until = time.monotonic() + TIMEOUT
    found = set()
    for verb in sorted(set(_VERBS.values())):
        transport = connection.transport.with_timeout(max(0.05, until - time.monotonic()))
        gateway = Gateway(replace(connection, transport=transport), identity)
        if not gateway.can_i(verb, SERVICES, ref.namespace, name=ref.name):
            found.add(verb)
    return frozenset(found)


def _key(ref: ServiceRef, identity: Identity | None) -> str:
    """One key for each service and identity; it contains no names of people."""
    who = (identity.user, *identity.groups) if identity else ()
    digest = hashlib.sha256(msgspec.json.encode([ref.cluster, ref.namespace, ref.name, who])).hexdigest()
    return f"sluice:cluster-rights:{digest}"

"""Which gateway acts for a person: the console's own identity, or the person by impersonation."""

from collections.abc import Callable

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from console import database
from console.access.models import Team, User
from console.access.people import named_by_provider
from console.cluster.connections import Connection
from console.cluster.errors import ClusterError, Forbidden
from console.cluster.gateway import Gateway
from console.cluster.transport import Identity
from console.clusters import connections


def gateway_for(
    cluster: str, user: User | None, on_wait: Callable[[ClusterError, float], None] | None = None
) -> Gateway:
    """Return the gateway; raises ClusterError when the cluster is not known or its credentials cannot be read.

    Raises Forbidden where the person would have to be impersonated and has a name that must not be.
    """
    connection = connections.get(cluster)
    gateway = Gateway(connection, identity_on(connection, user), on_wait)
    database.give_back()
    return gateway


def identity_on(connection: Connection, user: User | None) -> Identity | None:
    """Return as whom the cluster sees what this person does; None is the console's own account. Raises Forbidden."""
    impersonates = settings.IMPERSONATE if connection.impersonates is None else connection.impersonates
    if not impersonates or user is None:
        return None
    identity = identity_of(user)
    try:
        identity.headers()
    except ValueError as error:
        raise Forbidden(f"{user.get_username()!r} or a team has a name that may not be impersonated") from error
    return identity


def identity_of(user: User) -> Identity:
    """Return the person and the teams they are in now, by their prefixed names."""
    valid = Q(memberships__expires_at=None) | Q(memberships__expires_at__gt=timezone.now())
    teams = Team.objects.filter(valid, memberships__user=user).distinct()
    groups = tuple(f"{settings.IMPERSONATE_GROUP_PREFIX}{team.name}" for team in teams)
    return Identity(f"{_prefix(user)}{user.get_username()}", groups)


def _prefix(user: User) -> str:
    """Names that were chosen at the identity provider are kept apart from the cluster's own."""
    return str(settings.IMPERSONATE_OIDC_PREFIX if named_by_provider(user) else settings.IMPERSONATE_USER_PREFIX)

"""Which gateway acts for a person: the console's own identity, or the person by impersonation."""

from collections.abc import Callable

from django.conf import settings

from console.access.models import User
from console.cluster.errors import ClusterError
from console.cluster.gateway import Gateway
from console.cluster.transport import Identity
from console.clusters import connections


def gateway_for(
    cluster: str, user: User | None, on_wait: Callable[[ClusterError, float], None] | None = None
) -> Gateway:
    """Return the gateway; raises ClusterError when the cluster is not known or its credentials cannot be read."""
    identity = None
    if settings.IMPERSONATE and user is not None:
        groups = tuple(f"sluice:{team.name}" for team in user.teams.all())
        identity = Identity(user.get_username(), groups)
    return Gateway(connections.get(cluster), identity, on_wait)

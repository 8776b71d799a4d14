"""Showing env values to someone who may see them: read from the cluster, never stored, always audited."""

from django.db import transaction

from console import audit
from console.access.actors import Actor
from console.access.models import User
from console.audit import Outcome
from console.knative.references import ServiceRef
from console.operations.gateways import gateway_for


def reveal_env(ref: ServiceRef, *, user: User, actor: Actor) -> dict[str, dict[str, str]]:
    """Return the literal values by container and variable name; raises a ClusterError. The caller checked `reveal`."""
    with transaction.atomic():
        audit.record("reveal.Env", actor=actor, ref=ref, outcome=Outcome.SUCCEEDED)
    service = gateway_for(ref.cluster, user).service(ref.namespace, ref.name)
    return {
        container.name: {variable.name: variable.value for variable in container.env if variable.value is not None}
        for container in service.containers
    }

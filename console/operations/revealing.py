"""Showing env values to someone who may see them: read from the cluster, never stored, always audited."""

from collections import Counter

from django.db import transaction

from console import audit
from console.access.actors import Actor
from console.access.models import User
from console.audit import Outcome
from console.knative.containers import Container
from console.knative.references import ServiceRef
from console.operations.gateways import gateway_for


def reveal_env(ref: ServiceRef, *, user: User, actor: Actor) -> dict[str, dict[tuple[str, int], str]]:
    """Return the literal values by container, variable name and, from 0, which of several of that name.

    Raises a ClusterError. The caller checked `reveal`.
    """
    with transaction.atomic():
        audit.record("reveal.Env", actor=actor, ref=ref, outcome=Outcome.SUCCEEDED)
    service = gateway_for(ref.cluster, user).service(ref.namespace, ref.name)
    return {container.name: _values(container) for container in service.containers}


def _values(container: Container) -> dict[tuple[str, int], str]:
    seen: Counter[str] = Counter()
    found = {}
    for variable in container.env:
        if variable.value is not None:
            found[variable.name, seen[variable.name]] = variable.value
        seen[variable.name] += 1
    return found

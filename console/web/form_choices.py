"""What forms offer to choose from: names in the cluster, and those that services of the namespace use already."""

from dataclasses import dataclass

from console.access.permissions import Permission
from console.knative.references import ServiceRef
from console.knative.referred import references
from console.mirror import read
from console.operations.lookups import form_choices
from console.web.requests import ConsoleRequest

MAX_SERVICES = 100  # of the namespace that are looked through


@dataclass(frozen=True, slots=True)
class FormChoices:
    """Names by kind, and `NAME/KEY` of secrets and config maps as far as services use them."""

    secrets: tuple[str, ...] = ()
    config_maps: tuple[str, ...] = ()
    service_accounts: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    secret_keys: tuple[str, ...] = ()
    config_map_keys: tuple[str, ...] = ()
    namespace: str = ""


def choices_for(request: ConsoleRequest, ref: ServiceRef) -> FormChoices:
    """Return what a form about a service in this namespace may offer to this person."""
    seen = [
        row.ref
        for row in read.services(ref.cluster)
        if row.namespace == ref.namespace and request.rights.allows(Permission.VIEW, row.ref, row.labels)
    ]
    used = {one for service in read.several(ref.cluster, seen[:MAX_SERVICES]) for one in references(service)}
    there = form_choices.names(ref.cluster, ref.namespace, request.user)

    def names(kind: str, listed: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted({*listed, *(one.name for one in used if one.kind == kind)}))

    def keys(kind: str) -> tuple[str, ...]:
        return tuple(sorted({f"{one.name}/{one.key}" for one in used if one.kind == kind and one.key}))

    return FormChoices(
        names("secret", there.secrets),
        names("config-map", there.config_maps),
        names("service-account", there.service_accounts),
        names("claim", there.claims),
        keys("secret"),
        keys("config-map"),
        ref.namespace,
    )

"""Whether something that happened to a service was an operation of this console, judged by what operations wrote down.

The annotation alone is not enough: it stays on the object when another tool writes after the console.
"""

from uuid import UUID

from django.db.models import Q, QuerySet

from console.knative.changes import KINDS, Verb
from console.knative.objects import OPERATION, Service
from console.knative.references import ServiceRef
from console.operations.models import Operation
from console.operations.models.statuses import Status

# A deletion that ended so did not happen, or was not ours.
_NOT_DELETED = (Status.REFUSED, Status.FAILED, Status.CANCELLED, Status.CONFLICTED, Status.STOPPED)


def generations_of_ours(ref: ServiceRef, service: Service, among: range) -> dict[int, str]:
    """Return those of the service's generations that operations made, each with the operation's id.

    A worker may have written and not yet said so: then the object itself names the operation, which had written down
    beforehand which generation it would make.
    """
    made = Q(uid=service.uid, is_written=True)
    if (signed := _signature(service)) is not None:
        made |= Q(id=signed)
    found = _on(ref).filter(made, generation__gte=among.start, generation__lt=among.stop)
    written = found.values_list("generation", "id")
    return {generation: str(id) for generation, id in written if generation is not None}


def was_relabelled_by_us(ref: ServiceRef, before: Service, after: Service) -> bool:
    """Whether an operation wrote the object between the two states."""
    signed = _signature(after)
    return signed is not None and signed != _signature(before) and _on(ref).filter(id=signed).exists()


def was_deleted_by_us(ref: ServiceRef, uid: str) -> bool:
    """Whether an operation deleted this very service, or is at it."""
    names = [name for name, kind in KINDS.items() if kind.verb is Verb.DELETE]
    deletions = _on(ref).filter(kind__in=names, uid=uid).exclude(base_version="")
    return bool(deletions.exclude(status__in=_NOT_DELETED).exists())


def _on(ref: ServiceRef) -> QuerySet[Operation]:
    return Operation.objects.filter(cluster=ref.cluster, namespace=ref.namespace, name=ref.name)


def _signature(service: Service) -> UUID | None:
    try:
        return UUID(service.annotations.get(OPERATION, ""))
    except ValueError:
        return None

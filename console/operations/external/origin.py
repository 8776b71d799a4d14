"""Whether something that happened to a service was an operation of this console, judged by what operations wrote down.

The annotation alone is not enough: it stays on the object when another tool writes after the console.
"""

from collections.abc import Collection, Iterable
from uuid import UUID

from django.db.models import Q, QuerySet

from console.knative.authors import CHANGED_BY, CHANGED_GENERATION, FIELD_MANAGER
from console.knative.changes import KINDS, Verb
from console.knative.diff import FieldChange
from console.knative.marks import STAMPS
from console.knative.objects import OPERATION, UPDATE_TIMESTAMP, Service
from console.knative.references import ServiceRef
from console.operations.models import Operation
from console.operations.models.statuses import Status

# Annotations that each write of the console carries beside the change itself.
_OF_WRITES = STAMPS | {UPDATE_TIMESTAMP}
MAX_NAME = 200  # characters
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


def unrecorded(service: Service, tool: str, among: range) -> str:
    """Return what the object says of its newest generation, if an operation that nobody here knows made that.

    An older backup of the database was restored, or another console works on the cluster. `tool` is the field manager
    of the newest write. Anybody who may write the service can write such marks: they excuse nothing, they are told.
    """
    marks = service.annotations
    signed, generation = _signature(service), str(service.generation)
    if signed is None or tool != FIELD_MANAGER or marks.get(CHANGED_GENERATION) != generation:
        return ""
    if service.generation not in among or Operation.objects.filter(id=signed).exists():
        return ""
    return f"operation {signed} by {marks.get(CHANGED_BY, '')[:MAX_NAME] or '?'} is not recorded"


def metadata_of_others(
    rows: Iterable[FieldChange], ref: ServiceRef, before: Service, after: Service, ours: Collection[str]
) -> tuple[FieldChange, ...]:
    """Return those labels and annotations that changed between the two states and that no operation wrote.

    `ours` are the ids of the operations that made generations in between; one that writes no spec makes none, and is
    known by the object's annotation. What they wrote is what their previews told, value for value.
    """
    found = [row for row in rows if row.path[0] == "metadata" and row.path[-1] not in _OF_WRITES]
    if not found:
        return ()
    signed = _signature(after)
    ids = {*ours, *([str(signed)] if signed and signed != _signature(before) else ())}
    changes = _on(ref).filter(id__in=ids).values_list("changes", flat=True) if ids else ()
    written = {(tuple(row["path"]), row["after"]) for each in changes for row in each}
    return tuple(row for row in found if (row.path, row.after) not in written)


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

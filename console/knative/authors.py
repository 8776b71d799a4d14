"""Who changed a service last: a person through this console, or an identity of the cluster, as far as the object tells.

A name says nothing about whose it is: a cluster may have an identity that is called as a person of the console is.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from console.knative.conditions import parse_time
from console.knative.objects import Service

FIELD_MANAGER = "sluice"  # as which the console writes (managedFields)
CHANGED_BY = "sluice.dev/changed-by"
CHANGED_GENERATION = "sluice.dev/changed-generation"  # the one that the change made or kept


class ActorKind(StrEnum):
    """What somebody who changed something is."""

    PERSON = "person"
    CLUSTER = "cluster-identity"  # a user or service account of the cluster, as its audit knows it
    CONSOLE = "console"
    UNKNOWN = "unknown"  # the cluster does not tell


class Author(NamedTuple):
    name: str  # empty where it is unknown
    kind: ActorKind


def last_author(service: Service) -> Author:
    """Return who changed the service last; the object may still have its managedFields.

    The console's signature stays on the object when another tool writes it. So it counts only as long as nobody made
    another generation and no other tool wrote later. Knative's webhook names the modifier of the spec alone: whose
    change of a label or annotation came after the console's, nobody knows. A signature without its generation is of
    version 0.1.
    """
    person = service.annotations.get(CHANGED_BY, "")
    signed = service.annotations.get(CHANGED_GENERATION, str(service.generation) if person else "")
    is_ours = bool(person) and signed == str(service.generation)
    if is_ours and FIELD_MANAGER in (_newest_managers(service.metadata) or {FIELD_MANAGER}):
        return Author(person, ActorKind.PERSON)
    if is_ours and CHANGED_GENERATION in service.annotations:
        return Author("", ActorKind.UNKNOWN)
    name = service.last_modifier or service.creator
    return Author(name, ActorKind.CLUSTER if name else ActorKind.UNKNOWN)


def changed_with(metadata: Any) -> str:
    """The field manager whose write of the object itself is the newest: `kubectl-edit`, `kn`, `argocd-controller`."""
    entries = _of_the_object(metadata)
    newest: Any = max(entries, key=lambda entry: str(entry.get("time", "")), default={})
    return str(newest.get("manager", ""))[:128]


def written_at(metadata: Any) -> datetime | None:
    """When the object itself was last written, not its status; None where the server keeps no managedFields."""
    times = (parse_time(entry.get("time")) for entry in _of_the_object(metadata))
    return max((time for time in times if time), default=None)


def _newest_managers(metadata: Any) -> set[str]:
    """Those that wrote the object in the newest of the seconds: a cluster keeps no finer time."""
    entries = _of_the_object(metadata)
    newest = max((str(entry.get("time", "")) for entry in entries), default="")
    return {str(entry.get("manager", "")) for entry in entries if str(entry.get("time", "")) == newest}


def _of_the_object(metadata: Any) -> list[Any]:
    """The entries of managedFields but those of subresources, which controllers write."""
    return [entry for entry in metadata.get("managedFields") or () if not entry.get("subresource")]

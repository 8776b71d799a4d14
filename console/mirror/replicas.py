"""How many replicas revisions have, in a few bytes each: what a list of services shows of dozens of them at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from console.knative import replicas


@dataclass(frozen=True, slots=True)
class Replicas:
    """Running and wanted. A revision that was never asked for tells what runs, and not how many are wanted: None."""

    ready: int
    wanted: int | None

    def __str__(self) -> str:
        return replicas.text(self.ready, self.wanted)


def record_of(revision: Mapping[str, Any]) -> bytes | None:
    """Return the record of a revision's replicas, `ready/wanted`; None where it does not tell what runs."""
    status = revision.get("status")
    ready, wanted = (replicas.count(status, field) for field in ("actualReplicas", "desiredReplicas"))
    return None if ready is None else f"{ready}/{'' if wanted is None else wanted}".encode()


def from_record(body: bytes) -> Replicas:
    ready, _, wanted = body.decode().partition("/")
    return Replicas(int(ready), int(wanted) if wanted else None)


def total(counts: Iterable[Replicas | None]) -> Replicas | None:
    """Return the sum; what is not known of one of them is not known of all."""
    ready, wanted = 0, 0
    known_wanted = True
    for one in counts:
        if one is None:
            return None
        ready, wanted = ready + one.ready, wanted + (one.wanted or 0)
        known_wanted = known_wanted and one.wanted is not None
    return Replicas(ready, wanted if known_wanted else None)

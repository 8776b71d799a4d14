"""Splits worth one press, each with the revisions that it means before it is pressed."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from console.knative.objects import Revision, Service
from console.knative.traffic import LATEST, shares


class Name(StrEnum):
    """Which preset."""

    CANARY_5 = "canary-5"
    CANARY_10 = "canary-10"
    HALVES = "50/50"
    THIRDS = "50/25/25"
    LATEST = "latest"


# Percent of the newest ready revision, of the one that serves most beside it, of the next newest.
_SHARES = {
    Name.CANARY_5: (5, 95),
    Name.CANARY_10: (10, 90),
    Name.HALVES: (50, 50),
    Name.THIRDS: (50, 25, 25),
}


_CANARIES = (Name.CANARY_5, Name.CANARY_10)


@dataclass(frozen=True, slots=True)
class Preset:
    """A split by name: percent by revision, or by `@latest`.

    `served_by`: a canary has nothing to try, for this newest revision serves everything already. It would move the
    traffic back to an older one, which nobody expects of that name.
    """

    name: Name
    shares: tuple[tuple[str, int], ...]
    served_by: str = ""


def presets(service: Service, revisions: Sequence[Revision]) -> tuple[Preset, ...]:
    """Return the presets for which there are enough ready revisions; @latest with everything is always one."""
    order = _in_order(service, revisions)
    serving = shares(service.status_traffic)
    all_on = order[0] if order and list(serving) == order[:1] else ""
    split = tuple(
        Preset(name, tuple(zip(order, percents, strict=False)), all_on if name in _CANARIES else "")
        for name, percents in _SHARES.items()
        if len(percents) <= len(order)
    )
    return (*split, Preset(Name.LATEST, ((LATEST, 100),)))


def _in_order(service: Service, revisions: Sequence[Revision]) -> list[str]:
    """The newest ready revision, then the one with the largest share of the others, then by age, newest first."""
    newest_first = sorted(revisions, key=lambda one: -one.configuration_generation)
    ready = [one.name for one in newest_first if one.ready.is_true]
    if service.latest_ready_revision in ready:
        ready.remove(service.latest_ready_revision)
        ready.insert(0, service.latest_ready_revision)
    serving = shares(service.status_traffic)
    others = sorted(ready[1:], key=lambda name: -serving.get(name, 0))
    largest = others[:1]
    return [*ready[:1], *largest, *(name for name in ready[1:] if name not in largest)]

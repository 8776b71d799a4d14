"""What a change needs its author to be allowed, judged by what it does and not only by what it is called."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

from console.access.authorization import Rights
from console.knative import changes, paths
from console.knative.changes import Change, ChangeRefused, CreateService
from console.knative.diff import diff
from console.knative.objects import Service
from console.knative.references import ServiceRef
from console.knative.traffic import Problem

TRAFFIC = "traffic"


def refuse_another_object(ref: ServiceRef, wanted: Service) -> None:
    """Raise ChangeRefused when a manifest names another service than the one that rights were asked for."""
    if (wanted.namespace, wanted.name) != (ref.namespace, ref.name):
        other = f"{wanted.namespace}/{wanted.name}"
        raise ChangeRefused(Problem("manifest-other-service", {"name": other[:160]}))


def missing(rights: Rights, ref: ServiceRef, change: Change, before: Service) -> frozenset[str]:
    """Return the permissions that are missing for the change of the service as it is in `before`.

    A manifest that also moves traffic needs that right too. A grant with a selector must cover the labels that the
    service has and those that it will have.
    """
    needs = needs_of(change, before)
    return frozenset(p for p in needs.permissions if not all(rights.allows(p, ref, each) for each in needs.labels))


@dataclass(frozen=True, slots=True)
class Needs:
    """What a change does, as rights and rules see it: the permissions, and the labels the service has and will have."""

    permissions: frozenset[str]
    labels: tuple[Mapping[str, str], ...]


def needs_of(change: Change, before: Service) -> Needs:
    """Return what the change of the service as it is in `before` needs."""
    after = before
    with contextlib.suppress(ChangeRefused):  # then there is no other effect to judge
        after = change.apply(before)
    needed = changes.permissions(change)
    if isinstance(change, CreateService):
        return Needs(needed, (after.labels,))
    if any(row.path[:2] == paths.TRAFFIC for row in diff(before.raw, after.raw)):
        needed |= {TRAFFIC}
    return Needs(needed, (before.labels, after.labels))

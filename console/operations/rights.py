"""What a change needs its author to be allowed, judged by what it does and not only by what it is called."""

import contextlib

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
    after = before
    with contextlib.suppress(ChangeRefused):  # then there is no other effect to judge
        after = change.apply(before)
    needed = changes.permissions(change)
    is_new = isinstance(change, CreateService)
    if not is_new and any(row.path[:2] == paths.TRAFFIC for row in diff(before.raw, after.raw)):
        needed |= {TRAFFIC}
    labels = [after.labels] if is_new else [before.labels, after.labels]
    return frozenset(p for p in needed if not all(rights.allows(p, ref, each) for each in labels))

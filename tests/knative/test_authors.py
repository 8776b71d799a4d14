"""Who changed a service last: never a person whose change was followed by another one, never by a name alone."""

from __future__ import annotations

import pytest

from console.knative.authors import ActorKind, Author, last_author
from console.knative.objects import Service
from tests import factories

DORA = Author("dora", ActorKind.PERSON)
ADMIN = Author("admin", ActorKind.CLUSTER)
NOBODY = Author("", ActorKind.UNKNOWN)
WRITTEN, LATER, LATEST = ("2026-11-20T10:00:00Z", "2026-11-21T10:00:00Z", "2026-11-22T10:00:00Z")


def changed(*writes: tuple[str, str], **stamps: str) -> Service:
    """A service of generation 4 with these stamps, written by these field managers at these times."""
    raw = factories.service()
    names = {"modifier": "serving.knative.dev/lastModifier", "creator": "serving.knative.dev/creator"}
    ours = {"by": "sluice.dev/changed-by", "generation": "sluice.dev/changed-generation"}
    raw["metadata"]["annotations"] = {(names | ours)[name]: value for name, value in stamps.items()}
    status = {"manager": "controller", "time": LATEST, "subresource": "status"}
    entries = [{"manager": manager, "time": time} for manager, time in writes]
    raw["metadata"]["managedFields"] = [*entries, status] if entries else []
    return Service(raw)


@pytest.mark.parametrize(
    ("service", "author"),
    [
        (changed(modifier="admin"), ADMIN),
        (changed(creator="admin"), ADMIN),
        (changed(), NOBODY),
        # the console's signature
        (changed(by="dora", generation="4", modifier="admin"), DORA),
        (changed(("kubectl", WRITTEN), ("sluice", LATER), by="dora", generation="4", modifier="admin"), DORA),
        (changed(("kubectl", LATER), ("sluice", LATER), by="dora", generation="4", modifier="admin"), DORA),
        (changed(by="dora", modifier="admin"), DORA),  # of version 0.1
        # another tool wrote after it
        (changed(by="dora", generation="3", modifier="admin"), ADMIN),
        (changed(("sluice", WRITTEN), ("kubectl", LATER), by="dora", modifier="admin"), ADMIN),
        (changed(("sluice", LATER), by="dora", generation="3", modifier="admin"), ADMIN),
        (changed(("sluice", WRITTEN), ("kubectl-label", LATER), by="dora", generation="4", modifier="robot"), NOBODY),
    ],
)
def test_a_person_counts_as_long_as_nobody_else_wrote_later(service: Service, author: Author) -> None:
    assert last_author(service) == author

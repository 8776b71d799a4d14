"""A revision in the few bytes that a list of tens of thousands needs."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from console.knative import kn
from console.knative.conditions import tally
from console.knative.objects import NOT_WRITTEN, Revision
from console.knative.redaction import without_digests
from console.knative.references import ServiceRef

MAX_TEXT = 300  # characters of a reason with its message; the page of the revision has the whole
NO_LABELS: Mapping[str, str] = {}


class Record(msgspec.Struct, frozen=True, array_like=True):
    """A revision in the mirror, without what its service says of it."""

    service: str
    generation: int
    created_at: datetime | None
    health: str
    ready: str
    reason: str
    conditions: str
    image: str


class RevisionRow(msgspec.Struct, frozen=True, gc=False):
    """A revision as a list shows it: the columns of `kn revision list -A`, its image and its cluster."""

    cluster: str
    namespace: str
    name: str
    service: str
    generation: int  # of the service's configuration; 0: unknown
    created_at: datetime | None
    health: str
    ready: str
    reason: str
    conditions: str
    image: str
    percent: int = 0  # of the traffic, as the service's status has it
    tags: tuple[str, ...] = ()
    labels: Mapping[str, str] = NO_LABELS  # of the service: rights may ask for them

    @property
    def ref(self) -> ServiceRef:
        """The service, whose rights decide who may see the revision."""
        return ServiceRef(self.cluster, self.namespace, self.service)


def record_of(revision: Revision, image: str) -> bytes:
    """Return what the mirror keeps of a sealed revision and its image for lists, without digests.

    The conditions are read once for all that is told of them: a cold start makes tens of thousands of records.
    """
    conditions = revision.conditions
    ready = next((one for one in conditions if one.type == "Ready"), NOT_WRITTEN)
    record = Record(
        revision.service_name,
        revision.configuration_generation,
        revision.created_at,
        revision.health_by(ready).value,
        ready.status,
        without_digests(kn.reason_by(ready))[:MAX_TEXT],
        str(tally(conditions)),
        image,
    )
    return msgspec.json.encode(record)

"""Who wrote a service since somebody looked at it, and when, as far as the object tells."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from console.knative.conditions import parse_time
from console.knative.objects import OPERATION, Service
from console.operations.models import Operation


@dataclass(frozen=True, slots=True)
class Writer:
    """A name, the moment (None: unknown), and the operation when it was made with this console."""

    who: str
    at: datetime | None = None
    operation: UUID | None = None

    def to_facts(self) -> dict[str, str]:
        """Return what is known as JSON data."""
        facts = {"who": self.who}
        if self.at:
            facts["at"] = self.at.isoformat()
        if self.operation:
            facts["operation"] = str(self.operation)
        return facts


def last_writer(seen: Service, fresh: Service) -> Writer:
    """Return who wrote last after `seen`.

    The console's annotation stays on the object when another tool writes, so it only counts when it is a new one;
    else the webhook's lastModifier and the newest entry of managedFields speak.
    """
    signed = fresh.annotations.get(OPERATION, "")
    if signed and signed != seen.annotations.get(OPERATION):
        operation = Operation.objects.filter(id=signed).first() if _is_uuid(signed) else None
        if operation and (operation.generation or 0) == fresh.generation:
            return Writer(operation.actor, operation.written_at, operation.id)
    return Writer(fresh.last_modifier or "?", _newest_managed(fresh))


def _newest_managed(service: Service) -> datetime | None:
    times = (
        parse_time(entry.get("time"))
        for entry in service.metadata.get("managedFields") or ()
        if not entry.get("subresource")  # the controllers write the status
    )
    return max((at for at in times if at), default=None)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True

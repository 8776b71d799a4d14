"""What others wrote to a service since somebody looked at it: who, when, and whether it conflicts with a change."""

from uuid import UUID

from console.knative.authors import written_at
from console.knative.causes import Cause, Code, Collision, Writer
from console.knative.diff import collisions, meanwhile
from console.knative.objects import OPERATION, Service
from console.operations.engine.turns import Turn
from console.operations.models import Operation
from console.operations.models.statuses import Notice, Status
from console.operations.protection.gate import fields_that_matter

MAX_FIELDS = 5  # that a line of the timeline names


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
    return Writer(fresh.last_modifier or "?", written_at(fresh.metadata))


def stop_at_conflicts(turn: Turn, fresh: Service) -> None:
    """Somebody else set the very fields that this change sets to something else: show both sides, write nothing.

    A retry was told about it and overwrites it.
    """
    operation = turn.operation
    if operation.follow_state.get("accepts_meanwhile"):
        return
    found = collisions(operation.seen, fresh, fields_that_matter(operation), operation.wanted)
    if found:
        conflicts = tuple(Collision(each.field, each.was, each.theirs) for each in found)
        writer = last_writer(operation.seen, fresh)
        turn.finish(Status.CONFLICTED, cause=Cause(Code.CONFLICT, facts=writer, conflicts=conflicts))


def tell_of_others(turn: Turn, fresh: Service) -> None:
    """Somebody changed other fields since the preview: they stay as they are now, and the person is notified."""
    seen = turn.operation.seen
    if turn.operation.follow_state.get("accepts_meanwhile") or fresh.resource_version == seen.resource_version:
        return
    if rows := meanwhile(seen, fresh, turn.operation.wanted):
        fields = ", ".join(row.field for row in rows[:MAX_FIELDS]) + (" …" if len(rows) > MAX_FIELDS else "")
        turn.notice(Notice.MERGED, raw=fields, **last_writer(seen, fresh).to_json())


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True

"""The write: once, on the freshest object, unless something speaks against it.

It carries an annotation with the operation's id, so that whoever comes next knows whether it happened.
"""

from typing import Any

import structlog
from django.db import IntegrityError
from django.utils import timezone

from console.access.authorization import rights_of
from console.access.permissions import Permission
from console.cluster import errors
from console.knative.changes import ChangeRefused, CreateService, DeleteRevision, DeleteService
from console.knative.diff import collisions, creates_revision, diff
from console.knative.objects import OPERATION, Service
from console.knative.progress import Follow
from console.operations import faults
from console.operations.handover import wake_next
from console.operations.meanwhile import last_writer
from console.operations.models import Operation, TimelineLine
from console.operations.protection.gate import fields_that_matter, objection
from console.operations.rights import missing, refuse_another_object
from console.operations.statuses import ACTIVE, Status
from console.operations.turns import Pause, Turn

WRITE_ATTEMPTS = 5
QUEUE_SECONDS = 3.0  # the one in front wakes the next; this is for the case that it died
RETRY_SECONDS = 2.0
CHANGED_BY = "sluice.dev/changed-by"
OURS = "sluice.dev/"
MOST_FIELDS = 5  # that a line of the timeline names

log = structlog.get_logger(__name__)


def write(turn: Turn) -> None:
    """Return once the change is written; raises Ended when it must not be, Pause when it cannot be yet."""
    operation = turn.operation
    if operation.cancel_requested and not operation.base_version:
        turn.end(Status.CANCELLED)
    if turn.is_late and not operation.base_version:
        turn.end(Status.TIMED_OUT, cause={"code": "never-written"})
    if operation.status == Status.QUEUED:
        _become_the_writer(turn)
    faults.reach("claimed")
    for _ in range(WRITE_ATTEMPTS):
        fresh = turn.read()
        if not _is_ours(operation, fresh):
            _stop_when_pointless(turn)
        try:
            made = fresh if _is_ours(operation, fresh) else _write_on(turn, fresh)
        except (errors.Conflict, errors.Uncertain):
            continue  # read again: somebody was faster, or our own write may have arrived
        if made is not None:
            _remember(turn, made)
            return
    raise Pause(RETRY_SECONDS)


def _become_the_writer(turn: Turn) -> None:
    """Older operations on the same service write first, and one at a time does (the database's constraint)."""
    operation = turn.operation
    same = Operation.objects.filter(cluster=operation.cluster, namespace=operation.namespace, name=operation.name)
    older = same.filter(is_written=False, submitted_at__lt=operation.submitted_at, status__in=ACTIVE)
    first = older.exclude(id=operation.id).order_by("submitted_at").first()
    try:
        if first is None:
            turn.save_intent(status=Status.RUNNING)
            return
    except IntegrityError:
        first = same.filter(status=Status.RUNNING).first()
    turn.notice("queued-behind", **({"operation": str(first.id)} if first else {}))
    raise Pause(QUEUE_SECONDS)


def _stop_when_pointless(turn: Turn) -> None:
    """The write has not happened: it is not begun again when it was cancelled or is too late by now."""
    if turn.operation.cancel_requested:
        turn.end(Status.CANCELLED)
    if turn.is_late:
        turn.end(Status.TIMED_OUT, cause={"code": "never-written"})


def _is_ours(operation: Operation, fresh: Service | None) -> bool:
    """The write of an earlier turn arrived."""
    return fresh is not None and fresh.annotations.get(OPERATION) == str(operation.id)


def _write_on(turn: Turn, fresh: Service | None) -> Service:
    """Apply the change to the service as it is now and return what the API made of it."""
    change = turn.operation.change
    if isinstance(change, CreateService):
        _refuse_without_permission(turn, Service({}))
        _stop_at_the_gate(turn, Service({}))
        return _create(turn, change, fresh)
    fresh = _still_there(turn, fresh)
    _refuse_without_permission(turn, fresh)
    _stop_at_the_gate(turn, fresh)
    if isinstance(change, DeleteService):
        _delete_service(turn, fresh)
    if isinstance(change, DeleteRevision):
        _delete_revision(turn, change, fresh)
    return _replace(turn, fresh)


def _still_there(turn: Turn, fresh: Service | None) -> Service:
    """The service that the person saw; another one of the same name is not it."""
    operation = turn.operation
    if fresh is None or operation.uid not in ("", fresh.uid):
        if isinstance(operation.change, DeleteService) and operation.base_version:
            turn.end(Status.SUCCEEDED, *_deleted(turn, "Service", operation.name))
        turn.end(Status.FAILED, cause={"code": "recreated-meanwhile" if fresh else "deleted-meanwhile"})
    return fresh


def _problem(refusal: ChangeRefused) -> dict[str, Any]:
    """The cause that an input's problem is; its words come from its facts, so there is no raw message."""
    facts = {name: str(value) for name, value in refusal.problem.facts.items()}
    return {"code": refusal.problem.code, "facts": facts}


def _deleted(turn: Turn, kind: str, name: str) -> tuple[TimelineLine, ...]:
    """kn's words after a deletion."""
    return (
        turn.line(f"{kind} '{name}' successfully deleted in namespace '{turn.operation.namespace}'.", level="closing"),
    )


def _refuse_without_permission(turn: Turn, fresh: Service) -> None:
    """The right may have been taken between submission and now."""
    operation = turn.operation
    if operation.user is None:
        turn.end(Status.REFUSED, cause={"code": "not-allowed", "facts": {"permission": Permission.VIEW}})
    not_held = missing(rights_of(operation.user), operation.ref, operation.change, fresh)
    if not_held:
        turn.end(Status.REFUSED, cause={"code": "not-allowed", "facts": {"permission": min(not_held)}})


def _stop_at_the_gate(turn: Turn, fresh: Service) -> None:
    """Rules, freezes and the approver's rights may have changed since the submission."""
    if cause := objection(turn.operation, fresh):
        turn.end(Status.STOPPED, cause=cause)


def _replace(turn: Turn, fresh: Service) -> Service:
    operation = turn.operation
    _stop_at_conflicts(turn, fresh)
    _tell_of_others(turn, fresh)
    try:
        wanted = _signed(operation, operation.change.apply(fresh))
    except ChangeRefused as refusal:
        turn.end(Status.REFUSED, cause=_problem(refusal))
    # The API server counts the generation up when the spec differs; resourceVersion makes sure that it is this spec.
    grows = any(row.path[0] == "spec" for row in diff(fresh.raw, wanted.raw))
    turn.save_intent(
        base_version=fresh.resource_version,
        generation=fresh.generation + (1 if grows else 0),
        makes_revision=creates_revision(fresh, wanted),
        follow_state={**operation.follow_state, "previous": fresh.latest_created_revision},
    )
    faults.reach("before-write")
    try:
        made = turn.gateway.replace_service(wanted)
    except errors.Refused as refusal:
        turn.fail(Status.REFUSED, "refused", refusal)
    faults.reach("after-write")
    if made.generation != operation.generation:  # the API's own defaults made less, or more, of the difference
        turn.save(generation=made.generation)
    return made


def _create(turn: Turn, change: CreateService, fresh: Service | None) -> Service:
    if fresh is not None:
        turn.end(Status.FAILED, cause={"code": "exists-already"})
    try:
        wanted = _signed(turn.operation, change.apply(Service({})))
        refuse_another_object(turn.operation.ref, wanted)
    except ChangeRefused as refusal:
        turn.end(Status.REFUSED, cause=_problem(refusal))
    turn.save_intent(base_version="new", generation=1, makes_revision=True, follow_state={"previous": None})
    faults.reach("before-write")
    try:
        made = turn.gateway.create_service(wanted)
    except errors.AlreadyExists as error:
        raise errors.Conflict(error.raw, error.code) from error  # perhaps our own: read again
    except errors.Refused as refusal:
        turn.fail(Status.REFUSED, "refused", refusal)
    faults.reach("after-write")
    return made


def _delete_service(turn: Turn, fresh: Service) -> None:
    turn.save_intent(base_version=fresh.resource_version)
    faults.reach("before-write")
    try:
        turn.gateway.delete_service(fresh.namespace, fresh.name, uid=fresh.uid)
    except errors.NotFound:
        log.info("service_already_gone", service=fresh.name)
    faults.reach("after-write")
    turn.end(Status.SUCCEEDED, *_deleted(turn, "Service", fresh.name))


def _delete_revision(turn: Turn, change: DeleteRevision, fresh: Service) -> None:
    try:
        change.apply(fresh)
    except ChangeRefused as refusal:
        turn.end(Status.REFUSED, cause=_problem(refusal))
    turn.save_intent(base_version=fresh.resource_version)
    faults.reach("before-write")
    try:
        revision = turn.gateway.revision(fresh.namespace, change.revision)
        turn.gateway.delete_revision(fresh.namespace, change.revision, uid=revision.uid)
    except errors.NotFound:
        log.info("revision_already_gone", revision=change.revision)
    faults.reach("after-write")
    turn.end(Status.SUCCEEDED, *_deleted(turn, "Revision", change.revision))


def _stop_at_conflicts(turn: Turn, fresh: Service) -> None:
    """Somebody else changed the very fields that this change sets: show both sides, write nothing.

    A retry has been told of it and goes on top.
    """
    operation = turn.operation
    if operation.follow_state.get("accepts_meanwhile"):
        return
    found = collisions(operation.seen, fresh, fields_that_matter(operation))
    if found:
        rows = [{"field": c.field, "was": c.was, "theirs": c.theirs} for c in found]
        facts = last_writer(operation.seen, fresh).to_facts()
        turn.end(Status.CONFLICTED, cause={"code": "conflict", "conflicts": rows, "facts": facts})


def _tell_of_others(turn: Turn, fresh: Service) -> None:
    """Somebody changed other fields since the preview: they stay as they are now, and the person is told."""
    seen = turn.operation.seen
    if turn.operation.follow_state.get("accepts_meanwhile") or fresh.resource_version == seen.resource_version:
        return
    rows = [row for row in diff(seen.raw, fresh.raw) if not row.path[-1].startswith(OURS)]
    if rows:
        fields = ", ".join(row.field for row in rows[:MOST_FIELDS]) + (" …" if len(rows) > MOST_FIELDS else "")
        turn.notice("merged", raw=fields, **last_writer(seen, fresh).to_facts())


def _signed(operation: Operation, service: Service) -> Service:
    """Name the operation and the person on the object: for the next worker, for kubectl, for other consoles."""
    signatures = {OPERATION: str(operation.id), CHANGED_BY: operation.actor}
    metadata = {**service.metadata, "annotations": {**service.annotations, **signatures}}
    return Service({**service.raw, "metadata": metadata})


def _remember(turn: Turn, made: Service) -> None:
    """Note that the write happened and what to follow from here."""
    operation = turn.operation
    created = isinstance(operation.change, CreateService)
    follow = Follow(
        # An earlier turn may have meant more than the API made of it; what is newer than meant is somebody else's.
        generation=min(operation.generation or made.generation, made.generation),
        makes_revision=operation.makes_revision,
        previous_revision=operation.follow_state.get("previous"),
        error_window=operation.error_window_seconds,
        deadline=operation.deadline_seconds,
    )
    words = "Creating service" if created else "Updating Service"
    header = turn.line(
        f"{words} '{operation.name}' in namespace '{operation.namespace}':", level="header", phase="accepted"
    )
    turn.save(
        header,
        uid=made.uid,
        is_written=True,
        status=Status.FOLLOWING,
        written_at=timezone.now(),
        watch_from=made.resource_version,
        follow_state=follow.state,
    )
    faults.reach("written")
    wake_next(operation)

"""The write: once, on the freshest object, unless something speaks against it.

It carries an annotation with the operation's id, so that whoever comes next knows whether it happened.
"""

from typing import Any

import structlog
from django.utils import timezone

from console.access.authorization import rights_of
from console.cluster import errors
from console.knative import changes
from console.knative.changes import ChangeRefused, CreateService, DeleteRevision, DeleteService
from console.knative.diff import collisions, diff
from console.knative.objects import OPERATION, Service
from console.knative.progress import Follow
from console.operations import faults
from console.operations.models import Operation
from console.operations.statuses import ACTIVE, Status
from console.operations.turns import Pause, Turn

WRITE_ATTEMPTS = 5
QUEUE_SECONDS = 0.5
RETRY_SECONDS = 2.0
CHANGED_BY = "sluice.dev/changed-by"

log = structlog.get_logger(__name__)


def write(turn: Turn) -> None:
    """Return once the change is written; raises Ended when it must not be, Pause when it cannot be yet."""
    operation = turn.operation
    if operation.cancel_requested and not operation.base_version:
        turn.end(Status.CANCELLED)
    if turn.is_late:
        turn.end(Status.TIMED_OUT, cause={"code": "never-written"})
    if _is_behind_another(operation):
        raise Pause(QUEUE_SECONDS)
    if operation.status == Status.QUEUED:
        turn.save(status=Status.RUNNING)
    faults.reach("claimed")
    for _ in range(WRITE_ATTEMPTS):
        fresh = turn.read()
        try:
            made = fresh if _is_ours(operation, fresh) else _write_on(turn, fresh)
        except (errors.Conflict, errors.Uncertain):
            continue  # read again: somebody was faster, or our own write may have arrived
        if made is not None:
            _remember(turn, made)
            return
    raise Pause(RETRY_SECONDS)


def _is_behind_another(operation: Operation) -> bool:
    """An older operation on the same service has not written yet: it goes first."""
    older = _on_same_service(operation).filter(is_written=False, submitted_at__lt=operation.submitted_at)
    return bool(older.filter(status__in=ACTIVE).exists())


def _on_same_service(operation: Operation) -> Any:
    same = Operation.objects.filter(cluster=operation.cluster, namespace=operation.namespace, name=operation.name)
    return same.exclude(id=operation.id)


def _is_ours(operation: Operation, fresh: Service | None) -> bool:
    """The write of an earlier turn arrived."""
    return fresh is not None and fresh.annotations.get(OPERATION) == str(operation.id)


def _write_on(turn: Turn, fresh: Service | None) -> Service:
    """Apply the change to the service as it is now and return what the API made of it."""
    change = turn.operation.change
    if isinstance(change, CreateService):
        return _create(turn, change, fresh)
    fresh = _still_there(turn, fresh)
    _refuse_without_permission(turn, fresh)
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
            turn.end(Status.SUCCEEDED)
        turn.end(Status.FAILED, cause={"code": "deleted-meanwhile"})
    return fresh


def _refuse_without_permission(turn: Turn, fresh: Service) -> None:
    """The right may have been taken between submission and now."""
    operation = turn.operation
    needed = changes.permissions(operation.change)
    rights = rights_of(operation.user) if operation.user else None
    missing = sorted(p for p in needed if rights is None or not rights.allows(p, operation.ref, fresh.labels))
    if missing:
        turn.end(Status.REFUSED, cause={"code": "not-allowed", "facts": {"permission": missing[0]}})


def _replace(turn: Turn, fresh: Service) -> Service:
    operation = turn.operation
    _stop_at_conflicts(turn, fresh)
    try:
        wanted = _signed(operation, operation.change.apply(fresh))
    except ChangeRefused as refusal:
        turn.end(Status.REFUSED, cause={"code": refusal.problem.code, "raw": str(refusal)})
    # The API server counts the generation up when the spec differs; resourceVersion makes sure that it is this spec.
    grows = any(row.path[0] == "spec" for row in diff(fresh.raw, wanted.raw))
    turn.save(
        base_version=fresh.resource_version,
        generation=fresh.generation + (1 if grows else 0),
        follow_state={**operation.follow_state, "previous": fresh.latest_created_revision},
    )
    faults.reach("before-write")
    try:
        made = turn.gateway.replace_service(wanted)
    except errors.Refused as refusal:
        turn.fail(Status.REFUSED, "refused", refusal)
    faults.reach("after-write")
    return made


def _create(turn: Turn, change: CreateService, fresh: Service | None) -> Service:
    if fresh is not None:
        turn.end(Status.FAILED, cause={"code": "exists-already"})
    turn.save(base_version="new", generation=1, follow_state={"previous": None})
    faults.reach("before-write")
    try:
        made = turn.gateway.create_service(_signed(turn.operation, change.apply(Service({}))))
    except errors.AlreadyExists as error:
        raise errors.Conflict(error.raw, error.code) from error  # perhaps our own: read again
    except errors.Refused as refusal:
        turn.fail(Status.REFUSED, "refused", refusal)
    faults.reach("after-write")
    return made


def _delete_service(turn: Turn, fresh: Service) -> None:
    turn.save(base_version=fresh.resource_version)
    faults.reach("before-write")
    turn.gateway.delete_service(fresh.namespace, fresh.name, uid=fresh.uid)
    faults.reach("after-write")
    turn.end(Status.SUCCEEDED)


def _delete_revision(turn: Turn, change: DeleteRevision, fresh: Service) -> None:
    try:
        change.apply(fresh)
    except ChangeRefused as refusal:
        turn.end(Status.REFUSED, cause={"code": refusal.problem.code, "raw": str(refusal)})
    turn.save(base_version=fresh.resource_version)
    faults.reach("before-write")
    try:
        revision = turn.gateway.revision(fresh.namespace, change.revision)
        turn.gateway.delete_revision(fresh.namespace, change.revision, uid=revision.uid)
    except errors.NotFound:
        log.info("revision_already_gone", revision=change.revision)
    faults.reach("after-write")
    turn.end(Status.SUCCEEDED)


def _stop_at_conflicts(turn: Turn, fresh: Service) -> None:
    """Somebody else changed the very fields that this change sets: show both sides, write nothing.

    A retry has been told of it and goes on top.
    """
    operation = turn.operation
    if operation.follow_state.get("accepts_meanwhile"):
        return
    found = collisions(operation.seen, fresh, operation.change.touches())
    if found:
        rows = [{"field": c.field, "was": c.was, "theirs": c.theirs} for c in found]
        who = fresh.annotations.get(CHANGED_BY) or fresh.last_modifier
        turn.end(Status.CONFLICTED, cause={"code": "conflict", "conflicts": rows, "facts": {"who": who}})


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
        generation=operation.generation or made.generation,
        makes_revision=created or operation.makes_revision,
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
        is_written=True,
        status=Status.FOLLOWING,
        written_at=timezone.now(),
        watch_from=made.resource_version,
        follow_state=follow.state,
    )
    faults.reach("written")

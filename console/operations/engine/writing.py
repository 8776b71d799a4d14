"""The write: once, on the newest version of the object, unless something prevents it.

It carries an annotation with the operation's id, so that the next worker knows whether the write happened.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn

import structlog
from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils import timezone

from console.access.authorization import rights_of
from console.access.permissions import Permission
from console.access.refusals import NotAllowed
from console.cluster import errors
from console.database import Prepared
from console.knative import paths
from console.knative.authors import CHANGED_BY, CHANGED_GENERATION
from console.knative.causes import Cause, Code, Lacks
from console.knative.changes import Applied, Change, ChangeRefused, Verb, apply_to
from console.knative.diff import creates_revision, diff
from console.knative.objects import OPERATION, Service
from console.knative.progress import Follow, closing
from console.operations import faults
from console.operations.announce import note_request
from console.operations.engine import fencing
from console.operations.engine.last_writer import stop_at_conflicts, tell_of_others
from console.operations.engine.leases import LeaseLost
from console.operations.engine.removing import delete_revision, delete_service, is_deleted
from console.operations.engine.turns import RETRY_SECONDS, Pause, Turn
from console.operations.external import late_writes
from console.operations.models import Operation, TimelineLine
from console.operations.models.statuses import ACTIVE, Notice, Status
from console.operations.protection.gate import objection
from console.operations.queue import enqueue_next
from console.operations.rights.needs import needs_of, refuse_another_object, refuse_unless_allowed

WRITE_ATTEMPTS = 5
QUEUE_SECONDS = 3.0  # the one in front wakes the next; this is for the case that it died

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    """The result of a write. `is_certain`: the API's answer said so; otherwise only the intention is known."""

    service: Service
    makes_revision: bool
    changes_spec: bool
    changes_metadata: bool
    is_certain: bool = True

    @property
    def is_empty(self) -> bool:
        return not (self.changes_spec or self.changes_metadata)


def write(turn: Turn) -> None:
    """Return once the change is written; raises Ended when it must not be, Pause when it cannot be yet.

    1. Become the writer of the service: one at a time, the oldest first.
    2. Read the service. If it carries this operation's annotation, an earlier turn's write arrived: go to 6.
    3. Stop where the write is pointless, not allowed or in conflict. Before that is said, a write that an earlier turn
       may still be about to send is made impossible (console.operations.engine.fencing).
    4. Save the intent: the version that the write is based on, and what it should create.
    5. Write, with that version as the condition. If somebody was faster, go to 2. If no answer came, say so and let
       another turn begin at 2.
    6. Note what the API made of it: where it changed nothing, that is the end.
    """
    operation = turn.operation
    if not operation.base_version:
        _stop_when_pointless(turn)
    if operation.status == Status.QUEUED:
        _become_the_writer(turn)
    faults.reach("claimed")
    note_request(operation)
    for _ in range(WRITE_ATTEMPTS):
        fresh = turn.read()
        try:
            with fencing.ends(turn, fresh):
                made = _recovered(operation, fresh) or _write_on(turn, fresh)
        except errors.Conflict:
            continue  # read again: somebody was faster, or our own write may have arrived
        except errors.Uncertain as error:
            turn.notice(Notice.WRITE_UNCERTAIN, raw=turn.without_secrets(error.raw)[:500])
            raise Pause(RETRY_SECONDS) from error
        try:
            _remember(turn, made)
        except LeaseLost:
            late_writes.notice(operation.cluster, made.service)  # another worker may have taken over and ended it
            raise
        return
    raise Pause(RETRY_SECONDS)


def _become_the_writer(turn: Turn) -> None:
    """Older operations on the same service write first, and one at a time does (the database's constraint)."""
    operation = turn.operation
    place = operation.cluster, operation.namespace, operation.name
    first = next(iter(_older.rows(*place, operation.submitted_at)), None)
    try:
        if first is None:
            turn.save_intent(status=Status.RUNNING)
            return
    except IntegrityError:
        first = _of_service(*place).filter(status=Status.RUNNING).values_list("id").first()
    turn.notice(Notice.QUEUED_BEHIND, **({"operation": str(first[0])} if first else {}))
    raise Pause(QUEUE_SECONDS)


def _of_service(cluster: str, namespace: str, name: str) -> QuerySet[Operation]:
    return Operation.objects.filter(cluster=cluster, namespace=namespace, name=name)


_older = Prepared(
    lambda *of: (
        _of_service(*of[:3])
        .filter(submitted_at__lt=of[3], is_written=False, status__in=ACTIVE)
        .order_by("submitted_at")
        .values_list("id")[:1]
    )
)


def _stop_when_pointless(turn: Turn) -> None:
    """The write has not happened: it is not begun again when it was cancelled or is too late by now."""
    if turn.operation.cancel_requested:
        turn.finish(Status.CANCELLED)
    if turn.is_late:
        turn.finish(Status.TIMED_OUT, cause=Cause(Code.NEVER_WRITTEN))


def _recovered(operation: Operation, fresh: Service | None) -> Written | None:
    """What the write of an earlier turn made, if it arrived; that turn died before it could note the answer."""
    if fresh is None or fresh.annotations.get(OPERATION) != str(operation.id):
        return None
    intended = operation.follow_state
    grew = fresh.generation != intended.get("base_generation", 0)
    return Written(
        fresh,
        makes_revision=operation.makes_revision and grew,
        changes_spec=grew,
        changes_metadata=bool(intended.get("changes_metadata", True)),
        is_certain=False,
    )


def _write_on(turn: Turn, fresh: Service | None) -> Written:
    """Apply the change to the service as it is now and return what the API made of it."""
    change = turn.operation.change
    if change.verb is Verb.DELETE and is_deleted(turn, fresh):
        _end_deleted(turn, change, turn.operation.seen)
    _stop_when_pointless(turn)
    now = Service({}) if change.verb is Verb.CREATE else _still_there(turn, fresh)
    applied = apply_to(change, now)
    _stop_at_the_gates(turn, applied)
    if change.verb is Verb.CREATE and fresh is not None:
        turn.finish(Status.FAILED, cause=Cause(Code.EXISTS_ALREADY))
    return WRITES[change.verb](turn, applied)


def _still_there(turn: Turn, fresh: Service | None) -> Service:
    """The service that the person saw; another one of the same name is not it."""
    if fresh is None or turn.operation.uid not in ("", fresh.uid):
        turn.finish(Status.FAILED, cause=Cause(Code.RECREATED_MEANWHILE if fresh else Code.DELETED_MEANWHILE))
    return fresh


def _stop_at_the_gates(turn: Turn, applied: Applied) -> None:
    """Rights, rules and freezes may have changed since the submission, and so may the approver's rights."""
    operation = turn.operation
    if operation.user is None:
        turn.finish(Status.REFUSED, cause=Cause(Code.NOT_ALLOWED, facts=Lacks(Permission.VIEW)))
    needs = needs_of(applied, operation.taken_back)
    try:
        refuse_unless_allowed(rights_of(operation.user), operation.ref, needs)
    except NotAllowed as refusal:
        turn.finish(Status.REFUSED, cause=refusal.cause)
    if cause := objection(operation, needs):
        turn.finish(Status.STOPPED, cause=cause)


def _replace(turn: Turn, applied: Applied) -> Written:
    operation, fresh = turn.operation, applied.before
    stop_at_conflicts(turn, fresh)
    tell_of_others(turn, fresh)
    try:
        wanted = applied.after
    except ChangeRefused as refusal:
        turn.refuse(refusal)
    rows = applied.difference
    if not rows:
        turn.finish(Status.UNCHANGED, *_unchanged_lines(turn, fresh))
    _save_intent(turn, fresh, wanted, changes_metadata=any(row.path[0] == "metadata" for row in rows))
    faults.reach("before-write")
    turn.require_lease()
    try:
        made = turn.gateway.replace_service(_signed(operation, wanted))
    except errors.Refused as refusal:
        turn.fail(Status.REFUSED, Code.REFUSED, refusal)
    except errors.NotFound as error:  # it went since it was read: the next reading says so, or finds another one
        raise errors.Conflict(error.raw, error.code) from error
    faults.reach("after-write")
    return compared(fresh, made)


def _save_intent(turn: Turn, fresh: Service, wanted: Service, *, changes_metadata: bool) -> None:
    """Store what the write should create, for a worker that finds it created after the first worker died.

    What the preview's dry run showed counts too: a webhook of the cluster may fill the template.
    """
    operation = turn.operation
    makes_revision = operation.makes_revision or creates_revision(fresh, wanted)
    # The API server counts the generation up when the spec differs; resourceVersion makes sure that it is this spec.
    grows = makes_revision or bool(diff({"spec": fresh.spec}, {"spec": wanted.spec}))
    intent = {
        "previous": fresh.latest_created_revision,
        "base_generation": fresh.generation,
        "changes_metadata": changes_metadata,
    }
    turn.save_intent(
        base_version=fresh.resource_version,
        generation=fresh.generation + (1 if grows else 0),
        makes_revision=makes_revision,
        follow_state={**operation.follow_state, **intent},
    )


def compared(before: Service, made: Service) -> Written:
    """Return what the API's answer to a write shows: which parts of the service changed."""
    rows = diff(before.raw, made.raw)
    return Written(
        made,
        makes_revision=any(row.path[:2] == paths.TEMPLATE for row in rows),
        changes_spec=made.generation != before.generation,
        changes_metadata=any(row.path[0] == "metadata" and row.path[-1] != CHANGED_BY for row in rows),
    )


def _create(turn: Turn, applied: Applied) -> Written:
    try:
        wanted = applied.after
        refuse_another_object(turn.operation.ref, wanted)
    except ChangeRefused as refusal:
        turn.refuse(refusal)
    turn.save_intent(base_version=fencing.NEW, generation=1, makes_revision=True, follow_state={"previous": None})
    faults.reach("before-write")
    turn.require_lease()
    try:
        made = turn.gateway.create_service(_signed(turn.operation, wanted))
    except errors.AlreadyExists as error:
        raise errors.Conflict(error.raw, error.code) from error  # perhaps our own: read again
    except errors.Refused as refusal:
        turn.fail(Status.REFUSED, Code.REFUSED, refusal)
    faults.reach("after-write")
    return Written(made, makes_revision=True, changes_spec=True, changes_metadata=True)


def _delete_service(turn: Turn, applied: Applied) -> NoReturn:
    delete_service(turn, applied.before)
    _end_deleted(turn, applied.change, applied.before)


def _delete_revision(turn: Turn, applied: Applied) -> NoReturn:
    delete_revision(turn, applied)
    _end_deleted(turn, applied.change, applied.before)


def _end_deleted(turn: Turn, change: Change, service: Service) -> NoReturn:
    """kn's words after a deletion."""
    what = f"{change.verb.object.capitalize()} '{change.object_name(service)}'"
    words = f"{what} successfully deleted in namespace '{turn.operation.namespace}'."
    turn.finish(Status.SUCCEEDED, turn.line(words, level="closing"))


# How each kind of change is written.
WRITES: Mapping[Verb, Callable[[Turn, Applied], Written]] = {
    Verb.CREATE: _create,
    Verb.UPDATE: _replace,
    Verb.DELETE: _delete_service,
    Verb.DELETE_REVISION: _delete_revision,
}


def _signed(operation: Operation, service: Service) -> Service:
    """Name the operation and the person on the object: for the next worker, for kubectl, for other consoles.

    The generation that the write makes says later whether they were the last (console.knative.authors).
    """
    signatures = {
        OPERATION: str(operation.id),
        CHANGED_BY: operation.actor,
        CHANGED_GENERATION: str(operation.generation),
    }
    return service.with_annotations({**service.annotations, **signatures})


def _remember(turn: Turn, made: Written) -> None:
    """Note that the write happened and what to follow from here; end where nothing is to follow."""
    operation, service = turn.operation, made.service
    # What an earlier turn intended is the most that it made; what is newer than that is somebody else's.
    generation = service.generation if made.is_certain else min(operation.generation or 0, service.generation)
    follow = Follow(
        generation=generation,
        makes_revision=made.makes_revision,
        previous_revision=operation.follow_state.get("previous"),
        is_certain=made.is_certain,
        changes_spec=made.changes_spec,
        error_window=operation.error_window_seconds,
        deadline=operation.deadline_seconds,
    )
    turn.save(
        _header(turn),
        uid=service.uid,
        is_written=True,
        status=Status.FOLLOWING,
        written_at=timezone.now(),
        watch_from=service.resource_version,
        generation=generation,
        makes_revision=made.makes_revision,
        follow_state=follow.state,
    )
    faults.reach("written")
    enqueue_next(operation)
    if made.is_empty:
        turn.finish(Status.UNCHANGED, *_unchanged_lines(turn, service))


def _header(turn: Turn) -> TimelineLine:
    operation = turn.operation
    words = "Creating service" if operation.change.verb is Verb.CREATE else "Updating Service"
    text = f"{words} '{operation.name}' in namespace '{operation.namespace}':"
    return turn.line(text, level="header", phase="accepted")


def _unchanged_lines(turn: Turn, service: Service) -> tuple[TimelineLine, ...]:
    """kn's words where there is nothing to do (`kn service apply`), and where the service answers if it is ready."""
    lines = (turn.line(f"No changes to apply to service '{service.name}'.", level="closing"),)
    if not (service.is_settled and service.ready.is_true):
        return lines
    sentence, url = closing(service, Follow(service.generation, makes_revision=False))
    return (*lines, turn.line(sentence, level="closing"), turn.line(url, level="url"))

"""Deleting a service or a revision, and waiting until it is gone: a finalizer may hold it for a while."""

from typing import NoReturn

import structlog

from console.cluster import errors
from console.knative.causes import Cause, Code
from console.knative.changes import Applied, ChangeRefused
from console.knative.objects import KubeObject, Revision, Service
from console.operations import faults
from console.operations.engine.turns import RETRY_SECONDS, Pause, Turn
from console.operations.models.statuses import Notice, Status

log = structlog.get_logger(__name__)


def is_deleted(turn: Turn, fresh: Service | None) -> bool:
    """Whether the service that an earlier turn set out to delete is gone; raises Pause while it is going."""
    if not turn.operation.base_version:
        return False
    if fresh is not None and fresh.uid == turn.operation.uid:
        if fresh.is_being_deleted:
            _wait(turn)
        return False
    return True


def delete_service(turn: Turn, fresh: Service) -> None:
    """Delete the service as it was read and return once it is gone; raises Conflict, Pause or Ended."""
    turn.save_intent(base_version=fresh.resource_version)
    faults.reach("before-write")
    turn.require_lease()
    try:
        turn.gateway.delete_service(fresh.namespace, fresh.name, uid=fresh.uid, version=fresh.resource_version)
    except errors.NotFound:
        log.info("service_already_gone", service=fresh.name)
    except errors.Refused as refusal:
        turn.fail(Status.REFUSED, Code.REFUSED, refusal)
    faults.reach("after-write")
    _stop_unless_gone(turn, turn.read(), fresh)


def delete_revision(turn: Turn, applied: Applied) -> None:
    """Delete the revision if nothing is routed to it and return once it is gone; raises Conflict, Pause or Ended."""
    try:
        name = applied.change.object_name(applied.after)
    except ChangeRefused as refusal:
        turn.refuse(refusal)
    revision = _revision(turn, name)
    if revision is None:
        log.info("revision_already_gone", revision=name)
        return
    if revision.is_being_deleted and turn.operation.base_version:
        _wait(turn)
    turn.save_intent(base_version=revision.resource_version)
    faults.reach("before-write")
    turn.require_lease()
    try:
        turn.gateway.delete_revision(
            turn.operation.namespace, name, uid=revision.uid, version=revision.resource_version
        )
    except errors.NotFound:
        log.info("revision_already_gone", revision=name)
    except errors.Refused as refusal:
        turn.fail(Status.REFUSED, Code.REFUSED, refusal)
    faults.reach("after-write")
    _stop_unless_gone(turn, _revision(turn, name), revision)


def _revision(turn: Turn, name: str) -> Revision | None:
    try:
        return turn.gateway.revision(turn.operation.namespace, name)
    except errors.NotFound:
        return None


def _stop_unless_gone(turn: Turn, now: KubeObject | None, deleted: KubeObject) -> None:
    if now is not None and now.uid == deleted.uid:
        _wait(turn)


def _wait(turn: Turn) -> NoReturn:
    """The API server has accepted the deletion and something holds the object still; always raises Pause or Ended."""
    if turn.is_late:
        turn.finish(Status.TIMED_OUT, cause=Cause(Code.STILL_DELETING))
    turn.notice(Notice.STILL_DELETING)
    raise Pause(RETRY_SECONDS)

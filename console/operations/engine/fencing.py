"""Blocking a write that an earlier turn may still send, before it is said that nothing was written.

A worker may be stopped between its intent and its request (SIGSTOP, a machine that sleeps), or its request may still be
under way. An update and a deletion name the resourceVersion that they were made for, so they cannot happen once the
object has another one. A creation cannot be prevented so: there, only the lease keeps a worker that wakes up from
sending (`Turn.require_lease`), and what still arrives is found and recorded (console.operations.external.late_writes).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from console.cluster import errors
from console.knative.diff import FENCED_BY
from console.knative.objects import Service
from console.operations.engine.turns import Turn

NEW = "new"  # in place of the resourceVersion in the intent to create

log = structlog.get_logger(__name__)


@contextmanager
def ends(turn: Turn, fresh: Service | None) -> Iterator[None]:
    """Within, an operation that ends unwritten is fenced first; raises Conflict when the object has moved meanwhile."""
    turn.before_unwritten_end = lambda: _fence(turn, fresh)
    try:
        yield
    finally:
        turn.before_unwritten_end = None


def _fence(turn: Turn, fresh: Service | None) -> None:
    """Move the resourceVersion if an earlier turn meant to write on this one.

    1. Nothing to do where no earlier turn had an intent, or where the object has another version by now.
    2. Ask by a dry run whether writing an annotation changes nothing else: a webhook may fill the template.
    3. Write it, with the version as the condition. If that fails, the earlier write arrived, or somebody's: read again.
    """
    if fresh is None or fresh.resource_version != turn.earlier_base:
        return
    marked = fresh.with_annotations({**fresh.annotations, FENCED_BY: str(turn.operation.id)})
    try:
        if turn.gateway.replace_service(marked, dry_run=True).generation != fresh.generation:
            log.warning("not_fenced", operation=str(turn.operation.id), reason="a webhook changes the spec")
            return
        turn.require_lease()
        turn.gateway.replace_service(marked)
    except errors.Refused as refusal:
        log.warning("not_fenced", operation=str(turn.operation.id), reason=refusal.reason)

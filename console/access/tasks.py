"""The tasks of exports: an export has what one person can read, so it needs that person's permissions."""

from console import worker
from console.access import audit_exports
from console.queue import TaskName, task


@task(TaskName.EXPORT_ENTRIES)
def export_entries(export_id: str, reached: int) -> None:
    """Write the next part of an export of the audit log."""
    audit_exports.take_turn(export_id, reached, worker.stopping)


@task(TaskName.SWEEP_EXPORTS)
def sweep() -> None:
    """Enqueue the exports that nobody works on, and forget those of long ago."""
    audit_exports.enqueue_stalled()
    audit_exports.forget_old()

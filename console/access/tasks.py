"""The tasks of access: exports have what one person can read, so they need that person's permissions; snapshots."""

from console import worker
from console.access import audit_exports, snapshots
from console.audit import reads
from console.queue import TaskName, task


@task(TaskName.EXPORT_ENTRIES)
def export_entries(export_id: str, reached: int) -> None:
    """Write the next part of an export of the audit log."""
    audit_exports.take_turn(export_id, reached, worker.stopping)


@task(TaskName.SWEEP_EXPORTS)
def sweep() -> None:
    """Enqueue the exports that nobody works on, forget those of long ago, and close the hours of reads."""
    audit_exports.enqueue_stalled()
    audit_exports.forget_old()
    reads.close_past()


@task(TaskName.CHECK_RIGHTS)
def check_rights() -> None:
    """Write everybody's rights to the log where that is due, or where they are not what the log says."""
    snapshots.check()

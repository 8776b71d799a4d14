"""Where a test may kill a worker: CONSOLE_FAULTS=1 and CONSOLE_FAULT_STOP_AT=<step> end the process at that step.

The marker file CONSOLE_FAULT_MARKER makes it happen once: the next worker passes.
"""

import os
import signal
from pathlib import Path

# Of a submission, "accepted" and "told" are the two sides of its audit entry, and "submitted" comes after the commit;
# the steps of a worker follow.
STEPS = (
    "claimed",
    "before-write",
    "after-write",
    "written",
    "line-written",
    "outcome-known",
    "before-end",
    "after-end",
)


def reach(step: str) -> None:
    """Die here, as by kill -9, when a test asked for it."""
    if os.environ.get("CONSOLE_FAULTS") != "1" or os.environ.get("CONSOLE_FAULT_STOP_AT") != step:
        return
    marker = Path(os.environ["CONSOLE_FAULT_MARKER"])
    try:
        marker.touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)

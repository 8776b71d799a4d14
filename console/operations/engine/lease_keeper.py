"""Prolonging the leases of a worker while its turns wait for a cluster: one thread for the process.

It stops with the process, so the lease of a worker that was killed, or stopped, runs out.
"""

import threading

import structlog
from django.db import Error, connection

from console.operations.engine import leases

INTERVAL = 1.5  # seconds

log = structlog.get_logger(__name__)


def start(stopping: threading.Event) -> threading.Thread:
    """Start the thread; it ends some time after `stopping` is set, when no lease is left."""
    thread = threading.Thread(target=_run, args=(stopping,), name="lease-keeper", daemon=True)
    thread.start()
    return thread


def _run(stopping: threading.Event) -> None:
    pause = threading.Event()
    while not stopping.is_set() or leases.has_any():
        pause.wait(INTERVAL)
        keep()


def keep() -> None:
    """Prolong what needs it. A database that does not answer is asked again the next time."""
    try:
        leases.renew(older_than=INTERVAL)
    except Error as error:
        log.warning("leases_not_renewed", reason=type(error).__name__)
        connection.close()

"""What all tasks of a worker share: that it was asked to stop."""

import threading

from celery.signals import worker_shutting_down

stopping = threading.Event()


@worker_shutting_down.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _stop(**_kwargs: object) -> None:
    """A task ends its part soon; the rest is queued for the next worker."""
    stopping.set()

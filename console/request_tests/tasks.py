"""The tasks of request tests."""

from console import worker
from console.queue import TaskName, task
from console.request_tests import sending


@task(TaskName.SEND_REQUESTS)
def send(test_id: str) -> None:
    """Send the requests of a test."""
    sending.send(test_id, worker.stopping)


@task(TaskName.SWEEP_REQUEST_TESTS)
def sweep() -> None:
    """Finish the tests whose worker died or whose message was lost, and forget those of long ago."""
    sending.end_interrupted()
    sending.forget_old()

"""Getting the next of something slow while the present one is still in use."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def ahead(source: Iterator[T]) -> Iterator[T]:
    """Yield what `source` yields, and raise what it raises, at most one item ahead of the consumer.

    A consumer that stops waits for nothing: what was being fetched ends by itself, in a thread that no process waits
    for, within the deadlines of the source.
    """
    coming = _begun(lambda: next(source, None))
    while (item := coming.result()) is not None:
        coming = _begun(lambda: next(source, None))
        yield item


def _begun(call: Callable[[], T]) -> "Future[T]":
    answer: Future[T] = Future()

    def run() -> None:
        try:
            answer.set_result(call())
        except BaseException as error:  # noqa: BLE001  raised where the answer is awaited
            answer.set_exception(error)

    threading.Thread(target=run, name="ahead", daemon=True).start()
    return answer

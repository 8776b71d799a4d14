"""What several people ask a cluster for again and again is asked once for all of them in a process."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from console.cluster.errors import ClusterError

# A little less than the 3 s between two looks of a page (templates/services/logs.html): the next one of a person who is
# alone is a new one.
KEPT_SECONDS = 2.5

T = TypeVar("T")


@dataclass(eq=False)
class _Look(Generic[T]):
    lock: threading.Lock = field(default_factory=threading.Lock)
    began_at: float = float("-inf")
    ended_at: float = float("-inf")
    found: T | None = None
    error: ClusterError | None = None

    @property
    def is_over(self) -> bool:
        return not self.lock.locked() and not self.is_recent

    @property
    def is_recent(self) -> bool:
        return time.monotonic() < self.began_at + KEPT_SECONDS

    def take(self, read: Callable[[], T]) -> None:
        """Read; an error of another kind is a fault of the reading: it is raised, and nothing is shared."""
        began_at, found, error = time.monotonic(), None, None
        try:
            found = read()
        except ClusterError as raised:
            error = raised
        self.began_at, self.found, self.error, self.ended_at = began_at, found, error, time.monotonic()


class Looks(Generic[T]):
    """What was found lately, by what was asked for; at most so many, and none for much longer than KEPT_SECONDS."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._lock = threading.Lock()
        self._by_key: OrderedDict[Hashable, _Look[T]] = OrderedDict()
        self._forgetting: threading.Timer | None = None  # one for all, while there is anything to forget

    def shared(self, key: Hashable, read: Callable[[], T]) -> T:
        """Return what was found lately, or else by reading; who asks meanwhile waits for the same.

        Raises the ClusterError of the reading, also for those who share it.
        """
        asked_at, look = time.monotonic(), self._look(key)
        with look.lock:
            if not look.is_recent and look.ended_at < asked_at:
                look.take(read)
            if look.error is not None:
                raise look.error.with_traceback(None)
            return look.found  # type: ignore[return-value]  # it was taken without an error

    def _look(self, key: Hashable) -> _Look[T]:
        with self._lock:
            look = self._by_key.setdefault(key, _Look())
            self._by_key.move_to_end(key)
            while len(self._by_key) > self.most:
                self._by_key.popitem(last=False)
            if self._forgetting is None:
                self._forget_later()
            return look

    def _forget_later(self) -> None:
        self._forgetting = threading.Timer(KEPT_SECONDS, self._forget)
        self._forgetting.daemon = True
        self._forgetting.start()

    def _forget(self) -> None:
        with self._lock:
            self._forgetting = None
            for over in [key for key, look in self._by_key.items() if look.is_over]:
                del self._by_key[over]
            if self._by_key:
                self._forget_later()

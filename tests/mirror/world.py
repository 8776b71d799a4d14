"""Watchers in threads of the test, each with a Redis client of its own as a process would have."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from console.cluster.connections import ClusterSettings, Connections
from console.mirror import read
from console.mirror.watcher import Watcher
from console.redis_client import client
from tests.sandbox_process import Sandbox

SEAL_KEY = b"seal"
STOP_SECONDS = 60


def clusters_of(*boxes: tuple[str, Sandbox]) -> Connections:
    """The sandboxes as clusters."""
    known = Connections()
    found = [ClusterSettings(name, url=box.url, token=box.token) for name, box in boxes]
    known.register(lambda: found)
    return known


class Running:
    """A watcher in a thread; `stop` ends it as SIGTERM does."""

    def __init__(self, clusters: Connections, url: str) -> None:
        self.client = redis.Redis.from_url(url, decode_responses=True, socket_timeout=5)
        self.watcher = Watcher(self.client, clusters, SEAL_KEY)
        self._stop = threading.Event()
        self.thread = threading.Thread(target=self.watcher.run, args=(self._stop,), daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self._stop.set()
        self.thread.join(STOP_SECONDS)
        assert not self.thread.is_alive(), "the watcher does not stop"

    def vanish(self) -> None:
        """Stop renewing the lock and never write again in time, as a machine does that freezes."""
        self.watcher._leadership.hold = lambda: False
        self.watcher._leadership.release = lambda: None


@contextmanager
def watching(clusters: Connections, url: str) -> Iterator[Running]:
    running = Running(clusters, url)
    try:
        yield running
    finally:
        running.stop()


def image_of(cluster: str, name: str, namespace: str = "default") -> str:
    """The mirrored image of a service, empty when it is not there."""
    found = {summary.name: summary for summary in read.services(cluster) if summary.namespace == namespace}
    return found[name].image if name in found else ""


def names(cluster: str) -> set[str]:
    return {f"{summary.namespace}/{summary.name}" for summary in read.services(cluster)}


def key(pattern: str) -> list[str]:
    return sorted(str(found) for found in client().scan_iter(pattern))

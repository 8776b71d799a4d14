"""What each cluster's Knative is and allows: read by the watcher on a slow schedule, kept in Redis for every page."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import redis
import structlog

from console.cluster.capabilities import read_capabilities
from console.cluster.connections import Connection
from console.cluster.errors import ClusterError
from console.cluster.gateway import Gateway
from console.knative.capabilities import Capabilities
from console.mirror import keys
from console.mirror.read import records
from console.mirror.store import LeadershipLost, MirrorWriter

REFRESH_SECONDS = 60.0  # an administrator's edit is seen within it
RETRY_SECONDS = 10.0  # after a cluster that did not answer; what was read before is kept meanwhile
AFTER_A_BUG = 300.0

log = structlog.get_logger(__name__)


class Record(msgspec.Struct, frozen=True):
    """Capabilities as Redis holds them, and when they were read (seconds since the epoch)."""

    at: float
    release: str
    settings: dict[str, dict[str, str] | None]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a cluster's Knative. `at` is None while the watcher has not read it."""

    capabilities: Capabilities
    at: float | None = None


_decoder = msgspec.json.Decoder(Record)


def of(cluster: str) -> Capabilities:
    """Return what the cluster's Knative is and allows; raises MirrorUnavailable. Unread, all of it is unknown."""
    return known(cluster).capabilities


def known(cluster: str) -> Known:
    """Return the same with the time when it was read; raises MirrorUnavailable."""
    body = records(keys.capabilities(cluster), (keys.SERVING,)).get(keys.SERVING)
    if body is None:
        return Known(Capabilities())
    record = _decoder.decode(body)
    return Known(Capabilities(record.release, record.settings), record.at)


def encoded(found: Capabilities, at: float) -> bytes:
    """Return the record of it for `MirrorWriter.keep_capabilities`."""
    settings = {name: None if data is None else dict(data) for name, data in found.settings.items()}
    return msgspec.json.encode(Record(at, found.release, settings))


@dataclass
class CapabilityReader:
    """One thread that reads the settings of one cluster's Knative, again and again until it is ended."""

    connection: Connection
    writer: MirrorWriter
    clock: Callable[[], float] = time.time
    _thread: threading.Thread = field(init=False)
    _stop: threading.Event = field(default_factory=threading.Event, init=False)

    def start(self) -> None:
        name = f"capabilities-{self.writer.cluster}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def needs_restart(self) -> bool:
        """The thread ended without being stopped."""
        return not self._thread.is_alive()

    def end(self) -> None:
        """Tell the thread to end. What it is about to write is not written."""
        self.writer.revoke()
        self._stop.set()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def _run(self) -> None:
        structlog.contextvars.bind_contextvars(cluster=self.writer.cluster)
        wait = 0.0
        while not self._stop.wait(wait):
            try:
                wait = self._read()
            except (LeadershipLost, redis.RedisError) as error:
                log.info("capabilities_thread_ended", reason=type(error).__name__)
                return
            except Exception:
                # The mirror continues without them: what was read before is shown with its age.
                log.exception("capabilities_not_read")
                wait = AFTER_A_BUG

    def _read(self) -> float:
        """Read them and keep them; returns after how many seconds to do it again."""
        try:
            found = read_capabilities(Gateway(self.connection))
        except ClusterError as error:
            log.info("capabilities_not_read", reason=type(error).__name__)
            return RETRY_SECONDS
        self.writer.keep_capabilities(encoded(found, self.clock()))
        return REFRESH_SECONDS

"""When an API server was last heard of: watches of a quiet cluster say nothing, and those of a dead one neither."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from console.cluster.errors import ClusterError, Unreachable
from console.cluster.transport import Transport

ASK_AFTER = 4.0  # seconds of silence; a silent server is found out within read.STALE_AFTER and a tick
ANSWER_SECONDS = 4.0

log = structlog.get_logger(__name__)


@dataclass
class LastContact:
    """The last sign of life of one API server, and a thread that asks for one when none has come for ASK_AFTER.

    It asks for /version, which every account may read; a refusal is a sign of life as well.
    """

    cluster: str
    transport: Transport
    clock: Callable[[], float]
    at: float = 0.0  # seconds since the epoch; 0: never
    error: str = ""  # why the last question had no answer
    _stop: threading.Event = field(default_factory=threading.Event, init=False)
    _thread: threading.Thread = field(init=False)

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=f"last-contact-{self.cluster}", daemon=True)
        self._thread.start()

    def heard(self) -> None:
        """Note that the server said something just now."""
        self.at, self.error = self.clock(), ""

    def end(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        structlog.contextvars.bind_contextvars(cluster=self.cluster)
        while not self._stop.wait(ASK_AFTER):
            if self.clock() - self.at >= ASK_AFTER:
                self._ask()

    def _ask(self) -> None:
        try:
            self.transport.with_timeout(ANSWER_SECONDS).call("GET", "/version")
        except Unreachable as error:
            if not self.error:
                log.warning("cluster_silent", error=str(error)[:300])
            self.error = str(error)[:300]
            return
        except ClusterError:
            pass  # an answer that refuses or fails is one
        self.heard()

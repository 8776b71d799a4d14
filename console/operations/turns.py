"""A worker's turn at one operation: the clock, the timeline and the two ways in which a turn is over early."""

import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn

from django.utils import timezone

from console.cluster import errors
from console.cluster.errors import ClusterError
from console.cluster.gateway import Gateway
from console.knative.objects import Service
from console.operations import faults
from console.operations.announce import tell
from console.operations.endings import end
from console.operations.gateways import gateway_for
from console.operations.leases import save
from console.operations.models import Operation, TimelineLine
from console.operations.statuses import Status


class Ended(Exception):
    """The operation has reached a terminal state."""


class Pause(Exception):
    """The turn is over, the operation is not: another turn should follow after `delay` seconds."""

    def __init__(self, delay: float = 0.0) -> None:
        super().__init__(delay)
        self.delay = delay


class Turn:
    """What the steps of an operation work with. Every save checks the lease and raises LeaseLost when it is gone."""

    def __init__(
        self, operation: Operation, stop: threading.Event, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.operation = operation
        self.stop = stop
        self.clock = clock
        since = (timezone.now() - operation.submitted_at).total_seconds()
        last = operation.lines.order_by("-sequence").values_list("elapsed", flat=True).first() or 0.0
        # A wall clock that was set back between two turns never makes the timeline run backwards.
        self._offset = max(since, last, 0.0) - clock()
        self._gateway: Gateway | None = None

    @property
    def elapsed(self) -> float:
        """Seconds since the submission."""
        return self.clock() + self._offset

    @property
    def is_late(self) -> bool:
        return self.elapsed > self.operation.deadline_seconds

    @property
    def gateway(self) -> Gateway:
        """The cluster as the person (or the console) sees it; made on first use, may raise a ClusterError."""
        if self._gateway is None:
            self._gateway = gateway_for(self.operation.cluster, self.operation.user, self._on_wait)
        return self._gateway

    def read(self) -> Service | None:
        """Return the service as it is now, or None when there is none."""
        try:
            return self.gateway.service(self.operation.namespace, self.operation.name)
        except errors.NotFound:
            return None

    def line(self, text: str, **fields: Any) -> TimelineLine:
        return TimelineLine(text=text, **{"elapsed": self.elapsed, **fields})

    def save(self, *lines: TimelineLine, announce: bool = True, **fields: Any) -> None:
        """Write fields and lines, prolong the lease, tell browsers."""
        save(self.operation, *lines, **fields)
        if announce:
            tell("operation", self.operation)

    def notice(self, code: str, error: ClusterError) -> None:
        """Say in the timeline why nothing moves; once, however often it is tried."""
        last = self.operation.lines.order_by("-sequence").first()
        if last is None or last.text != code:
            self.save(self.line(code, level="notice", facts={"raw": error.raw[:500]}))

    def end(self, status: Status, *lines: TimelineLine, cause: dict[str, Any] | None = None) -> NoReturn:
        """Bring the operation to its terminal state; always raises Ended."""
        faults.reach("before-end")
        end(self.operation, status, *lines, cause=cause or {})
        faults.reach("after-end")
        raise Ended

    def fail(self, status: Status, code: str, error: ClusterError) -> NoReturn:
        """End with the cluster's own message as the cause; always raises Ended."""
        raw = error.message if isinstance(error, errors.Refused) else error.raw
        self.end(status, cause={"code": code, "raw": raw[:4000]})

    def _on_wait(self, error: ClusterError, _seconds: float) -> None:
        self.notice("throttled" if isinstance(error, errors.Throttled) else "cluster-away", error)

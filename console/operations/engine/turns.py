"""A worker's turn at one operation: the clock, the timeline and the two ways in which a turn is over early."""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn

from django.db.models import Q
from django.utils import timezone

from console.cluster import errors
from console.cluster.connections import SourceUnavailable
from console.cluster.errors import ClusterError
from console.cluster.gateway import Gateway
from console.knative import causes
from console.knative.causes import MAX_RAW, Cause, Code, Named, Quota
from console.knative.changes import ChangeRefused
from console.knative.objects import Service
from console.knative.redaction import Redactor, hide_messages, secrets_of
from console.operations import faults
from console.operations.announce import tell
from console.operations.engine import cluster_events, leases
from console.operations.engine.finish import finish
from console.operations.engine.leases import LeaseLost, save
from console.operations.gateways import gateway_for
from console.operations.models import Operation, TimelineLine
from console.operations.models.statuses import Notice, Status
from console.operations.queue import enqueue_next
from console.operations.stopwatch import Stopwatch

_NOTICES: dict[type[ClusterError], Notice] = {
    errors.Throttled: Notice.THROTTLED,
    errors.ServerFailed: Notice.CLUSTER_FAILING,
    SourceUnavailable: Notice.DATABASE_AWAY,
}
IMPATIENT_SECONDS = 5.0
RETRY_SECONDS = 2.0  # until the next turn, where another one may find what this one did not


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
        self.told_until = 0.0  # seconds since the submission of the newest line that this turn wrote
        self.earlier_base = operation.base_version  # what an earlier turn may still be about to write upon
        self._holds_back = False  # lines were saved that browsers have not been told of
        self.before_unwritten_end: Callable[[], None] | None = None  # console.operations.engine.fencing
        self._stopwatch = Stopwatch(operation.elapsed, operation.clock_stamp, operation.saved_at, clock=clock)
        self._gateway: Gateway | None = None
        self._secrets: frozenset[str] | None = None
        self._redact: Redactor | None = None

    @property
    def elapsed(self) -> float:
        """Seconds since the submission."""
        return self._stopwatch.seconds

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
            service = self.gateway.service(self.operation.namespace, self.operation.name)
        except errors.NotFound:
            return None
        self._learn(secrets_of(service.raw))
        return service

    def _impatient_gateway(self) -> Gateway:
        """One that tries once and not for long: for what is nice to have."""
        connection = self.gateway.connection
        transport = connection.transport.with_timeout(IMPATIENT_SECONDS)
        return replace(self.gateway, connection=replace(connection, transport=transport), on_wait=_give_up)

    def line(self, text: str, **fields: Any) -> TimelineLine:
        """A line of the timeline. `text` is a code, or made of names, or of a status without secrets."""
        if "facts" in fields:
            fields["facts"] = self._redacted(fields["facts"])
        return TimelineLine(text=text, **{"elapsed": self.elapsed, **fields})

    def save(self, *lines: TimelineLine, announce: bool = True, only_if: Q | None = None, **fields: Any) -> None:
        """Write fields and lines, renew the lease, notify browsers."""
        watch = self._stopwatch
        fields |= {"elapsed": watch.seconds, "clock_stamp": watch.stamp, "saved_at": timezone.now()}
        save(self.operation, *lines, only_if=only_if, **fields)
        self.told_until = max([self.told_until, *(line.elapsed for line in lines)])
        if announce:
            tell("operation", self.operation)
        self._holds_back = not announce and (self._holds_back or bool(lines))

    def announce_held_back(self) -> None:
        """Notify browsers of lines that were saved without, because the end was expected with the next reading."""
        if self._holds_back:
            tell("operation", self.operation)
        self._holds_back = False

    def save_intent(self, **fields: Any) -> None:
        """Save what is about to be written; a cancellation that came first ends the operation instead."""
        try:
            self.save(only_if=Q(cancel_requested=False), announce="status" in fields, **fields)
        except LeaseLost:
            self.finish(Status.CANCELLED)  # raises LeaseLost itself when it was the lease

    def require_lease(self) -> None:
        """Raise LeaseLost when this worker was stopped for so long that another may have taken over.

        Called right before a write: what was decided before the stop does not hold any more.
        """
        if not leases.is_held(self.operation):
            raise LeaseLost

    def notice(self, code: Notice, **facts: str) -> None:
        """Say in the timeline why nothing moves; once, however often it is tried."""
        last = self.operation.lines.order_by("-sequence").first()
        if last is None or last.text != code:
            self.save(self.line(code.value, level="notice", facts=facts))

    def finish(self, status: Status, *lines: TimelineLine, cause: Cause | None = None) -> NoReturn:
        """Bring the operation to its terminal state; always raises Ended."""
        if self.before_unwritten_end and not self.operation.is_written and status is not Status.SUCCEEDED:
            self.before_unwritten_end()
        faults.reach("before-end")
        finish(self.operation, status, *lines, cause=cause.redacted(self.without_secrets) if cause else None)
        faults.reach("after-end")
        enqueue_next(self.operation)
        # Afterwards: what is claimed has just been read, and nothing that may take long comes between.
        if self.operation.is_written:
            cluster_events.leave(self._impatient_gateway, self.operation, status)
        raise Ended

    def refuse(self, refusal: ChangeRefused) -> NoReturn:
        """End with a problem of the input; its text is made from its facts, so there is no raw message."""
        self.finish(Status.REFUSED, cause=causes.of_problem(refusal.problem))

    def fail(self, status: Status, code: Code, error: ClusterError) -> NoReturn:
        """End with the cluster's own message as the cause; always raises Ended."""
        refusal = error if isinstance(error, errors.Refused) else None
        raw = self.without_secrets(refusal.message if refusal else error.raw)[:MAX_RAW]
        cause = Cause(code, raw)
        if refusal and refusal.policy:
            cause = Cause(Code.POLICY, raw, Named(refusal.policy))
        elif refusal and refusal.quota:
            cause = Cause(Code.QUOTA, raw, Quota(refusal.quota))
        self.finish(status, cause=cause)

    def without_secrets(self, text: str) -> str:
        """Return a text of the cluster without what the service keeps secret, before the change and after it.

        Webhooks repeat parts of what they refuse, and conditions repeat what a container printed.
        """
        return self._redactor(text)

    def without_secrets_in_status(self, service: Service) -> Service:
        """Return a service whose messages can be shown and stored."""
        self._learn(secrets_of(service.raw))
        return Service(hide_messages(service.raw, self._known_secrets()))

    @property
    def _redactor(self) -> Redactor:
        if self._redact is None:
            self._redact = Redactor(self._known_secrets())
        return self._redact

    def _known_secrets(self) -> frozenset[str]:
        """Those of before the change and after it, and of whatever was read since."""
        if self._secrets is None:
            self._secrets = secrets_of(self.operation.seen.raw)
            with contextlib.suppress(ChangeRefused):  # it adds no values then
                self._secrets |= secrets_of(self.operation.applied.after.raw)
        return self._secrets

    def _learn(self, secrets: frozenset[str]) -> None:
        known = self._known_secrets()
        if not secrets <= known:
            self._secrets, self._redact = known | secrets, None

    def _redacted(self, facts: Any) -> Any:
        """JSON data with every text in it redacted."""
        if isinstance(facts, str):
            return self.without_secrets(facts)
        if isinstance(facts, dict):
            return {name: self._redacted(value) for name, value in facts.items()}
        return [self._redacted(value) for value in facts] if isinstance(facts, list | tuple) else facts

    def notice_away(self, error: ClusterError) -> None:
        """Say that the cluster does not answer, fails or asks to wait, by the class of the error."""
        code = next((code for kind, code in _NOTICES.items() if isinstance(error, kind)), Notice.CLUSTER_AWAY)
        self.notice(code, raw=self.without_secrets(error.raw)[:500])

    def _on_wait(self, error: ClusterError, _seconds: float) -> None:
        self.notice_away(error)


def _give_up(error: ClusterError, _seconds: float) -> None:
    raise error

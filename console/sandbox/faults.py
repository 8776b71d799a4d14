"""Faults that a test orders: the next matching requests are refused, delayed or cut, as bad days have them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from console.sandbox import errors, shapes
from console.sandbox.rbac import Attributes

REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    410: "Expired",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}
CUTS = ("", "before", "after")


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the next `times` requests that match; an empty field matches everything.

    code: answered with that Status instead of the real answer (0: not refused);
    retry_after: seconds, as header and detail; delay_ms: waited before the request is looked at;
    cut: the connection breaks "before" or "after" the request took effect;
    fill: a JSON merge patch of what is written, as a mutating webhook of the cluster makes one.
    """

    verb: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    times: int = 1
    code: int = 0
    message: str = ""
    retry_after: int | None = None
    delay_ms: int = 0
    cut: str = ""
    fill: dict[str, Any] = field(default_factory=dict)

    def matches(self, wanted: Attributes) -> bool:
        """Whether the request is one that this fault is for."""
        return all(
            not mine or mine == theirs
            for mine, theirs in (
                (self.verb, wanted.verb),
                (self.resource, wanted.full_resource),
                (self.namespace, wanted.namespace),
                (self.name, wanted.name),
            )
        )

    def error(self) -> errors.StatusError | None:
        """The refusal, or None for a fault that refuses nothing."""
        if not self.code:
            return None
        reason = REASONS.get(self.code, "InternalError")
        message = self.message or f"ordered by a test: {reason}"
        return errors.StatusError(self.code, reason, message, retry_after=self.retry_after)


class Faults:
    """The ordered faults, first come first served."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def order(self, wanted: dict[str, Any]) -> Fault:
        """Add a fault from JSON; raises StatusError 400 for a field or value that it does not have."""
        known = {each.name for each in fields(Fault)}
        if unknown := sorted(set(wanted) - known):
            raise errors.bad_request(f"a fault has no {', '.join(unknown)}; it has {', '.join(sorted(known))}")
        fault = shapes.read(wanted, Fault)
        if fault.cut not in CUTS:
            raise errors.bad_request(f"cut is one of {', '.join(CUTS[1:])}, not {fault.cut}")
        if fault.code and fault.code not in REASONS:
            raise errors.bad_request(f"code is one of {', '.join(map(str, REASONS))}, not {fault.code}")
        self._faults.append(fault)
        return fault

    def take(self, wanted: Attributes) -> Fault | None:
        """The fault for this request, if any; it counts as used."""
        for index, fault in enumerate(self._faults):
            if fault.matches(wanted):
                if fault.times > 1:
                    self._faults[index] = replace(fault, times=fault.times - 1)
                else:
                    del self._faults[index]
                return fault
        return None

    def clear(self) -> None:
        """Forget all that is ordered."""
        self._faults.clear()

    def listing(self) -> list[dict[str, Any]]:
        """What is still to come."""
        return [asdict(fault) for fault in self._faults]

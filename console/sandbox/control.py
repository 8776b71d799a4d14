"""`/sandbox/...`: what a test may order. No cluster has these paths; only system:masters may use them.

POST /sandbox/faults   a Fault as JSON (see faults.py), or {"cut_watches": true}, or {"forget_history": true}
GET, DELETE            the faults still to come; forget them
GET, POST /sandbox/speed   {"speed": 50}: how much faster than life the controllers go
GET /sandbox/facts     how many objects, watches and versions there are, and how many requests there were
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from console.sandbox import errors
from console.sandbox.calls import json_object
from console.sandbox.faults import Faults
from console.sandbox.knative.version import knative_version
from console.sandbox.resources import TABLE
from console.sandbox.store import Store
from console.sandbox.watch import Watches

FASTEST = 10_000


class Clock(Protocol):
    """The part of the controllers' clock that can be set from outside."""

    speed: float


class Control:
    """Answers the control paths."""

    def __init__(
        self, store: Store, faults: Faults, watches: Watches, clock: Clock | None, requests: Mapping[str, int]
    ) -> None:
        """`requests` are those so far, by verb and resource or path."""
        self._requests = requests
        self._store = store
        self._faults = faults
        self._watches = watches
        self._clock = clock

    def answer(self, method: str, subject: str, body: bytes) -> dict[str, Any]:
        """The answer's JSON; raises StatusError 400, 404 or 405."""
        wanted = json_object(body, "") if method == "POST" else {}
        if subject == "faults":
            return self._answer_faults(method, wanted)
        if subject == "speed":
            return self._answer_speed(method, wanted)
        if subject == "facts" and method == "GET":
            counts = {resource.qualified: self._store.count(resource) for resource in TABLE}
            facts = {
                "knative": str(knative_version()),
                "version": self._store.version,
                "watches": len(self._watches),
                "objects": counts,
            }
            return {**facts, "requests": dict(self._requests)}
        raise errors.unknown_path()

    def _answer_faults(self, method: str, wanted: dict[str, Any]) -> dict[str, Any]:
        if method == "DELETE":
            self._faults.clear()
        elif wanted.get("cut_watches") or wanted.get("forget_history"):
            if wanted.get("forget_history"):
                self._store.forget_history()
            if wanted.get("cut_watches"):
                self._watches.cut()
        elif method == "POST":
            self._faults.order(wanted)
        return {"faults": self._faults.listing()}

    def _answer_speed(self, method: str, wanted: dict[str, Any]) -> dict[str, Any]:
        if self._clock is None:
            raise errors.bad_request("no controllers run, so there is no speed")
        if method == "POST":
            speed = wanted.get("speed")
            if isinstance(speed, bool) or not isinstance(speed, int | float) or not 0 < speed <= FASTEST:
                raise errors.bad_request(f"speed is a number above 0 and up to {FASTEST}, not {speed!r}")
            self._clock.speed = float(speed)
        return {"speed": self._clock.speed}

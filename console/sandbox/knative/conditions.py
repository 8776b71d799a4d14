"""Conditions as knative.dev/pkg/apis keeps them: Ready follows the ones it depends on, the others only inform."""

from __future__ import annotations

from typing import Any

READY = "Ready"
TRUE, FALSE, UNKNOWN = "True", "False", "Unknown"


class Conditions:
    """A working copy of one object's conditions; `as_list` gives what its status is to carry.

    A change of status, reason or message sets lastTransitionTime to `now`. Conditions outside `dependents` have the
    severity Info. The rules for Ready: the last mark of Unknown wins unless something is False; False wins at once;
    True recomputes from the worst that is left.
    """

    def __init__(self, existing: list[dict[str, Any]], dependents: tuple[str, ...], now: str) -> None:
        self._dependents = dependents
        self._now = now
        self._before = {condition["type"]: condition for condition in existing}
        self._by_type = dict(self._before)
        self._marked: list[str] = []  # most recent last
        for kind in (*dependents, READY):
            if kind not in self._by_type:
                self._set(kind, UNKNOWN)

    def status(self, kind: str) -> str:
        """True, False or Unknown; Unknown for one that is not there."""
        return str(self._by_type.get(kind, {}).get("status", UNKNOWN))

    def reason(self, kind: str) -> str:
        """Its reason or nothing."""
        return str(self._by_type.get(kind, {}).get("reason", ""))

    def as_list(self) -> list[dict[str, Any]]:
        """The conditions, ordered by type; one that came back to what it was did not change."""
        return [self._settled(kind) for kind in sorted(self._by_type)]

    def _settled(self, kind: str) -> dict[str, Any]:
        now, before = self._by_type[kind], self._before.get(kind, {})
        return before if _timeless(before) == _timeless(now) else now

    def mark_true(self, kind: str, reason: str = "", message: str = "") -> None:
        """This is well."""
        self._mark(kind, TRUE, reason, message)
        if kind in self._dependents:
            self._recompute_ready()

    def mark_false(self, kind: str, reason: str, message: str = "") -> None:
        """This failed."""
        self._mark(kind, FALSE, reason, message)
        if kind in self._dependents:
            self._set(READY, FALSE, reason, message)

    def mark_unknown(self, kind: str, reason: str = "", message: str = "") -> None:
        """This is on its way."""
        self._mark(kind, UNKNOWN, reason, message)
        if kind not in self._dependents:
            return
        if any(self.status(each) == FALSE for each in self._dependents):
            if self.status(READY) != FALSE:
                self._recompute_ready()
            return
        self._set(READY, UNKNOWN, reason, message)

    def _mark(self, kind: str, status: str, reason: str, message: str) -> None:
        self._set(kind, status, reason, message)
        if kind in self._marked:
            self._marked.remove(kind)
        self._marked.append(kind)

    def _recompute_ready(self) -> None:
        for status in (FALSE, UNKNOWN):
            found = [kind for kind in self._dependents if self.status(kind) == status]
            if found:
                latest = max(found, key=self._recency)
                condition = self._by_type[latest]
                self._set(READY, status, condition.get("reason", ""), condition.get("message", ""))
                return
        self._set(READY, TRUE)

    def _recency(self, kind: str) -> tuple[str, int]:
        marked = self._marked.index(kind) if kind in self._marked else -1
        return str(self._by_type[kind].get("lastTransitionTime", "")), marked

    def _set(self, kind: str, status: str, reason: str = "", message: str = "") -> None:
        condition: dict[str, Any] = {}
        if message:
            condition["message"] = message
        if reason:
            condition["reason"] = reason
        if kind != READY and kind not in self._dependents:
            condition["severity"] = "Info"
        condition |= {"status": status, "type": kind}
        if _timeless(self._by_type.get(kind, {})) != condition:
            self._by_type[kind] = {"lastTransitionTime": self._now} | condition


def _timeless(condition: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in condition.items() if field != "lastTransitionTime"}


def condition_of(obj: dict[str, Any], kind: str) -> dict[str, Any]:
    """One condition of an object's status, or an empty one."""
    conditions: list[dict[str, Any]] = (obj.get("status") or {}).get("conditions") or []
    return next((condition for condition in conditions if condition["type"] == kind), {})

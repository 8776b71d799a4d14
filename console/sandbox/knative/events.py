"""Events about objects, as controllers and the kubelet write them: counted when repeated, the oldest forgotten."""

from __future__ import annotations

from collections import OrderedDict

from console.sandbox.knative.clock import Clock
from console.sandbox.knative.objects import Object, key_of
from console.sandbox.resources import EVENTS
from console.sandbox.store import Store

EVENTS_KEPT = 2000
NORMAL, WARNING = "Normal", "Warning"


class EventRecorder:
    """Writes core/v1 Events; keeps the newest `EVENTS_KEPT` that it wrote itself."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._written: OrderedDict[tuple[str, str, str], tuple[str, str]] = OrderedDict()  # what it says -> its key

    def record(self, about: Object, reason: str, message: str, *, source: str, kind: str = NORMAL) -> None:
        """Say that something happened to `about`; the same thing again raises the count of its event.

        A namespace that is being deleted takes no event: it would hold the namespace forever.
        """
        if self._store.is_terminating(about["metadata"]["namespace"]):
            return
        name = about["metadata"]["name"]
        fact = (about["metadata"].get("uid", name), reason, message)
        now = self._clock.timestamp()
        known = self._store.find(EVENTS, *self._written.get(fact, ("", "")))
        if known is not None:
            self._store.update(EVENTS, known | {"count": known["count"] + 1, "lastTimestamp": now})
            return
        event = event_for(about, reason, message, source=source, kind=kind, now=now)
        event["metadata"]["name"] = self._free_name(about)
        self._store.create(EVENTS, event)
        self._written[fact] = key_of(event)
        while len(self._written) > EVENTS_KEPT:
            _, oldest = self._written.popitem(last=False)
            if self._store.find(EVENTS, *oldest):  # may have gone with its namespace
                self._store.delete(EVENTS, *oldest)

    def _free_name(self, about: Object) -> str:
        """Named by the nanosecond, as Kubernetes does: the events of an object are listed in their order."""
        namespace, name = key_of(about)
        at = int(self._clock.now().timestamp() * 1_000_000) * 1_000
        while self._store.find(EVENTS, namespace, f"{name}.{at:x}"):
            at += 1
        return f"{name}.{at:x}"


def event_for(about: Object, reason: str, message: str, *, source: str, kind: str, now: str) -> Object:
    """The Event, still without a name."""
    metadata = about["metadata"]
    reference = {
        "apiVersion": about["apiVersion"],
        "kind": about["kind"],
        "name": metadata["name"],
        "namespace": metadata["namespace"],
    }
    reference |= {field: metadata[field] for field in ("uid", "resourceVersion") if field in metadata}
    return {
        "metadata": {"namespace": metadata["namespace"]},
        "involvedObject": reference,
        "reason": reason,
        "message": message,
        "type": kind,
        "count": 1,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "source": {"component": source},
        "reportingComponent": source,
        "reportingInstance": "",
    }

"""What a Service means, for comparing two of them, and what a quantity means."""

from __future__ import annotations

import copy
import re
from decimal import Decimal
from typing import Any

USER_IMAGE = "client.knative.dev/user-image"
UPDATE_TIMESTAMP = "client.knative.dev/updateTimestamp"

Json = dict[str, Any]

_FACTORS = {"n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1)} | {
    prefix: Decimal(1000) ** power for power, prefix in enumerate("kMGTPE", 1)
} | {f"{prefix}i": Decimal(1024) ** power for power, prefix in enumerate("KMGTPE", 1)}  # fmt: skip


def quantity(text: str) -> Decimal:
    """The number that a quantity means; raises ValueError."""
    found = re.fullmatch(r"([+-]?[0-9.]+)([eE][+-]?[0-9]+)?(n|u|m|[kMGTPE]i?|Ki)?", text)
    if not found:
        raise ValueError(f"quantities must match the regular expression: {text}")
    return Decimal(found[1] + (found[2] or "")) * _FACTORS[found[3] or ""]


def meant(service: Json) -> Json:
    """Return what the object means, for comparing: what Go's types, the API and kn's bookkeeping write is left out.

    Left out: status, kn's time stamp and image note, empty folders, empty texts, a percent of 0, the order of volumes,
    of mounts and of traffic targets, and how a quantity is written.
    """
    found = copy.deepcopy(service)
    found.pop("status", None)
    template = found["spec"].get("template") or {}
    for key in (USER_IMAGE, UPDATE_TIMESTAMP):
        ((template.get("metadata") or {}).get("annotations") or {}).pop(key, None)
    pod = template.get("spec") or {}
    for container in pod.get("containers") or ():
        for values in ((container.get("resources") or {}).get(kind) or {} for kind in ("requests", "limits")):
            values.update({name: str(quantity(str(value)).normalize()) for name, value in values.items()})
        container["env"] = [variable(entry) for entry in container.get("env") or ()]
    for volume in pod.get("volumes") or ():
        if size := (volume.get("emptyDir") or {}).get("sizeLimit"):
            volume["emptyDir"]["sizeLimit"] = str(quantity(str(size)).normalize())
    found["spec"]["traffic"] = found["spec"].get("traffic") or [{"latestRevision": True, "percent": 100}]
    return _without_order(pruned(found))


def variable(entry: Json | None) -> Json | None:
    """A literal value that is absent is empty."""
    return {"value": "", **entry} if entry and "valueFrom" not in entry else entry


def _without_order(service: Json) -> Json:
    pod = (service["spec"].get("template") or {}).get("spec") or {}
    for holder, key in (
        (service["spec"], "traffic"),
        (pod, "volumes"),
        *((c, "volumeMounts") for c in pod.get("containers", ())),
    ):
        if key in holder:
            holder[key] = sorted(holder[key], key=lambda entry: sorted(map(str, entry.items())))
    return service


def pruned(value: Any, key: str = "") -> Any:
    """Without empty fields, which Go's `omitempty` leaves out; `emptyDir: {}` and the like mean something."""
    if isinstance(value, dict):
        kept = {inner: pruned(one, inner) for inner, one in value.items()}
        kinds = ("emptyDir", "tcpSocket", "httpGet")
        is_text_map = key in ("labels", "annotations", "nodeSelector")
        return {
            inner: one
            for inner, one in kept.items()
            if is_text_map
            or inner in kinds
            or not (one in ({}, [], "", None) or one is False or (inner in _ZEROS and one == 0))
        }
    return [pruned(one) for one in value] if isinstance(value, list) else value


# Numbers whose zero Go does not write.
_ZEROS = {
    "initialDelaySeconds", "periodSeconds", "timeoutSeconds", "successThreshold", "failureThreshold", "port", "percent",
}  # fmt: skip

"""Keeping secret what may be secret: literal env values, and copies of them in annotations and free text."""

import copy
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from typing import Any

MASK = "••••"
SEALED = "sealed:"
# Annotations in which tools keep whole copies of the object, values included.
COPIES = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "kapp.k14s.io/original",
    "objectset.rio.cattle.io/applied",
)


def seal_env(raw: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    """Return the object with each literal env value replaced by a keyed digest (`sealed:` and 16 hex digits).

    Equal values of one installation have equal digests, so two revisions can be compared without their values.
    managedFields and annotations that carry a copy of the whole object are dropped.
    """
    return _with_env_values(raw, lambda value: SEALED + hmac.new(key, value.encode(), hashlib.sha256).hexdigest()[:16])


def mask_env(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object with each literal env value replaced by the same mask, for showing."""
    return _with_env_values(raw, lambda _value: MASK)


def env_values(raw: Mapping[str, Any]) -> frozenset[str]:
    """Return every literal env value of the object, for keeping them out of other texts."""
    return frozenset(
        str(entry["value"])
        for container in containers(raw)
        for entry in container.get("env") or ()
        if entry.get("value")
    )


def redact_text(text: str, secrets: Iterable[str]) -> str:
    """Return the text without the given values. Values under 4 characters stay: masking them would shred any text.

    A value is also found as JSON and Go write it in their messages, and line by line, as a log shows it.
    """
    spellings = {spelling for secret in secrets for spelling in _spellings(secret) if len(spelling) >= 4}
    for spelling in sorted(spellings, key=lambda spelling: (-len(spelling), spelling)):
        text = text.replace(spelling, MASK)
    return text


def _spellings(secret: str) -> Iterable[str]:
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    lines = secret.splitlines()
    if len(lines) > 1:
        yield from (line for line in lines if len(line) >= 8)


def containers(raw: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the containers of every kind of a Service, Configuration, Revision or Pod."""
    spec = raw.get("spec") or {}
    pod_spec = (spec.get("template") or {}).get("spec") or spec
    kinds = ("containers", "initContainers", "ephemeralContainers")
    return [container for kind in kinds for container in pod_spec.get(kind) or ()]


def _with_env_values(raw: Mapping[str, Any], change: Any) -> dict[str, Any]:
    changed = copy.deepcopy(dict(raw))
    metadata = changed.get("metadata") or {}
    metadata.pop("managedFields", None)
    for name in COPIES:
        (metadata.get("annotations") or {}).pop(name, None)
    for container in containers(changed):
        for entry in container.get("env") or ():
            if entry.get("value"):
                entry["value"] = change(str(entry["value"]))
    return changed

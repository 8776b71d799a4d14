"""What the sandbox says of a case: its own API's create or patch, in a cluster that holds the case's config maps."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from console.sandbox import patches
from console.sandbox.calls import Call
from console.sandbox.errors import StatusError
from console.sandbox.furnishing import Furnisher
from console.sandbox.identity import authenticated
from console.sandbox.knative.admission import Admission
from console.sandbox.resources import CONFIGMAPS, CONFIGURATIONS, NAMESPACES, REVISIONS, ROUTES, SERVICES
from console.sandbox.store import Store
from console.sandbox.writing import Writer
from tests.sandbox.webhook.cases import Case

RESOURCES = {each.kind: each for each in (SERVICES, CONFIGURATIONS, ROUTES, REVISIONS)}
SYSTEM = "knative-serving"
OF_THE_STORE = ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields")


def line(code: int, message: str, stored: dict[str, Any] | None) -> str:
    """A verdict as it is recorded: the refusal with its code of HTTP, or the digest of what is stored."""
    if stored is None:
        return f"{code} {message}"
    metadata = {key: value for key, value in stored["metadata"].items() if key not in OF_THE_STORE}
    compared = {key: value for key, value in stored.items() if key != "status"} | {"metadata": metadata}
    return f"stored {hashlib.sha256(json.dumps(compared, sort_keys=True).encode()).hexdigest()[:12]}"


def verdict(case: Case) -> str:
    """The sandbox's answer."""
    store = Store()
    for name in ("default", SYSTEM):
        store.create(NAMESPACES, {"metadata": {"name": name}})
    for name, data in case.configuration.items():
        store.create(CONFIGMAPS, {"metadata": {"name": name, "namespace": SYSTEM}, "data": data})
    writer = Writer(store, Admission(store), Furnisher(store))
    try:
        stored = writer.create(_call(case, "create", case.create, "alice")).body
        if case.patch is not None:
            stored = writer.patch(_call(case, "patch", case.patch, "bob")).body
    except StatusError as refusal:
        return line(refusal.code, refusal.message, None)
    return line(200, "", stored)


def _call(case: Case, verb: str, body: dict[str, Any], user: str) -> Call:
    return Call(
        user=authenticated(user, user, []),
        verb=verb,
        resource=RESOURCES[case.kind],
        namespace="default",
        name=case.create["metadata"]["name"] if verb == "patch" else "",
        subresource="",
        query={},
        content_type=patches.MERGE_PATCH if verb == "patch" else "application/json",
        body=json.dumps(body).encode(),
    )

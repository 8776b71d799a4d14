"""Helpers of the tests about managedFields and server-side apply."""

from __future__ import annotations

from urllib.parse import quote

from tests.contract.client import Answer, Client, Namespace, Object

APPLY = "application/apply-patch+yaml"
HALVES = [{"revisionName": "greet-00001", "percent": 50}, {"latestRevision": True, "percent": 50}]


def apply(api: Client, path: str, body: Object, by: str = "me", query: str = "") -> Answer:
    return api.ask("PATCH", f"{path}?fieldManager={quote(by)}{query}", body, type=APPLY)


def owners(obj: Object) -> dict[tuple[str, str, str], Object]:
    """The fields of each manager, by its name, operation and subresource."""
    return {
        (each["manager"], each["operation"], each.get("subresource", "")): each["fieldsV1"]
        for each in obj["metadata"].get("managedFields", ())
    }


def owned(obj: Object, by: str, operation: str = "Update", subresource: str = "") -> Object | None:
    return owners(obj).get((by, operation, subresource))


def data(name: str = "m", **values: str | None) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": values}


def maps(ns: Namespace, name: str = "") -> str:
    return ns.path("configmaps", name)


def split(*targets: Object) -> Object:
    return {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "spec": {"traffic": list(targets)}}


LEAF: Object = {}

"""What the API says about itself: groups, versions, resources, the server's version and its OpenAPI documents."""

from __future__ import annotations

import platform
from typing import Any

from console.sandbox import errors, resources
from console.sandbox.openapi.document import document
from console.sandbox.paths import nothing
from console.sandbox.resources import Resource
from console.sandbox.reviews import AUTHENTICATION, AUTHORIZATION, Reviews

VERSION = {
    "major": "1",
    "minor": "36",
    "gitVersion": "v1.36.3+sandbox",
    "gitCommit": "unknown",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "none",
    "compiler": "python",
    "platform": f"{platform.system()}/{platform.machine()}".lower(),
}
OF_CUSTOM_KINDS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")  # in this order
OPENAPI_ROOT = "/openapi/v3"


class Discovery:
    """The documents; none of them changes while the sandbox runs."""

    def __init__(self, reviews: Reviews) -> None:
        self._reviews = reviews

    def core_versions(self, address: str) -> dict[str, Any]:
        """`/api`; `address` is what the client reached the server as."""
        server = {"clientCIDR": "0.0.0.0/0", "serverAddress": address}
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [server]}

    def groups(self) -> dict[str, Any]:
        """`/apis`."""
        named = [self._group(group, version) for group, version in self._group_versions() if group]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": named}

    def group(self, name: str) -> dict[str, Any]:
        """`/apis/<group>`; raises StatusError 404."""
        for group, version in self._group_versions():
            if group and group == name:
                return {"kind": "APIGroup", "apiVersion": "v1", **self._group(group, version)}
        raise errors.page_not_found()

    def resource_list(self, group: str, version: str) -> dict[str, Any]:
        """`/api/v1` and `/apis/<group>/<version>`; raises StatusError 404."""
        if (group, version) not in self._group_versions():
            raise nothing(group)
        rows: list[dict[str, Any]] = []
        for resource in resources.TABLE:
            if (resource.group, resource.version) == (group, version):
                rows.append(_resource_row(resource))
                rows.extend(_subresource_row(resource, name) for name in resource.subresources)
        for plural, kind in self._reviews.kinds(group).items():
            rows.append({"name": plural, "singularName": "", "namespaced": False, "kind": kind, "verbs": ["create"]})
        group_version = f"{group}/{version}" if group else version
        rows.sort(key=lambda row: str(row["name"]))  # kubectl prints `get all` in the order of the custom kinds
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": rows}

    def openapi_paths(self) -> dict[str, Any]:
        """`/openapi/v3`: where the document of each group and version is."""
        names = [_document_name(group, version) for group, version in self._group_versions()]
        return {"paths": {name: {"serverRelativeURL": f"{OPENAPI_ROOT}/{name}?hash=sandbox"} for name in names}}

    def openapi_document(self, name: str) -> dict[str, Any]:
        """`/openapi/v3/<name>`: kinds and the parameters of their verbs; raises StatusError 404."""
        for group, version in self._group_versions():
            if _document_name(group, version) == name:
                rows = [row for row in resources.TABLE if (row.group, row.version) == (group, version)]
                return document(group, rows, VERSION["gitVersion"])
        raise errors.page_not_found()

    def _group_versions(self) -> list[tuple[str, str]]:
        return [*resources.groups(), (AUTHENTICATION, "v1"), (AUTHORIZATION, "v1")]

    def _group(self, group: str, version: str) -> dict[str, Any]:
        served = {"groupVersion": f"{group}/{version}", "version": version}
        return {"name": group, "versions": [served], "preferredVersion": served}


def _resource_row(resource: Resource) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": resource.plural,
        "singularName": resource.kind.lower(),
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(OF_CUSTOM_KINDS if resource.is_custom else resource.verbs),
    }
    if resource.short_names:
        row["shortNames"] = list(resource.short_names)
    if resource.categories:
        row["categories"] = list(resource.categories)
    return row


def _subresource_row(resource: Resource, subresource: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": f"{resource.plural}/{subresource}",
        "singularName": "",
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": ["get", "patch", "update"],
    }
    if subresource == "log":
        row["verbs"] = ["get"]
    if subresource == "token":
        row |= {"group": AUTHENTICATION, "version": "v1", "kind": "TokenRequest", "verbs": ["create"]}
    return row


def _document_name(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"

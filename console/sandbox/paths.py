"""From a URL path and a method to a resource and a verb."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from console.sandbox import errors
from console.sandbox.resources import NAMESPACES, Resource, by_plural


class Place(NamedTuple):
    """What a path names; a collection has no name."""

    resource: Resource
    namespace: str
    name: str
    subresource: str


def located(group: str, version: str, path: str) -> Place:
    """The place of `path`, which is what follows the group and version; raises StatusError 404."""
    segments = path.split("/")
    namespace = ""
    if segments[0] == "namespaces" and len(segments) > 2 and segments[2] not in NAMESPACES.subresources:
        namespace, segments = segments[1], segments[2:]
    if len(segments) > 3 or not all(segments):
        raise errors.unknown_path()
    plural, name, subresource = (*segments, "", "")[:3]
    resource = by_plural(group, version, plural)
    if resource is None or (subresource and subresource not in resource.subresources):
        raise errors.unknown_path()
    if resource.namespaced != bool(namespace) and (name or not resource.namespaced):
        raise errors.unknown_path()
    return Place(resource, namespace, name, subresource)


def verb_of(method: str, place: Place, query: Mapping[str, str]) -> str:
    """The verb, as authorization knows it; raises StatusError 405."""
    if method == "GET":
        if place.name:
            return "get"
        return "watch" if query.get("watch", "") not in ("", "0", "false") else "list"
    if method == "DELETE" and not place.subresource:
        return "delete" if place.name else "deletecollection"
    if method == "POST" and (place.subresource == "token" or not place.name):
        if place.resource.namespaced and not place.namespace:
            raise errors.method_not_allowed()
        return "create"
    if method in ("PUT", "PATCH") and place.name and place.subresource in ("", "status"):
        return "update" if method == "PUT" else "patch"
    raise errors.method_not_allowed()

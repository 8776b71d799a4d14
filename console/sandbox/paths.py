"""From a URL path and a method to a resource and a verb."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from console.sandbox import errors
from console.sandbox.rbac import Attributes
from console.sandbox.resources import KNATIVE_GROUP, NAMESPACES, Resource, by_plural, groups

VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
OF_COLLECTIONS = {"GET": "list", "DELETE": "deletecollection"}


class Place(NamedTuple):
    """What a path names; a collection has no name."""

    resource: Resource
    namespace: str
    name: str
    subresource: str


def located(group: str, version: str, path: str) -> Place:
    """The place of `path`, which is what follows the group and version; raises StatusError 404."""
    namespace, segments = _segments(path)
    if len(segments) > 3 or not all(segments):
        raise nothing(group)
    plural, name, subresource = (*segments, "", "")[:3]
    resource = by_plural(group, version, plural)
    if resource is None:
        raise nothing(group)
    if resource.namespaced != bool(namespace) and (name or not resource.namespaced):
        raise nothing(group)
    if subresource and subresource not in resource.subresources:
        raise errors.not_found(resource, name) if resource.is_custom else errors.unknown_path()
    return Place(resource, namespace, name, subresource)


def attributes_of(method: str, group: str, path: str) -> Attributes:
    """What authorization sees of a path, whether or not somebody answers it."""
    namespace, segments = _segments(path)
    plural, name, subresource = (*segments, "", "")[:3]
    verb = OF_COLLECTIONS.get(method, "") if not name else ""
    return Attributes(verb or VERBS.get(method, method.lower()), group, plural, subresource, namespace, name)


def verb_of(method: str, place: Place, query: Mapping[str, str]) -> str:
    """The verb, as authorization knows it; raises StatusError 400, 404 or 405."""
    verb = _asked(method, place, query)
    if verb not in place.resource.verbs:
        raise errors.method_not_allowed()
    return verb


def _asked(method: str, place: Place, query: Mapping[str, str]) -> str:
    is_custom, is_whole = place.resource.is_custom, not place.subresource
    if method == "GET":
        if place.name:
            return "get"
        return "watch" if query.get("watch", "") not in ("", "0", "false") else "list"
    if place.resource.namespaced and not place.namespace:
        raise errors.page_not_found() if is_custom else errors.method_not_allowed()
    if method == "DELETE" and is_whole:
        return "delete" if place.name else "deletecollection"
    if method == "POST" and (place.subresource == "token" or not place.name or (is_custom and is_whole)):
        return "create"
    if method in ("PUT", "PATCH") and place.subresource in ("", "status") and (place.name or is_custom):
        if not place.name:
            raise errors.bad_request("name must be provided")
        return VERBS[method]
    raise errors.method_not_allowed()


def _segments(path: str) -> tuple[str, list[str]]:
    """The namespace, "" without one, and what follows it."""
    segments = path.split("/")
    if segments[0] == "namespaces" and len(segments) > 2 and segments[2] not in NAMESPACES.subresources:
        return segments[1], segments[2:]
    return "", segments


def nothing(group: str) -> errors.StatusError:
    """Kubernetes' own groups answer with a Status, all others are pages that were not found."""
    is_own = group != KNATIVE_GROUP and any(group == own for own, _ in groups())
    return errors.unknown_path() if is_own else errors.page_not_found()

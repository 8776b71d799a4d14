"""One request on a resource, taken apart: who, which verb on what, and the options that several verbs share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import yaml

from console.sandbox import errors, protobuf
from console.sandbox.fields.managers import APPLY, UPDATE, Manager
from console.sandbox.identity import User
from console.sandbox.rbac import Attributes
from console.sandbox.resources import NAMESPACES, Resource
from console.sandbox.views import View, wanted_view

APPLY_PATCH = "application/apply-patch+yaml"
MANAGER_LIMIT = 128
DEPTH_LIMIT = 200  # levels of nesting; far beyond any real object, far below Python's recursion limit
JSON_TYPES = ("application/json", "")
YAML_TYPES = ("application/yaml",)
FIELD_VALIDATIONS = ("Ignore", "Warn", "Strict")


@dataclass(frozen=True, slots=True)
class Call:
    """A request on a resource after authentication; `body` is the whole body."""

    user: User
    verb: str
    resource: Resource
    namespace: str
    name: str
    subresource: str
    query: Mapping[str, str]
    content_type: str = ""
    body: bytes = b""
    accept: str = ""
    agent: str = ""

    @property
    def attributes(self) -> Attributes:
        """What authorization looks at; a namespace counts as being in itself."""
        namespace = self.name if self.resource is NAMESPACES else self.namespace
        return Attributes(self.verb, self.resource.group, self.resource.plural, self.subresource, namespace, self.name)

    @property
    def view(self) -> View | None:
        """How the client wants to see what it reads, None for whole objects; raises StatusError 400."""
        return wanted_view(self.resource, self.accept, self.query.get("includeObject", ""))

    @property
    def is_dry_run(self) -> bool:
        """dryRun=All was asked for; raises StatusError 422 for any other value."""
        value = self.query.get("dryRun", "")
        if value not in ("", "All"):
            raise errors.StatusError(
                422, "Invalid", f'dryRun: Unsupported value: "{value}": supported values: "All"', {}
            )
        return value == "All"

    @property
    def field_validation(self) -> str:
        """Ignore, Warn (the default) or Strict; raises StatusError 422 for any other value."""
        value = self.query.get("fieldValidation") or "Warn"
        if value not in FIELD_VALIDATIONS:
            supported = ", ".join(f'"{each}"' for each in FIELD_VALIDATIONS)
            message = f'fieldValidation: Unsupported value: "{value}": supported values: {supported}'
            raise errors.StatusError(422, "Invalid", message, {})
        return value

    @property
    def manager(self) -> Manager:
        """Who owns what is written: `fieldManager`, or the first word of the client's name; raises StatusError 422."""
        is_apply = self.content_type == APPLY_PATCH
        name = self.query.get("fieldManager", "")
        if is_apply and not name:
            raise self._invalid_option("fieldManager: Required value: is required for apply patch")
        if len(name) > MANAGER_LIMIT:
            raise self._invalid_option(f"fieldManager: Too long: may not be more than {MANAGER_LIMIT} bytes")
        if self.verb == "patch" and "force" in self.query and not is_apply:
            raise self._invalid_option("force: Forbidden: may not be specified for non-apply patch")
        own = name or self.agent.partition("/")[0][:MANAGER_LIMIT]
        return Manager(own, APPLY if is_apply else UPDATE, self.subresource)

    def _invalid_option(self, problem: str) -> errors.StatusError:
        kind = f"{self.verb.capitalize()}Options"
        field, _, text = problem.partition(": ")
        cause = "FieldValueRequired" if text.startswith("Required") else "FieldValueInvalid"
        details = {
            "group": "meta.k8s.io",
            "kind": kind,
            "causes": [{"reason": cause, "message": text, "field": field}],
        }
        return errors.StatusError(422, "Invalid", f'{kind}.meta.k8s.io "" is invalid: {problem}', details)

    def flag(self, name: str) -> bool:
        """A boolean query parameter as Kubernetes reads it: present counts as true unless it says 0 or false."""
        return name in self.query and self.query[name].lower() not in ("0", "false")

    def number(self, name: str) -> int | None:
        """A whole, not negative query parameter, or None; raises StatusError 400."""
        value = self.query.get(name, "")
        if not value:
            return None
        if not value.isdigit():
            raise errors.bad_request(f'unable to convert query parameter {name}: invalid value "{value}"')
        return int(value)

    def version(self) -> int | None:
        """The resourceVersion parameter; None when it is absent; raises StatusError 422, or 500, for text."""
        value = self.query.get("resourceVersion", "")
        if value and not value.isdigit():
            if self.verb == "watch" and self.resource.is_custom:
                message = f'Internal error occurred: strconv.ParseUint: parsing "{value}": invalid syntax'
                raise errors.StatusError(500, "InternalError", message)
            raise errors.invalid(self.resource, "", "resourceVersion", f'Invalid value: "{value}": not a number')
        return int(value) if value else None

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; raises StatusError 415 or 400."""
        return json_object(self.body, self.content_type)


def json_object(body: bytes, content_type: str) -> dict[str, Any]:
    """The body as a JSON object, from JSON or protobuf; raises StatusError 415 or 400."""
    if content_type == protobuf.MEDIA_TYPE:
        return protobuf.decode(body)
    if content_type in YAML_TYPES:
        return yaml_object(body)
    if content_type not in JSON_TYPES:
        message = "the body of the request was in an unknown format - accepted media types include: application/json"
        raise errors.StatusError(415, "UnsupportedMediaType", message)
    decoded = decode(body)
    if not isinstance(decoded, dict):
        raise errors.bad_request("the body of the request is not a JSON object")
    return decoded


def yaml_object(body: bytes) -> dict[str, Any]:
    """The body as an object, from YAML or JSON, which is YAML too; raises StatusError 400, also for aliases."""
    try:
        decoded = decode(body) if body.lstrip().startswith(b"{") else _decoded_yaml(body.decode())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise errors.bad_request(f"error decoding YAML: {error}") from error
    if not isinstance(decoded, dict):
        raise errors.bad_request("the body of the request is not an object")
    return decoded


class _Loader(yaml.CSafeLoader):
    """Reads a date as the text that it is, as Kubernetes does."""


_Loader.yaml_implicit_resolvers = {
    first: [rule for rule in rules if rule[0] != "tag:yaml.org,2002:timestamp"]
    for first, rules in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def _decoded_yaml(text: str) -> Any:
    if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.CSafeLoader)):
        raise yaml.YAMLError("aliases are not accepted")
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader


def decode(body: bytes) -> Any:
    """The JSON value of a body; raises StatusError 400 for broken, empty or too deeply nested JSON."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise errors.bad_request(f"the object provided is unrecognized (must be of type JSON): {error}") from error
    except RecursionError as error:
        raise errors.bad_request("the object provided is nested too deeply") from error
    if _is_deeper_than(value, DEPTH_LIMIT):
        raise errors.bad_request("the object provided is nested too deeply")
    return value


def _is_deeper_than(value: Any, limit: int) -> bool:
    """Level by level instead of recursively: the point is to be safe from deep trees."""
    level = [value]
    for _ in range(limit):
        children: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                children.extend(each.values())
            elif isinstance(each, list):
                children.extend(each)
        if not children:
            return False
        level = children
    return True

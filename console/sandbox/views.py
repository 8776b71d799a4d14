"""What a client wants to see of objects: all, their metadata, or a table (`as=` in the Accept header)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from console.sandbox import errors
from console.sandbox.resources import Resource
from console.sandbox.tables.columns import columns_of

Object = dict[str, Any]
GROUP = "meta.k8s.io"
VERSIONS = ("v1", "v1beta1")
KINDS = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
INCLUDED = ("", "Metadata", "Object", "None")
LIST_FACTS = ("resourceVersion", "continue", "remainingItemCount")


@dataclass(frozen=True, slots=True)
class View:
    """One view of a resource; `included` is what each row of a table carries beside its cells."""

    resource: Resource
    kind: str
    version: str
    included: str = ""

    def of_object(self, obj: Object) -> Object:
        """One object; raises StatusError 406 when only a list was wanted."""
        if self.kind == "Table":
            return self._table([obj], {"resourceVersion": obj["metadata"].get("resourceVersion", "")})
        if self.kind == "PartialObjectMetadataList":
            raise _not_acceptable(self.kind, "not a list")
        return self._metadata(obj)

    def of_list(self, found: Object) -> Object:
        """A list; raises StatusError 406 when only a single object was wanted."""
        if self.kind == "Table":
            return self._table(found["items"], found["metadata"])
        if self.kind == "PartialObjectMetadata":
            raise _not_acceptable(self.kind, "a list")
        items = [self._metadata(item) for item in found["items"]]
        return {**found, "apiVersion": self.version, "kind": self.kind, "items": items}

    def of_events(self) -> Callable[[Object], Object]:
        """The objects of one watch: the columns are named in the first table only."""
        if self.kind != "Table":
            return self._metadata
        is_first = True

        def shown(obj: Object) -> Object:
            nonlocal is_first
            table = self.of_object(obj)
            table["columnDefinitions"] = table["columnDefinitions"] if is_first else None
            is_first = False
            return table

        return shown

    def _table(self, objects: list[Object], facts: Object) -> Object:
        columns = columns_of(self.resource)
        rows = [{"cells": [each.cell(obj) for each in columns], **self._row_object(obj)} for obj in objects]
        return {
            "kind": "Table",
            "apiVersion": self.version,
            "metadata": {key: facts[key] for key in LIST_FACTS if key in facts},
            "columnDefinitions": [each.definition() for each in columns],
            "rows": rows,
        }

    def _row_object(self, obj: Object) -> Object:
        if self.included == "None":
            return {"object": None}
        return {"object": obj if self.included == "Object" else self._metadata(obj)}

    def _metadata(self, obj: Object) -> Object:
        return {"kind": "PartialObjectMetadata", "apiVersion": self.version, "metadata": obj["metadata"]}


def wanted_view(resource: Resource, accept: str, included: str) -> View | None:
    """The first view of the Accept header that is offered, None for whole objects.

    Raises StatusError 400 when a table's `includeObject` is none of the known values.
    """
    for clause in accept.split(","):
        media_type, *parameters = (part.strip() for part in clause.split(";"))
        options = dict(parameter.partition("=")[::2] for parameter in parameters)
        if media_type not in ("application/json", "application/*", "*/*"):
            continue
        if "as" not in options:
            return None
        kind, group, version = (options.get(name, "") for name in ("as", "g", "v"))
        if kind in KINDS and group == GROUP and version in VERSIONS:
            _check_included(kind, included)
            return View(resource, kind, f"{GROUP}/{version}", included)
    return None


def _check_included(kind: str, included: str) -> None:
    if kind == "Table" and included not in INCLUDED:
        problem = f"includeObject: Invalid value: \"{included}\": must be 'Metadata', 'Object', 'None', or empty"
        raise errors.bad_request(f"Unable to convert to Table as requested: {problem}")


def _not_acceptable(kind: str, what: str) -> errors.StatusError:
    return errors.StatusError(406, "NotAcceptable", f"you requested {kind}, but the requested object is {what}")

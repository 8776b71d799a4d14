"""The fields that Knative's CustomResourceDefinitions know, for strict decoding and for pruning.

A real API server drops a field that the CRD's schema does not have (with a warning), or refuses the request under
fieldValidation=Strict. Core kinds have no schema here: they keep any field.
"""

from __future__ import annotations

from typing import Any

from console.sandbox.crd import reading
from console.sandbox.crd.openapi import NEWER, OLDER, custom_kind
from console.sandbox.crd.types import ANY, Type
from console.sandbox.knative.kinds import kinds
from console.sandbox.knative.version import OLDEST, knative_version
from console.sandbox.resources import CONFIGURATIONS, REVISIONS, ROUTES, SERVICES, Resource

_CUSTOM = (SERVICES, CONFIGURATIONS, ROUTES, REVISIONS)


def unknown_fields(resource: Resource, obj: dict[str, Any]) -> list[str]:
    """The paths of the fields that the schema does not have, as Kubernetes writes them; none for core kinds."""
    return reading.unknown_fields(_kind(resource), obj)


def pruned(resource: Resource, obj: dict[str, Any]) -> dict[str, Any]:
    """The object without the fields that the schema does not have."""
    kept: dict[str, Any] = reading.pruned(_kind(resource), obj)
    return kept


def openapi(resource: Resource) -> dict[str, Any]:
    """The schema of one of Knative's kinds as an OpenAPI v3 object."""
    return custom_kind(kinds()[resource.kind], OLDER if knative_version() <= OLDEST else NEWER)


def _kind(resource: Resource) -> Type:
    return kinds()[resource.kind] if resource in _CUSTOM else ANY

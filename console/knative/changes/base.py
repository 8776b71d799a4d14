"""What every change is, and the edits that several of them make."""

import copy
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from console.knative.diff import diff
from console.knative.objects import Service
from console.knative.paths import TEMPLATE, FieldPath
from console.knative.problems import Problem
from console.knative.redaction import MaskWithoutValue, put_back

_TEMPLATE_NAME: FieldPath = (*TEMPLATE, "metadata", "name")


class ChangeRefused(Exception):
    """The change cannot be applied to this service; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@runtime_checkable
class Change(Protocol):
    """An edit of a service. `permission` names the right that it needs (console.access.permissions)."""

    @property
    def permission(self) -> str: ...

    def apply(self, service: Service) -> Service:
        """Return the service with the edit made, all else unchanged; raises ChangeRefused."""
        ...

    def touches(self) -> frozenset[FieldPath]:
        """Return the fields that the edit sets: what another person's edit may conflict with."""
        ...


def edited(service: Service) -> dict[str, Any]:
    """Return a deep copy of the service's JSON, for editing."""
    return copy.deepcopy(dict(service.raw))


def edited_template(service: Service) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a copy of the service and, inside it, its template, without the template's name.

    A template that keeps its name while it changes is refused by the webhook: "Saw the following changes without a
    name change" (recording: byo-name-reused).
    """
    raw = edited(service)
    template: dict[str, Any] = raw.setdefault("spec", {}).setdefault("template", {})
    (template.get("metadata") or {}).pop("name", None)
    return raw, template


def result(service: Service, raw: dict[str, Any]) -> Service:
    """Return the edited service; the present one where nothing differs, or nothing but the template's name.

    A named template that gets the value that it has already keeps its name: without, it would make a revision.
    Raises ChangeRefused as `unmasked` does.
    """
    edit = unmasked(raw, service)
    rows = diff(service.raw, edit.raw)
    return edit if any(row.path != _TEMPLATE_NAME for row in rows) else service


def unmasked(raw: Mapping[str, Any], service: Service) -> Service:
    """Return the edited service with the texts that the editor showed masked as the service has them.

    Raises ChangeRefused for a mask where the service has nothing that is shown like that.
    """
    try:
        return Service(put_back(raw, service.raw))
    except MaskWithoutValue as error:
        raise ChangeRefused(Problem("manifest-masked-value", {"name": str(error)[:80]})) from error


def pod_spec(template: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = template.setdefault("spec", {})
    return spec


def find_container(template: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the container of that name; raises ChangeRefused when there is none."""
    for container in pod_spec(template).get("containers") or ():
        if container.get("name", "") == name:
            found: dict[str, Any] = container
            return found
    raise ChangeRefused(Problem("container-unknown", {"container": name}))


def template_metadata(template: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the template's annotations or labels, made when missing (the API sends `metadata: null` at times)."""
    if not isinstance(template.get("metadata"), dict):
        template["metadata"] = {}
    return entries(template["metadata"], kind)


def entries(metadata: dict[str, Any], kind: str) -> dict[str, Any]:
    if not isinstance(metadata.get(kind), dict):
        metadata[kind] = {}
    found: dict[str, Any] = metadata[kind]
    return found


def set_or_remove(target: dict[str, Any], key: str, value: Any) -> None:
    """Set the key; None removes it."""
    if value is None:
        target.pop(key, None)
    else:
        target[key] = value


def merge(target: dict[str, Any], wanted: Mapping[str, str | None]) -> None:
    for key, value in wanted.items():
        set_or_remove(target, key, value)

"""What can be done with a service: a link for people who may, else a disabled one that says what is missing."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from console.access.authorization import roles_with
from console.access.permissions import Permission
from console.knative.references import ServiceRef


@dataclass(frozen=True, slots=True)
class Action:
    """One button. When it is not allowed: `roles` would allow it, or `refused` is what the cluster itself refuses."""

    name: str
    label: str
    icon: str
    url: str
    allowed: bool
    roles: tuple[str, ...] = ()
    refused: str = ""


def service_url(name: str, ref: ServiceRef, **more: str) -> str:
    """Return the address of a page of the service."""
    return reverse(name, kwargs={"cluster": ref.cluster, "namespace": ref.namespace, "name": ref.name, **more})


def of_service(
    ref: ServiceRef, permissions: Collection[Permission], refused: Mapping[Permission, str]
) -> tuple[Action, ...]:
    """Return the actions of a service page, in the order of use; `refused` is what cluster_rights.refused found."""
    table = (
        (_("Env"), "list-columns-reverse", "env", Permission.DEPLOY),
        (_("Image"), "box-seam", "image", Permission.DEPLOY),
        (_("Traffic"), "signpost-split", "traffic", Permission.TRAFFIC),
        (_("Settings"), "sliders", "settings", Permission.DEPLOY),
        (_("Restart and scale"), "arrow-repeat", "operate", Permission.OPERATE),
        (_("Test requests"), "broadcast", "access-test", Permission.VIEW),
        ("YAML", "braces", "yaml", Permission.VIEW),
        (_("Clone"), "copy", "clone", Permission.REVEAL),
        (_("Delete"), "trash3", "delete", Permission.DELETE),
    )
    return tuple(
        Action(
            name,
            label,
            icon,
            service_url(name, ref),
            needed in permissions and needed not in refused,
            () if needed in permissions else roles_with(needed),
            refused.get(needed, "") if needed in permissions else "",
        )
        for label, icon, name, needed in table
    )


def locked(actions: Collection[Action]) -> list[tuple[tuple[str, ...], list[str]]]:
    """Return (roles that would allow them, labels) of what the person may not do, for one sentence under the row."""
    found: dict[tuple[str, ...], list[str]] = {}
    for action in actions:
        if not action.allowed and not action.refused:
            found.setdefault(action.roles, []).append(str(action.label))
    return list(found.items())


def refused(actions: Collection[Action]) -> list[tuple[str, list[str]]]:
    """Return (what the cluster does not allow, labels) of what the person may do here and the cluster would refuse."""
    found: dict[str, list[str]] = {}
    for action in actions:
        if action.refused:
            found.setdefault(action.refused, []).append(str(action.label))
    return list(found.items())

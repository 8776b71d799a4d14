"""What can be done with a service: a link for people who may, else its name with what is missing."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from console.access.authorization import roles_with
from console.access.permissions import Permission
from console.knative.references import ServiceRef


class Place(StrEnum):
    """Where a service's page offers an action."""

    TAB = "tab"
    PRIMARY = "primary"  # the one button
    MENU = "menu"  # behind the button
    SECTION = "section"  # a part of the primary one, linked where a value or a cause is told


@dataclass(frozen=True, slots=True)
class Action:
    """One link. When it is not allowed: `roles` would allow it, or `refused` is what the cluster itself refuses."""

    place: Place
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
    return tuple(
        Action(
            place,
            name,
            label,
            icon,
            _address(name, ref),
            needed in permissions and needed not in refused,
            () if needed in permissions else roles_with(needed),
            refused.get(needed, "") if needed in permissions else "",
        )
        for place, label, icon, name, needed in _table()
    )


def allowed(ref: ServiceRef, permissions: Collection[Permission]) -> tuple[Action, ...]:
    """Return the actions that the person may use, the one of its button first."""
    rows = sorted(_table(), key=lambda row: row[0] is not Place.PRIMARY)
    return tuple(
        Action(place, name, label, icon, _address(name, ref), allowed=True)
        for place, label, icon, name, needed in rows
        if needed in permissions
    )


def _table() -> tuple[tuple[Place, str, str, str, Permission], ...]:
    return (
        (Place.TAB, _("Overview"), "", "service", Permission.VIEW),
        (Place.TAB, _("Revisions"), "", "revisions", Permission.VIEW),
        (Place.TAB, _("Traffic"), "signpost-split", "traffic", Permission.TRAFFIC),
        (Place.TAB, _("History"), "", "history", Permission.VIEW),
        (Place.TAB, "YAML", "braces", "yaml", Permission.VIEW),
        (Place.PRIMARY, _("Edit and deploy"), "rocket-takeoff", "deploy", Permission.DEPLOY),
        (Place.MENU, _("Restart and scale"), "arrow-repeat", "operate", Permission.OPERATE),
        (Place.MENU, _("Test requests"), "broadcast", "access-test", Permission.VIEW),
        (Place.MENU, _("Clone"), "copy", "clone", Permission.REVEAL),
        (Place.MENU, _("Protect"), "shield-lock", "protect", Permission.MANAGE),
        (Place.MENU, _("Delete"), "trash3", "delete", Permission.DELETE),
        (Place.SECTION, _("Env"), "list-columns-reverse", "env", Permission.DEPLOY),
        (Place.SECTION, _("Image"), "box-seam", "image", Permission.DEPLOY),
        (Place.SECTION, _("Settings"), "sliders", "settings", Permission.DEPLOY),
    )


def _address(name: str, ref: ServiceRef) -> str:
    if name == "protect":
        asked = {"cluster": ref.cluster, "namespace": ref.namespace, "service": ref.name}
        return reverse("protection-add", args=["rule"]) + "?" + urlencode(asked)
    return service_url(name, ref)


def locked(actions: Collection[Action]) -> list[tuple[tuple[str, ...], list[str]]]:
    """Return (roles that would allow them, labels) of what the person may not do, for one sentence under the row."""
    found: dict[tuple[str, ...], list[str]] = {}
    for action in actions:
        if not action.allowed and not action.refused and action.place is not Place.SECTION:
            found.setdefault(action.roles, []).append(str(action.label))
    return list(found.items())


def refused(actions: Collection[Action]) -> list[tuple[str, list[str]]]:
    """Return (what the cluster does not allow, labels) of what the person may do here and the cluster would refuse."""
    found: dict[str, list[str]] = {}
    for action in actions:
        if action.refused and action.place is not Place.SECTION:
            found.setdefault(action.refused, []).append(str(action.label))
    return list(found.items())

"""The rights that the console knows, and the roles that bundle them."""

from collections.abc import Mapping
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Permission(StrEnum):
    """What a person may do with a service; Kubernetes does not separate env from traffic changes, this does."""

    VIEW = "view"
    REVEAL = "reveal"
    DEPLOY = "deploy"
    TRAFFIC = "traffic"
    OPERATE = "operate"
    DELETE = "delete"
    APPROVE = "approve"
    AUDIT = "audit"
    MANAGE = "manage"


LABELS: dict[str, Promise] = {
    Permission.VIEW: _("view services, revisions and operations"),
    Permission.REVEAL: _("reveal environment variable values"),
    Permission.DEPLOY: _("change environment variables, images and settings"),
    Permission.TRAFFIC: _("split traffic and roll back"),
    Permission.OPERATE: _("scale and restart"),
    Permission.DELETE: _("delete services and revisions"),
    Permission.APPROVE: _("approve changes to protected services"),
    Permission.AUDIT: _("read the audit log"),
    Permission.MANAGE: _("manage teams, roles, grants and protection"),
}

# The permissions by which a service is changed.
CHANGING = (Permission.DEPLOY, Permission.TRAFFIC, Permission.OPERATE, Permission.DELETE)

# The roles that every installation starts with; the table can be edited afterwards.
BUILT_IN_ROLES: Mapping[str, frozenset[Permission]] = {
    "viewer": frozenset({Permission.VIEW}),
    "deployer": frozenset(
        {Permission.VIEW, Permission.REVEAL, Permission.DEPLOY, Permission.TRAFFIC, Permission.OPERATE}
    ),
    "releaser": frozenset({Permission.VIEW, Permission.TRAFFIC, Permission.APPROVE}),
    "operator": frozenset({Permission.VIEW, Permission.OPERATE, Permission.TRAFFIC}),
    "owner": frozenset(Permission),
    "auditor": frozenset({Permission.VIEW, Permission.AUDIT}),
}

"""In which roles and for which team a person acts on something: what the audit log keeps beside the name."""

from collections.abc import Collection, Mapping, Sequence

from console.access.authorization import ADMINISTRATOR, Right, rights_of
from console.access.labels import labels_if_known
from console.access.models import User
from console.access.permissions import Permission
from console.audit.acting_role import NOBODY, ActingRole
from console.knative.references import ServiceRef


def acting_role(
    user_id: int, permissions: Collection[str], ref: ServiceRef | None, labels: Mapping[str, str] | None
) -> ActingRole:
    """Return the roles and the team whose grants give the person these permissions on the service.

    A grant that gives all of them counts before several that give a part each; of several teams the first by name.
    What needs no permission (a sign-in), or was refused, names all roles, and the team only of people with just one.
    """
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        return NOBODY
    rights = rights_of(user)
    if ref and labels is None and any(right.selector for right in rights.rights):
        labels = labels_if_known(ref)
    found = [right for right in rights.rights if ref is None or right.covers(ref, labels or {})]
    allowing = _allowing(found, set(permissions) & set(Permission))
    if not allowing and not (permissions and rights.is_administrator):
        teams = {right.team for right in found}
        return ActingRole(rights.roles(ref, labels), teams.pop() if len(teams) == 1 else "")
    administrator = {ADMINISTRATOR} if rights.is_administrator else set()
    roles = {right.role for right in allowing} | administrator
    return ActingRole(tuple(sorted(roles)), min((right.team for right in allowing), default=""))


def _allowing(found: Sequence[Right], needed: Collection[str]) -> list[Right]:
    """Those that give all of the permissions, else those that give one of them."""
    whole = [right for right in found if needed and right.permissions.issuperset(needed)]
    return whole or [right for right in found if not right.permissions.isdisjoint(needed)]

"""In which roles and for which team a person acts on something: what the audit log keeps beside the name."""

from collections.abc import Mapping

from console.access.authorization import rights_of
from console.access.labels import labels_if_known
from console.access.models import User
from console.audit.acting_role import NOBODY, ActingRole
from console.knative.references import ServiceRef


def acting_role(user_id: int, action: str, ref: ServiceRef | None, labels: Mapping[str, str] | None) -> ActingRole:
    """Return the person's roles on the service, and the team whose grant allows the action.

    The action's first word is a permission where one is needed (`deploy.SetEnv`). Of several teams the first by name
    counts. Without a service (a sign-in) all roles are named, and the team only of people who have just one.
    """
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        return NOBODY
    rights = rights_of(user)
    if ref and labels is None and any(right.selector for right in rights.rights):
        labels = labels_if_known(ref)
    found = [r for r in rights.rights if ref is None or r.covers(ref, labels or {})]
    allowing = [right for right in found if action.partition(".")[0] in right.permissions] or found
    teams = sorted({right.team for right in allowing})
    return ActingRole(rights.roles(ref, labels), teams[0] if teams and (ref or len(teams) == 1) else "")

"""Roles: named sets of permissions. A role reaches as far as the grants that use it, and so does a change of it."""

from collections.abc import Iterable

from console.access.actors import Actor
from console.access.authorization import ADMINISTRATOR, Rights
from console.access.changing import Change, changing
from console.access.granting import shortfall
from console.access.models import Role, User
from console.access.permissions import BUILT_IN_ROLES, CHANGING, Permission
from console.access.refusals import NameTaken, NotAllowed, RoleBeyondYou, RoleBuiltIn, RoleInUse, RoleOfOthers
from console.access.teams import may_grant, scope_of


def is_built_in(role: Role) -> bool:
    """Every installation starts with it; administrators change its permissions, nobody its name or existence."""
    return role.name in BUILT_IN_ROLES


def may_edit(role: Role, rights: Rights, user: User) -> bool:
    """Whether the role is the person's to change: an own one, or any for an administrator.

    A role that others share would change under them: an owner of one namespace could raise what an administrator is
    about to grant everywhere. Where it is granted already, `edit` asks for more.
    """
    if rights.is_administrator:
        return True
    return may_grant(rights) and not is_built_in(role) and role.created_by_id == user.pk


def that_change_and_approve() -> list[str]:
    """Return the names of the roles whose holders can both ask for changes and approve those of others."""
    found = Role.objects.order_by("name").values_list("name", "permissions")
    both = [(name, set(held)) for name, held in found if Permission.APPROVE in held]
    return [name for name, held in both if held.intersection(CHANGING)]


def create(name: str, permissions: Iterable[str], *, user: User, actor: Actor) -> Role:
    """Make a role. It gives nobody anything until it is granted, and then the granter must have all of it."""
    with changing("manage.CreateRole", user=user, actor=actor, about=name) as change:
        if not may_grant(change.rights):
            raise NotAllowed(Permission.MANAGE)
        _refuse_taken(name)
        role = Role.objects.create(name=name, permissions=sorted(permissions), created_by=user)
        change.note("name", None, name)
        change.note("permissions", None, ", ".join(role.permissions))
    return role


def edit(role: Role, name: str, permissions: Iterable[str], *, user: User, actor: Actor) -> None:
    """Change what the role holds, wherever it is granted: who made it, if they could make and take back each grant."""
    with changing("manage.EditRole", user=user, actor=actor, about=role.name) as change:
        role.refresh_from_db()
        wanted = sorted(permissions)
        if not may_grant(change.rights):
            raise NotAllowed(Permission.MANAGE)
        _refuse_others(change, role)
        if name != role.name and is_built_in(role):
            raise RoleBuiltIn(name=role.name)
        _refuse_beyond(change, role, {*role.permissions, *wanted})
        _refuse_taken(name, role)
        change.note("name", role.name, name)
        change.note("permissions", ", ".join(sorted(role.permissions)), ", ".join(wanted))
        role.name, role.permissions = name, wanted
        role.save()


def delete(role: Role, *, user: User, actor: Actor) -> None:
    """Delete a role that no grant uses."""
    with changing("manage.DeleteRole", user=user, actor=actor, about=role.name) as change:
        if not may_grant(change.rights):
            raise NotAllowed(Permission.MANAGE)
        if is_built_in(role):
            raise RoleBuiltIn(name=role.name)
        _refuse_others(change, role)
        if role.grants.exists():
            raise RoleInUse(name=role.name)
        change.note("name", role.name, None)
        change.note("permissions", ", ".join(sorted(role.permissions)), None)
        role.delete()


def _refuse_others(change: Change, role: Role) -> None:
    if not may_edit(role, change.rights, change.user):
        raise RoleOfOthers(name=role.name)


def _refuse_beyond(change: Change, role: Role, permissions: Iterable[str]) -> None:
    for grant in role.grants.select_related("team"):
        scope = scope_of(grant)
        if missing := shortfall(change.rights, permissions, scope):
            raise RoleBeyondYou(permissions=", ".join(sorted(missing)))


def _refuse_taken(name: str, but: Role | None = None) -> None:
    """A role must not pass for an administrator in the audit log."""
    if name.lower() == ADMINISTRATOR or any(one != but for one in Role.objects.filter(name__iexact=name)):
        raise NameTaken(name=name)

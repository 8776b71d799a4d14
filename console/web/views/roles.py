"""Roles: what each allows, and changing that."""

from functools import partial

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from console.access import roles, teams
from console.access.actors import actor_from
from console.access.decorators import require_permission, signed_in
from console.access.models import Role
from console.access.permissions import Permission
from console.web import refusals
from console.web.done import done
from console.web.forms.access import RoleForm
from console.web.requests import ConsoleRequest
from console.web.typed import keeps_typed, typed, unjudged


@signed_in
def role_list(request: ConsoleRequest) -> HttpResponse:
    """Every role beside every permission: what a person should ask for."""
    return _list(request)


@require_permission(Permission.MANAGE)
@keeps_typed
def create(request: ConsoleRequest) -> HttpResponse:
    form = RoleForm(typed(request))

    def change() -> None:
        data = form.cleaned_data
        roles.create(data["name"], data["permissions"], user=request.user, actor=actor_from(request))

    if request.method == "POST" and refusals.accepts(form, change):
        return done(request, _("Role created. Grant it on a team's page."), reverse("roles"))
    unjudged(request, form)
    return render(request, "access/role.html", {"form": form}, status=422 if form.errors else 200)


@require_permission(Permission.MANAGE)
@keeps_typed
def edit(request: ConsoleRequest, id: int) -> HttpResponse:
    """What the role allows, wherever it is granted already."""
    role = get_object_or_404(Role, pk=id)
    form = RoleForm(
        typed(request),
        initial={"name": role.name, "permissions": role.permissions},
        is_built_in=roles.is_built_in(role),
    )

    def change() -> None:
        data = form.cleaned_data
        roles.edit(role, data["name"], data["permissions"], user=request.user, actor=actor_from(request))

    if request.method == "POST" and refusals.accepts(form, change):
        return done(request, _("Saved."), reverse("roles"))
    unjudged(request, form)
    context = {
        "form": form,
        "role": Role.objects.get(pk=id),
        "is_built_in": roles.is_built_in(role),
        "grant_count": role.grants.count(),
    }
    return render(request, "access/role.html", context, status=422 if form.errors else 200)


@require_POST
@require_permission(Permission.MANAGE)
def delete(request: ConsoleRequest, id: int) -> HttpResponse:
    role = get_object_or_404(Role, pk=id)
    request.back = partial(_list, request)
    roles.delete(role, user=request.user, actor=actor_from(request))
    return done(request, _("Role deleted."), reverse("roles"))


def _list(request: ConsoleRequest, refused: str = "") -> HttpResponse:
    found = Role.objects.annotate(grant_count=Count("grants"))
    rows = [
        (
            role,
            [one for one in Permission if one in role.permissions],
            roles.is_built_in(role),
            roles.may_edit(role, request.rights, request.user),
        )
        for role in found
    ]
    context = {
        "rows": rows,
        "every": list(Permission),
        "may_create": teams.may_grant(request.rights),
        "may_delete_any": any(may_edit and not is_built_in for _role, _permissions, is_built_in, may_edit in rows),
        "refused": refused,
    }
    return render(request, "access/roles.html", context, status=422 if refused else 200)

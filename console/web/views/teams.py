"""Teams: the list, a team with its members and grants, making, renaming and deleting one."""

from typing import Any

from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from console.access import members, roles, teams
from console.access.actors import actor_from
from console.access.decorators import require_permission, signed_in
from console.access.granting import shortfall
from console.access.models import Grant, Role, Team, User
from console.access.permissions import Permission
from console.access.refusals import NotAllowed
from console.access.scopes import Scope
from console.mirror import read
from console.web import paging, refusals
from console.web.covered import Covered, counted
from console.web.done import done
from console.web.forms.access import GrantForm, MemberForm, TeamEditForm, TeamForm
from console.web.requests import ConsoleRequest
from console.web.typed import keeps_typed, typed, unjudged

SORTS = {
    "name": lambda team: team.name.lower(),
    "members": lambda team: (team.member_count, team.name.lower()),
    "grants": lambda team: (team.grant_count, team.name.lower()),
}
NAMES_OFFERED = 500  # user names that a form offers to an administrator; any other can be typed


@signed_in
def team_list(request: ConsoleRequest) -> HttpResponse:
    """The teams that the person may see: all for an administrator, else their own and those where they manage."""
    visible = teams.visible(request.user, request.rights)
    text = request.GET.get("q", "").strip()
    found = Team.objects.filter(pk__in=visible).filter(Q(name__icontains=text) | Q(oidc_group__icontains=text))
    if request.GET.get("mine"):
        found = found.filter(memberships__user=request.user)
    found = found.annotate(
        member_count=Count("memberships", distinct=True), grant_count=Count("grants", distinct=True)
    ).prefetch_related("memberships__user", "grants__role")
    rows, order = paging.sort(list(found), request.GET.get("sort", ""), SORTS, "name")
    page = paging.page(rows, request.GET.get("page"))
    context = {
        "page": page,
        "order": order,
        "rows": [_row(request, team) for team in page],
        "may_create": teams.may_grant(request.rights),
    }
    return render(request, "access/teams.html", context)


@signed_in
@keeps_typed
def team(request: ConsoleRequest, id: int) -> HttpResponse:
    """A team: who is in it and until when, what it was granted, and what that lets its members do."""
    found, data = find_team(request, id), typed(request)
    member_form = MemberForm(data) if data and "username" in data else None
    grant_form = GrantForm(data) if data and "role" in data else None
    unjudged(request, *(form for form in (member_form, grant_form) if form))
    return team_page(request, found, member_form, grant_form)


@require_permission(Permission.MANAGE)
@keeps_typed
def create(request: ConsoleRequest) -> HttpResponse:
    """A new team, with its first owner."""
    form = TeamForm(typed(request), initial={"owner": request.user.get_username()})
    if not request.rights.is_administrator:
        form.fields["owner"].disabled = True

    def change() -> None:
        data = form.cleaned_data
        made.append(teams.create(data["name"], data["owner"], user=request.user, actor=actor_from(request)))

    made: list[Team] = []
    if request.method == "POST" and refusals.accepts(form, change):
        return done(request, _("Team created. Add members and roles."), team_url(made[0]))
    unjudged(request, form)
    context = {"form": form, "names": user_names(request)}
    return render(request, "access/team_create.html", context, status=422 if form.errors else 200)


@signed_in
@keeps_typed
def edit(request: ConsoleRequest, id: int) -> HttpResponse:
    """The name and the identity provider's group."""
    found = find_team(request, id)
    if not teams.runs(request.user, request.rights, found):
        raise NotAllowed(Permission.MANAGE)
    initial = {"name": found.name, "oidc_group": found.oidc_group}
    form = TeamEditForm(typed(request), initial=initial)

    def change() -> None:
        data = form.cleaned_data
        teams.edit(found, data["name"], data["oidc_group"], user=request.user, actor=actor_from(request))

    if request.method == "POST" and refusals.accepts(form, change):
        return done(request, _("Saved."), team_url(found))
    unjudged(request, form)
    context = {"form": form, "team": find_team(request, id)}
    return render(request, "access/team_edit.html", context, status=422 if form.errors else 200)


@signed_in
@keeps_typed
def delete(request: ConsoleRequest, id: int) -> HttpResponse:
    """Deleting a team; its name is typed to confirm."""
    found = find_team(request, id)
    if not teams.runs(request.user, request.rights, found):
        raise NotAllowed(Permission.MANAGE)

    def page(refused: str = "") -> HttpResponse:
        context = {"team": found, "refused": refused, "member_count": found.memberships.count()}
        return render(request, "access/team_delete.html", context, status=422 if refused else 200)

    if request.method != "POST":
        return page()
    if request.POST.get("confirm", "").strip() != found.name:
        return page(_("The name does not match."))
    request.back = page
    teams.delete(found, user=request.user, actor=actor_from(request))
    message = _("%(name)s was deleted. Its members no longer have the permissions it gave them.")
    return done(request, message % {"name": found.name}, reverse("teams"))


def find_team(request: ConsoleRequest, id: int) -> Team:
    """Return the team; raises the same Http404 for one that does not exist and one that the person may not see."""
    if id not in teams.visible(request.user, request.rights):
        raise Http404
    return Team.objects.get(pk=id)


def grants_shown(request: ConsoleRequest, team: Team) -> list[Grant]:
    """Return the grants of the team that the person may see."""
    is_member = teams.membership_of(request.user, team) is not None
    return teams.visible_grants(request.rights, team.grants.select_related("role"), is_member=is_member)


def team_url(team: Team) -> str:
    return reverse("team", kwargs={"id": team.pk})


def user_names(request: ConsoleRequest) -> list[str]:
    """Return the user names that a form offers: to administrators only, others know whom they mean."""
    if not request.rights.is_administrator:
        return []
    active = User.objects.filter(is_active=True).order_by("username")
    return list(active.values_list("username", flat=True)[:NAMES_OFFERED])


def team_page(
    request: ConsoleRequest,
    team: Team,
    member_form: MemberForm | None = None,
    grant_form: GrantForm | None = None,
    refused: str = "",
    covered: Covered | None = None,
) -> HttpResponse:
    """Show the team, with the forms as they were sent when one was not accepted (422).

    `covered`: the services that the grant being typed would cover.
    """
    now = timezone.now()
    memberships = team.memberships.select_related("user").order_by("-is_owner", "user__username")
    grants = grants_shown(request, team)
    counts = counted([teams.scope_of(grant) for grant in grants], request.rights)
    context = {
        "team": team,
        "members": [(one, bool(one.expires_at and one.expires_at <= now)) for one in memberships],
        "has_owner": any(members.stays_as_owner(one) for one in memberships),
        "grants": [(grant, count, _removable(request, grant)) for grant, count in zip(grants, counts, strict=True)],
        "covered": covered,
        "effective": effective(grants),
        "runs": teams.runs(request.user, request.rights, team),
        "may_grant": teams.may_grant(request.rights),
        "member_form": member_form or MemberForm(),
        "grant_form": grant_form or GrantForm(initial={"role": Role.objects.filter(name="viewer").first()}),
        "change_and_approve": roles.that_change_and_approve(),
        "names": user_names(request),
        "clusters": read.clusters(),
        "refused": refused,
    }
    is_wrong = bool(refused or (member_form and member_form.errors) or (grant_form and grant_form.errors))
    return render(request, "access/team.html", context, status=422 if is_wrong else 200)


def effective(grants: list[Grant]) -> list[tuple[Permission, list[Scope]]]:
    """Return each permission that the grants give, and where: scopes inside a wider one are left out."""
    found = []
    for permission in Permission:
        scopes = [teams.scope_of(grant) for grant in grants if permission in grant.role.permissions]
        widest = [
            scope
            for index, scope in enumerate(scopes)
            if not any(
                other.covers(scope) and (not scope.covers(other) or position < index)
                for position, other in enumerate(scopes)
                if position != index
            )
        ]
        if widest:
            found.append((permission, widest))
    return found


def _row(request: ConsoleRequest, team: Any) -> dict[str, Any]:
    """What the list shows of a team, from what was read for all of them at once."""
    memberships = list(team.memberships.all())
    own = next((one for one in memberships if one.user_id == request.user.pk), None)
    is_member = own is not None and (own.expires_at is None or own.expires_at > timezone.now())
    return {
        "team": team,
        "owners": [one.user.get_username() for one in memberships if one.is_owner],
        "has_owner": any(members.stays_as_owner(one) for one in memberships),
        "is_mine": is_member,
        "grants": teams.visible_grants(request.rights, team.grants.all(), is_member=is_member),
    }


def _removable(request: ConsoleRequest, grant: Grant) -> bool:
    return not shortfall(request.rights, grant.role.permissions, teams.scope_of(grant))

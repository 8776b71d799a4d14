"""Members of a team and its grants: adding, changing, taking away. Each goes back to the team's page."""

from functools import partial

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from console.access import grants, members, teams
from console.access.actors import actor_from
from console.access.decorators import signed_in
from console.access.models import Membership, Team
from console.access.permissions import Permission
from console.access.refusals import NotAllowed
from console.web import refusals
from console.web.covered import Count, counted, covered_by
from console.web.done import done
from console.web.forms.access import GrantForm, MemberForm, MembershipForm
from console.web.requests import ConsoleRequest
from console.web.typed import keeps_typed, typed, unjudged
from console.web.views.teams import find_team, grants_shown, team_page, team_url


@require_POST
@signed_in
def add_member(request: ConsoleRequest, id: int) -> HttpResponse:
    """Somebody joins the team, for a time or for good."""
    team = find_team(request, id)
    if not teams.runs(request.user, request.rights, team):
        raise NotAllowed(Permission.MANAGE)  # before the form shows which user names exist
    form = MemberForm(request.POST)

    def change() -> None:
        data = form.cleaned_data
        members.add(
            team,
            data["username"],
            is_owner=data["is_owner"],
            expires_at=data["expires_at"],
            user=request.user,
            actor=actor_from(request),
        )

    if refusals.accepts(form, change):
        name = form.cleaned_data["username"].get_username()
        return done(request, _("%(name)s is now a member.") % {"name": name}, team_url(team))
    return team_page(request, team, member_form=form)


@signed_in
@keeps_typed
def edit_member(request: ConsoleRequest, id: int, member: int) -> HttpResponse:
    """Owner or not, and until when."""
    team = find_team(request, id)
    found = _membership(team.pk, member)
    if not teams.runs(request.user, request.rights, team):
        raise NotAllowed(Permission.MANAGE)
    initial = {"is_owner": found.is_owner, "expires_at": found.expires_at}
    form = MembershipForm(typed(request), initial=initial)

    def change() -> None:
        data = form.cleaned_data
        members.edit(
            found,
            is_owner=data["is_owner"],
            expires_at=data["expires_at"],
            user=request.user,
            actor=actor_from(request),
        )

    if request.method == "POST" and refusals.accepts(form, change):
        return done(request, _("Saved."), team_url(team))
    unjudged(request, form)
    context = {"form": form, "team": team, "membership": found}
    return render(request, "access/member.html", context, status=422 if form.errors else 200)


@require_POST
@signed_in
def remove_member(request: ConsoleRequest, id: int, member: int) -> HttpResponse:
    """Somebody leaves, by an owner's hand or their own."""
    team = find_team(request, id)
    found = _membership(team.pk, member)
    request.back = partial(_refused, request, team)
    members.remove(found, user=request.user, actor=actor_from(request))
    message = _("%(name)s is no longer a member.") % {"name": found.user.get_username()}
    is_visible = team.pk in teams.visible(request.user, request.rights)
    return done(request, message, team_url(team) if is_visible else reverse("teams"))


@require_POST
@signed_in
def add_grant(request: ConsoleRequest, id: int) -> HttpResponse:
    """The team gets a role somewhere; an address with `check` only asks which services that would cover."""
    team = find_team(request, id)
    form = GrantForm(request.POST)

    def change() -> None:
        grants.add(team, form.cleaned_data["role"], form.scope, user=request.user, actor=actor_from(request))

    if not teams.may_grant(request.rights):
        raise NotAllowed(Permission.MANAGE)
    if "check" in request.GET:
        found = covered_by(form.scope, request.rights) if form.is_valid() else None
        return team_page(request, team, covered=found)
    if refusals.accepts(form, change):
        return done(request, _granted(counted([form.scope], request.rights)[0]), team_url(team))
    return team_page(request, team, grant_form=form)


def _granted(count: Count) -> str:
    """What was done, and whether it has an effect: a name that was mistyped covers nothing."""
    if count.number:
        told = ngettext(
            "Granted. It covers %(count)s service now.", "Granted. It covers %(count)s services now.", count.number
        )
        return told % {"count": count.number}
    if count.is_whole:
        return _("Granted. It covers no service now: check the cluster, the namespace and the labels.")
    return _("Granted.")


@require_POST
@signed_in
def remove_grant(request: ConsoleRequest, id: int, grant: int) -> HttpResponse:
    """The team loses a role somewhere."""
    team = find_team(request, id)
    found = {one.pk: one for one in grants_shown(request, team)}.get(grant)
    if found is None:
        raise Http404
    request.back = partial(_refused, request, team)
    grants.remove(found, user=request.user, actor=actor_from(request))
    return done(request, _("Grant removed."), team_url(team))


def _refused(request: ConsoleRequest, team: Team, why: str) -> HttpResponse:
    return team_page(request, team, refused=why)


def _membership(team: int, person: int) -> Membership:
    return get_object_or_404(Membership.objects.select_related("team", "user"), team_id=team, user_id=person)

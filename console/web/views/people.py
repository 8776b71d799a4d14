"""People with an account: creating, deactivating, making administrators; and the link by which they set a password."""

from functools import partial

from django.conf import settings
from django.contrib.auth.forms import SetPasswordForm
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from console import audit
from console.access import invitations, people
from console.access.actors import Actor, actor_from, client_ip
from console.access.decorators import administrators_only, public
from console.access.models import User
from console.audit import Outcome
from console.web import paging, refusals
from console.web.done import done
from console.web.forms.access import PersonForm
from console.web.requests import ConsoleRequest
from console.web.typed import keeps_typed, typed, unjudged

STATES = {
    "active": Q(is_active=True),
    "inactive": Q(is_active=False),
    "administrators": Q(is_active=True, is_superuser=True),
}
SORTS = {"name": "username", "seen": "last_login"}


@administrators_only
def people_list(request: ConsoleRequest) -> HttpResponse:
    """Everybody with an account."""
    found = User.objects.filter(username__icontains=request.GET.get("q", "").strip())
    found = found.filter(STATES.get(request.GET.get("state", ""), Q()))
    order = request.GET.get("sort", "")
    order = order if order.removeprefix("-") in SORTS else "name"
    field = SORTS[order.removeprefix("-")]
    found = found.order_by(f"-{field}" if order.startswith("-") else field, "pk").prefetch_related("teams")
    context = {"page": paging.page(found, request.GET.get("page")), "order": order, "states": tuple(STATES)}
    return render(request, "access/people.html", context)


@administrators_only
@keeps_typed
def create(request: ConsoleRequest) -> HttpResponse:
    """A new person; the answer shows the link for them, this once."""
    form = PersonForm(typed(request))
    made: list[tuple[User, str]] = []

    def change() -> None:
        made.append(people.create(form.cleaned_data["username"], user=request.user, actor=actor_from(request)))

    if request.method == "POST" and refusals.accepts(form, change):
        return _link_page(request, *made[0])
    unjudged(request, form)
    return render(request, "access/person_create.html", {"form": form}, status=422 if form.errors else 200)


@administrators_only
def person(request: ConsoleRequest, id: int) -> HttpResponse:
    """One person: teams, state, and what an administrator can do about them."""
    return _page(request, get_object_or_404(User, pk=id))


@require_POST
@administrators_only
def change(request: ConsoleRequest, id: int, verb: str) -> HttpResponse:
    """Let in or out, make or unmake an administrator."""
    found = get_object_or_404(User, pk=id)
    changes = {
        "activate": (people.set_active, True),
        "deactivate": (people.set_active, False),
        "promote": (people.set_administrator, True),
        "demote": (people.set_administrator, False),
    }
    if verb not in changes:
        raise Http404
    make, value = changes[verb]
    request.back = partial(_page, request, found)
    make(found, value, user=request.user, actor=actor_from(request))
    return done(request, _("Saved."), reverse("person", kwargs={"id": id}))


@require_POST
@administrators_only
def link(request: ConsoleRequest, id: int) -> HttpResponse:
    """A new link to set a password; the old password ends now."""
    found = get_object_or_404(User, pk=id)
    request.back = partial(_page, request, found)
    token = people.new_link(found, user=request.user, actor=actor_from(request))
    return _link_page(request, found, token)


@public
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for the password; anything but a fresh, unused link is a 404."""
    found = invitations.person_of(token)
    if found is None:
        raise Http404
    form = SetPasswordForm(found, request.POST if request.method == "POST" else None)
    if form.is_valid():
        with transaction.atomic():
            if invitations.person_of(token, lock=True) is None:
                raise Http404
            form.save()
            actor = Actor(found.pk, found.get_username(), client_ip(request), getattr(request, "request_id", ""))
            audit.record("session.SetPassword", actor=actor, outcome=Outcome.SUCCEEDED)
        return redirect("account_login")
    context = {"form": form, "person": found}
    return render(request, "access/invitation.html", context, status=422 if form.errors else 200)


def _link_page(request: ConsoleRequest, person: User, token: str) -> HttpResponse:
    """The link, in the answer to the post and nowhere else."""
    path = reverse("invitation", kwargs={"token": token})
    context = {"person": person, "link": f"{settings.EXTERNAL_URL.rstrip('/')}{path}"}
    return render(request, "access/person_link.html", context)


def _page(request: ConsoleRequest, person: User, refused: str = "") -> HttpResponse:
    context = {
        "person": User.objects.get(pk=person.pk),
        "memberships": [
            (one, bool(one.expires_at and one.expires_at <= timezone.now()))
            for one in person.memberships.select_related("team").order_by("team__name")
        ],
        "is_local": people.has_local_account(person),
        "is_self": person == request.user,
        "refused": refused,
    }
    return render(request, "access/person.html", context, status=422 if refused else 200)

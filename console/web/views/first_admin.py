"""Making the first administrator, through the link that `manage.py first_admin` prints."""

from django.contrib.auth.forms import BaseUserCreationForm
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from console import audit
from console.access import first_admin as link
from console.access.actors import Actor, client_ip
from console.access.decorators import public
from console.access.models import User
from console.access.rights_history.recording import recording
from console.audit import Outcome


class FirstAdminForm(BaseUserCreationForm):  # type: ignore[type-arg]  # not subscriptable at run time
    class Meta:
        model = User
        fields = ("username",)


@public
def first_admin(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for a name and a password; anything but a fresh, needed link is a 404."""
    if not link.is_valid(token):
        raise Http404
    form = FirstAdminForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            link.one_at_a_time()
            if not link.is_valid(token):
                raise Http404
            user = form.save(commit=False)
            user.is_superuser = True
            with recording() as written:
                user.save()
            actor = Actor(user.pk, user.get_username(), client_ip(request), getattr(request, "request_id", ""))
            changes = written.changes()
            audit.record("manage.FirstAdministrator", actor=actor, outcome=Outcome.SUCCEEDED, changes=changes)
        return redirect("account_login")
    return render(request, "access/first_admin.html", {"form": form}, status=422 if form.errors else 200)

"""Personal tokens for the API: making one, seeing them, ending them; and the page that documents the API."""

from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from console.access import bearer
from console.access import tokens as access_tokens
from console.access.actors import actor_from
from console.access.authorization import roles_with
from console.access.decorators import signed_in
from console.access.models import ApiToken
from console.access.permissions import Permission
from console.web import paging
from console.web.api.endpoints import ENDPOINTS
from console.web.api.kinds import MAX_LIMIT, USUAL_LIMIT
from console.web.api.problems import CODES
from console.web.api.queries import MAX_TEXT
from console.web.forms.token import TokenForm
from console.web.requests import ConsoleRequest
from console.web.typed import keeps_typed, typed, unjudged


@signed_in
def tokens(request: ConsoleRequest) -> HttpResponse:
    """The person's own tokens; an administrator may see everybody's."""
    of_all = request.rights.is_administrator and request.GET.get("whose") == "all"
    found = _reachable(request) if of_all else ApiToken.objects.filter(user=request.user)
    if text := request.GET.get("q", "").strip():
        found = found.filter(Q(name__icontains=text) | Q(user__username__icontains=text) | Q(prefix__startswith=text))
    alive = Q(revoked_at=None, expires_at__gt=timezone.now())
    context = {
        "page": paging.page(found.select_related("user"), request.GET.get("page")),
        "of_all": of_all,
        "alive": found.filter(alive).count(),
    }
    return render(request, "tokens/list.html", context)


# A stolen session makes no key.
@signed_in
@reauthentication_required(allow_get=True)  # type: ignore[untyped-decorator]  # allauth has no types
@keeps_typed
def create(request: ConsoleRequest) -> HttpResponse:
    """Make a token and show its text, in this answer only: it is in no session and in no address."""
    offered = access_tokens.offered(request.rights)
    form = TokenForm(offered, typed(request))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        token, text = access_tokens.issue(request.user, **data, actor=actor_from(request))
        return render(request, "tokens/made.html", {"token": token, "text": text})
    unjudged(request, form)
    context = {"form": form, "offered": offered, "roles": roles_with(Permission.VIEW)}
    return render(request, "tokens/create.html", context, status=422 if form.errors else 200)


@require_POST
@signed_in
def revoke(request: ConsoleRequest, id: UUID) -> HttpResponse:
    """Revoke one's own token, or as an administrator anybody's; all others do not exist."""
    found = _reachable(request).filter(id=id).select_related("user").first()
    if found is None:
        raise Http404
    if access_tokens.revoke(found, actor=actor_from(request)):
        messages.success(request, _("%(name)s was revoked and no longer works.") % {"name": found.name})
    back = redirect("tokens")
    if found.user_id != request.user.pk:
        back["Location"] += "?whose=all"
    return back


@signed_in
def documentation(request: ConsoleRequest) -> HttpResponse:
    """The API for people: addresses, parameters and their values, limits, and what a refusal means."""
    context = {
        "endpoints": ENDPOINTS,
        "choices": [(one, name, values) for one in ENDPOINTS for name, values in one.choices.items()],
        "problems": [(code, status, title, advice) for code, (status, title, advice) in CODES.items()],
        "limits": {
            "items": MAX_LIMIT,
            "usual": USUAL_LIMIT,
            "text": MAX_TEXT,
            "days": settings.TOKEN_MAX_DAYS,
            "wrong": bearer.MAX_WRONG,
            "seconds": bearer.FORGOTTEN_AFTER,
        },
        "base": request.build_absolute_uri("/api/v1/"),
    }
    return render(request, "tokens/documentation.html", context)


def _reachable(request: ConsoleRequest) -> QuerySet[ApiToken]:
    return ApiToken.objects.all() if request.rights.is_administrator else ApiToken.objects.filter(user=request.user)

"""Why somebody can or can't: every permission on an object, with the grant that gives it or what is missing."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from console.access import teams
from console.access.decorators import refuse, signed_in
from console.access.explaining import explain
from console.access.labels import labels_of
from console.access.models import User
from console.access.permissions import Permission
from console.access.scopes import STAR, Scope
from console.knative.references import ServiceRef
from console.mirror import read
from console.web.requests import ConsoleRequest
from console.web.views.teams import user_names


@signed_in
def why(request: ConsoleRequest) -> HttpResponse:
    """Explain one's own rights to anybody; others' to administrators, and to who manages the object asked about."""
    name = request.GET.get("person", "").strip()
    scope = _asked(request)
    is_own = name.lower() in ("", request.user.get_username().lower())
    may_ask = request.rights.is_administrator or (scope and _manages(request, scope))
    if not is_own and not may_ask:
        return refuse(request, Permission.MANAGE, None)
    person = request.user if is_own else User.objects.filter(username__iexact=name).first()
    shown = None if is_own or request.rights.is_administrator else teams.visible(request.user, request.rights)
    parts = [part for part in _parts(request) if part]
    context = {
        "person": person,
        "is_own": is_own,
        "scope": scope,
        "object": "/".join(parts),
        "is_service": len(parts) == 3,
        "answers": explain(person, scope, shown) if person else [],
        "problem": "" if person else _("No user is named “%(name)s”.") % {"name": name},
        "asked_permission": request.GET.get("permission", ""),
        "may_ask_for_others": request.rights.allows(Permission.MANAGE),
        "names": user_names(request),
        "clusters": read.clusters(),
    }
    return render(request, "access/why.html", context, status=200 if person else 422)


def _parts(request: ConsoleRequest) -> tuple[str, ...]:
    return tuple(request.GET.get(part, "").strip() for part in ("cluster", "namespace", "service"))


def _asked(request: ConsoleRequest) -> Scope | None:
    """What the address asks about: a service, all of a namespace, all of a cluster, or (None) anything anywhere.

    A service's labels are shown only to people who may see it: to others it has none, like one that does not exist.
    """
    cluster, namespace, service = _parts(request)
    if not cluster:
        return None
    if not (namespace and service):
        return Scope(cluster, namespace or STAR)
    ref = ServiceRef(cluster, namespace, service)
    labels = labels_of(ref)
    return Scope(cluster, namespace, labels if request.rights.allows(Permission.VIEW, ref, labels) else {})


def _manages(request: ConsoleRequest, scope: Scope) -> bool:
    """Whether one right to manage covers all that is asked about."""
    return any(Permission.MANAGE in right.permissions and right.scope.covers(scope) for right in request.rights.rights)

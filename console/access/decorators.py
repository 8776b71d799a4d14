"""The permission of each view, as a decorator that a test can enumerate."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, Concatenate, TypeVar

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse

from console.access.actors import actor_from
from console.access.attempts import record_refusal
from console.access.authorization import Rights, rights_of, roles_with
from console.access.labels import labels_of
from console.access.models import User
from console.access.permissions import Permission
from console.audit import reads
from console.knative.references import ServiceRef


class RequestWithRights(HttpRequest):
    """A request of a signed-in person, as these decorators hand it to a view.

    `permissions` are those on the service that the address names; only `require_permission` knows them.
    """

    user: User
    rights: Rights
    permissions: frozenset[Permission]


AnyView = TypeVar("AnyView", bound=Callable[..., Any])
Request = TypeVar("Request", bound=RequestWithRights)
View = Callable[Concatenate[Request, ...], HttpResponseBase]


def mark(view: AnyView, permission: str) -> AnyView:
    """Write on a view what it takes to call it. The check is elsewhere: this lets a test enumerate all views."""
    view.required_permission = permission  # type: ignore[attr-defined]  # functions have no type that takes attributes
    return view


def public(view: AnyView) -> AnyView:
    """Mark a view that needs no sign-in: health endpoints and the like."""
    return login_not_required(mark(view, "public"))


def mark_signed_in(view: AnyView) -> AnyView:
    """Mark an async view that checks what the person may see by itself."""
    return mark(view, "signed-in")


def signed_in(view: View[Request]) -> View[Request]:
    """Mark a view that any signed-in person may use and that shows only what this person may see."""

    @functools.wraps(view)
    def wrapped(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request.rights = rights_of(request.user)
        return view(request, *args, **kwargs)

    return mark(wrapped, "signed-in")


def require_permission(permission: Permission) -> Callable[[View[Request]], View[Request]]:
    """Let a view run only with the permission on the service that its URL names (`cluster`, `namespace`, `name`).

    The view gets a ServiceRef as `ref` in their stead. Without the right to see the service the answer is the same 404
    as for one that does not exist; with it, a 403 page that names the roles, and an audit entry.
    """

    def decorate(view: View[Request]) -> View[Request]:
        @functools.wraps(view)
        def wrapped(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
            rights = request.rights = rights_of(request.user)
            ref = None
            labels: Mapping[str, str] = {}
            if "cluster" in kwargs:
                ref = kwargs["ref"] = ServiceRef(kwargs.pop("cluster"), kwargs.pop("namespace"), kwargs.pop("name", ""))
                labels = labels_of(ref)
                if not rights.allows(Permission.VIEW, ref, labels):
                    raise Http404
            if not rights.allows(permission, ref, labels):
                return refuse(request, permission, ref)
            request.permissions = rights.on(ref, labels) if ref else frozenset()
            answer = view(request, *args, **kwargs)
            if permission is Permission.AUDIT:
                _note_read(request, answer)
            return answer

        return mark(wrapped, permission)

    return decorate


def _note_read(request: RequestWithRights, answer: HttpResponseBase) -> None:
    """Leave the entry of a page of the audit log that was shown; files and checkpoints have entries of their own.

    Also of one that is shown again because of what is wrong with a form on it: the list is there all the same.
    """
    match = request.resolver_match
    is_shown = answer.status_code in (200, 422) and request.method in ("GET", "POST")
    if is_shown and not answer.has_header("Content-Disposition"):
        page = match.url_name if match and match.url_name else ""
        reads.note("audit", actor=actor_from(request), by=(Permission.AUDIT,), subject=f"page {page}")


def administrators_only(view: View[Request]) -> View[Request]:
    """Let a view run for administrators of the installation only; others get a 403 page, and an audit entry."""

    @functools.wraps(view)
    def wrapped(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        rights = request.rights = rights_of(request.user)
        if not rights.is_administrator:
            return refuse(request, Permission.MANAGE, None, administrators=True)
        return view(request, *args, **kwargs)

    return mark(wrapped, "administrator")


def refuse(
    request: HttpRequest, permission: Permission, ref: ServiceRef | None, *, administrators: bool = False
) -> TemplateResponse:
    """Answer 403, naming who may do it instead, and leave an audit entry of the attempt.

    That is everybody with one of the roles with the permission, or only `administrators`.
    """
    record_refusal(request, permission, ref)
    return refused_page(request, permission, ref, administrators=administrators)


def refused_page(
    request: HttpRequest, permission: Permission, ref: ServiceRef | None, *, administrators: bool = False
) -> TemplateResponse:
    """Answer 403 as `refuse` does, for a refusal that has its audit entry already."""
    roles = () if administrators else roles_with(permission)
    context = {"permission": permission, "roles": roles, "ref": ref, "administrators": administrators}
    return TemplateResponse(request, "403.html", context, status=403)

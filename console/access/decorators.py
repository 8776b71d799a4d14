"""The permission of each view, as a decorator that a test can enumerate."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from console.access.attempts import record_refusal
from console.access.authorization import rights_of, roles_with
from console.access.labels import labels_of
from console.access.permissions import Permission
from console.knative.references import ServiceRef

View = TypeVar("View", bound=Callable[..., Any])


def public(view: View) -> View:
    """Mark a view that needs no sign-in: health endpoints and the like."""
    view.required_permission = "public"  # type: ignore[attr-defined]
    return login_not_required(view)


def mark_signed_in(view: View) -> View:
    """Mark an async view that checks what the person may see by itself."""
    view.required_permission = "signed-in"  # type: ignore[attr-defined]
    return view


def signed_in(view: View) -> View:
    """Mark a view that any signed-in person may use and that shows only what this person may see."""

    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        request.rights = rights_of(request.user)  # type: ignore[attr-defined, arg-type]
        return view(request, *args, **kwargs)  # type: ignore[no-any-return]

    wrapped.required_permission = "signed-in"  # type: ignore[attr-defined]
    return wrapped  # type: ignore[return-value]


def require_permission(permission: Permission) -> Callable[[View], View]:
    """Let a view run only with the permission on the service that its URL names (`cluster`, `namespace`, `name`).

    The view gets a ServiceRef as `ref` in their stead. Without the right to see the service the answer is the same 404
    as for one that does not exist; with it, a 403 page that names the roles, and an audit entry.
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            rights = request.rights = rights_of(request.user)  # type: ignore[attr-defined, arg-type]
            ref = None
            labels: Mapping[str, str] = {}
            if "cluster" in kwargs:
                ref = kwargs["ref"] = ServiceRef(kwargs.pop("cluster"), kwargs.pop("namespace"), kwargs.pop("name", ""))
                labels = labels_of(ref)
                if not rights.allows(Permission.VIEW, ref, labels):
                    raise Http404
            if not rights.allows(permission, ref, labels):
                return refuse(request, permission, ref)
            request.permissions = rights.on(ref, labels) if ref else frozenset()  # type: ignore[attr-defined]
            return view(request, *args, **kwargs)  # type: ignore[no-any-return]

        wrapped.required_permission = permission  # type: ignore[attr-defined]
        return wrapped  # type: ignore[return-value]

    return decorate


def administrators_only(view: View) -> View:
    """Let a view run for administrators of the installation only; others get a 403 page, and an audit entry tells."""

    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        rights = request.rights = rights_of(request.user)  # type: ignore[attr-defined, arg-type]
        if not rights.is_administrator:
            return refuse(request, Permission.MANAGE, None, administrators=True)
        return view(request, *args, **kwargs)  # type: ignore[no-any-return]

    wrapped.required_permission = "administrator"  # type: ignore[attr-defined]
    return wrapped  # type: ignore[return-value]


def refuse(
    request: HttpRequest, permission: Permission, ref: ServiceRef | None, *, administrators: bool = False
) -> TemplateResponse:
    """Answer 403, naming who may do it instead, and leave an audit entry of the attempt.

    That is whoever has one of the roles with the permission, or only `administrators`.
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

"""One call of the API: token, permission, parameters, view, answer. The same for every address."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import redis
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.http import http_date
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from console.access import bearer, tokens
from console.access.authorization import roles_with
from console.access.decorators import mark
from console.access.labels import labels_of
from console.access.models import ApiToken
from console.access.permissions import Permission
from console.access.tokens import NarrowedRights
from console.knative.references import ServiceRef
from console.mirror.read import MirrorIncomplete, MirrorUnavailable
from console.web.api import parameters, problems
from console.web.api.conditional import conditional
from console.web.api.problems import Refused
from console.web.api.queries import Query

IN_PATH = re.compile(r"<(\w+):(\w+)>")  # kind and name


@dataclass(frozen=True, slots=True)
class Call:
    """What a view gets: who asks, with which rights, for what."""

    token: ApiToken
    rights: NarrowedRights
    query: Any
    ref: ServiceRef | None = None

    @property
    def service(self) -> ServiceRef:
        """The service that the address names; raises Http404 where it names none."""
        if self.ref is None:
            raise Http404
        return self.ref


@dataclass(frozen=True, slots=True)
class Retirement:
    """That an address will go: when that was announced, and until when it works (docs/api.md promises how long)."""

    announced: datetime
    sunset: datetime

    @property
    def headers(self) -> dict[str, str]:
        """Deprecation (RFC 9745) and Sunset (RFC 8594)."""
        return {"Deprecation": f"@{self.announced.timestamp():.0f}", "Sunset": http_date(self.sunset.timestamp())}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address: everything that its URL, its check and its documentation are made of.

    `permission` None: any token that counts.
    """

    name: str
    path: str  # Django's, under /api/v1/
    permission: Permission | None
    view: Callable[..., msgspec.Struct]
    answer: type[msgspec.Struct]
    summary: Any
    query: type[Query] = Query
    retirement: Retirement | None = None

    @property
    def template(self) -> str:
        """The address below /api/v1 as OpenAPI writes it: `/operations/{id}`."""
        return "/" + IN_PATH.sub(r"{\2}", self.path)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names that are allowed after the question mark."""
        return self.query.__struct_fields__

    @property
    def choices(self) -> Mapping[str, tuple[str, ...]]:
        """The values of each parameter that has a list of them."""
        return parameters.choices(self.query)


def serve(endpoint: Endpoint) -> Callable[..., HttpResponseBase]:
    """Return Django's view of an endpoint."""

    @csrf_exempt  # a cookie opens nothing here, so there is nothing to forge; and a POST should hear 405
    @login_not_required  # the token is the sign-in
    @require_safe
    def view(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        try:
            body = msgspec.json.encode(_answer(endpoint, request, kwargs))
        except Refused as refusal:
            return problems.of(request, refusal)
        except Http404:
            return problems.response(request, "not-found")
        except MirrorIncomplete as incomplete:
            return problems.response(request, "cluster-unread", f"The console has not finished reading {incomplete}.")
        except (MirrorUnavailable, redis.RedisError):
            return problems.response(request, "unavailable")
        response = HttpResponse(body, content_type="application/json")
        response["Cache-Control"] = "private, no-cache"  # keep it, and ask with If-None-Match
        patch_vary_headers(response, ["Authorization"])
        for name, text in (endpoint.retirement.headers if endpoint.retirement else {}).items():
            response[name] = text
        return conditional(request, response)

    return mark(view, endpoint.permission or "token")


def _answer(endpoint: Endpoint, request: HttpRequest, kwargs: dict[str, Any]) -> msgspec.Struct:
    token = _token(request)
    rights = tokens.rights_with(token)
    ref = None
    if "cluster" in kwargs:
        ref = ServiceRef(kwargs.pop("cluster"), kwargs.pop("namespace"), kwargs.pop("name"))
        if not rights.allows(Permission.VIEW, ref, labels_of(ref)):
            raise Http404
    if endpoint.permission and not rights.allows(endpoint.permission):
        bearer.tell_refusal(token, request, f"lacks-{endpoint.permission}")
        roles = ", ".join(roles_with(endpoint.permission))
        raise Refused(
            "not-allowed", f"requires the permission “{endpoint.permission}”, in the token and through a role ({roles})"
        )
    query = parameters.read(request.GET, endpoint.query)
    return endpoint.view(Call(token, rights, query, ref), **kwargs)


def _token(request: HttpRequest) -> ApiToken:
    try:
        return bearer.token_of(request)
    except bearer.NotAccepted as refusal:
        is_limit = refusal.why == bearer.Why.TOO_MANY
        raise Refused(refusal.why, retry_after=bearer.FORGOTTEN_AFTER if is_limit else None) from refusal

"""What a person typed into a form, from wherever it comes: sent just now, or kept in a draft that the address names.

A form that changes something goes this way:

1. GET the form.
2. POST it. What is wrong is shown at once; what is right is kept as a draft, and the answer redirects to 3.
3. GET the form's address with `draft` and `preview`: the preview, which can be loaded again.
4. GET the form's address with `draft` alone: the form as it was typed. "Back" leads here: static/js/typed.js gives the
   form's entry in the browser's history that address when the preview comes. A browser without JavaScript gets the
   fresh form with a link to what was typed.

A switch of language or theme, and whatever else reloads the page of a half-filled form, keeps a draft and goes to 4.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, Concatenate
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

from console.operations.models import Draft
from console.operations.submitting import drafts
from console.web.requests import ConsoleRequest

DRAFT, PREVIEW = "draft", "preview"
# What goes with every form; and credentials of clusters, which are shown to nobody again.
_NOT_KEPT = ("csrfmiddlewaretoken", "kubeconfig", "token", "key", "certificate")

View = Callable[Concatenate[ConsoleRequest, ...], HttpResponseBase]


def keeps_typed(view: View) -> View:
    """Let the view read what was typed with `typed`, also from a draft, and its page offer what was not applied.

    A view that makes a change at once, without a preview, does so for a POST only: a draft just fills its form.
    """

    @functools.wraps(view)
    def wrapped(request: ConsoleRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "GET" and DRAFT in request.GET:
            request.draft = _find(request)
            if request.draft is None:
                text = _("This input has already been applied, has expired, or can no longer be decrypted.")
                messages.info(request, text)
                return HttpResponseRedirect(_address(request))
        elif request.method == "GET":
            request.unapplied = drafts.latest(request.user, request.path)
        response = view(request, *args, **kwargs)
        push_address(request, response)
        if request.method == "POST" and (response.status_code == 302 or "HX-Redirect" in response):
            drafts.forget(request.user, request.path)
        return response

    wrapped.keeps_typed = True  # type: ignore[attr-defined]  # read by _keeps_typed, through all other decorators
    return wrapped


def push_address(request: ConsoleRequest, response: HttpResponseBase) -> None:
    """Tell htmx the address of a preview, whatever became of it: the form went there by a redirect."""
    if request.method == "GET" and request.htmx and wants_preview(request):
        response["HX-Push-Url"] = request.get_full_path()


def typed(request: ConsoleRequest) -> QueryDict | None:
    """Return the form's fields as they were typed; None on the fresh form."""
    if request.method == "POST":
        return request.POST
    draft = draft_of(request)
    return as_sent(draft.fields) if draft else None


def typed_field(request: ConsoleRequest, name: str) -> str:
    """Return one field as it was typed; empty where there is none."""
    data = typed(request)
    return str(data.get(name, "")) if data else ""


def wants_preview(request: ConsoleRequest) -> bool:
    """The form was sent, not merely left or returned to."""
    return request.method == "POST" or bool(draft_of(request) and PREVIEW in request.GET)


def unjudged(request: ConsoleRequest, *forms: BaseForm, is_arranged: bool = False) -> None:
    """Take the problems off forms that were left half-filled, or whose rows a button arranged.

    They are judged when they are sent.
    """
    if is_arranged or not wants_preview(request):
        for form in forms:
            form.errors.clear()


def draft_of(request: ConsoleRequest) -> Draft | None:
    """Return the draft that the address names."""
    return getattr(request, "draft", None)


def to_preview(request: ConsoleRequest) -> HttpResponse:
    """Keep what was sent, and go to its preview."""
    draft = drafts.keep(request.user, request.path, fields_of(request.POST))
    response = HttpResponseRedirect(_address(request, **{DRAFT: str(draft.id), PREVIEW: "1"}))
    response.status_code = 303
    return response


def keep_for(request: ConsoleRequest, address: str, fields: Mapping[str, list[str]]) -> str:
    """Keep what was typed on the page of an address that is left for a moment; return the address that shows it again.

    On a preview that is the reason and what else is entered beside its button.
    """
    parts = urlsplit(address)
    if not _keeps_typed(parts.path):
        return address
    query = parse_qsl(parts.query)
    draft_id = _as_uuid(dict(query).get(DRAFT, ""))
    draft = drafts.find(draft_id, request.user, parts.path) if draft_id else None
    if draft and PREVIEW in dict(query):
        drafts.note(draft, fields)
        return address
    kept = drafts.keep(request.user, parts.path, fields)
    rest = [(name, value) for name, value in query if name not in (DRAFT, PREVIEW)]
    return f"{parts.path}?{urlencode([*rest, (DRAFT, str(kept.id))])}"


def applied(request: ConsoleRequest) -> None:
    """Forget the draft whose preview was submitted."""
    if draft_id := _as_uuid(request.POST.get(DRAFT, "")):
        drafts.applied(draft_id, request.user)


def address_left(request: ConsoleRequest) -> str:
    """Return where the form of the draft that was sent along is found as it was typed; empty where it is gone."""
    draft_id = _as_uuid(request.POST.get(DRAFT, ""))
    draft = drafts.find_own(draft_id, request.user) if draft_id else None
    return f"{draft.path}?{urlencode({DRAFT: str(draft.id)})}" if draft else ""


def form_address(request: ConsoleRequest) -> str:
    """Return where the form is found again as it was typed."""
    draft = draft_of(request)
    return _address(request, **({DRAFT: str(draft.id)} if draft else {}))


def fields_of(data: QueryDict) -> dict[str, list[str]]:
    """Return what was typed, without what is not kept."""
    return {name: [str(value) for value in values] for name, values in data.lists() if name not in _NOT_KEPT}


def as_sent(fields: Mapping[str, list[str]]) -> QueryDict:
    """Return the fields as a request would carry them."""
    found = QueryDict(mutable=True)
    for name, values in fields.items():
        found.setlist(name, values)
    return found


def _find(request: ConsoleRequest) -> Draft | None:
    draft_id = _as_uuid(request.GET[DRAFT])
    return drafts.find(draft_id, request.user, request.path) if draft_id else None


def _keeps_typed(path: str) -> bool:
    try:
        return hasattr(resolve(path).func, "keeps_typed")
    except Resolver404:
        return False


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _address(request: ConsoleRequest, **more: str) -> str:
    query = [(name, value) for name, values in request.GET.lists() if name not in (DRAFT, PREVIEW) for value in values]
    query += more.items()
    return f"{request.path}?{urlencode(query)}" if query else request.path

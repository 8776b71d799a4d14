"""Rules and freeze windows: the list, and adding, changing and removing them."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from console import audit, counters
from console.access.actors import actor_from
from console.access.decorators import require_permission
from console.access.labels import labels_of
from console.access.permissions import CHANGING, Permission
from console.access.scopes import selector_text
from console.knative.references import ServiceRef
from console.operations.models.protection import FreezeWindow, ProtectionRule, Scoped
from console.operations.protection import rules
from console.operations.protection.gate import Freeze
from console.operations.protection.rules import manages
from console.web import words
from console.web.covered import choices, covered
from console.web.forms.protection import NOT_MANAGED, RuleForm, ScopeForm, WindowForm
from console.web.requests import ConsoleRequest
from console.web.typed import keeps_typed, typed, unjudged


@dataclass(frozen=True, slots=True)
class Kind:
    """What differs between rules and windows."""

    model: type[Scoped]
    form: type[ScopeForm]


KINDS = {"rule": Kind(ProtectionRule, RuleForm), "window": Kind(FreezeWindow, WindowForm)}


@require_permission(Permission.MANAGE)
def protection(request: ConsoleRequest) -> HttpResponse:
    """The rules and windows of which the person manages the whole scope."""
    windows = [window for window in FreezeWindow.objects.all() if manages(request.rights, window)]
    context = {
        "rules": [rule for rule in ProtectionRule.objects.all() if manages(request.rights, rule)],
        "windows": [(window, _state(window)) for window in windows],
    }
    return render(request, "protection/list.html", context)


def _state(window: FreezeWindow) -> str:
    now = timezone.now()
    if ends := window.window.end_if_in_force(now):
        return words.frozen_now(Freeze(window, ends))
    return words.next_freeze(window, window.window.next_begin(now))


@require_permission(Permission.MANAGE)
@keeps_typed
def add(request: ConsoleRequest, kind: str) -> HttpResponse:
    """A new rule or window."""
    found = _kind(kind)
    return _edit(request, kind, found.model())


@require_permission(Permission.MANAGE)
@keeps_typed
def edit(request: ConsoleRequest, kind: str, id: int) -> HttpResponse:
    """A rule or window that exists."""
    return _edit(request, kind, _find(request, kind, id))


def _edit(request: ConsoleRequest, kind: str, scope: Scoped) -> HttpResponse:
    """Save what was typed, once the page has said which services it covers: an address with `check` only asks that."""
    before = scope.facts() if scope.pk else {}
    is_sent = request.method == "POST" and "check" not in request.GET
    asked = {} if before else _asked(request)
    form = _kind(kind).form(typed(request), instance=scope, rights=request.rights, initial=asked)
    is_right = is_sent and form.is_valid()
    if is_right and request.POST.get("covers") == form.instance.place:
        rules.save(form.save(commit=False), before, actor=actor_from(request))
        messages.success(request, _("Saved."))
        return redirect("protection")
    if is_sent and form.has_error("cluster", NOT_MANAGED):
        actor, text = actor_from(request), scope.place
        counters.REFUSALS.labels(Permission.MANAGE.value).inc()
        audit.record("manage.refused", actor=actor, outcome=audit.Outcome.REFUSED, text=text)
    unjudged(request, form)
    context = {
        "form": form,
        "kind": kind,
        "is_new": not before,
        "id": scope.pk,
        "asked": asked,
        "covered": covered(form.scoped, request.rights) if form.scoped else None,
        "is_shown_first": is_right,
        "choices": choices(request.rights),
    }
    return render(request, "protection/edit.html", context, status=422 if is_sent and form.errors else 200)


def _asked(request: ConsoleRequest) -> dict[str, Any]:
    """What a new rule or window begins with: the service whose page led here, and every kind of change of it."""
    found: dict[str, Any] = {name: request.GET.get(name, "") for name in ("cluster", "namespace", "service")}
    if not all(found.values()):
        return {}
    ref = ServiceRef(found["cluster"], found["namespace"], found["service"])
    labels = labels_of(ref)
    if not request.rights.allows(Permission.MANAGE, ref, labels):
        return {}
    if not manages(request.rights, ProtectionRule(cluster=ref.cluster, namespace=ref.namespace)):
        found["selector"] = selector_text(labels)  # of the namespace they manage only services with such labels
    return {**found, "permissions": [permission.value for permission in CHANGING]}


@require_permission(Permission.MANAGE)
def remove(request: ConsoleRequest, kind: str, id: int) -> HttpResponse:
    """Ask, then remove."""
    scope = _find(request, kind, id)
    if request.method == "POST":
        rules.delete(scope, actor=actor_from(request))
        messages.success(request, _("Removed."))
        return redirect("protection")
    return render(request, "protection/remove.html", {"scope": scope, "kind": kind})


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise Http404
    return KINDS[name]


def _find(request: ConsoleRequest, kind: str, id: int) -> Scoped:
    """The rule or window, or the same 404 for one that does not exist and one beyond what the person manages."""
    found = _kind(kind).model._default_manager.filter(pk=id).first()
    if found is None or not manages(request.rights, found):
        raise Http404
    return found

"""The forms that change a service. Each goes the same way: form, preview, operation."""

from collections.abc import Callable, Sequence
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from console.access.actors import actor_from
from console.access.decorators import refuse, require_permission
from console.access.permissions import Permission
from console.knative.changes import Change, ChangeRefused, DeleteRevision, DeleteService
from console.knative.containers import Container, is_sidecar
from console.knative.objects import Service
from console.knative.references import ServiceRef
from console.mirror import read
from console.operations import previewing, revealing, surroundings
from console.operations.previewing import NotAllowed
from console.operations.protection import gate
from console.operations.rights import needs_of
from console.operations.submission import Limits
from console.web import outcomes, words
from console.web.actions import service_url
from console.web.forms import digest
from console.web.forms.env import EnvForm
from console.web.forms.image import ImageForm
from console.web.forms.limits import LimitsForm
from console.web.forms.settings import SettingsForm
from console.web.forms.yaml import YamlForm
from console.web.offers import offers
from console.web.requests import ConsoleRequest
from console.web.views.services import find, frame


@require_permission(Permission.DEPLOY)
def env(request: ConsoleRequest, ref: ServiceRef) -> HttpResponse:
    """The variables of a container: a table to add, change and remove; values masked until revealed."""
    found = find(ref)
    container = _container(request, found)
    data = request.POST if is_sent(request) else None
    chosen = digest.choice(found, container, read.revisions(ref), data)
    form = EnvForm(container, data, chosen, is_sidecar=is_sidecar(container, found.containers))
    if is_sent(request) and not is_editing(request) and form.is_valid():
        return show_preview(request, ref, form.change, lambda why: _env_page(request, ref, found, form, why))
    return _env_page(request, ref, found, form)


def _env_page(
    request: ConsoleRequest, ref: ServiceRef, found: Service, form: EnvForm, refused: str = "", **more: Any
) -> HttpResponse:
    more |= {"form": form, "refused": refused, "offers": offers(request, ref)}
    context = {**frame(request, ref, found), "here": "env", **more}
    has_problems = bool(refused or form.problems or any(row.problems for row in form.rows))
    return render(request, "changes/env.html", context, status=422 if has_problems else 200)


@require_permission(Permission.REVEAL)
def reveal(request: ConsoleRequest, ref: ServiceRef) -> HttpResponse:
    """The variables with their values, read from the cluster now; leaves an audit entry."""
    if request.method != "POST":
        return redirect(service_url("env", ref))
    found = find(ref)
    container = _container(request, found)
    values = revealing.reveal_env(ref, user=request.user, actor=actor_from(request)).get(container.name, {})
    form = EnvForm(container, None, digest.choice(found, container, read.revisions(ref)))
    return _env_page(request, ref, found, form, values=values)


@require_permission(Permission.DEPLOY)
def image(request: ConsoleRequest, ref: ServiceRef) -> HttpResponse:
    """The image of a container."""
    found = find(ref)
    container = _container(request, found)
    others = digest.running_digests(found, read.revisions(ref))
    form = ImageForm(container, request.POST if is_sent(request) else None, others)

    def page(refused: str = "") -> HttpResponse:
        known = list(dict.fromkeys(r.image for r in read.revisions(ref)))[:20]
        context = {
            **frame(request, ref, found),
            "here": "image",
            "form": form,
            "refused": refused,
            "known_images": known,
        }
        return render(request, "changes/image.html", context, status=422 if refused or form.problems else 200)

    if is_sent(request) and not is_editing(request) and form.is_valid():
        return show_preview(request, ref, form.change, page)
    return page()


@require_permission(Permission.DEPLOY)
def settings(request: ConsoleRequest, ref: ServiceRef) -> HttpResponse:
    """Scale, concurrency, resources, ports, probes and the rest of what kn has flags for."""
    found = find(ref)
    container = _container(request, found)
    data = request.POST if is_sent(request) else None
    chosen = digest.choice(found, container, read.revisions(ref), data)
    form = SettingsForm(found, container, data, defaults=surroundings.defaults(ref.cluster), digest=chosen)

    def page(refused: str = "") -> HttpResponse:
        context = {
            **frame(request, ref, found),
            "here": "settings",
            "form": form,
            "refused": refused,
            "offers": offers(request, ref),
        }
        return render(request, "changes/settings.html", context, status=422 if refused or form.errors else 200)

    if is_sent(request) and not is_editing(request) and form.is_valid():
        if form.change is None:
            return page(_("Nothing was changed."))
        return show_preview(request, ref, form.change, page)
    return page()


@require_permission(Permission.VIEW)
def yaml(request: ConsoleRequest, ref: ServiceRef) -> HttpResponse:
    """The whole manifest: masked for reading, with its values for whoever may reveal and deploy."""
    found = find(ref)
    may_edit = {Permission.DEPLOY, Permission.REVEAL, Permission.TRAFFIC, Permission.OPERATE} <= set(
        request.permissions
    )
    if request.method == "POST" and not may_edit:
        return refuse(request, Permission.DEPLOY, ref)
    form = YamlForm(found, request.POST if is_sent(request) else None)

    def page(refused: str = "") -> HttpResponse:
        context = {
            **frame(request, ref, found),
            "here": "yaml",
            "form": form,
            "refused": refused,
            "may_edit": may_edit,
        }
        return render(request, "changes/yaml.html", context, status=422 if refused or form.problems else 200)

    if is_sent(request) and not is_editing(request) and form.is_valid():
        return show_preview(request, ref, form.change, page)
    return page()


@require_permission(Permission.DELETE)
def delete(request: ConsoleRequest, ref: ServiceRef) -> HttpResponse:
    """The end of a service; the name must be typed."""
    found = find(ref)

    def page(refused: str = "") -> HttpResponse:
        count = len(read.revisions(ref))
        context = {**frame(request, ref, found), "here": "delete", "refused": refused, "revision_count": count}
        return render(request, "changes/delete.html", context, status=422 if refused else 200)

    if is_sent(request) and not is_editing(request):
        if request.POST.get("confirm", "") != ref.name:
            return page(_("Type the service's name, %(name)s, to confirm.") % {"name": ref.name})
        return show_preview(request, ref, DeleteService(), page)
    return page()


@require_permission(Permission.DELETE)
def delete_revision(request: ConsoleRequest, ref: ServiceRef, revision: str) -> HttpResponse:
    """The end of one revision that is neither routed nor the latest."""
    found = find(ref)

    def page(refused: str = "") -> HttpResponse:
        context = {**frame(request, ref, found), "revision_name": revision, "refused": refused}
        return render(request, "changes/delete_revision.html", context, status=422 if refused else 200)

    if is_sent(request) and not is_editing(request):
        return show_preview(request, ref, DeleteRevision(revision), page)
    return page()


def show_preview(
    request: ConsoleRequest,
    ref: ServiceRef,
    change: Change,
    back: Callable[[str], HttpResponse],
    notes: Sequence[str] = (),
) -> HttpResponse:
    """Show what the change would do, with a button; `back` renders the form again with the reason when it can't.

    `notes` are sentences about a change that nobody typed: what it leaves out, and why.
    """
    try:
        effect = previewing.preview(
            change, user=request.user, ref=ref, form_version=request.POST.get("resource_version", "")
        )
    except ChangeRefused as refusal:
        return back(words.problem(refusal.problem))
    except NotAllowed as error:
        return refuse(request, Permission(sorted(error.permissions)[0]), ref)
    if effect.is_empty:
        return back(_("Nothing would change: the service is already like that."))
    shown = effect.after if effect.after.raw else effect.before
    standing = gate.standing_before(ref, change, effect.before)
    context = {
        **(frame(request, ref, effect.before) if read.service(ref) else {"ref": ref, "service": shown}),
        "effect": effect,
        "notes": notes,
        "standing": standing,
        "may_break_glass": standing.stops
        and gate.may_break_glass(request.rights, ref, needs_of(change, effect.before), standing),
        "apply_url": reverse("submit", kwargs={"id": effect.preview.id}),
        "effect_sentence": words.truth(effect.truth),
        "refusal": outcomes.answer_error(effect.refusal) if effect.refusal else None,
        "manifest": YamlForm.text_of(previewing.masked(effect.after)) if effect.after.raw else "",
        "form_path": request.path,
        "form_fields": [
            (name, value)
            for name, values in request.POST.lists()
            if name not in ("csrfmiddlewaretoken", "edit")
            for value in values
        ],
        "owner": effect.before.owner if effect.before.raw else None,
        "limits": LimitsForm(usual=Limits().on(effect.before)),
    }
    return render(request, "changes/preview.html", context, status=200 if effect.is_possible else 422)


def is_sent(request: ConsoleRequest) -> bool:
    return request.method == "POST"


def is_editing(request: ConsoleRequest) -> bool:
    """The person came back from the preview to go on typing."""
    return "edit" in request.POST


def _container(request: ConsoleRequest, found: Service) -> Container:
    """The container that the form or the address names, else the one that takes requests."""
    name = request.POST.get("container") or request.GET.get("container", "")
    for container in found.containers:
        if container.name == name:
            return container
    if found.user_container is None or request.POST.get("container"):  # gone since: another one is not meant
        raise Http404
    return found.user_container

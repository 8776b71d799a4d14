"""The forms that change a service. Each goes the same way: form, preview, operation."""

from collections.abc import Callable, Sequence
from typing import Any

from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from console.access.actors import actor_from
from console.access.attempts import record_not_allowed
from console.access.decorators import refuse, require_permission
from console.access.labels import labels_of
from console.access.permissions import Permission
from console.access.refusals import LabelNotAllowed
from console.knative.changes import Change, ChangeRefused, DeleteRevision, DeleteService
from console.knative.containers import Container
from console.knative.diff import FieldChange
from console.knative.objects import Service
from console.knative.problems import Problem
from console.knative.references import ServiceRef
from console.mirror import read
from console.operations.lookups import form_choices, revealing
from console.operations.protection import gate
from console.operations.submitting import previewing
from console.operations.submitting.submission import Limits
from console.web import impact, outcomes, words
from console.web.form_choices import choices_for
from console.web.forms import image_pinning
from console.web.forms.image import ImageForm
from console.web.forms.limits import LimitsForm
from console.web.forms.settings import SettingsForm
from console.web.forms.yaml import YamlForm
from console.web.requests import ConsoleRequest
from console.web.typed import (
    as_sent,
    draft_of,
    form_address,
    keeps_typed,
    to_preview,
    typed,
    typed_field,
    unjudged,
    wants_preview,
)
from console.web.views.services import find, frame

_EDITS = frozenset({Permission.DEPLOY, Permission.TRAFFIC, Permission.OPERATE})


@require_permission(Permission.DEPLOY)
@keeps_typed
def image(request: ConsoleRequest, ref: ServiceRef) -> HttpResponse:
    """The image of a container."""
    found = find(ref)
    container = container_of(request, found)
    others = image_pinning.running_digests(found, read.revisions(ref))
    form = ImageForm(container, typed(request), others)

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

    if wants_preview(request) and form.is_valid():
        return show_preview(request, ref, form.change, page)
    return page()


@require_permission(Permission.DEPLOY)
@keeps_typed
def settings(request: ConsoleRequest, ref: ServiceRef) -> HttpResponse:
    """Scale, concurrency, resources, ports, probes and the rest of what kn has flags for."""
    found = find(ref)
    container = container_of(request, found)
    data = typed(request)
    chosen = image_pinning.choice(found, container, read.revisions(ref), data)
    form = SettingsForm(found, container, data, defaults=form_choices.defaults(ref.cluster), digest=chosen)

    def page(refused: str = "") -> HttpResponse:
        unjudged(request, form)
        context = {
            **frame(request, ref, found),
            "here": "settings",
            "form": form,
            "refused": refused,
            "choices": choices_for(request, ref),
        }
        return render(request, "changes/settings.html", context, status=422 if refused or form.errors else 200)

    if wants_preview(request) and form.is_valid():
        if form.change is None:
            return page(_("Nothing was changed."))
        return show_preview(request, ref, form.change, page, form=form)
    return page()


@require_permission(Permission.VIEW)
@keeps_typed
def yaml(request: ConsoleRequest, ref: ServiceRef) -> HttpResponse:
    """The whole manifest, its values masked. What an edit needs follows from what it changes."""
    found = find(ref)
    may_edit = not _EDITS.isdisjoint(request.permissions)
    if wants_preview(request) and not may_edit:
        return refuse(request, Permission.DEPLOY, ref)
    form = YamlForm(found, typed(request))

    def page(refused: str = "") -> HttpResponse:
        context = {
            **frame(request, ref, found),
            "here": "yaml",
            "form": form,
            "refused": refused,
            "may_edit": may_edit,
        }
        return render(request, "changes/yaml.html", context, status=422 if refused or form.problems else 200)

    if wants_preview(request) and form.is_valid():
        return show_preview(request, ref, form.change, page)
    return page()


@require_permission(Permission.DELETE)
@keeps_typed
def delete(request: ConsoleRequest, ref: ServiceRef) -> HttpResponse:
    """The end of a service; the name must be typed."""
    found = find(ref)

    def page(refused: str = "") -> HttpResponse:
        count = len(read.revisions(ref))
        context = {**frame(request, ref, found), "here": "delete", "refused": refused, "revision_count": count}
        return render(request, "changes/delete.html", context, status=422 if refused else 200)

    if wants_preview(request):
        if typed_field(request, "confirm") != ref.name:
            return page(_("Type the service's name, %(name)s, to confirm.") % {"name": ref.name})
        return show_preview(request, ref, DeleteService(), page)
    return page()


@require_permission(Permission.DELETE)
@keeps_typed
def delete_revision(request: ConsoleRequest, ref: ServiceRef, revision: str) -> HttpResponse:
    """The end of one revision that is neither routed nor the latest."""
    found = find(ref)

    def page(refused: str = "") -> HttpResponse:
        context = {**frame(request, ref, found), "revision_name": revision, "refused": refused}
        return render(request, "changes/delete_revision.html", context, status=422 if refused else 200)

    if wants_preview(request):
        return show_preview(request, ref, DeleteRevision(revision), page)
    return page()


class ClusterRefusal(str):
    """What a cluster's refusal means, as the reason why a form was not accepted; `raw` is its own message."""

    raw: str

    def __new__(cls, sentence: str, raw: str) -> "ClusterRefusal":
        found = super().__new__(cls, sentence)
        found.raw = raw
        return found


def show_preview(
    request: ConsoleRequest,
    ref: ServiceRef,
    change: Change,
    back: Callable[[str], HttpResponse],
    notes: Sequence[str] = (),
    form: Form | None = None,
    *,
    shows_values: bool = True,
    is_typed: bool = True,
) -> HttpResponse:
    """Show what the change would do, with a button; `back` renders the form again with the reason when it can't.

    `notes` are sentences about a change that nobody typed: what it leaves out, and why. A problem that names a field
    of `form` is shown beside it. Without `shows_values` all values stay masked: those that a copy brings along.
    What the cluster's dry run refuses is not shown at length: only why, above the form, or alone if nobody typed
    (`is_typed`).

    A form that was sent just now is kept as a draft first: its preview has an address of its own (console.web.typed).
    """
    if request.method == "POST":
        return to_preview(request)
    seen = typed_field(request, "resource_version")
    try:
        effect = previewing.preview(change, user=request.user, ref=ref, form_version=seen)
    except LabelNotAllowed as refusal:
        record_not_allowed(refusal, actor_from(request))
        return back(_beside_field(refusal.problem, form))
    except ChangeRefused as refusal:
        return back(_beside_field(refusal.problem, form))
    if effect.is_empty:
        return back(_("Nothing would change: the service is already like that."))
    if effect.refusal and is_typed:
        return back(ClusterRefusal(*outcomes.answer_error(effect.refusal)))
    policy_status = gate.policy_status_of(ref, effect.needs)
    context = {
        **(frame(request, ref, effect.before) if effect.before.raw else {"ref": ref}),
        "effect": effect,
        "rows": () if effect.refusal else _rows(request, ref, change, effect) if shows_values else effect.changes,
        "notes": notes,
        "policy_status": policy_status,
        "may_break_glass": policy_status.stops
        and gate.may_break_glass(request.rights, ref, effect.needs, policy_status),
        "apply_url": reverse("submit", kwargs={"id": effect.preview.id}),
        "impact": impact.sentences(
            change,
            effect.before,
            effect.after,
            makes_revision=effect.makes_revision,
            revisions=len(read.revisions(ref)) if read.is_whole(ref.cluster, "revisions") else None,
        ),
        "is_new": not effect.before.raw,
        "is_removal": impact.is_removal(change),
        "is_tested": not isinstance(change, DeleteRevision),  # of which no dry run is asked
        "refusal": outcomes.answer_error(effect.refusal) if effect.refusal else None,
        "untested": outcomes.UNTESTED[effect.untested] if effect.untested else "",
        "manifest": ""
        if effect.refusal or impact.is_removal(change)
        else YamlForm.text_of(previewing.masked(effect.after)),
        "form_address": form_address(request),
        **beside_button(request, Limits().on(effect.before)),
        "owner": effect.before.owner if effect.before.raw else None,
    }
    return render(request, "changes/preview.html", context, status=200 if effect.is_possible else 422)


def _beside_field(problem: Problem, form: Form | None) -> str:
    """Tell the problem beside the field that it names and return nothing; without such a field return its words."""
    parts = [part for part in (form, getattr(form, "settings", None)) if part and problem.field in part.fields]
    if not parts:
        return words.problem(problem)
    parts[0].add_error(problem.field, words.problem(problem))
    return ""


def beside_button(request: ConsoleRequest, usual: tuple[float, float] | None = None) -> dict[str, Any]:
    """Return what the form beside the button of a preview shows: empty, or as it was left."""
    draft = draft_of(request)
    left = as_sent(draft.on_preview) if draft else None
    limits = LimitsForm(left or None, usual=usual)
    unjudged(request, limits)
    return {"draft_id": draft.id if draft else "", "reason": left.get("reason", "") if left else "", "limits": limits}


def container_of(request: ConsoleRequest, found: Service) -> Container:
    """The container that the form or the address names, else the one that takes requests."""
    name = typed_field(request, "container") or request.GET.get("container", "")
    for container in found.containers:
        if container.name == name:
            return container
    if found.user_container is None or typed_field(request, "container"):  # gone since: another one is not meant
        raise Http404
    return found.user_container


def _rows(
    request: ConsoleRequest, ref: ServiceRef, change: Change, effect: previewing.Effect
) -> tuple[FieldChange, ...]:
    """The differences with the values that the author may see."""
    return revealing.for_author(
        effect.changes,
        change,
        effect.before,
        effect.after,
        ref=ref,
        actor=actor_from(request),
        may_reveal=request.rights.allows(Permission.REVEAL, ref, labels_of(ref)),
    )

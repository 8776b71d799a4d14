"""What all pages that change a service share. Each goes the same way: form, preview, operation."""

from collections.abc import Callable, Sequence
from functools import cached_property
from http import HTTPStatus
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from django.forms import Form
from django.http import Http404, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views import View

from console.access.actors import actor_from
from console.access.attempts import record_not_allowed
from console.access.decorators import require_permission
from console.access.labels import labels_of
from console.access.permissions import Permission
from console.access.refusals import LabelNotAllowed
from console.knative.changes import Change, ChangeRefused, Verb
from console.knative.containers import Container
from console.knative.diff import FieldChange
from console.knative.objects import Service
from console.knative.problems import Problem
from console.knative.references import ServiceRef
from console.knative.split_effect import split_effect
from console.mirror import read
from console.operations import ClusterError, is_passing
from console.operations.lookups import revealing
from console.operations.protection import gate
from console.operations.submitting import previewing
from console.operations.submitting.proposal import Proposal
from console.operations.submitting.submission import Limits
from console.web import change_words, impact, outcomes, words
from console.web.forms.deploy import DeployForm
from console.web.forms.limits import LimitsForm
from console.web.forms.rows import asks_for_rows
from console.web.forms.yaml import YamlForm
from console.web.last_step import last_step
from console.web.parts.service import find
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
from console.web.views.services import frame


class ChangeForm(Protocol):
    """What a page needs of its form: one of Django's, or one of our own."""

    @property
    def change(self) -> Change | None:
        """What a valid form asks for; None when nothing differs from what it showed."""

    @property
    def has_problems(self) -> bool: ...

    def is_valid(self) -> bool: ...


AnyForm = TypeVar("AnyForm", bound=ChangeForm)


class ChangeView(View, Generic[AnyForm]):
    """A page that changes a service: a form, then the preview of the change that was typed into it.

    A page says which form it has (`make_form`), and what its template `changes/<page>.html` shows beside it
    (`context`). What it does before the form is judged is its own `answer`.
    """

    page: ClassVar[str]  # also the entry of the service's menu
    permission: ClassVar[Permission]
    shows_values: ClassVar[bool] = True  # in the preview: those that the form's author typed, or may reveal

    request: ConsoleRequest
    service: Service
    form: AnyForm

    @classmethod
    def as_page(cls) -> Callable[..., HttpResponseBase]:
        """Return the view: for those who have the permission, and with what they typed kept."""
        return require_permission(cls.permission)(keeps_typed(cls.as_view()))

    def get(self, *_args: Any, **_kwargs: Any) -> HttpResponseBase:
        self.begin()
        return self.answer()

    post = get

    @cached_property
    def ref(self) -> ServiceRef:
        found: ServiceRef = self.kwargs["ref"]
        return found

    @cached_property
    def typed(self) -> QueryDict | None:
        return typed(self.request)

    def begin(self) -> None:
        """Read what the page is about; raises Http404."""
        self.service = find(self.ref)
        self.form = self.make_form()

    def make_form(self) -> AnyForm:
        raise NotImplementedError

    def context(self) -> dict[str, Any]:
        return {}

    @property
    def around(self) -> dict[str, Any]:
        """What the template shows around the form: the service."""
        return frame(self.request, self.ref, self.service)

    @property
    def target(self) -> ServiceRef:
        """The service that is changed; known once the form is valid."""
        return self.ref

    @property
    def change(self) -> Change | None:
        return self.form.change

    @property
    def is_sent(self) -> bool:
        """The form was sent and is right."""
        return wants_preview(self.request) and not asks_for_rows(self.typed) and self.form.is_valid()

    def answer(self) -> HttpResponseBase:
        if not self.is_sent:
            return self.show()
        change = self.change
        return self.preview(change) if change else self.show(_("Nothing was changed."))

    def show(self, refused: str = "") -> HttpResponse:
        """Show the form, with what is wrong with it; `refused`: why its change can't be made."""
        unjudged(self.request, *_forms(self.form), is_arranged=asks_for_rows(self.typed))
        shown = {**self.around, "here": self.page, "form": self.form, "refused": refused, **self.context()}
        status = 422 if refused or self.form.has_problems else 200
        return render(self.request, f"changes/{self.page}.html", shown, status=status)

    def preview(self, change: Change) -> HttpResponse:
        shows = self.shows_values
        return show_preview(self.request, self.target, change, self.show, form=self.form, shows_values=shows)


def _forms(form: ChangeForm) -> list[Form]:
    """Django's forms that it is or holds: the one of further settings, and others."""
    held = (form, getattr(form, "settings", None), *getattr(form, "forms", ()))
    return [one for one in held if isinstance(one, Form)]


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
    form: ChangeForm | None = None,
    *,
    shows_values: bool = True,
    is_typed: bool = True,
) -> HttpResponse:
    """Show what the change would do, with a button; `back` renders the form again with the reason when it can't.

    `notes` are sentences about a change that nobody typed: what it leaves out, and why. A problem that names a field
    of `form` is shown beside it. Without `shows_values` all values stay masked: those that a copy brings along.
    What the cluster's dry run refuses is not shown at length: only why, above the form, or alone if nobody typed
    (`is_typed`). So is that the cluster is away: what was typed can be sent again from there.

    A form that was sent just now is kept as a draft first: its preview has an address of its own (console.web.typed).
    """
    if request.method == "POST":
        return to_preview(request)
    seen = typed_field(request, "resource_version")
    try:
        proposal = previewing.preview(change, user=request.user, ref=ref, form_version=seen)
    except (LabelNotAllowed, ChangeRefused) as refusal:
        if isinstance(refusal, LabelNotAllowed):
            record_not_allowed(refusal, actor_from(request))
        return back(_beside_field(refusal.problem, form))
    except ClusterError as error:
        if not (is_typed and is_passing(error)):
            raise
        return _away(back, error)
    if proposal.is_empty:
        return back(_("Nothing would change: the service is already like that."))
    if proposal.refusal and is_typed:
        return back(ClusterRefusal(*outcomes.answer_error(proposal.refusal)))
    context = {
        **({"ref": ref} if proposal.is_new else frame(request, ref, proposal.before)),
        **_proposed(request, ref, proposal, shows_values=shows_values),
        **beside_button(request, Limits().on(proposal.before)),
        "notes": notes,
        "form_address": form_address(request),
    }
    return render(request, "changes/preview.html", context, status=200 if proposal.is_possible else 422)


def _away(back: Callable[[str], HttpResponse], error: ClusterError) -> HttpResponse:
    """Show the form again as it was typed: it can be sent once more when the cluster is there."""
    response = back(ClusterRefusal(*outcomes.answer_error(error)))
    response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return response


def _proposed(request: ConsoleRequest, ref: ServiceRef, proposal: Proposal, *, shows_values: bool) -> dict[str, Any]:
    """What the preview shows of the proposal; of one that the cluster refuses, why."""
    change, policy_status = proposal.change, proposal.policy_status
    is_complete = not (proposal.refusal or change.verb.removes)
    rows = () if proposal.refusal else visible_rows(request, ref, proposal) if shows_values else proposal.difference
    return {
        "proposal": proposal,
        "rows": rows,
        "lines": change_words.lines(rows, proposal.before),
        "split": None
        if change.verb.removes
        else split_effect(proposal.before, proposal.after, makes_revision=proposal.makes_revision),
        "last_step": last_step(
            change,
            proposal.after,
            makes_revision=proposal.makes_revision,
            needs_approval=bool(policy_status.rules),
        ),
        "policy_status": policy_status,
        "may_break_glass": policy_status.stops
        and gate.may_break_glass(request.rights, ref, proposal.needs, policy_status),
        "apply_url": reverse("submit", kwargs={"id": proposal.preview.id}),
        "impact": impact.sentences(
            change,
            proposal.before,
            proposal.after,
            makes_revision=proposal.makes_revision,
            revisions=len(read.revisions(ref)) if read.is_whole(ref.cluster, "revisions") else None,
        ),
        "is_held_back": any(part.withholds_traffic for part in change.parts),
        "is_new": proposal.is_new,
        "is_removal": change.verb.removes,
        "is_tested": change.verb is not Verb.DELETE_REVISION,  # of which no dry run is asked
        "refusal": outcomes.answer_error(proposal.refusal) if proposal.refusal else None,
        "pods_refused": outcomes.pods_refused(proposal),
        "untested": outcomes.UNTESTED[proposal.untested] if proposal.untested else "",
        "manifest": YamlForm.text_of(previewing.masked(proposal.after)) if is_complete else "",
        "owners": () if proposal.is_new else proposal.owners,
    }


def _beside_field(problem: Problem, form: ChangeForm | None) -> str:
    """Tell the problem beside the field that it names and return nothing; without such a field return its words."""
    if problem.container and isinstance(form, DeployForm):
        form.turn_to(problem.container)
    parts = [part for part in _forms(form) if problem.field in part.fields] if form else []
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


def visible_rows(request: ConsoleRequest, ref: ServiceRef, proposal: Proposal) -> tuple[FieldChange, ...]:
    """The differences with the values that the author may see."""
    return revealing.for_author(
        proposal.difference,
        proposal.change,
        proposal.before,
        proposal.after,
        ref=ref,
        actor=actor_from(request),
        may_reveal=request.rights.allows(Permission.REVEAL, ref, labels_of(ref)),
    )

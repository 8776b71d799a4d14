"""One change for many services: chosen by their checkboxes, said once."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.knative import changes, newlines, validation
from console.knative.changes import Change, ChangeRefused, EnvEntry
from console.knative.containers import Container
from console.knative.objects import Revision, Service
from console.knative.problems import Problem
from console.knative.references import ServiceRef
from console.mirror.summaries import ServiceSummary
from console.web import words
from console.web.forms.choices import offer
from console.web.forms.image_pinning import DigestChoice, running_digests

MAX_SERVICES = 50  # services of one go: each is previewed by its cluster while the person waits

KINDS = (
    ("env", _("Set an environment variable")),
    ("env-remove", _("Remove an environment variable")),
    ("label", _("Set a service label")),
    ("label-remove", _("Remove a service label")),
    ("min-scale", _("Set min scale")),
    ("restart", _("Restart pods")),
    ("redeploy", _("Redeploy (new revision, same spec)")),
)
_NEEDS_NAME = ("env", "env-remove", "label", "label-remove")


class BulkForm(forms.Form):
    """`services` are those that the person may see; what may be changed is decided for each."""

    services = forms.MultipleChoiceField(
        label=_("Services"), error_messages={"required": _("Select at least one service.")}
    )
    kind = forms.ChoiceField(label=_("Change"), choices=KINDS)
    name = forms.CharField(label=_("Name"), required=False, max_length=317)
    value = forms.CharField(label=_("Value"), required=False, strip=False, widget=forms.Textarea(attrs={"rows": 1}))
    literal = forms.BooleanField(label=_("Replace the references with plain values"), required=False)
    keep_digest = forms.BooleanField(label=_("Pin to the current image digests"), required=False, initial=True)

    def __init__(self, rows: Sequence[ServiceSummary], data: Any = None) -> None:
        super().__init__(data)
        offer(self, "services", ((str(row.ref), str(row.ref)) for row in rows))
        for name in ("kind", "name", "value"):
            self.fields[name].widget.attrs["class"] = "form-select" if name == "kind" else "form-control"
        for name in ("keep_digest", "literal"):
            self.fields[name].widget.attrs["class"] = "form-check-input"

    def clean_services(self) -> list[ServiceRef]:
        chosen = self.cleaned_data["services"]
        if len(chosen) > MAX_SERVICES:
            raise forms.ValidationError(_("At most %(count)s services at a time."), params={"count": MAX_SERVICES})
        return [ServiceRef(*text.split("/")) for text in chosen]

    def clean_value(self) -> str:
        return newlines.plain(self.cleaned_data["value"])

    def clean(self) -> dict[str, Any] | None:
        data = super().clean() or {}
        kind, name, value = data.get("kind", ""), str(data.get("name", "")).strip(), str(data.get("value", ""))
        found = None
        if kind == "env" or (kind == "env-remove" and not name):  # what is there may have any name
            found = validation.env_name(name)
        elif kind == "label":
            found = validation.label(name, value)
        elif kind in _NEEDS_NAME and not name:
            found = validation.label(name, "")
        if found:
            self.add_error("name", words.problem(found))
        if kind == "env" and (problem := validation.env_value(value)):
            self.add_error("value", words.problem(problem))
        if kind == "min-scale" and not (value.isdecimal() and len(value) < 6):
            self.add_error("value", _("Enter a whole number."))
        return data

    def change_of(self, service: Service, revisions: Iterable[Revision]) -> Change | None:
        """The change for one service; None when it has no container that takes requests. Raises ChangeRefused.

        A label makes no revision. All else does, and the running builds stay unless somebody wants to re-resolve them.
        """
        kind, name, value = (str(self.cleaned_data[field]) for field in ("kind", "name", "value"))
        container = service.user_container
        if kind in ("label", "label-remove"):
            return changes.SetLabels({name.strip(): value if kind == "label" else None})
        if container is None:
            return None
        if kind == "redeploy":
            return changes.Redeploy(timezone.now().isoformat())
        running = running_digests(service, revisions)
        if kind == "restart":
            return changes.Restart(timezone.now().isoformat(), running)
        kept = DigestChoice(container.name, running, keep=self.cleaned_data["keep_digest"])
        if kind == "min-scale":
            return kept.with_(changes.SetScale({"min": value}))
        if kind == "env" and not self.cleaned_data["literal"]:
            _refuse_references(name.strip(), container)
        entries = (EnvEntry(name.strip(), value),) if kind == "env" else ()
        return kept.with_(changes.SetEnv(container.name, entries, () if entries else (name.strip(),)))


def _refuse_references(name: str, container: Container) -> None:
    """A reference is replaced by a plain value only when that was confirmed."""
    last = next((variable for variable in reversed(container.env) if variable.name == name), None)
    if last and last.kind:
        raise ChangeRefused(Problem("env-literal-for-reference", {"name": name, "origin": last.source}))

"""Settings of the template that are lists: commands, references, mounts, probes, labels, annotations."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from django import forms
from django.utils.translation import gettext_lazy as _

from console.knative import changes
from console.knative.changes import Change, EnvSource
from console.knative.containers import Container
from console.knative.objects import Service
from console.web.forms import lines, probes
from console.web.forms.lines import LinesField
from console.web.forms.present import (
    PROBES,
    mounts,
    offered,
    origins,
    pull_secrets,
    resources,
    template_labels,
    tolerations,
)

PROBE_HELP = _(
    "http /path [port], https, tcp [port], grpc port or exec command; then delay=, period=, timeout=, failures="
)


class TemplateForm(forms.Form):
    """What is not touched stays as it is: each field is compared with what the service has, line by line."""

    service: Service
    container: Container

    command = LinesField(lines.word, label=_("Command"), example="/app", help_text=_("One word a line"))
    arguments = LinesField(lines.word, label=_("Arguments"), example="--verbose", help_text=_("One word a line"))
    env_from = LinesField(
        lines.origin, label=_("Variables from"), example="secret NAME", help_text=_("secret NAME or config-map NAME")
    )
    mounts = LinesField(
        lines.mount,
        label=_("Mounts"),
        example="/etc/app secret NAME",
        help_text=_("/path secret, config-map or claim NAME, or empty-dir; then ro, sub=PATH, size=1Gi, memory"),
    )
    readiness = forms.CharField(required=False, label=_("Readiness probe"), help_text=PROBE_HELP)
    liveness = forms.CharField(required=False, label=_("Liveness probe"), help_text=PROBE_HELP)
    startup = forms.CharField(required=False, label=_("Startup probe"), help_text=PROBE_HELP)
    other_resources = LinesField(
        lines.resource,
        label=_("Other resources"),
        example="limit nvidia.com/gpu=1",
        help_text=_("request NAME=QUANTITY or limit NAME=QUANTITY"),
    )
    node_selector = LinesField(
        lines.label,
        label=_("Labels that a node must have"),
        example="disktype=ssd",
        help_text=_("Clusters accept it only with Knative's feature for it"),
    )
    tolerations = LinesField(
        lines.toleration,
        label=_("Taints that are tolerated"),
        example="gpu=true:NoSchedule",
        help_text=_("key[=value][:effect]; clusters accept it only with Knative's feature for it"),
    )
    pull_secrets = LinesField(lines.name, label=_("Pull secrets"), example="registry", help_text=_("One name a line"))
    labels = LinesField(lines.label, label=_("Labels of the service"), example="team=shop")
    annotations = LinesField(lines.annotation, label=_("Annotations of the service"), example="example.com/owner=shop")
    revision_labels = LinesField(lines.label, label=_("Labels of new revisions"), example="tier=front")
    revision_annotations = LinesField(
        lines.annotation, label=_("Annotations of new revisions"), example="example.com/ticket=42"
    )
    revision_name = forms.RegexField(
        r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$",
        required=False,
        label=_("Name of the new revision"),
        help_text=_("Begins with the service's name and “-”; empty: Knative counts"),
    )

    def clean(self) -> dict[str, Any] | None:
        for field, _which in PROBES:
            try:
                probes.read(str(self.cleaned_data.get(field) or ""))
            except ValueError:
                self.add_error(field, _("Write “http /path [port]”, “tcp [port]”, “grpc port” or “exec command”."))
        return super().clean()

    def lock_what_cannot_be_said(self) -> None:
        """Probes with a handler that the text cannot say stay as they are; the YAML page shows them."""
        for field, which in PROBES:
            if probes.line(self.container.raw.get(which)) is None:
                self._lock(field)
        if None in tolerations(self.service):
            self._lock("tolerations")

    def _lock(self, field: str) -> None:
        self.fields[field].disabled = True
        self.fields[field].help_text = _("More than this field can say: see YAML.")

    def template_changes(self) -> list[Change]:
        """The changes of the fields that differ; the revision's name comes last, template edits clear it."""
        found = [*self._command(), *self._references(), *self._mounts(), *self._probes(), *self._metadata()]
        found += self._placement()
        if name := self.cleaned_data["revision_name"]:
            found.append(changes.SetRevisionName(name))
        return found

    def _command(self) -> Iterable[Change]:
        wanted = (self.cleaned_data["command"], self.cleaned_data["arguments"])
        if wanted != (tuple(self.container.raw.get("command") or ()), tuple(self.container.raw.get("args") or ())):
            yield changes.SetCommand(self.container.name, *wanted)

    def _references(self) -> Iterable[Change]:
        present, wanted = origins(self.container), self.cleaned_data["env_from"]
        added = tuple(EnvSource(*one) for one in wanted if one not in present)
        removed = tuple(EnvSource(*one) for one in present if one not in wanted)
        if added or removed:
            yield changes.SetEnvFrom(self.container.name, added, removed)
        if self.cleaned_data["pull_secrets"] != pull_secrets(self.service):
            yield changes.SetPullSecrets(self.cleaned_data["pull_secrets"])

    def _mounts(self) -> Iterable[Change]:
        present, wanted = mounts(self.service, self.container), self.cleaned_data["mounts"]
        added = tuple(one for one in wanted if one not in present)
        removed = tuple(one[0] for one in present if one not in wanted)
        if added or removed:
            options = {path: dict(how) for path, _kind, _name, how in added if how}
            yield changes.SetVolumes(self.container.name, tuple(one[:3] for one in added), removed, options)

    def resources_changed(self) -> dict[tuple[str, str], str | None]:
        """What the lines of other resources change, by kind and name; None removes one."""
        present = {(kind, name): value for kind, name, value in resources(self.container)}
        wanted = {(kind, name): value for kind, name, value in self.cleaned_data["other_resources"]}
        changed: dict[tuple[str, str], str | None] = {
            key: value for key, value in wanted.items() if present.get(key) != value
        }
        return changed | {key: None for key in present if key not in wanted}

    def _placement(self) -> Iterable[Change]:
        present = self.service.template_spec.get("nodeSelector") or {}
        wanted = dict(self.cleaned_data["node_selector"])
        selected: dict[str, str | None] = {key: value for key, value in wanted.items() if present.get(key) != value}
        selected |= {key: None for key in present if key not in wanted}
        tolerated = None
        if not self.fields["tolerations"].disabled:
            said = tuple(lines.toleration(line) for line in tolerations(self.service) if line)
            if self.cleaned_data["tolerations"] != said:
                tolerated = tuple(dict(one) for one in self.cleaned_data["tolerations"])
        if selected or tolerated is not None:
            yield changes.SetPlacement(selected, tolerated)

    def _probes(self) -> Iterable[Change]:
        for field, which in PROBES:
            present = self.container.raw.get(which)
            if self.fields[field].disabled or self.cleaned_data[field].split() == (probes.line(present) or "").split():
                continue
            wanted = probes.replaced(present, probes.read(self.cleaned_data[field]))
            yield changes.SetProbe(self.container.name, which, wanted)  # type: ignore[arg-type]

    def _metadata(self) -> Iterable[Change]:
        for field, present, on in (
            ("labels", self.service.labels, "service"),
            ("revision_labels", template_labels(self.service), "revision"),
        ):
            if wanted := _differing(present, dict(self.cleaned_data[field])):
                yield changes.SetLabels(wanted, _on(on))
        for field, present, on in (
            ("annotations", self.service.annotations, "service"),
            ("revision_annotations", self.service.template_annotations, "revision"),
        ):
            if wanted := _differing(present, dict(self.cleaned_data[field])):
                yield changes.SetAnnotations(wanted, _on(on))


def _differing(present: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str | None]:
    shown = offered(present)
    found: dict[str, str | None] = {key: value for key, value in wanted.items() if shown.get(key) != value}
    return found | {key: None for key in shown if key not in wanted}


def _on(which: str) -> Literal["service", "revision"]:
    return "service" if which == "service" else "revision"

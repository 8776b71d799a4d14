"""Settings of the template that are lists: commands, references, mounts, probes, labels, annotations."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from django import forms
from django.utils.translation import gettext_lazy as _

from console.knative import changes
from console.knative.changes import Change, SetAnnotations, SetLabels
from console.knative.changes.lists import edit_list
from console.knative.changes.volumes import ITEMS
from console.knative.containers import Container
from console.knative.objects import Service
from console.web.forms import entries, probes, text_fields
from console.web.forms.current_values import PROBES, pull_secrets
from console.web.forms.entries import toleration_of, toleration_raw
from console.web.forms.probes import ProbeField
from console.web.forms.rows import RowsField
from console.web.forms.shown import ShownForm, added_and_removed, changed_keys, merged, reordered
from console.web.forms.text_fields import LinesField

WORD_HELP = _("One argument per line. Write an empty argument, or one with line breaks, as a JSON string")
PAIR_HELP = _("One key=value per line. Write a value with line breaks as a JSON string")


MIN_ROWS, MAX_ROWS = 3, 12


class TemplateForm(ShownForm):
    """Each list is edited by entry: what was added and removed in the text that was shown, and nothing else."""

    service: Service
    container: Container

    command = LinesField(text_fields.WORD, label=_("Command"), example="/app", help_text=WORD_HELP)
    arguments = LinesField(text_fields.WORD, label=_("Arguments"), example="--verbose", help_text=WORD_HELP)
    env_from = RowsField(
        entries.SOURCE,
        entries.SourceRow,
        label=_("Env from (Secret / ConfigMap)"),
        add=_("Add a Secret or ConfigMap"),
        help_text=_("All keys become environment variables, with the prefix in front of their names."),
    )
    mounts = RowsField(entries.MOUNT, entries.MountRow, label=_("Volume mounts"), add=_("Add a volume mount"))
    readiness = ProbeField(
        label=_("Readiness probe"),
        has_kubernetes_times=False,
        help_text=_("When the container gets requests. Not set: Knative probes the container port by TCP."),
    )
    liveness = ProbeField(label=_("Liveness probe"), help_text=_("When Kubernetes restarts the container."))
    startup = ProbeField(label=_("Startup probe"), help_text=_("Until it succeeds, the other probes are not asked."))
    other_resources = RowsField(
        entries.RESOURCE, entries.ResourceRow, label=_("Extended resources"), add=_("Add a resource")
    )
    node_selector = LinesField(
        text_fields.LABEL,
        label=_("Node selector"),
        example="disktype=ssd",
        help_text=_("Requires the Knative feature flag kubernetes.podspec-nodeselector"),
    )
    tolerations = RowsField(
        entries.TOLERATION,
        entries.TolerationRow,
        label=_("Tolerations"),
        add=_("Add a toleration"),
        help_text=_("Requires the Knative feature flag kubernetes.podspec-tolerations"),
    )
    pull_secrets = LinesField(
        text_fields.NAME, label=_("Image pull secrets"), example="registry", help_text=_("One name per line")
    )
    labels = LinesField(text_fields.LABEL, label=_("Service labels"), example="team=shop")
    annotations = LinesField(
        text_fields.ANNOTATION, label=_("Service annotations"), example="example.com/owner=shop", help_text=PAIR_HELP
    )
    revision_labels = LinesField(text_fields.LABEL, label=_("Revision labels"), example="tier=front")
    revision_annotations = LinesField(
        text_fields.ANNOTATION, label=_("Revision annotations"), example="example.com/ticket=42", help_text=PAIR_HELP
    )
    revision_name = forms.RegexField(
        r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$",
        required=False,
        label=_("Revision name"),
        help_text=_("Starts with the service's name and “-”. Leave empty to let Knative generate it"),
    )

    def know_what_was_shown(self) -> None:
        """Lines that the form showed are legal: only others are checked. All are seen at once, as far as that goes."""
        for name, field in self.fields.items():
            if isinstance(field, LinesField):
                shown = text_fields.split(self.shown.get(name, ""))
                field.shown = frozenset(shown)
                field.widget.attrs["rows"] = min(max(MIN_ROWS, len(shown) + 1), MAX_ROWS)

    def template_changes(self) -> list[Change]:
        """The changes of the fields that were touched; the revision's name comes last, template edits clear it."""
        found = [*self._command(), *self._references(), *self._mounts(), *self._probes(), *self._metadata()]
        found += self._placement()
        if self.is_touched("revision_name") and (name := self.cleaned_data["revision_name"]):
            found.append(changes.SetRevisionName(name))
        return found

    def _rows(self, name: str) -> RowsField:
        field = self.fields[name]
        assert isinstance(field, RowsField)  # noqa: S101  # a mistake of ours, not of the person
        return field

    def was(self, name: str) -> tuple[Any, ...]:
        """The entries that a field of lines showed."""
        field = self.fields[name]
        assert isinstance(field, LinesField)  # noqa: S101  # a mistake of ours, not of the person
        return field.syntax.entries(self.shown.get(name, ""))

    def wanted(self, name: str) -> tuple[Any, ...]:
        """The entries that it is to have: those that it showed when nobody touched it."""
        return self.cleaned_data[name] if self.is_touched(name) else self.was(name)

    def _command(self) -> Iterable[Change]:
        wanted = {
            part: self.wanted(field)
            for part, field in (("command", "command"), ("arguments", "arguments"))
            if self.wanted(field) != self.was(field)
        }
        if wanted:
            yield changes.SetCommand(self.container.name, **wanted)

    def _references(self) -> Iterable[Change]:
        was, wanted = self.was("env_from"), self.wanted("env_from")
        if was != wanted:
            edit = added_and_removed(was, wanted)
            yield changes.SetEnvFrom(self.container.name, *edit, reordered(was, wanted))
        was, wanted = self.was("pull_secrets"), self.wanted("pull_secrets")
        if was != wanted:
            yield changes.SetPullSecrets(merged(was, wanted, pull_secrets(self.service)))

    def _mounts(self) -> Iterable[Change]:
        added, removed = added_and_removed(self.was("mounts"), self.wanted("mounts"))
        if added or removed:
            options = {path: dict(how) for path, _kind, _name, how in added if how}
            if any(ITEMS in dict(how) for *_mount, how in removed):  # what a row no longer names is mounted again
                options = {path: {ITEMS: "", **options.get(path, {})} for path, *_mount in added}
            mount = tuple(one[:3] for one in added)
            yield changes.SetVolumes(self.container.name, mount, tuple(one[0] for one in removed), options)

    def resources_changed(self) -> dict[tuple[str, str], str | None]:
        """What the rows of other resources change, by kind and name; None removes one."""
        return changed_keys(_quantities(self.was("other_resources")), _quantities(self.wanted("other_resources")))

    def _placement(self) -> Iterable[Change]:
        selected = changed_keys(self.was("node_selector"), self.wanted("node_selector"))
        was, wanted = self.was("tolerations"), self.wanted("tolerations")
        tolerated = self._tolerations(was, wanted) if was != wanted else None
        if selected or tolerated is not None:
            yield changes.SetPlacement(selected, tolerated)

    def _tolerations(self, was: Sequence[Any], wanted: Sequence[Any]) -> tuple[dict[str, Any], ...]:
        """The whole list, with the entries of those that stay as the service has them now."""
        added, removed = added_and_removed(was, wanted)
        present = self.service.template_spec.get("tolerations") or ()
        return tuple(
            edit_list(
                present, key=toleration_of, make=toleration_raw, add=added, remove=removed, order=reordered(was, wanted)
            )
        )

    def _probes(self) -> Iterable[Change]:
        for field, which in PROBES:
            shown = probes.probe_of_line(self.shown.get(field, ""))
            wanted = self.cleaned_data[field] if self.is_touched(field) else shown
            if shown != wanted:
                probe = probes.edited(self.container.raw.get(which), shown, wanted)
                yield changes.SetProbe(self.container.name, which, probe)

    def _metadata(self) -> Iterable[Change]:
        kinds: tuple[tuple[str, type[SetLabels | SetAnnotations], Literal["service", "revision"]], ...] = (
            ("labels", SetLabels, "service"),
            ("revision_labels", SetLabels, "revision"),
            ("annotations", SetAnnotations, "service"),
            ("revision_annotations", SetAnnotations, "revision"),
        )
        for field, kind, on in kinds:
            if edit := changed_keys(self.was(field), self.wanted(field)):
                yield kind(edit, on)


def _quantities(resources: Iterable[entries.Resource]) -> Iterable[tuple[tuple[str, str], str]]:
    """Yield each quantity by kind and name."""
    for name, request, limit in resources:
        yield from (((kind, name), text) for kind, text in (("request", request), ("limit", limit)) if text)

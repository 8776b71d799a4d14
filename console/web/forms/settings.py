"""Settings beyond variables and image. Only what differs from what the form showed becomes part of the change."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from console.knative import changes, validation
from console.knative.changes import Change, Combined
from console.knative.changes.template import AUTOSCALING, SCALE_FIELDS
from console.knative.objects import Container, Service
from console.web import words
from console.web.forms import template
from console.web.forms.template import TemplateForm


def quantity(value: str) -> None:
    """Refuse what is no Kubernetes quantity."""
    if value and (found := validation.quantity(value)):
        raise forms.ValidationError(words.problem(found))


def number(low: int, high: int, **more: Any) -> forms.IntegerField:
    return forms.IntegerField(required=False, min_value=low, max_value=high, **more)


class SettingsForm(TemplateForm):
    """The limits are those of Knative's validation (recording: bad-concurrency, bad-timeout, bad-minscale)."""

    min = number(0, 2**31 - 1, label=_("Least replicas"), help_text=_("Default: 0, scales to zero"))
    max = number(0, 2**31 - 1, label=_("Most replicas"), help_text=_("Default: 0, no limit"))
    initial = number(  # type: ignore[assignment]  # the metaclass makes it a field
        0, 2**31 - 1, label=_("Replicas at first"), help_text=_("Default: 1")
    )
    target = number(1, 2**31 - 1, label=_("Target for each replica"), help_text=_("Default: 100 requests at once"))
    utilization = number(1, 100, label=_("Target utilization in percent"), help_text=_("Default: 70"))
    metric = forms.ChoiceField(
        required=False,
        label=_("Metric"),
        choices=[
            ("", _("Default")),
            ("concurrency", "concurrency"),
            ("rps", "rps"),
            ("cpu", "cpu"),
            ("memory", "memory"),
        ],
    )
    window = forms.RegexField(r"^[0-9]+(s|m|h)$", required=False, label=_("Window"), help_text=_("Default: 60s"))
    concurrency = number(0, 1000, label=_("Most requests at once in a replica"), help_text=_("Default: 0, no limit"))
    timeout = number(0, 600, label=_("Timeout in seconds"), help_text=_("Default: 300"))
    cpu_request = forms.CharField(required=False, label=_("CPU requested"), validators=[quantity])
    cpu_limit = forms.CharField(required=False, label=_("CPU limit"), validators=[quantity])
    memory_request = forms.CharField(required=False, label=_("Memory requested"), validators=[quantity])
    memory_limit = forms.CharField(required=False, label=_("Memory limit"), validators=[quantity])
    port = number(1, 65535, label=_("Port"), help_text=_("Default: 8080"))
    service_account = forms.RegexField(
        r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$", required=False, label=_("Service account")
    )
    cluster_local = forms.BooleanField(required=False, label=_("Reachable from inside the cluster only"))

    GROUPS = (
        (_("Scaling"), ("min", "max", "initial", "metric", "target", "utilization", "window")),
        (_("Requests"), ("concurrency", "timeout", "port", "cluster_local")),
        (_("Resources"), ("cpu_request", "cpu_limit", "memory_request", "memory_limit")),
        (_("Command"), ("command", "arguments")),
        (_("Probes"), ("readiness", "liveness", "startup")),
        (_("Secrets and config maps"), ("env_from", "mounts")),
        (_("Identity"), ("service_account", "pull_secrets")),
        (_("Labels and annotations"), ("labels", "annotations", "revision_labels", "revision_annotations")),
        (_("Revision"), ("revision_name",)),
    )

    def __init__(self, service: Service, container: Container, data: Mapping[str, Any] | None = None) -> None:
        self.service, self.container = service, container
        super().__init__(data, initial=_present(service, container))
        self.lock_what_cannot_be_said()
        for bound in self.fields.values():
            checkbox = isinstance(bound, forms.BooleanField)
            css = (
                "form-check-input"
                if checkbox
                else "form-select"
                if isinstance(bound, forms.ChoiceField)
                else "form-control"
            )
            bound.widget.attrs["class"] = css

    @property
    def groups(self) -> list[tuple[Any, list[forms.BoundField]]]:
        return [(title, [self[name] for name in names]) for title, names in self.GROUPS]

    @property
    def change(self) -> Change | None:
        """The changes of the fields that differ, as one; None when nothing differs."""
        found = (self._scale(), *self._requests(), self._resources(), *self._rest(), *self.template_changes())
        parts = [part for part in found if part]
        return Combined(tuple(parts)) if len(parts) > 1 else parts[0] if parts else None

    def _differs(self, name: str) -> bool:
        return str(self.cleaned_data[name] if self.cleaned_data[name] is not None else "") != str(self.initial[name])  # type: ignore[index]

    def _text(self, name: str) -> str | None:
        value = self.cleaned_data[name]
        return None if value in (None, "") else str(value)

    def _scale(self) -> Change | None:
        fields = {name: self._text(name) for name in SCALE_FIELDS if name in self.fields and self._differs(name)}
        return changes.SetScale(fields) if fields else None

    def _requests(self) -> list[Change]:
        found: list[Change] = []
        if self._differs("concurrency"):
            found.append(changes.SetConcurrency(self.cleaned_data["concurrency"]))
        if self._differs("timeout"):
            found.append(changes.SetTimeout(self.cleaned_data["timeout"]))
        if self._differs("port"):
            found.append(changes.SetPort(self.container.name, self.cleaned_data["port"], _protocol(self.container)))
        return found

    def _resources(self) -> Change | None:
        names = ("cpu", "memory")
        requests = {name: self._text(f"{name}_request") for name in names if self._differs(f"{name}_request")}
        limits = {name: self._text(f"{name}_limit") for name in names if self._differs(f"{name}_limit")}
        return changes.SetResources(self.container.name, requests, limits) if requests or limits else None

    def _rest(self) -> list[Change]:
        found: list[Change] = []
        if self._differs("service_account"):
            found.append(changes.SetServiceAccount(self.cleaned_data["service_account"]))
        if self._differs("cluster_local"):
            found.append(changes.SetVisibility(self.cleaned_data["cluster_local"]))
        return found


def _present(service: Service, container: Container) -> dict[str, Any]:
    """What the service has now; empty where it leaves a field to the cluster's default."""
    annotations = service.template_annotations
    resources = container.raw.get("resources") or {}
    ports = container.raw.get("ports") or [{}]
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    present = {field: annotations.get(AUTOSCALING + name, "") for field, (name, _flag) in SCALE_FIELDS.items()}
    return {
        **present,
        **template.present(service, container),
        "concurrency": service.template_spec.get("containerConcurrency", ""),
        "timeout": service.template_spec.get("timeoutSeconds", ""),
        "cpu_request": requests.get("cpu", ""),
        "memory_request": requests.get("memory", ""),
        "cpu_limit": limits.get("cpu", ""),
        "memory_limit": limits.get("memory", ""),
        "port": ports[0].get("containerPort", ""),
        "service_account": service.template_spec.get("serviceAccountName", ""),
        "cluster_local": service.is_cluster_local,
    }


def _protocol(container: Container) -> Any:
    name = (container.raw.get("ports") or [{}])[0].get("name", "")
    return name if name in ("http1", "h2c") else ""

"""Settings beyond variables and image. Only what differs from what the form showed becomes part of the change."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from console.knative import changes, validation
from console.knative.capabilities import Capabilities
from console.knative.changes import Change, Combined
from console.knative.changes.template import PROGRESS_DEADLINE, TIMEOUTS, spelled_rollout
from console.knative.containers import Container, is_sidecar
from console.knative.objects import Service
from console.knative.paths import REVISION_NAME
from console.operations.submitting.submission import DEADLINE, ERROR_WINDOW, LONGEST_SECONDS
from console.web import words
from console.web.forms import current_values, scale
from console.web.forms.gating import closed_volumes, offer_what_is_allowed
from console.web.forms.image_pinning import DigestChoice
from console.web.forms.scale import DURATION, ScaleForm, decimal, number
from console.web.forms.shown import ON
from console.web.forms.template import TemplateForm


def quantity(value: str) -> None:
    """Refuse text that is not a Kubernetes quantity."""
    if value and (found := validation.quantity(value)):
        raise forms.ValidationError(words.problem(found))


def memory(value: str) -> None:
    """Refuse text that is no quantity of memory, or bytes where a unit was forgotten."""
    if value and (found := validation.memory(value)):
        raise forms.ValidationError(words.problem(found))


def _quantity(label: Any, check: Callable[[str], None], example: str) -> forms.CharField:
    return forms.CharField(
        required=False, label=label, validators=[check], widget=forms.TextInput({"placeholder": example})
    )


def seconds(low: str, **more: Any) -> forms.DecimalField:
    return decimal(low, int(LONGEST_SECONDS), **more)


@dataclass(frozen=True, slots=True)
class Section:
    """Fields that belong together: shown by a template of their own, here or in another form."""

    key: str
    title: Any  # lazy
    fields: tuple[forms.BoundField, ...]

    @property
    def template(self) -> str:
        return f"changes/_section_{self.key}.html"

    @property
    def has_problems(self) -> bool:
        return any(field.errors for field in self.fields)


_NOT_A_DURATION = _("Enter a duration in whole seconds, for example 90s or 10m.")


class SettingsForm(ScaleForm, TemplateForm):
    """The limits are those of Knative's validation (recording: bad-concurrency, bad-timeout, bad-minscale)."""

    timeout = number(0, label=_("Request timeout (s)"))
    response_start = number(0, label=_("Response start timeout (s)"))
    idle = number(0, label=_("Idle timeout (s)"))
    rollout = forms.RegexField(
        DURATION,
        required=False,
        label=_("Rollout duration"),
        error_messages={"invalid": _NOT_A_DURATION},
    )
    progress_deadline = forms.RegexField(
        DURATION,
        required=False,
        label=_("Progress deadline"),
        help_text=_("A new revision that is not ready by then has failed, for example 120s"),
        error_messages={"invalid": _NOT_A_DURATION},
    )
    cpu_request = _quantity(_("CPU request"), quantity, "500m")
    cpu_limit = _quantity(_("CPU limit"), quantity, "500m")
    memory_request = _quantity(_("Memory request"), memory, "256Mi")
    memory_limit = _quantity(_("Memory limit"), memory, "256Mi")
    port = number(1, 65535, label=_("Port"), help_text=_("Default: 8080"))
    protocol = forms.ChoiceField(
        required=False, label=_("Protocol"), choices=[("", _("Default")), ("http1", "HTTP/1"), ("h2c", "HTTP/2 (h2c)")]
    )
    pull_policy = forms.ChoiceField(
        required=False,
        label=_("Image pull policy"),
        choices=[("", _("Default")), *((name, name) for name in ("Always", "IfNotPresent", "Never"))],
    )
    user = number(0, label=_("Run as user (UID)"), help_text=_("Leave empty to use the image default"))
    service_account = forms.RegexField(
        r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$", required=False, label=_("Service account")
    )
    cluster_local = forms.BooleanField(required=False, label=_("Cluster-local"))
    deadline = seconds("1", label=_("Timeout (s)"), help_text=_("Time limit for an operation. Default 600"))
    error_window = seconds(
        "0",
        label=_("Error window (s)"),
        help_text=_("Grace period before Ready=False counts as failed. Default 2"),
    )

    yaml_address = ""  # where what a field cannot show is edited
    SECTIONS = (
        ("scaling", _("Scaling"), (*ScaleForm.SCALING, "concurrency")),
        (
            "networking",
            _("Requests and networking"),
            ("port", "protocol", "timeout", "response_start", "idle", "rollout", "cluster_local"),
        ),
        (
            "resources",
            _("Resources"),
            ("cpu_request", "cpu_limit", "memory_request", "memory_limit", "other_resources"),
        ),
        ("command", _("Command and arguments"), ("command", "arguments")),
        ("probes", _("Probes"), ("readiness", "liveness", "startup")),
        ("mounts", _("Secrets and ConfigMaps"), ("env_from", "mounts")),
        ("identity", _("Identity"), ("service_account", "pull_secrets", "pull_policy", "user")),
        ("scheduling", _("Scheduling"), ("node_selector", "tolerations")),
        ("labels", _("Labels and annotations"), ("labels", "annotations", "revision_labels", "revision_annotations")),
        ("revision", _("Revision"), ("revision_name", "progress_deadline")),
        ("limits", _("Operations on this service"), ("deadline", "error_window")),
    )

    def __init__(
        self,
        service: Service,
        container: Container,
        data: Mapping[str, Any] | None = None,
        *,
        capabilities: Capabilities | None = None,
        digest: DigestChoice | None = None,
        prefix: str | None = None,
    ) -> None:
        self.service, self.container = service, container
        self.capabilities = capabilities or Capabilities()
        self.digest = digest or DigestChoice(container.name, {})
        texts, beyond = current_values.current_values(service, container)
        super().__init__({**texts, **_present(service, container)}, beyond, data, prefix=prefix)
        self.know_what_was_shown()
        self._rows("mounts").notes = current_values.mount_notes(service, container)
        self.hint_at(self.capabilities.defaults)
        offer_what_is_allowed(self, self.capabilities, is_sidecar=is_sidecar(container, service.containers))
        self._rows("mounts").withhold("kind", closed_volumes(self.capabilities))
        self.style()
        self.fields["service_account"].widget.attrs["list"] = "service-accounts"

    @property
    def sections(self) -> list[Section]:
        return [Section(key, title, tuple(self[name] for name in names)) for key, title, names in self.SECTIONS]

    def clean_rollout(self) -> str:
        return _whole_seconds(self.cleaned_data["rollout"])

    def clean_progress_deadline(self) -> str:
        return _whole_seconds(self.cleaned_data["progress_deadline"])

    @property
    def change(self) -> Change | None:
        """The changes of the fields that differ, as one; None when nothing differs."""
        found = (*self.scale_changes(), *self._requests(), self._resources(), *self._rest(), *self.template_changes())
        parts = [part for part in found if part]
        if not parts:
            return self._digest_alone()
        # The name of the revision comes last: every template edit clears it.
        name = [part for part in parts if REVISION_NAME in part.touches()]
        others = [part for part in parts if part not in name]
        whole = (*others, *(self.digest.changes if _makes_revision(parts) else ()), *name)
        return Combined(whole) if len(whole) > 1 else whole[0]

    def _digest_alone(self) -> Change | None:
        """Re-resolving a pinned image is a separate change."""
        return changes.ResolveImage(self.container.name) if self.digest.tagged and self.digest.resolve else None

    def _requests(self) -> list[Change]:
        found: list[Change] = []
        found += [
            changes.SetTimeout(self.cleaned_data[name], field) for name, field in TIMEOUTS if self.is_touched(name)
        ]
        if self.is_touched("port") or self.is_touched("protocol"):
            found.append(self._port())
        return found

    def _port(self) -> Change:
        """The part that nobody touched is what the container has now."""
        now = (self.container.raw.get("ports") or [{}])[0]
        port = self.cleaned_data["port"] if self.is_touched("port") else now.get("containerPort")
        protocol = self.cleaned_data["protocol"] if self.is_touched("protocol") else now.get("name", "")
        # A protocol is written on a port; Knative's own is 8080.
        return changes.SetPort(self.container.name, port or (8080 if protocol else None), protocol)

    def _resources(self) -> Change | None:
        wanted: dict[str, dict[str, str | None]] = {"request": {}, "limit": {}}
        for kind, named in wanted.items():
            named |= {
                name: self.text_of(f"{name}_{kind}") for name in ("cpu", "memory") if self.is_touched(f"{name}_{kind}")
            }
        for (kind, name), value in self.resources_changed().items():
            wanted[kind][name] = value
        requests, limits = wanted["request"], wanted["limit"]
        return changes.SetResources(self.container.name, requests, limits) if requests or limits else None

    def _rest(self) -> list[Change]:
        found: list[Change] = []
        if self.is_touched("service_account"):
            found.append(changes.SetServiceAccount(self.cleaned_data["service_account"]))
        if self.is_touched("pull_policy"):
            found.append(changes.SetPullPolicy(self.container.name, self.cleaned_data["pull_policy"]))
        if self.is_touched("user"):
            found.append(changes.SetUser(self.container.name, self.cleaned_data["user"]))
        if self.is_touched("cluster_local"):
            found.append(changes.SetVisibility(self.cleaned_data["cluster_local"]))
        limits = {
            annotation: self.text_of(name)
            for name, annotation in (("deadline", DEADLINE), ("error_window", ERROR_WINDOW))
            if self.is_touched(name)
        }
        if self.is_touched("rollout"):
            limits[spelled_rollout(self.service.annotations)] = self.text_of("rollout")
        if self.is_touched("progress_deadline"):
            wanted = {PROGRESS_DEADLINE: self.text_of("progress_deadline")}
            found.append(changes.SetAnnotations(wanted, "revision"))
        return [*found, *([changes.SetAnnotations(limits, "service")] if limits else [])]


def _whole_seconds(text: str) -> str:
    """Refuse a part of a second (serving, revision_validation.go: not at second precision)."""
    if text and not validation.is_in_whole_seconds(text):
        raise forms.ValidationError(_NOT_A_DURATION)
    return text


def _makes_revision(parts: list[Change]) -> bool:
    return any(path[:2] == ("spec", "template") for part in parts for path in part.touches())


def _present(service: Service, container: Container) -> dict[str, str]:
    """What the service has now; empty where it leaves a field to the cluster's default."""
    resources = container.raw.get("resources") or {}
    port = (container.raw.get("ports") or [{}])[0]
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    found = {
        **{name: service.template_spec.get(field) for name, field in TIMEOUTS},
        "rollout": service.annotations.get(spelled_rollout(service.annotations)),
        "progress_deadline": service.template_annotations.get(PROGRESS_DEADLINE),
        "cpu_request": requests.get("cpu"),
        "memory_request": requests.get("memory"),
        "cpu_limit": limits.get("cpu"),
        "memory_limit": limits.get("memory"),
        "port": port.get("containerPort"),
        "protocol": port.get("name"),
        "pull_policy": container.raw.get("imagePullPolicy"),
        "user": (container.raw.get("securityContext") or {}).get("runAsUser"),
        "service_account": service.template_spec.get("serviceAccountName"),
        "cluster_local": ON if service.is_cluster_local else "",
        "deadline": service.annotations.get(DEADLINE),
        "error_window": service.annotations.get(ERROR_WINDOW),
    }
    texts = {name: "" if value is None else str(value) for name, value in found.items()}
    return {**scale.current_values(service), **texts}

"""How many replicas, and what makes them more: fields that the settings and the page for operators share."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from console.knative import changes, validation
from console.knative.capabilities import Capabilities
from console.knative.changes import Change, Combined
from console.knative.changes.template import AUTOSCALING, SCALE_FIELDS, scale_spelling
from console.knative.cluster_bounds import BOUNDS, refused
from console.knative.cluster_defaults import HINTED, ClusterDefaults
from console.knative.objects import Service
from console.web import words
from console.web.forms.shown import ShownForm

LARGEST = 2**31 - 1
DURATION = r"^([0-9]+(\.[0-9]+)?(h|m|s|ms))+$"  # as Go writes it
MIN_WINDOW, MAX_WINDOW = 6, 3600  # seconds
NO_LIMIT = ("max", "concurrency", "idle")  # in which 0 means none


def number(low: int, high: int = LARGEST, **more: Any) -> forms.IntegerField:
    """A whole number, in an input for text: one for numbers drops what it does not take for one, such as `+5`."""
    return forms.IntegerField(required=False, min_value=low, max_value=high, widget=_input("numeric"), **more)


def decimal(low: str, high: int = LARGEST, **more: Any) -> forms.DecimalField:
    return forms.DecimalField(
        required=False, min_value=Decimal(low), max_value=high, decimal_places=3, widget=_input("decimal"), **more
    )


def _input(mode: str) -> forms.TextInput:
    return forms.TextInput({"inputmode": mode, "autocomplete": "off"})


class DefaultsForm(ShownForm):
    """Fields whose emptiness means the cluster's default: each says which that is."""

    def hint_at(self, defaults: ClusterDefaults) -> None:
        for name in HINTED:
            if name in self.fields:
                value = defaults.of(name)
                self.fields[name].help_text = _hint(name, value, defaults) or self.fields[name].help_text
                if value:
                    self.fields[name].widget.attrs["placeholder"] = value

    def style(self) -> None:
        """Give each field the class of its kind."""
        for bound in self.fields.values():
            css = "form-control"
            if isinstance(bound, forms.BooleanField):
                css = "form-check-input"
            elif isinstance(bound, forms.ChoiceField):
                css = "form-select"
            bound.widget.attrs["class"] = css

    def text_of(self, name: str) -> str | None:
        """Return what the object is to have; None for the default."""
        value = self.cleaned_data[name]
        if isinstance(value, Decimal):
            return format(value, "f")
        return None if value in (None, "") else str(value)


def _hint(name: str, value: str, defaults: ClusterDefaults) -> Any:
    if not defaults.is_known(name):
        own = defaults.built_in(name)
        return _("Default unknown (Knative’s own: %(value)s)") % {"value": own} if own else _("Default unknown")
    if not value:
        return ""
    if value == "0" and name in NO_LIMIT:
        return _("Cluster default: 0 (no limit)") if defaults.is_set(name) else _("Default: 0 (no limit)")
    if value == "0" and name == "min":
        return _("Default: 0 (scales to zero)")
    text = _("Cluster default: %(value)s") if defaults.is_set(name) else _("Default: %(value)s")
    return text % {"value": value}


class ScaleForm(DefaultsForm):
    """The limits are those of Knative's validation (recording: bad-concurrency, bad-minscale)."""

    capabilities: Capabilities
    service: Service

    min = number(0, label=_("Min scale"))
    max = number(0, label=_("Max scale"))
    initial = number(0, label=_("Initial scale"))  # type: ignore[assignment]  # the metaclass makes it a field
    activation = number(2, label=_("Activation scale"))
    target = decimal("0.01", label=_("Target per replica"))
    utilization = decimal("1", 100, label=_("Target utilization (%)"))
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
    window = forms.RegexField(DURATION, required=False, label=_("Stable window"))
    concurrency = number(0, label=_("Concurrency limit (container concurrency)"))

    SCALING = ("min", "max", "initial", "activation", "metric", "target", "utilization", "window")

    @property
    def has_problems(self) -> bool:
        return bool(self.errors)

    def clean_window(self) -> str:
        """Refuse what is beyond Knative's own bounds (annotation_validation.go)."""
        window: str = self.cleaned_data["window"]
        if window and not (validation.is_in_whole_seconds(window) and _is_window(window)):
            raise forms.ValidationError(_("Enter a duration from 6s to 1h in whole seconds, for example 90s."))
        return window

    def clean(self) -> dict[str, Any] | None:
        """Refuse beside its field what the cluster's settings would make its webhook refuse."""
        for name in {bound.field for bound in BOUNDS}.intersection(self.fields, self.cleaned_data):
            value = self.text_of(name)
            problem = refused(name, value, self.capabilities.defaults, scaler=self._scaler) if value else None
            if problem and not (name == "metric" and self._edits_annotations):
                self.add_error(name, words.problem(problem))
        return super().clean()

    @property
    def _scaler(self) -> str:
        """The autoscaler's class that the service asks for itself."""
        return str(self.service.template_annotations.get(f"{AUTOSCALING}class", ""))

    @property
    def _edits_annotations(self) -> bool:
        """The class may be another one with the same change."""
        return "revision_annotations" in self.fields and self.is_touched("revision_annotations")

    def scale_changes(self) -> list[Change]:
        """The changes of these fields, as far as somebody touched them."""
        fields = {name: self.text_of(name) for name in SCALE_FIELDS if self.is_touched(name)}
        found: list[Change] = [changes.SetScale(fields)] if fields else []
        if self.is_touched("concurrency"):
            found.append(changes.SetConcurrency(self.cleaned_data["concurrency"]))
        return found


class OperateForm(ScaleForm):
    """Scaling alone, for those who may operate and not deploy."""

    def __init__(
        self, service: Service, data: Mapping[str, Any] | None = None, capabilities: Capabilities | None = None
    ) -> None:
        self.service, self.capabilities = service, capabilities or Capabilities()
        super().__init__(current_values(service), {}, data)
        self.hint_at(self.capabilities.defaults)
        self.style()

    @property
    def change(self) -> Change | None:
        """The changes as one; None when nothing differs."""
        parts = self.scale_changes()
        return Combined(tuple(parts)) if len(parts) > 1 else parts[0] if parts else None


def _is_window(duration: str) -> bool:
    return MIN_WINDOW <= validation.milliseconds(duration) / 1000 <= MAX_WINDOW


def current_values(service: Service) -> dict[str, str]:
    """What the service has now; empty where it leaves a field to the cluster's default."""
    annotations = service.template_annotations
    found = {field: str(annotations.get(scale_spelling(annotations, field), "")) for field in SCALE_FIELDS}
    return {**found, "concurrency": str(service.template_spec.get("containerConcurrency", ""))}

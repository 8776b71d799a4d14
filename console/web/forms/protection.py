"""Forms of rules and freeze windows. Nobody may protect, or lay open, more than they manage."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from console.access.authorization import Rights
from console.access.permissions import CHANGING, LABELS
from console.access.scopes import parse_selector
from console.knative import validation
from console.operations.models.protection import FreezeWindow, ProtectionRule, Scoped
from console.operations.models.windows import WEEK
from console.operations.protection.rules import manages

NOT_MANAGED = "not-managed"
YEARS = range(2020, 2101)
_pattern = RegexValidator(r"^[^\s?\[\]]+$", _("A name, or a pattern with * (for example prod-*)."))


class ScopeForm(forms.ModelForm):  # type: ignore[type-arg]  # of either model
    """The part that both have: which services, and which kinds of change.

    A new one begins empty: what covers everything is typed, and confirmed, by a person who means it.
    """

    permissions = forms.MultipleChoiceField(
        label=_("Applies to"),
        choices=[(permission.value, LABELS[permission]) for permission in CHANGING],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one kind of change.")},
    )
    everything = forms.BooleanField(label=_("Cover every service in every cluster"), required=False)

    def __init__(self, *args: Any, rights: Rights, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rights = rights
        if not self.instance.pk:
            asked = kwargs.get("initial") or {}
            self.initial.update(cluster=asked.get("cluster", ""), namespace=asked.get("namespace", ""))
        self.initial["selector"] = "\n".join(str(self.initial.get("selector") or "").split(","))
        self.initial["everything"] = bool(self.instance.pk) and self.instance.is_of_everything
        self._style()

    def _style(self) -> None:
        for name, text in (
            ("cluster", _("Choose a cluster. Enter * for all clusters.")),
            ("namespace", _("Choose a namespace. Enter * for all namespaces.")),
        ):
            self.fields[name].validators.append(_pattern)
            self.fields[name].error_messages["required"] = text
        for name in ("cluster", "namespace", "service"):
            self.fields[name].widget.attrs["list"] = f"known-{name}"
        self.fields["selector"].widget = forms.Textarea({"rows": 2})
        for field in self.fields.values():
            if isinstance(field, forms.BooleanField | forms.MultipleChoiceField):
                field.widget.attrs["class"] = "form-check-input"
            elif isinstance(field, forms.ChoiceField):
                field.widget.attrs["class"] = "form-select"
            else:
                field.widget.attrs |= {"class": "form-control", "autocomplete": "off"}

    @property
    def scoped(self) -> Scoped | None:
        """The services that are meant, as far as the form says it: of a fresh form what it begins with; else None."""
        names = ("cluster", "namespace", "service", "selector")
        if not self.is_bound:
            found = {name: self.initial.get(name) or "" for name in names}
            found["selector"] = found["selector"].replace("\n", ",")
        elif any(name in self.errors for name in names):
            return None
        else:
            found = {name: self.cleaned_data.get(name) or "" for name in names}
        return self._meta.model(**found) if found["cluster"] and found["namespace"] else None

    @property
    def asks_for_everything(self) -> bool:
        """The box that confirms it is shown."""
        return "everything" in self.errors or bool(self["everything"].value())

    def clean_service(self) -> str | None:
        name = str(self.cleaned_data["service"] or "").strip()
        if name and validation.service_name(name):
            raise forms.ValidationError(_("Enter the name of one service, without *."))
        return name or None

    def clean_selector(self) -> str:
        lines = str(self.cleaned_data["selector"]).splitlines()
        text = ",".join(line.strip().strip(",") for line in lines if line.strip())
        try:
            parse_selector(text)
        except ValueError as error:
            raise forms.ValidationError(_("Enter labels in the format app=shop,tier=front.")) from error
        return text

    def _post_clean(self) -> None:
        """The instance has what was typed only now: judge its whole scope."""
        super()._post_clean()  # type: ignore[misc]  # the stubs leave this method out
        if self.errors:
            return
        if not manages(self.rights, self.instance):
            text = _("You do not manage all of this scope. Enter a cluster and namespaces that you manage.")
            self.add_error("cluster", forms.ValidationError(text, code=NOT_MANAGED))
        elif self.instance.is_of_everything and not self.cleaned_data["everything"]:
            self.add_error("everything", _("This covers every service in every cluster. Tick the box if you mean it."))


class RuleForm(ScopeForm):
    class Meta:
        model = ProtectionRule
        fields = (
            *("cluster", "namespace", "service", "selector", "permissions"),
            *("owned", "approvers", "needs_reason", "valid_hours", "note"),
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asks = ("", _("Ask for approval"))
        self.fields["owned"].choices = [asks, *ProtectionRule.Owned.choices]  # type: ignore[attr-defined]  # a choice

        anyone = ("", _("Anyone else with the permission"))
        choices = [anyone, *ProtectionRule.Approvers.choices]
        self.fields["approvers"].choices = choices  # type: ignore[attr-defined]  # a choice

    def clean_approvers(self) -> str | None:
        return self.cleaned_data["approvers"] or None

    def clean_owned(self) -> str | None:
        return self.cleaned_data["owned"] or None


class WindowForm(ScopeForm):
    zone = forms.ChoiceField(
        label=_("Time zone"), error_messages={"invalid_choice": _("Unknown time zone. Choose one from the list.")}
    )

    class Meta:
        model = FreezeWindow
        fields = (
            *("cluster", "namespace", "service", "selector", "permissions"),
            *("begins", "ends", "zone", "is_weekly", "note"),
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("begins", "ends"):
            self.fields[name].widget.input_type = "datetime-local"
        self.fields["zone"].choices = zones(self.instance.zone)  # type: ignore[attr-defined]  # declared above

    def clean_begins(self) -> str:
        return self._moment("begins")

    def clean_ends(self) -> str:
        return self._moment("ends")

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("begins") and data.get("ends"):
            length = datetime.fromisoformat(data["ends"]) - datetime.fromisoformat(data["begins"])
            if length <= timedelta():
                self.add_error("ends", _("The end must be after the start."))
            elif data.get("is_weekly") and length >= WEEK:
                self.add_error("ends", _("A weekly window must be shorter than a week."))
        return data

    def _moment(self, name: str) -> str:
        """A wall-clock time to the minute, as browsers send it."""
        try:
            moment = datetime.strptime(str(self.cleaned_data[name]), "%Y-%m-%dT%H:%M")
        except ValueError as error:
            raise forms.ValidationError(_("Use the format 2026-12-24T18:00.")) from error
        if moment.year not in YEARS:
            raise forms.ValidationError(_("Choose a year from 2020 to 2100."))
        return moment.isoformat(timespec="minutes")


def zones(present: str) -> list[Any]:
    """Return the time zones by region, UTC first; also the present one of a window whose name is no longer known."""
    by_region: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(available_timezones() | {present}):
        by_region.setdefault(name.partition("/")[0] if "/" in name else "", []).append((name, name))
    return [("UTC", "UTC"), *((region, names) for region, names in by_region.items() if region)]

"""Forms of rules and freeze windows. Nobody may protect, or lay open, more than they manage."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from console.access.authorization import Rights
from console.access.permissions import LABELS
from console.access.scopes import parse_selector
from console.operations.models.protection import COVERABLE, FreezeWindow, ProtectionRule
from console.operations.models.windows import WEEK
from console.operations.protection.rules import manages

NOT_MANAGED = "not-managed"
YEARS = range(2020, 2101)
_pattern = RegexValidator(r"^[^\s?\[\]]+$", _("A name, or a pattern with * (for example prod-*)."))


class ScopeForm(forms.ModelForm):  # type: ignore[type-arg]  # of either model
    """The part that both have: which services, and which kinds of change."""

    permissions = forms.MultipleChoiceField(
        label=_("Applies to"),
        choices=[(permission.value, LABELS[permission]) for permission in COVERABLE],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one kind of change.")},
    )

    def __init__(self, *args: Any, rights: Rights, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rights = rights
        if not self.instance.pk:
            self.initial["permissions"] = [permission.value for permission in COVERABLE]
        for name in ("cluster", "namespace"):
            self.fields[name].validators.append(_pattern)
        for field in self.fields.values():
            if isinstance(field, forms.BooleanField | forms.MultipleChoiceField):
                field.widget.attrs["class"] = "form-check-input"
            else:
                field.widget.attrs |= {"class": "form-control", "autocomplete": "off"}

    def clean_selector(self) -> str:
        text = str(self.cleaned_data["selector"])
        try:
            parse_selector(text)
        except ValueError as error:
            raise forms.ValidationError(_("Enter labels in the format app=shop,tier=front.")) from error
        return text

    def _post_clean(self) -> None:
        """The instance has what was typed only now: judge its whole scope."""
        super()._post_clean()  # type: ignore[misc]  # the stubs leave this method out
        if not self.errors and not manages(self.rights, self.instance):
            text = _("You do not manage all of this scope. Enter a cluster and namespaces that you manage.")
            self.add_error("cluster", forms.ValidationError(text, code=NOT_MANAGED))


class RuleForm(ScopeForm):
    class Meta:
        model = ProtectionRule
        fields = ("cluster", "namespace", "selector", "permissions", "needs_reason", "valid_hours", "note")


class WindowForm(ScopeForm):
    class Meta:
        model = FreezeWindow
        fields = ("cluster", "namespace", "selector", "permissions", "begins", "ends", "zone", "is_weekly", "note")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("begins", "ends"):
            self.fields[name].widget.input_type = "datetime-local"
        self.fields["zone"].widget.attrs["list"] = "zones"
        self.zones = sorted(available_timezones())

    def clean_begins(self) -> str:
        return self._moment("begins")

    def clean_ends(self) -> str:
        return self._moment("ends")

    def clean_zone(self) -> str:
        zone = str(self.cleaned_data["zone"])
        if zone not in available_timezones():
            raise forms.ValidationError(_("Unknown time zone. Enter a name such as Europe/Berlin."))
        return zone

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

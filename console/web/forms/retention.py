"""The forms of retention: for how many days things are kept, and legal holds."""

from datetime import UTC, date, datetime, time
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.audit.models import LegalHold
from console.audit.policy import MAX_DAYS, MIN_ENTRIES_DAYS, MIN_OPERATIONS_DAYS
from console.web.forms.access import StyledForm

MAX_REASON = 500


class RetentionForm(StyledForm):
    """The numbers of days, and why."""

    entries_days = forms.IntegerField(
        label=gettext_lazy("Keep audit entries (days)"), min_value=MIN_ENTRIES_DAYS, max_value=MAX_DAYS
    )
    operations_days = forms.IntegerField(
        label=gettext_lazy("Keep operations (days)"), min_value=MIN_OPERATIONS_DAYS, max_value=MAX_DAYS
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=MAX_REASON)


class HoldForm(StyledForm):
    """What is held, from when, and why. All of the place and the person empty: everything."""

    cluster = forms.CharField(label=gettext_lazy("Cluster"), max_length=100, required=False)
    namespace = forms.CharField(label=gettext_lazy("Namespace"), max_length=100, required=False)
    service = forms.CharField(label=gettext_lazy("Service"), max_length=100, required=False)
    person = forms.CharField(label=gettext_lazy("Person"), max_length=150, required=False)
    since = forms.DateField(
        label=gettext_lazy("From (UTC)"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=gettext_lazy("Leave empty to cover everything from the beginning."),
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=MAX_REASON)
    everything = forms.BooleanField(label=gettext_lazy("Hold everything"), required=False)

    def clean_since(self) -> date | None:
        day: date | None = self.cleaned_data["since"]
        if day and day > timezone.now().date():
            raise forms.ValidationError(
                _("Enter a day that is not in the future: a later one would cover nothing yet.")
            )
        return day

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        place = [found.get(name, "") for name in ("cluster", "namespace", "service")]
        if "" in place and any(place[place.index("") :]):
            self.add_error("cluster", _("Name the cluster of the namespace, and the namespace of the service."))
        if any(place) and found.get("person"):
            self.add_error("person", _("Hold a place or a person, not both."))
        if any((*place, found.get("person"))) == bool(found.get("everything")):
            self.add_error("everything", _("Name a place or a person, or hold everything."))
        return found

    def hold(self) -> LegalHold:
        facts = {name: self.cleaned_data[name] for name in ("cluster", "namespace", "service", "person", "reason")}
        day = self.cleaned_data["since"]
        return LegalHold(**facts, since=datetime.combine(day, time.min, UTC) if day else None)

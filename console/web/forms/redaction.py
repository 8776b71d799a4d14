"""The form that takes a secret out of an entry of the audit log."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.audit.models import Entry
from console.audit.redactions import MAX_REASON, fields_of
from console.knative.secret_values import is_ordinary
from console.web.forms.access import StyledForm

MAX_SHOWN = 80  # characters of a value in the list of fields


class RedactionForm(StyledForm):
    """Which field, why, and the entry's number once more, because it cannot be undone."""

    field = forms.ChoiceField(label=gettext_lazy("Field"))
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=MAX_REASON,
        help_text=gettext_lazy("Recorded in the audit log. Do not repeat the secret here."),
    )
    confirm = forms.CharField(max_length=20)

    def __init__(self, entry: Entry, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._entry, self._texts = entry, fields_of(entry)
        chosen: Any = self.fields["field"]
        chosen.choices = [(name, f"{_label(entry, name)}: {text[:MAX_SHOWN]}") for name, text in self._texts.items()]
        self.fields["confirm"].label = _("Type %(name)s to confirm") % {"name": entry.sequence}

    def clean_confirm(self) -> str:
        if self.cleaned_data["confirm"].strip() != str(self._entry.sequence):
            raise forms.ValidationError(_("The number does not match."))
        return str(self.cleaned_data["confirm"])

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        words = self._texts.get(found.get("field", ""), "").split()
        if any(word in found.get("reason", "") and not is_ordinary(word) for word in words):
            self.add_error("reason", _("The reason repeats what is to be redacted."))
        return found


def _label(entry: Entry, name: str) -> str:
    """The field as the entry's page calls it."""
    if not name.startswith("changes["):
        return _("Who") if name == "actor" else _("Text")
    number, _bracket, side = name.removeprefix("changes[").partition("].")
    return f"{entry.changes[int(number)]['field']}, {_('Before') if side == 'before' else _('After')}"

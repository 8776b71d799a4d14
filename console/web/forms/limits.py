"""How long one operation may take, asked where it is submitted."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from console.operations.submitting.submission import LONGEST_SECONDS, Limits


class LimitsForm(forms.Form):
    """Empty fields mean what the service's annotations say, else the installation's settings."""

    deadline = forms.FloatField(
        label=_("Timeout (s)"),
        required=False,
        min_value=1,
        max_value=LONGEST_SECONDS,
        help_text=_("After that, the operation counts as timed out, even if Knative keeps trying."),
    )
    error_window = forms.FloatField(
        label=_("Error window (s)"),
        required=False,
        min_value=0,
        max_value=LONGEST_SECONDS,
        help_text=_("How long Ready=False is tolerated before the operation fails."),
    )

    def __init__(self, data: Any = None, usual: tuple[float, float] | None = None) -> None:
        """`usual` are the two numbers that hold when nothing is written."""
        super().__init__(data)
        for field, seconds in zip(self.fields.values(), usual or (), strict=False):
            field.widget.attrs["placeholder"] = f"{seconds:g}"
        for field in self.fields.values():
            field.widget.attrs["class"] = "form-control"

    @property
    def limits(self) -> Limits:
        """The limits that a valid form means."""
        return Limits(self.cleaned_data["deadline"], self.cleaned_data["error_window"])

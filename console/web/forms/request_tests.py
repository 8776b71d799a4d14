"""How many requests an access test sends, and to which of a service's URLs."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from console.knative.objects import Service
from console.request_tests.sending import MAX_REQUESTS, tagged


class AccessTestForm(forms.Form):
    """`tag` names the URL of a tag; empty for the service's own."""

    count = forms.IntegerField(label=_("Requests"), min_value=1, max_value=MAX_REQUESTS, initial=100)

    def __init__(self, service: Service, data: Mapping[str, Any] | None = None, *, tag: str = "") -> None:
        found = tagged(service)
        super().__init__(data, initial={"tag": tag if tag in found else ""})
        choices = [(name, f"{name} ({target.revision}): {target.url}") for name, target in found.items()]
        self.fields["tag"] = forms.ChoiceField(
            label=_("Send to"),
            required=False,
            choices=[("", service.url), *choices],
            widget=forms.Select(attrs={"class": "form-select"}),
        )
        self.has_tags = bool(choices)

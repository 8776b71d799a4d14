"""How many requests an access test sends."""

from django import forms
from django.utils.translation import gettext_lazy as _

from console.request_tests.sending import MAX_REQUESTS


class AccessTestForm(forms.Form):
    count = forms.IntegerField(label=_("Requests"), min_value=1, max_value=MAX_REQUESTS, initial=100)

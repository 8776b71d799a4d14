"""What a browser sends back of a form of Django's, without a page around it."""

from __future__ import annotations

from django.utils.html import format_html

from console.web.forms.shown import ShownForm
from tests.support.browser import forms_of


def sent_back(form: ShownForm, **typed: str) -> dict[str, str]:
    """Return the data of the form with some fields typed over; raises ValueError for one that cannot be typed into."""
    fields = "".join(str(form[name]) for name in form.fields)
    hidden = format_html('<input type="hidden" name="shown" value="{}">', form.shown_token)
    (page,) = forms_of(f'<form method="post">{hidden}{fields}</form>')
    for name, text in typed.items():
        page.type(name, text)
    return dict(page.entries())

"""What a browser sends back of a form of Django's, without a page around it."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.html import format_html

from console.web.forms.shown import ShownForm
from tests.support.browser import forms_of


def sent_back(form: ShownForm, *, rows: Mapping[str, Mapping[str, str]] | None = None, **typed: str) -> dict[str, str]:
    """Return the data of the form with some fields typed over, and a further row in some of `rows`.

    Raises ValueError for a field that cannot be typed into, KeyError for one that is not there.
    """
    fields = "".join(str(form[name]) for name in form.fields)
    hidden = format_html('<input type="hidden" name="shown" value="{}">', form.shown_token)
    (page,) = forms_of(f'<form method="post">{hidden}{fields}</form>')
    for name, text in typed.items():
        page.type(name, text)
    for field, texts in (rows or {}).items():
        page.add_row(field, **texts)
    return dict(page.entries())

"""Small parts of pages, tags of the library `components`: copy button, help for a term, filters and head of a list."""

from collections.abc import Iterable
from typing import Any

from django.template import Context
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from console.web.markup import NOTHING, icon_html
from console.web.terms import OF_FIELDS, TERMS

COPY_HTML = (
    '<button type="button" class="copy" data-copy="{0}" title="{1}" aria-label="{1}" data-copied="{2}"'
    ' data-by-hand="{3}" data-needs-js hidden>{4}</button>'
)

HELP_HTML = (
    '<details class="menu term"><summary class="quiet" aria-label="{}">{}</summary><div class="menu-sheet"><p>{}</p>'
    '<a href="{}" target="_blank" rel="noopener noreferrer">{}</a></div></details>'
)


def copy(text: str, label: str = "") -> SafeString:
    """`{% copy service.url label=_("Copy the URL") %}`: a button that copies the text (static/js/copy.js).

    There is none where there is nothing to copy, and none without scripts: the text is on the page anyway.
    """
    if not text:
        return NOTHING
    return format_html(COPY_HTML, text, label or _("Copy"), _("Copied"), _("Press Ctrl+C to copy"), icon_html("copy"))


def help(term: str) -> SafeString:
    """`{% help "concurrency-limit" %}`: a term of Knative in one sentence, with a link to more."""
    found = TERMS[term]
    label = _("What is %(term)s?") % {"term": found.name}
    return format_html(
        HELP_HTML, label, icon_html("question-circle"), found.sentence, found.url, _("Knative's documentation")
    )


def help_of(field: str) -> SafeString:
    """The help of the term that a field of a form is named after; nothing where there is none."""
    return help(OF_FIELDS[field]) if field in OF_FIELDS else NOTHING


def filter_text(context: Context, name: str, label: str) -> SafeString:
    """A filter that takes a text."""
    value = context["request"].GET.get(name, "")
    field = '<input class="form-control" name="{}" value="{}" placeholder="{}" aria-label="{}">'
    return format_html(field, name, value, label, label)


def filter_choice(context: Context, name: str, label: str, any_label: str, choices: Iterable[Any]) -> SafeString:
    """A filter that takes one of some choices, each a value or a pair of value and word; `any_label` chooses none."""
    chosen = context["request"].GET.get(name, "")
    pairs = [choice if isinstance(choice, tuple) else (choice, choice) for choice in choices]
    options = ((value, SELECTED if str(value) == chosen else NOTHING, word) for value, word in pairs)
    return format_html(
        '<select class="form-select" name="{}" aria-label="{}"><option value="">{}</option>{}</select>',
        name,
        label,
        any_label,
        format_html_join("", '<option value="{}"{}>{}</option>', options),
    )


SELECTED = SafeString(" selected")


def list_head(context: Context, what: str, view: str) -> SafeString:
    """`{% list_head "service" "services" %}`: how many a list has, and the way back to all of them at `view`.

    Uses the page's `total`, `found` (that pass the filter), `is_filtered` and `unread` (clusters not all read yet).
    """
    is_filtered, counts = context["is_filtered"], {"found": context["found"], "counter": context["total"]}
    counted = _("not all loaded yet") if context["unread"] else COUNTED[what, bool(is_filtered)] % counts
    everything = format_html('<a class="small" href="{}">{}</a>', reverse(view), _("Show all"))
    head = '<div class="head inset"><h2>{}</h2>{}</div>'
    return format_html(head, counted, everything if is_filtered else NOTHING)


COUNTED = {  # by what is counted, and whether it is filtered
    ("service", False): ngettext_lazy("%(counter)s service", "%(counter)s services", "counter"),
    ("service", True): ngettext_lazy(
        "%(found)s of %(counter)s service", "%(found)s of %(counter)s services", "counter"
    ),
    ("revision", False): ngettext_lazy("%(counter)s revision", "%(counter)s revisions", "counter"),
    ("revision", True): ngettext_lazy(
        "%(found)s of %(counter)s revision", "%(found)s of %(counter)s revisions", "counter"
    ),
}

"""Small parts of pages, tags of the library `components`: a copy button, what is shown instead of an empty list."""

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from console.web.markup import NOTHING, icon_html

COPY_HTML = (
    '<button type="button" class="copy" data-copy="{0}" title="{1}" aria-label="{1}" data-copied="{2}"'
    ' data-by-hand="{3}" data-needs-js hidden>{4}</button>'
)
EMPTY_HTML = '<div class="panel empty-state">{}<p>{}</p>{}</div>'


def copy(text: str, label: str = "") -> SafeString:
    """`{% copy service.url label=_("Copy the URL") %}`: a button that copies the text (static/js/copy.js).

    There is none where there is nothing to copy, and none without scripts: the text is on the page anyway.
    """
    if not text:
        return NOTHING
    return format_html(COPY_HTML, text, label or _("Copy"), _("Copied"), _("Press Ctrl+C to copy"), icon_html("copy"))


def empty_state(content: str, name: str, sentence: str) -> SafeString:
    """`{% empty_state "box-seam" _("No services yet.") %}<a …>{% endempty_state %}`: an icon, a sentence, what next."""
    return format_html(EMPTY_HTML, icon_html(name), sentence, content)

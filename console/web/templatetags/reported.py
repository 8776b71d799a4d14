"""What the tables of the audit pages say: decisions and their proofs, facts of services, and files of a table."""

from django.middleware.csrf import get_token
from django.template import Context, Library
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from console.knative.portrait import Kind
from console.operations.protection.bypasses import Kind as BypassKind
from console.operations.protection.decisions import Match
from console.web import bypass_words, decision_words, portrait_words
from console.web.markup import icon_html

register = Library()


@register.filter
def bypass_word(kind: BypassKind) -> str:
    return str(bypass_words.KINDS[kind])


@register.filter
def portrait_word(kind: Kind) -> str:
    return str(portrait_words.KINDS[kind])


@register.filter
def decision_name(action: str) -> str:
    return str(decision_words.NAMES.get(action, action))


@register.filter
def match_word(match: Match) -> str:
    return str(decision_words.MATCHES[match])


@register.filter
def match_class(match: Match) -> str:
    """Good, bad, or neither: what cannot be compared says nothing."""
    return "good" if match in decision_words.GOOD else "bad" if match in decision_words.BAD else "soft"


@register.simple_tag(takes_context=True)
def report_files(context: Context, view: str) -> SafeString:
    """`{% report_files "audit-decisions-export" %}`: buttons for the table as files, as it is filtered."""
    request = context["request"]
    asked = request.GET.copy()
    for cursor in ("before", "after"):
        asked.pop(cursor, None)
    query = f"?{asked.urlencode()}" if asked else ""
    form = (
        '<form method="post" class="inline" action="{}"><input type="hidden" name="csrfmiddlewaretoken" value="{}">'
        '<button class="btn btn-secondary">{} {}</button></form>'
    )
    token, icon = get_token(request), icon_html("download")
    forms = ((reverse(view, kwargs={"form": one}) + query, token, icon, one.upper()) for one in ("csv", "json"))
    return format_html_join(" ", form, forms)

"""Who changed something: persons of the console, and identities of a cluster, which have a mark before their names."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from console.knative.authors import ActorKind, Author, last_author
from console.knative.objects import Service
from console.web import author_words as words
from console.web.markup import breakable_html, icon_html

register = template.Library()

SERVICE_ACCOUNT = "system:serviceaccount:"


@register.filter
def account(name: str | None) -> SafeString | str:
    """An identity of a cluster; of a service account the namespace and name, the full name on hover."""
    if not name or not name.startswith(SERVICE_ACCOUNT):
        return name or "–"
    return format_html('<span title="{}">{} {}</span>', name, icon_html("robot"), _short(name))


@register.filter
def author(one: Author) -> SafeString | str:
    """Who changed a service."""
    if one.kind == ActorKind.UNKNOWN:
        return _("unknown")
    return one.name if one.kind == ActorKind.PERSON else identity(one.name)


@register.filter
def author_words(service: Service) -> str:
    """Who changed the service last, for a sentence."""
    return words.author(last_author(service))


@register.filter
def identity(name: str | None) -> SafeString | str:
    """An identity of the cluster, as Knative stamps it on its objects: no person of the console, even of its name."""
    if not name:
        return "–"
    icon = icon_html("robot" if name.startswith(SERVICE_ACCOUNT) else "hdd-network")
    kind = _("(cluster identity)")
    said = format_html('<span class="visually-hidden">{}</span>', kind)
    return format_html('<span title="{} {}">{} {} {}</span>', name, kind, icon, breakable_html(_short(name)), said)


def _short(name: str) -> str:
    return name.removeprefix(SERVICE_ACCOUNT).replace(":", "/") if name.startswith(SERVICE_ACCOUNT) else name

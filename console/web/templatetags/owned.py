"""What templates say of a service that another tool owns."""

from typing import Any

from django.template import Library

from console.knative.owners import Owner
from console.web import owners, words

register = Library()


@register.filter
def owner_words(owner: Owner) -> str:
    """What another tool will undo of a change."""
    return owners.sentence(owner)


@register.filter
def owner_short(owner: Owner) -> str:
    return owners.in_short(owner)


@register.filter
def locked_words(status: Any) -> str:
    """Why a rule refuses the change of a service that another tool owns."""
    return words.locked(status)

"""Pieces of HTML that several parts of pages are made of."""

from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

NOTHING = SafeString("")


def attribute(name: str, value: Any) -> SafeString:
    """An attribute of a start tag, or nothing. `name` is constant."""
    return format_html(' {}="{}"', name, value) if value else NOTHING


def class_html(*names: str) -> SafeString:
    return attribute("class", " ".join(name for name in names if name))


def icon_html(name: str) -> SafeString:
    return format_html('<i class="bi bi-{}" aria-hidden="true"></i>', name)

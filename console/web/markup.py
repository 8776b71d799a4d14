"""Pieces of HTML that several parts of pages are made of."""

import re
from functools import lru_cache
from html import escape
from typing import Any

from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString

NOTHING = SafeString("")
WBR = SafeString("<wbr>")
SEPARATORS = r"/.@:=\[\]_-"
# A number of a version stays whole, and so does the name of an option with its hyphens.
BREAKS = re.compile(rf"(?<=[{SEPARATORS}])(?=[^{SEPARATORS}])(?!(?<=\.)\d)(?<!\s-)(?<!--)(?<!^-)")


def attribute(name: str, value: Any) -> SafeString:
    """An attribute of a start tag, or nothing. `name` is constant."""
    return SafeString(f' {name}="{conditional_escape(value)}"') if value else NOTHING


def class_html(*names: str) -> SafeString:
    return attribute("class", " ".join(name for name in names if name))


@lru_cache(maxsize=256)  # of the names that templates and code have; a page has a hundred
def icon_html(name: str) -> SafeString:
    return format_html('<i class="bi bi-{}" aria-hidden="true"></i>', name)


def breakable_html(text: str) -> SafeString:
    """The text, which may continue on another line behind each of its separators."""
    return SafeString(WBR.join([escape(part) for part in BREAKS.split(text)]))

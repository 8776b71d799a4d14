"""Texts that every store takes: PostgreSQL keeps no NUL in a text or in JSON, and UTF-8 has no unpaired surrogate.

Requests that hold such a character are refused (console.web.unstorable); what a cluster or an identity provider says
is not ours to refuse, so the character is replaced where it is stored (console.database).
"""

import re
from collections.abc import Mapping
from typing import Any

REPLACEMENT = "\ufffd"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def is_storable(text: str) -> bool:
    """Whether every store takes the text."""
    return "\0" not in text and (text.isascii() or not _UNSTORABLE.search(text))


def unstorable_in(text: str) -> str:
    """Return the first character that no store takes, as `U+0000`; empty for none."""
    found = _UNSTORABLE.search(text)
    return f"U+{ord(found[0]):04X}" if found else ""


def storable(value: Any) -> Any:
    """Return the text, or the JSON data with its keys, with each such character replaced by U+FFFD."""
    if isinstance(value, str):
        return value if is_storable(value) else _UNSTORABLE.sub(REPLACEMENT, value)
    if isinstance(value, Mapping):
        return {storable(key): storable(inner) for key, inner in value.items()}
    return type(value)(map(storable, value)) if type(value) in (list, tuple) else value

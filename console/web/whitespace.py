"""Line breaks and spaces that nobody sees in a value, made visible: `Enter↵ (ends with a newline)`."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from console.knative import newlines

LINE_BREAK = "↵"


def visible(text: str) -> str:
    """Return the text on one line, with a sign for each line break."""
    return newlines.plain(text).replace("\n", LINE_BREAK)


def edges(text: str | None) -> str:
    """Return what a value begins and ends with that is not seen; empty where there is no such thing."""
    return ", ".join(_edges(text or ""))


def _edges(text: str) -> Iterator[str]:
    if text[:1].isspace():
        yield _("begins with a newline") if text[0] in "\r\n" else _("begins with whitespace")
    if text[-1:].isspace():
        yield _("ends with a newline") if text[-1] in "\r\n" else _("ends with whitespace")

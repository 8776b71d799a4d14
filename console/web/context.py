"""What every template may use without asking."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

THEMES = ("auto", "light", "dark")


def console(request: HttpRequest) -> dict[str, Any]:
    """Return the facts of this installation and of this person that the page frame shows.

    `frame_template` is what pages extend: the whole frame for a browser, the bare content for htmx.
    """
    theme = request.COOKIES.get("sluice_theme", "auto")
    htmx = getattr(request, "htmx", None)
    return {
        "demo": settings.DEMO,
        "request_id": getattr(request, "request_id", ""),
        "theme": theme if theme in THEMES else "auto",
        "rights": getattr(request, "rights", None),
        "frame_template": "_bare.html" if htmx else "base.html",
    }

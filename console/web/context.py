"""What every template may use without asking."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

THEMES = ("auto", "light", "dark")


def console(request: HttpRequest) -> dict[str, Any]:
    """Return the facts of this installation and of this person that the page frame shows."""
    theme = request.COOKIES.get("sluice_theme", "auto")
    return {
        "demo": settings.DEMO,
        "request_id": getattr(request, "request_id", ""),
        "theme": theme if theme in THEMES else "auto",
        "rights": getattr(request, "rights", None),
    }

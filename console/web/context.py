"""What every template may use without asking."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def console(request: HttpRequest) -> dict[str, Any]:
    """Return the facts of this installation that the page frame shows."""
    return {"demo": settings.DEMO, "request_id": getattr(request, "request_id", "")}

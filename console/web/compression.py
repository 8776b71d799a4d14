"""Pages are compressed when they are among those that never show a value or a secret (docs/security.md, BREACH)."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

# By the names of their addresses. What is read here holds names, states and times of what the person may see, and
# masks for values; a page on which somebody types, reveals or is given a secret must not be added.
COMPRESSED = frozenset(
    (
        "services",
        "all-revisions",
        "find",
        "service",
        "revisions",
        "history",
        "operations",
        "activity",
        "approvals",
        "protection",
        "audit",
        "audit-summary",
        "teams",
        "team",
        "roles",
        "people",
        "why",
        "clusters",
    )
)


class CompressionMiddleware(GZipMiddleware):
    """Django's gzip, whose answers have a random length, for pages in COMPRESSED; never for streams."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> Any:
        """Return the answer, compressed where it may be and the browser takes it."""
        found = request.resolver_match
        is_page = found is not None and found.url_name in COMPRESSED and request.method == "GET"
        is_whole = not response.streaming and response.status_code == 200
        return super().process_response(request, response) if is_page and is_whole else response

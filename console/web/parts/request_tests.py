"""What the page of a test of requests shows of the answers so far. Nothing in it differs from one person to another."""

from typing import Any

from console.request_tests.models import AccessTest
from console.request_tests.results import goodness, rows, statuses
from console.web import request_words


def shown(test: AccessTest) -> dict[str, Any]:
    """Return shares by revision beside the wanted ones, and how many answers of each kind there were."""
    return {
        "test": test,
        "rows": rows(test),
        "fit": goodness(test),
        "statuses": [(status, request_words.http_status(status), count) for status, count in statuses(test)],
        "bodies": sorted(test.by_body.items(), key=lambda entry: -entry[1]),
    }

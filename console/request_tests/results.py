"""How the answers were shared between revisions, beside what the split asks for."""

from dataclasses import dataclass

from console.knative.shares import Fit, fit
from console.request_tests.models import AccessTest

UNNAMED = "?"  # the ingress did not say which revision answered
FAILED = "failed"  # nobody answered with 200; a revision's name begins with that of its service and ends with a number


@dataclass(frozen=True)
class ShareRow:
    """One revision of a test's result: how many answered, in percent, and how many percent were wanted."""

    revision: str
    count: int
    percent: float
    wanted: int


def rows(test: AccessTest) -> tuple[ShareRow, ...]:
    """Return observed beside wanted, by revision."""
    answered = sum(test.by_revision.values())
    names = list(dict.fromkeys([*test.wanted, *test.by_revision]))
    return tuple(
        ShareRow(
            name,
            test.by_revision.get(name, 0),
            100 * test.by_revision.get(name, 0) / answered if answered else 0.0,
            test.wanted.get(name, 0),
        )
        for name in names
    )


def statuses(test: AccessTest) -> tuple[tuple[int, int], ...]:
    """Return (HTTP status, responses), 0 for no response; empty where it was not counted."""
    return tuple(sorted((int(status), count) for status, count in (test.by_status or {}).items()))


def goodness(test: AccessTest) -> Fit | None:
    """Return how well the answers fit the wanted shares; None when the ingress names no revisions."""
    return None if UNNAMED in test.by_revision else fit(test.by_revision, test.wanted)

"""The sandbox accepts, refuses, defaults and says what Serving's own webhook does, on more than a thousand objects.

The verdicts are recorded from Serving's code (`python -m tests.real_cluster.webhook`), and `make test-cluster` checks
that they are still what it says. Each test takes half a second: it makes 1,200 small clusters.
"""

from __future__ import annotations

import pytest

from console.sandbox.knative.version import RELEASES, speaking_as
from tests.sandbox.webhook.asking import verdict
from tests.sandbox.webhook.cases import cases
from tests.sandbox.webhook.differences import DIFFERENCES, MAX_SHARE
from tests.sandbox.webhook.record import recorded


@pytest.mark.parametrize("release", RELEASES, ids=str)
def test_the_sandbox_says_what_the_webhook_of_the_release_said(release) -> None:
    expected, explained = recorded()[str(release)], DIFFERENCES[str(release)]
    with speaking_as(release):
        told = {case.name: verdict(case) for case in cases()}
    assert told.keys() == expected.keys(), "record the new cases: python -m tests.real_cluster.webhook"
    differing = {name for name, line in told.items() if line != expected[name]}
    unexplained = {name: (told[name], expected[name]) for name in differing - explained.keys()}
    assert unexplained == {}
    assert differing == explained.keys(), "a difference that is none any more is taken off the list"
    assert len(differing) <= MAX_SHARE * len(told)


def test_the_cases_are_creates_and_updates_good_and_bad() -> None:
    verdicts = recorded()["1.23"]
    accepted = sum(line.startswith("stored ") for line in verdicts.values())
    assert len(verdicts) >= 1000
    assert 0.3 < accepted / len(verdicts) < 0.7
    assert sum(case.patch is not None for case in cases()) >= 90

"""Serving's own code still says what is recorded of it, which the sandbox is held to (tests/sandbox)."""

from __future__ import annotations

import pytest

from tests.real_cluster.webhook.asking import verdicts
from tests.sandbox.webhook.cases import cases
from tests.sandbox.webhook.record import recorded


@pytest.mark.timeout(900)  # compiles the program
def test_the_recorded_verdicts_are_those_of_servings_own_code(release: str) -> None:
    said, expected = verdicts(release, cases()), recorded()[release]
    assert {name: line for name, line in said.items() if line != expected[name]} == {}
    assert said.keys() == expected.keys()

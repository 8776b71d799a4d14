"""The tests notice when the engine is broken."""

from __future__ import annotations

import pytest

from tests.faults import mutations


@pytest.mark.timeout(1200)
def test_every_mutation_of_the_engine_makes_a_test_fail():
    assert mutations.main() == 0

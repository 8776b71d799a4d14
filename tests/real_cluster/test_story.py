"""The same story as on the sandbox, with only the cluster swapped for a real Knative."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Visitor
from tests.browser.story import play

pytestmark = pytest.mark.timeout(900)


def test_the_whole_story_on_a_real_knative(visitor: Visitor) -> None:
    play(visitor, "real", is_sandbox=False)

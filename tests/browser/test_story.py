"""The story, on the sandbox that `make run` starts."""

from __future__ import annotations

from tests.browser.conftest import Visitor
from tests.browser.story import play


def test_the_whole_story(visitor: Visitor) -> None:
    play(visitor, "sandbox", is_sandbox=True)

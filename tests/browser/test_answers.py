"""What comes back for a form that was sent is shown from its beginning."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor

HELLO = "/services/sandbox/default/hello/"
SIZES = {"desktop": 1280, "phone": 375}  # the width in CSS pixels


def reviewed(visitor: Visitor, size: str) -> Page:
    """The review of a form that was scrolled to its end before it was sent."""
    page = visitor.sign_in("deployer").page
    page.set_viewport_size({"width": SIZES[size], "height": 740})
    visitor.go(f"{HELLO}deploy/")
    page.fill("[name=image]", "gcr.io/knative-samples/helloworld-read")
    page.mouse.wheel(0, 5000)
    page.get_by_role("button", name=re.compile("^Review changes")).last.click()
    expect(page.get_by_role("heading", name="Review changes")).to_be_visible()
    return page


@pytest.mark.parametrize("size", SIZES)
def test_a_review_opens_with_what_changes_in_view(visitor: Visitor, size: str) -> None:
    page = reviewed(visitor, size)
    expect(page.locator("#work")).to_be_focused()
    expect(page.locator("#work")).to_be_in_viewport(ratio=1)
    expect(page.locator(".change-lines li").first).to_be_in_viewport(ratio=1)

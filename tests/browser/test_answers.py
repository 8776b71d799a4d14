"""What comes back for a form that was sent is shown from its beginning."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, Route, expect

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


@pytest.mark.parametrize("size", SIZES)
def test_a_refused_form_shows_and_focuses_its_first_wrong_field(visitor: Visitor, size: str) -> None:
    page = visitor.sign_in("deployer").page
    page.set_viewport_size({"width": SIZES[size], "height": 740})
    visitor.go(f"{HELLO}settings/")
    page.fill("[name=min]", "5")
    page.fill("[name=max]", "2")
    page.mouse.wheel(0, 9000)
    page.get_by_role("button", name=re.compile("^Review changes")).last.click()
    expect(page.locator("[name=max]")).to_be_focused()
    told = page.get_by_text("Min scale (5) must not be greater than max scale (2).")
    expect(told).to_be_in_viewport(ratio=1)
    visitor.keep(f"conflict-{size}")


@pytest.mark.parametrize("size", SIZES)
def test_why_a_form_as_a_whole_was_refused_is_scrolled_into_view(visitor: Visitor, size: str) -> None:
    page = visitor.sign_in("deployer").page
    page.set_viewport_size({"width": SIZES[size], "height": 740})
    visitor.go(f"{HELLO}settings/")
    page.mouse.wheel(0, 9000)
    page.get_by_role("button", name=re.compile("^Review changes")).last.click()
    expect(page.get_by_text("Nothing was changed.")).to_be_in_viewport(ratio=1)


def test_a_page_says_what_it_waits_for(visitor: Visitor) -> None:
    page = visitor.sign_in("deployer").page
    visitor.go(f"{HELLO}settings/")
    held: list[Route] = []
    page.route("**/settings/**", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks the function it is given
    page.fill("[name=min]", "1")
    page.get_by_role("button", name=re.compile("^Review changes")).last.click()
    expect(page.locator("#cluster-wait")).to_have_text("Waiting for the cluster to respond. Your input is kept.")
    (sent,) = held
    sent.continue_()
    expect(page.get_by_role("heading", name="Review changes")).to_be_visible()
    expect(page.locator("#cluster-wait")).to_be_empty()


def test_a_form_that_asks_no_cluster_says_nothing_of_one(visitor: Visitor) -> None:
    page = visitor.sign_in("admin").page
    page.clock.install()
    visitor.go("/teams/new/")
    held: list[Route] = []
    page.route("**/teams/new/", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks the function it is given
    with page.expect_request("**/teams/new/"):
        page.locator("main form[data-typed] .btn-primary").click()
    page.clock.run_for(5_000)
    expect(page.locator("#cluster-wait")).to_be_empty()
    (sent,) = held
    sent.continue_()
    expect(page.locator("main .problem").first).to_be_visible()


def test_an_open_preview_says_that_somebody_else_changed_the_service(browser: Browser, visitor: Visitor) -> None:
    page = reviewed(visitor, "desktop")
    other = Visitor(browser.new_context(), visitor.base)
    theirs = other.sign_in("admin").page
    other.go(f"{HELLO}operate/")
    theirs.fill("[name=min]", "1" if theirs.input_value("[name=min]") != "1" else "2")
    theirs.get_by_role("button", name=re.compile("^Review changes")).last.click()
    theirs.locator(".foot button[form=apply]").click()
    expect(page.locator("#meanwhile")).to_contain_text("changed the service while you were reading this preview")
    visitor.keep("meanwhile")
    other.context.close()

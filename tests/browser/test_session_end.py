"""A session that ends while a form is being filled in: sign in elsewhere, press again, and nothing was lost."""

from __future__ import annotations

import re

from playwright.sync_api import Request, Response, expect

from tests.browser.conftest import Visitor


def test_what_was_typed_survives_the_end_of_the_session(visitor: Visitor) -> None:
    page = visitor.sign_in("deployer").page
    visitor.go("/services/sandbox/default/hello/env/")
    page.fill("[name=value-0]", "typed before")
    visitor.context.clear_cookies(name="sluice_session")
    page.get_by_role("button", name=re.compile("^Review changes")).click()
    note = page.get_by_role("alert")
    expect(note).to_contain_text("Your session has ended")
    visitor.keep("session-ended")

    with visitor.context.expect_page() as opened:
        note.get_by_role("link").click()
    Visitor(visitor.context, visitor.base, opened.value).fill_in("deployer")

    page.get_by_role("button", name=re.compile("^Review changes")).click()
    expect(page.get_by_role("alert")).to_contain_text("Press the button again")
    expect(page.locator("[name=value-0]")).to_have_value("typed before")
    page.get_by_role("button", name=re.compile("^Review changes")).click()
    expect(page.get_by_role("heading", name="Review changes")).to_be_visible()


def test_an_open_page_goes_to_the_sign_in_page_by_itself(visitor: Visitor) -> None:
    """Once: each further answer would load the page again, and so call off the loading that is under way."""
    page = visitor.sign_in("viewer").go("/operations/").page
    seen: list[Request | Response] = []
    for kind in ("request", "response"):
        page.on(kind, lambda each: seen.append(each))  # noqa: PLW0108 - Playwright marks the function it is given
    page.evaluate("setInterval(() => { for (const _ of '12') htmx.trigger('#live', 'changed'); }, 50)")
    visitor.context.clear_cookies(name="sluice_session")
    expect(page).to_have_url(re.compile("/accounts/login/"))

    refused = [isinstance(each, Response) and each.status == 401 for each in seen]
    later = seen[refused.index(True) + 1 :]
    assert [each.url for each in later if isinstance(each, Request) and "hx-request" in each.headers] == []

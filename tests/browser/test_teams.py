"""From a person without an account to one who may change a service for a day, each step in a browser."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visitor
from tests.console_process import RunningConsole

PASSWORD = "typed-by-erin-alone-1"
CART = "/services/sandbox/shop/cart/"


def test_a_person_is_made_joins_a_team_for_a_day_and_reads_why_she_can(
    visitor: Visitor, browser: Browser, running: RunningConsole
) -> None:
    page = visitor.sign_in("admin").go("/teams/people/new/").page
    page.get_by_label("User name").fill("erin")
    page.get_by_role("button", name="Create").click()
    link = page.locator("#link").inner_text()

    context = browser.new_context(locale="en-GB")
    erin = Visitor(context, running.url)
    erin.go(re.sub("^https?://[^/]+", "", link))
    for label in ("New password", "New password confirmation"):
        erin.page.get_by_label(label, exact=True).fill(PASSWORD)
    erin.page.get_by_role("button", name="Set the password").click()
    erin.page.get_by_label("User name").fill("erin")
    erin.page.get_by_label("Password").fill(PASSWORD)
    erin.page.get_by_role("button", name="Sign in", exact=True).click()
    erin.page.wait_for_url(lambda address: "/accounts/" not in address)
    erin.go(CART)
    expect(erin.page.get_by_role("heading", name="Page not found")).to_be_visible()

    visitor.go("/teams/")
    page.get_by_role("link", name="Shop").click()
    add = page.locator("form", has=page.get_by_role("heading", name="Add a member"))
    add.get_by_label("User name").fill("erina")
    add.get_by_role("button", name="Add").click()
    expect(page.get_by_text("No active user is named “erina”.")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/teams/\d+/$"))  # htmx put the answer into the page
    add.get_by_label("User name").fill("erin")
    add.get_by_label("Expires (UTC)").fill("2099-12-31T12:00")
    add.get_by_role("button", name="Add").click()
    expect(page.get_by_text("erin is now a member.")).to_be_visible()
    expect(page.locator("tr", has_text="erin")).to_contain_text("2099-12-31 12:00 UTC")
    visitor.keep("team")

    erin.go(CART)
    erin.page.locator("#service-menu > summary").click()
    erin.page.get_by_role("link", name="Check my access").click()
    traffic = erin.page.locator("tr", has_text="split traffic and roll back")
    expect(traffic).to_contain_text("Role operator via team Shop (namespace shop in all clusters)")
    expect(traffic).to_contain_text("a member until 2099-12-31 12:00 UTC")
    assert erin.complaints == []
    context.close()

"""What waits for approval comes to open pages without their asking: the number to each, the rows to their own page."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS, Visitor
from tests.browser.scenes import PROTECTED, review
from tests.console_process import RunningConsole

CATALOG = "/services/sandbox/shop/catalog/"


def asked_by(page: Page) -> list[str]:
    """What the page asks for from now on."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.resource_type in {"fetch", "xhr"} else None)
    return asked


def request(browser: Browser, running: RunningConsole) -> None:
    """Somebody else asks for a change that needs a second person."""
    context = browser.new_context(locale="en-GB")
    context.set_default_timeout(PATIENCE_MS)
    deployer = Visitor(context, running.url).sign_in("deployer")
    review(deployer, CATALOG)
    deployer.page.locator("[name=reason]").fill("The image is out of support.")
    deployer.page.locator("main .foot .btn-primary").click()
    deployer.page.wait_for_url("**/operations/*-*/")
    context.close()


def test_the_number_and_the_rows_come_and_go_on_open_pages(
    visitor: Visitor, browser: Browser, running: RunningConsole
) -> None:
    visitor.sign_in("admin").go(f"/protection/rule/new/?{PROTECTED}").page.get_by_role("button", name="Save").click()
    visitor.page.wait_for_url("**/protection/")
    plain, listing = visitor.context.new_page(), visitor.context.new_page()
    plain.goto(f"{running.url}/audit/")
    listing.goto(f"{running.url}/approvals/")
    expect(listing.locator("main")).to_contain_text("Nothing is waiting for your approval.")
    asked = [asked_by(page) for page in (plain, listing)]
    request(browser, running)
    for page in (plain, listing):
        expect(page.locator("#waiting .count")).to_contain_text("1")
    row = listing.get_by_role("region", name="Waiting for you").locator("tbody tr")
    expect(row).to_contain_text("out of support")
    visitor.go("/approvals/").page.get_by_role("link", name="Change image").first.click()
    visitor.page.get_by_role("button", name=re.compile("^Approve")).click()
    for page in (plain, listing):
        expect(page.locator("#waiting .count")).to_have_count(0)
    expect(listing.locator("main")).to_contain_text("Nothing is waiting for your approval.")
    assert asked == [[], []]

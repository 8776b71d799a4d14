"""What waits for approval comes to open pages without their asking: the number to each, the rows to their own page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import PATIENCE_MS, Visitor
from tests.browser.scenes import PROTECTED, review
from tests.console_process import RunningConsole

CATALOG = "/services/sandbox/shop/catalog/"
SCRIPT = Path("static/js/waiting.js")
BADGE = """<span data-waiting="waiting" data-position="e.1" data-address="/approvals/waiting/" data-stream="/stream/"
    data-worker="/worker.js" data-person="1">1</span>"""
# The test says what the worker of the browser says.
WORKER = """window.SharedWorker = class {
  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    window.say = (message) => port2.postMessage({ topic: "waiting", ...message });
  }
};"""


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


def alone(browser: Browser, answer: Callable[[Page, Route], None]) -> Page:
    """A page with the number alone; `answer` is what it gets when it asks for it."""
    page = browser.new_page()
    page.add_init_script(WORKER)
    page.route("http://console.test/", lambda route: route.fulfill(content_type="text/html", body=BADGE))
    page.route("**/approvals/waiting/", lambda route: answer(page, route))
    page.goto("http://console.test/")
    page.add_script_tag(content=SCRIPT.read_text(), type="module")
    return page


def test_a_look_by_itself_names_itself_as_such_and_shows_the_number(browser: Browser) -> None:
    """Such a request keeps no session alive: tests/access/test_accounts.py."""
    page = alone(browser, lambda _page, route: route.fulfill(body=f"2 {route.request.headers.get('hx-request')}"))
    page.evaluate("say({ event: 'changed' })")
    expect(page.locator("[data-waiting]")).to_have_text("2 true")
    page.close()


def test_an_older_answer_does_not_replace_a_number_that_was_sent_meanwhile(browser: Browser) -> None:
    part = {"event": "part", "position": "e.2", "json": json.dumps({"html": {"": "3"}})}

    def answer(page: Page, route: Route) -> None:
        page.evaluate("message => say(message)", part)
        expect(page.locator("[data-waiting]")).to_have_text("3")
        route.fulfill(body="2")

    page = alone(browser, answer)
    with page.expect_event("requestfinished"):
        page.evaluate("say({ event: 'changed' })")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    expect(page.locator("[data-waiting]")).to_have_text("3")
    page.close()

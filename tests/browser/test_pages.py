"""Every page: without JavaScript, by the rules of accessibility, narrow, dark, and in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visitor
from tests.console_process import RunningConsole

CATALOG = "/services/sandbox/shop/catalog/"
PAGES = [
    "/",
    "/services/new/",
    "/services/sandbox/shop/storefront/",
    "/services/sandbox/shop/storefront/revisions/",
    "/services/sandbox/shop/storefront/revisions/storefront-00003/?with=storefront-00002",
    "/services/sandbox/shop/cart/env/",
    "/services/sandbox/shop/cart/image/",
    "/services/sandbox/shop/storefront/traffic/",
    "/services/sandbox/shop/cart/settings/",
    "/services/sandbox/shop/cart/operate/",
    "/services/sandbox/shop/cart/clone/",
    "/services/sandbox/payments/checkout/env/",
    "/services/sandbox/payments/checkout/settings/",
    "/services/sandbox/payments/checkout/revisions/checkout-00002/logs/",
    "/services/bulk/",
    "/services/sandbox/shop/cart/yaml/",
    "/services/sandbox/shop/cart/delete/",
    "/services/sandbox/shop/cart/test/",
    "/operations/",
    "/approvals/",
    "/protection/",
    "/protection/rule/new/",
    "/protection/window/new/",
    "/audit/",
    "/tokens/",
    "/tokens/new/",
    "/api/",
    "/teams/",
    "/teams/1/",
    "/teams/1/edit/",
    "/teams/1/delete/",
    "/teams/1/members/1/",
    "/teams/new/",
    "/teams/roles/",
    "/teams/roles/1/",
    "/teams/people/",
    "/teams/people/1/",
    "/teams/people/new/",
    "/teams/why/?person=viewer&cluster=sandbox&namespace=shop&service=cart&permission=traffic",
    "/clusters/",
    "/clusters/add/",
    "/cluster/sandbox/",
    "/accounts/password/change/",
    "/accounts/2fa/",
    "/accounts/2fa/webauthn/",
    "/accounts/reauthenticate/",
    "/accounts/sessions/",
    "/accounts/logout/",
    "/no-such-page/",
]


@pytest.fixture(params=[("en-GB", "light", 1280), ("zh-CN", "dark", 375)], ids=["wide", "narrow"])
def reader(request: pytest.FixtureRequest, browser: Browser, running: RunningConsole) -> Iterator[Visitor]:
    language, colours, width = request.param
    context = browser.new_context(viewport={"width": width, "height": 800}, locale=language, color_scheme=colours)
    yield Visitor(context, running.url).sign_in("admin")
    context.close()


def test_pages_break_no_rule_of_accessibility_and_fit_the_screen(reader: Visitor) -> None:
    found: list[str] = []
    for path in PAGES:
        page = reader.go(path).page
        width = page.viewport_size["width"] if page.viewport_size else 0
        reader.keep(f"page{width}-{re.sub('[^a-z0-9]+', '-', path.strip('/')) or 'services'}")
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(f"{path}: wider than {width} px")
        rules = (
            Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}).response["violations"]
        )
        found += [f"{path}: {rule['id']}: {rule['nodes'][0]['html'][:160]}" for rule in rules]
    assert not found, "\n".join(found)


def test_the_main_job_works_without_javascript(browser: Browser, running: RunningConsole) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    visitor = Visitor(context, running.url).sign_in("deployer")
    page = visitor.go("/?q=catalog").page
    page.get_by_role("link", name="catalog", exact=True).click()
    expect(page.get_by_text("Follows the latest revision")).to_be_visible()

    visitor.go(f"{CATALOG}env/")
    blank = page.locator("input[name^=name-]:not([type=hidden])").first
    index = (blank.get_attribute("name") or "").removeprefix("name-")
    blank.fill("PLAIN")
    page.fill(f"[name=value-{index}]", "yes")
    page.get_by_role("button", name=re.compile("^Review changes")).click()
    page.get_by_role("button", name=re.compile("^Apply")).click()
    page.wait_for_url(re.compile("/operations/"))
    page.get_by_text("Ready to serve.").wait_for(timeout=30_000)  # the page reloads by itself

    visitor.go(f"{CATALOG}traffic/")
    page.get_by_label("Percent for @latest", exact=True).fill("60")
    page.get_by_label("Percent for catalog-00001", exact=True).fill("50")
    page.get_by_role("button", name=re.compile("^Review changes")).click()
    expect(page.get_by_text("Percentages add up to 110. They must total 100.")).to_be_visible()
    page.get_by_label("Percent for catalog-00001", exact=True).fill("40")
    page.get_by_role("button", name=re.compile("^Review changes")).click()
    page.get_by_role("button", name=re.compile("^Apply")).click()
    page.wait_for_url(re.compile("/operations/"))
    page.get_by_text("(unchanged)").wait_for(timeout=30_000)
    context.close()

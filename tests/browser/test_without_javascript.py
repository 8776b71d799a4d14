"""With JavaScript off, the jobs work to their end: variables, image, traffic, settings, approval."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Visitor
from tests.console_process import RunningConsole

CATALOG = "/services/sandbox/shop/catalog/"
CART = "/services/sandbox/shop/cart/"


@pytest.fixture
def plain(browser: Browser, running: RunningConsole) -> Iterator[Visitor]:
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    yield Visitor(context, running.url)
    context.close()


def review(page: Page) -> None:
    page.locator("main").get_by_role("button", name=re.compile("^Review changes")).click()
    expect(page.get_by_role("heading", name="Review changes")).to_be_visible()


def apply(page: Page) -> None:
    page.locator("main button[form=apply]").click()
    page.wait_for_url(re.compile("/operations/"))


def release(page: Page) -> None:
    """From a form to the operation's end; its page reloads by itself."""
    review(page)
    apply(page)
    page.wait_for_selector("#operation[data-status^='succeeded']")


def test_variable_and_image_in_one_form(plain: Visitor) -> None:
    page = plain.sign_in("deployer").go("/?q=catalog").page
    page.get_by_role("link", name="catalog", exact=True).click()
    page.get_by_role("link", name="Edit and deploy").click()
    page.fill("#section-image [name$=image]", "gcr.io/knative-samples/helloworld-rust")
    page.get_by_role("button", name="Add a variable").click()
    page.locator("#section-env input[name^=name-]:not([type=hidden])").first.fill("PLAIN")
    page.locator("#section-env textarea[name^=value-]").first.fill("yes")
    release(page)
    plain.go(f"{CATALOG}env/")
    expect(page.locator("main")).to_contain_text("PLAIN")
    plain.go(f"{CATALOG}image/")
    expect(page.locator("[name$=image]").first).to_have_value(re.compile("helloworld-rust"))


def test_traffic_whose_sum_is_wrong_and_then_right(plain: Visitor) -> None:
    page = plain.sign_in("deployer").go("/services/sandbox/shop/search/traffic/").page
    shares = page.locator("[aria-label^='Percent for']")
    names = [shares.nth(number).get_attribute("aria-label") or "" for number in range(shares.count())]
    for name in names:
        page.get_by_label(name, exact=True).fill("0")
    page.get_by_label(names[0], exact=True).fill("60")
    page.get_by_label(names[1], exact=True).fill("50")
    page.locator("main").get_by_role("button", name=re.compile("^Review changes")).click()
    expect(page.get_by_text("Percentages add up to 110. They must total 100.")).to_be_visible()
    page.get_by_label(names[1], exact=True).fill("40")
    release(page)


def test_settings(plain: Visitor) -> None:
    page = plain.sign_in("deployer").go(f"{CART}deploy/?section=scaling").page
    page.get_by_label("Max scale", exact=True).fill("7")
    release(page)
    plain.go(f"{CART}deploy/?section=scaling")
    expect(page.get_by_label("Max scale", exact=True)).to_have_value("7")


def test_a_protected_service_is_approved_by_somebody_else(
    plain: Visitor, browser: Browser, running: RunningConsole
) -> None:
    admin = plain.sign_in("admin").go("/protection/rule/new/").page
    protect(admin)
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    asking = Visitor(context, running.url).sign_in("deployer").go("/services/sandbox/data/reports/image/").page
    asking.locator("[name$=image]").first.fill("gcr.io/knative-samples/helloworld-rust")
    review(asking)
    asking.fill("[name=reason]", "The image is out of support.")
    apply(asking)
    expect(asking.locator("main")).to_contain_text("Waiting for approval")
    plain.go("/approvals/")
    admin.locator("main a[href*='/operations/']").first.click()
    admin.get_by_role("button", name="Approve").click()
    asking.wait_for_selector("#operation[data-status^='succeeded']")
    context.close()


def protect(page: Page) -> None:
    """Deployments in the namespace `data` need a second person."""
    for name, value in {"cluster": "sandbox", "namespace": "data"}.items():
        field = page.locator(f"[name={name}]").first
        if field.evaluate("(field) => field.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    page.locator("[name=permissions][value=deploy]").check()
    save = page.locator("main form#typed button.btn-primary").last
    save.click()
    page.locator("[name=covers]").wait_for(state="attached")  # the page says first what the rule covers
    save.click()
    page.wait_for_url(re.compile("/protection/$"))

"""A service's page in a browser: its menu by keyboard and without scripts, what is open stays open, two clicks back."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visitor
from tests.console_process import RunningConsole

CHECKOUT = "/services/sandbox/payments/checkout/"


def test_the_menu_works_by_keyboard_and_what_is_open_stays_open(visitor: Visitor) -> None:
    page = visitor.sign_in("admin").go(CHECKOUT).page
    menu = page.locator("#service-menu")
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(menu.get_by_role("link", name="Protect")).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu.get_by_role("link", name="Protect")).to_be_hidden()
    expect(menu.locator("summary")).to_be_focused()
    page.locator("#system-labels summary").click()
    with page.expect_response(re.compile(CHECKOUT + "$")):
        page.evaluate("htmx.trigger(document.getElementById('live'), 'changed')")
    expect(page.get_by_text("serving.knative.dev/creator=")).to_be_visible()


def test_rolling_back_takes_two_clicks_from_the_page(visitor: Visitor) -> None:
    page = visitor.sign_in("admin").go(CHECKOUT).page
    page.get_by_role("button", name="Roll back to checkout-00001", exact=True).click()
    expect(page.get_by_role("heading", name="Review changes")).to_be_visible()
    page.locator(".buttons .btn-primary, .foot .btn-primary").first.click()
    page.wait_for_selector("#operation[data-status^='succeeded']")
    page.goto(visitor.base + CHECKOUT)
    expect(page.locator(".deployed")).to_contain_text("checkout-00001 100%")


def test_a_service_is_protected_without_scripts(browser: Browser, running: RunningConsole) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = Visitor(context, running.url).sign_in("admin").go("/services/sandbox/shop/cart/").page
    page.locator("#service-menu summary").click()
    page.get_by_role("link", name="Protect").click()
    expect(page.get_by_text("sandbox/shop/cart")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="sandbox/shop/cart")).to_be_visible()
    context.close()

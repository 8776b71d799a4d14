"""Rows of the services list that change under somebody's hands: in place, and without taking anything away."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor
from tests.browser.extremes import Cluster, services
from tests.console_process import RunningConsole

HOLD = """
row => {
  const [link, box, text] = ["th a", "input", ".under"].map(each => row.querySelector(each));
  window.held = {row, link, box, text};
  held.box.checked = true;
  document.querySelector("details.menu:has([name=columns])").open = true;
  getSelection().selectAllChildren(held.text);
  held.link.focus();
  scrollTo(0, 40);
}
"""
KEPT = """
row => ({
  row: row === held.row,
  focus: document.activeElement === held.link,
  box: held.box.isConnected && held.box.checked,
  menu: document.querySelector("details.menu:has([name=columns])").open,
  selection: getSelection().toString().length > 0,
  scroll: scrollY === held.scroll,
})
"""


def name_author(running: RunningConsole, name: str, namespace: str, author: str) -> None:
    """Let somebody be the one who changed the service last, as its row says it."""
    note = {"metadata": {"annotations": {"sluice.dev/changed-by": author}}}
    Cluster(running).ask("PATCH", f"{services(namespace)}/{name}", note)


def lists_asked(page: Page) -> list[str]:
    """The addresses that the page asks for by itself from now on."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "hx-request" in request.headers else None)
    return asked


def is_heard(page: Page, running: RunningConsole) -> None:
    """Wait until a change comes to the page over its stream."""
    name_author(running, "cart", "shop", "first@shop.example")
    expect(page.locator("tr", has_text="cart")).to_contain_text("first@shop.example")


def test_a_row_that_changes_takes_nothing_from_who_works_on_the_page(visitor: Visitor, running: RunningConsole) -> None:
    page = visitor.sign_in("deployer").go("/").page
    page.set_viewport_size({"width": 1280, "height": 400})
    row = page.locator("tr", has_text="cart")
    is_heard(page, running)
    asked = lists_asked(page)
    row.evaluate(HOLD)
    page.evaluate("held.scroll = scrollY")
    name_author(running, "cart", "shop", "second@shop.example")
    expect(row).to_contain_text("second@shop.example")
    assert row.evaluate(KEPT) == dict.fromkeys(("row", "focus", "box", "menu", "selection", "scroll"), True)
    assert "UTC" not in row.inner_text()  # ages, as in the other rows
    assert asked == []


def test_a_hidden_list_does_nothing_and_catches_up(visitor: Visitor, running: RunningConsole) -> None:
    visitor.context.add_init_script("Object.defineProperty(document, 'hidden', {get: () => window.isHidden ?? false})")
    page = visitor.sign_in("viewer").go("/").page
    other = visitor.context.new_page()
    other.goto(visitor.base)
    is_heard(page, running)
    page.evaluate("isHidden = true; document.dispatchEvent(new Event('visibilitychange'))")
    name_author(running, "cart", "shop", "hidden@shop.example")
    expect(other.locator("tr", has_text="cart")).to_contain_text("hidden@shop.example")
    assert "hidden@shop.example" not in page.locator("tr", has_text="cart").inner_text()
    page.evaluate("isHidden = false; document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("tr", has_text="cart")).to_contain_text("hidden@shop.example")


HOLD_SERVICE = """
() => {
  document.getElementById("service-menu").open = true;
  const text = document.querySelector("section.serving .who");
  window.held = {menu: document.getElementById("service-menu"), text, link: text.querySelector("a")};
  getSelection().selectAllChildren(text);
  held.link.focus();
  scrollTo(0, 60);
  held.scroll = scrollY;
}
"""
KEPT_ON_SERVICE = """
() => ({
  menu: held.menu.isConnected && held.menu.open,
  focus: document.activeElement === held.link,
  selection: getSelection().toString().length > 0,
  scroll: scrollY === held.scroll,
})
"""


def label(running: RunningConsole, value: str) -> None:
    """Give the service a label, which the details on its page show."""
    Cluster(running).ask("PATCH", f"{services('shop')}/cart", {"metadata": {"labels": {"phase": value}}})


def test_a_page_of_a_service_that_changes_takes_nothing_from_who_works_on_it(
    visitor: Visitor, running: RunningConsole
) -> None:
    page = visitor.sign_in("deployer").go("/services/sandbox/shop/cart/").page
    page.set_viewport_size({"width": 1280, "height": 400})
    details = page.locator("[data-piece=details]")
    label(running, "first")
    expect(details).to_contain_text("phase=first")
    asked = lists_asked(page)
    page.evaluate(HOLD_SERVICE)
    label(running, "second")
    expect(details).to_contain_text("phase=second")
    assert page.evaluate(KEPT_ON_SERVICE) == dict.fromkeys(("menu", "focus", "selection", "scroll"), True)
    assert asked == []


def test_an_operation_is_sent_to_its_end_without_asking_and_its_buttons_work(
    visitor: Visitor, running: RunningConsole
) -> None:
    page = visitor.sign_in("deployer").go("/services/sandbox/default/hello/deploy/?section=env").page
    page.get_by_label("Value TARGET").fill("Live")
    page.get_by_role("button", name="Review changes").click()
    page.locator("main button[form=apply]").click()
    page.wait_for_url(re.compile("/operations/"))
    asked = lists_asked(page)
    page.wait_for_selector("#operation[data-status^='succeeded']")
    expect(page.locator("#timeline")).to_contain_text("Ready to serve.")
    assert asked == []
    expect(page.locator("[data-topic]")).to_have_count(0)
    token = page.locator("#preferences [name=csrfmiddlewaretoken]").input_value()
    forms = page.locator("#next [name=csrfmiddlewaretoken]")
    assert [forms.nth(at).input_value() for at in range(forms.count())] == [token] * forms.count()
    assert forms.count()


def test_the_answers_to_a_test_of_requests_and_the_pods_that_they_wake_are_sent(
    visitor: Visitor, running: RunningConsole
) -> None:
    page = visitor.sign_in("deployer").go("/services/sandbox/shop/cart/revisions/cart-00009/").page
    asked = lists_asked(page)
    test = visitor.context.new_page()
    test.goto(f"{visitor.base}/services/sandbox/shop/cart/test/")
    test.fill("[name=count]", "50")
    test.get_by_role("button", name=re.compile("^Send")).click()
    test.wait_for_url(re.compile("/test/[0-9a-f-]+/"))
    asked_by_test = lists_asked(test)
    test.wait_for_selector("#result[data-finished=yes]")
    expect(test.locator("#result")).to_contain_text("50/50")
    expect(test.locator("[data-topic]")).to_have_count(0)
    expect(page.locator("[data-piece=pods]")).to_contain_text("2/2")
    assert (asked, asked_by_test) == ([], [])


def test_a_cell_that_changes_keeps_its_elements_and_what_is_selected_in_it(
    visitor: Visitor, running: RunningConsole
) -> None:
    page = visitor.sign_in("deployer").go("/").page
    row = page.locator("tr", has_text="cart")
    is_heard(page, running)
    row.evaluate(
        "row => { const cell = row.querySelector('td:has(time[data-age]):last-child');"
        " window.held = {cell, author: cell.querySelector('.under')}; getSelection().selectAllChildren(cell); }"
    )
    name_author(running, "cart", "shop", "third@shop.example")
    expect(row).to_contain_text("third@shop.example")
    assert page.evaluate("held.cell.isConnected && held.author.isConnected")
    assert "third@shop.example" in page.evaluate("getSelection().toString()")

"""What was typed is still there after Back, a reload, and a switch of language or colours."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from tests.browser.conftest import PATIENCE_MS, Visitor
from tests.console_process import RunningConsole

HELLO = "/services/sandbox/default/hello/"
FIELDS = {
    "image/": ("[name=image]", "gcr.io/knative-samples/helloworld-typed"),
    "traffic/": ("[name=tag-0]", "typed"),
    "settings/": ("[name=service_account]", "typed"),
    "/services/new/": ("[name=name]", "typed-service"),
}


@pytest.fixture
def without_script(browser: Browser, running: RunningConsole) -> Iterator[Visitor]:
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(PATIENCE_MS)
    yield Visitor(context, running.url)
    context.close()


def fill(visitor: Visitor, path: str) -> tuple[Page, str, str]:
    """Type into one form, as the deployer."""
    page = visitor.sign_in("deployer").page
    visitor.go(path if path.startswith("/") else f"{HELLO}{path}")
    selector, text = FIELDS[path]
    page.fill(selector, text)
    if path == "/services/new/":
        page.select_option("[name=place]", "sandbox/default")
        page.fill("[name=image]", "gcr.io/knative-samples/helloworld-go")
    return page, selector, text


def preview(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Review changes")).last.click()
    expect(page.get_by_role("heading", name="Review changes")).to_be_visible()


@pytest.mark.parametrize("path", FIELDS)
def test_back_from_a_preview_and_forward_again(visitor: Visitor, path: str) -> None:
    page, selector, text = fill(visitor, path)
    preview(page)
    page.reload()
    expect(page.get_by_role("heading", name="Review changes")).to_be_visible()
    page.go_back()
    expect(page.locator(selector)).to_have_value(text)
    page.go_forward()
    expect(page.get_by_role("heading", name="Review changes")).to_be_visible()
    page.go_back()
    expect(page.locator(selector)).to_have_value(text)
    preview(page)
    assert text not in page.url


@pytest.mark.parametrize("path", FIELDS)
def test_a_switch_of_language_and_of_colours(visitor: Visitor, path: str) -> None:
    page, selector, text = fill(visitor, path)
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    expect(page.locator(selector)).to_have_value(text)
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    expect(page.locator(selector)).to_have_value(text)
    preview(page)
    page.fill("[name=reason]", "typed beside the button")
    page.get_by_role("button", name="中文").click()
    expect(page.locator("[name=reason]")).to_have_value("typed beside the button")


def test_the_form_that_was_typed_into_is_the_one_that_goes_along(visitor: Visitor) -> None:
    page = visitor.sign_in("admin").page
    visitor.go("/teams/")
    page.locator("tbody a").first.click()
    page.fill("[name=namespace]", "typed")
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    expect(page.locator("[name=namespace]")).to_have_value("typed")


def test_a_search_in_the_bulk_edit_keeps_what_was_ticked_and_typed(visitor: Visitor) -> None:
    page = visitor.sign_in("deployer").page
    visitor.go("/services/bulk/")
    page.fill("[name=name]", "LOG_LEVEL")
    page.fill("[name=value]", "debug")
    for name in ("cart", "catalog", "storefront"):
        page.fill("[name=q]", name)
        page.press("[name=q]", "Enter")
        expect(page.locator("[name=found]")).to_have_value(name)
        page.check(f"[value='sandbox/shop/{name}']")
    visitor.keep("bulk-search")
    expect(page.locator("[name=services]:checked")).to_have_count(3)
    preview(page)
    for name in ("cart", "catalog", "storefront"):
        expect(page.locator("main")).to_contain_text(f"sandbox/shop/{name}")
    assert "debug" not in page.url


def test_after_applying_back_gives_a_fresh_form(visitor: Visitor) -> None:
    page, _selector, _text = fill(visitor, "traffic/")
    preview(page)
    page.locator("main button[form=apply]").click()
    page.wait_for_url(re.compile("/operations/"))
    page.go_back()
    expect(page.locator("#toasts")).to_contain_text("has already been applied")


def test_without_script(without_script: Visitor) -> None:
    page, selector, text = fill(without_script, "image/")
    page.get_by_role("button", name="中文").click()
    assert page.input_value(selector) == text
    page.get_by_role("button", name="English").click()
    preview(page)
    page.reload()
    assert page.get_by_role("heading", name="Review changes").is_visible()
    page.go_back()
    if page.input_value(selector) != text:
        page.get_by_role("link", name="Continue editing").click()
    assert page.input_value(selector) == text


def test_revealing_keeps_what_was_typed(visitor: Visitor) -> None:
    page = visitor.sign_in("admin").page
    visitor.go(f"{HELLO}env/")
    expect(page.locator("[name=value-0]")).to_be_focused()
    page.fill("[name=value-0]", "typed\nover two lines")
    page.get_by_role("button", name="Reveal values").click()
    expect(page.get_by_text("Values are visible.")).to_be_visible()
    expect(page.locator("[name=value-0]")).to_have_value("typed\nover two lines")
    preview(page)
    page.go_back()
    expect(page.locator("[name=value-0]")).to_have_value("typed\nover two lines")


def test_variables_without_script(without_script: Visitor) -> None:
    page = without_script.sign_in("deployer").page
    without_script.go(f"{HELLO}env/")
    page.fill("[name=value-0]", "typed")
    page.get_by_role("button", name="Add a variable").click()
    assert page.input_value("[name=value-0]") == "typed"
    page.get_by_role("button", name="中文").click()
    assert page.input_value("[name=value-0]") == "typed"
    page.get_by_role("button", name="English").click()
    preview(page)


def leave(page: Page, by: str = "header nav a[href='/audit/']") -> list[str]:
    """Press a link and wait for the page it leads to; returns what the browser asked first."""
    before = page.url
    asked: list[str] = []

    def agree(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", agree)
    page.locator(by).first.click()
    page.wait_for_url(lambda address: address != before)
    page.remove_listener("dialog", agree)
    return asked


def test_a_form_that_nobody_touched_asks_nothing(visitor: Visitor) -> None:
    page = visitor.sign_in("admin").page
    forms = [
        f"{HELLO}{name}/" for name in ("traffic", "env", "deploy", "image", "settings", "operate", "clone", "yaml")
    ]
    for path in (*forms, "/services/new/", "/services/bulk/"):
        visitor.go(path)
        assert leave(page) == [], path


def test_leaving_by_a_link_asks_first_only_where_something_typed_would_be_lost(visitor: Visitor) -> None:
    page = visitor.sign_in("admin").page
    settings, field = f"{HELLO}settings/", "[name=service_account]"
    visitor.go(settings)
    page.fill(field, "typed")
    page.fill(field, "")
    assert leave(page) == [], "nothing differs from what the page showed"
    visitor.go(settings)
    page.fill(field, "typed")
    assert leave(page) == ["beforeunload"]
    visitor.go(settings)
    page.fill(field, "typed")
    assert leave(page, "form#typed .foot a") == [], "Cancel says so itself"
    visitor.go(settings)
    page.fill(field, "Not A Name")
    page.get_by_role("button", name=re.compile("^Review changes")).last.click()
    expect(page.locator("form#typed .problem").first).to_be_visible()
    assert leave(page) == ["beforeunload"], "the server kept nothing of it"
    visitor.go(settings)
    page.fill(field, "typed")
    preview(page)
    assert leave(page) == [], "a draft has it"
    stored = page.evaluate("JSON.stringify([Object.entries(sessionStorage), Object.entries(localStorage)])")
    assert "typed" not in stored

"""Rows of controls and the YAML editor, with their scripts and under the page's own policy."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visitor

CHECKOUT = "/services/sandbox/payments/checkout/"


def test_rows_are_added_and_taken_away_at_once(visitor: Visitor) -> None:
    visitor.sign_in("admin")
    visitor.go(f"{CHECKOUT}settings/")
    page = visitor.page
    add = page.locator("button[name=add_row][value=env_from]")
    add.click()
    expect(page.locator("[name=env_from-2-kind]")).to_be_focused()
    page.locator("[name=env_from-2-name]").fill("removed-secret")
    add.click()
    page.locator("[name=env_from-3-name]").fill("kept-secret")
    page.locator("button[value=env_from-2]").click()
    page.locator("[name=mounts-0-sub_path]").fill("below")
    page.locator("[name=mounts-0-path]").fill("relative")
    page.locator("form#typed button[data-once]").last.click()
    expect(page.locator("[name=mounts-0-path]")).to_be_focused()
    page.locator("[name=mounts-0-path]").fill("/etc/checkout/tls")
    page.locator("form#typed button[data-once]").last.click()
    expect(page).to_have_url(re.compile("preview=1"))
    expect(page.locator("#content")).to_contain_text("kept-secret")
    expect(page.locator("#content")).to_contain_text("below")
    expect(page.locator("#content")).not_to_contain_text("removed-secret")


def test_yaml_is_edited_in_an_editor_that_the_keyboard_can_leave(visitor: Visitor) -> None:
    visitor.sign_in("admin")
    visitor.go(f"{CHECKOUT}yaml/")
    page = visitor.page
    expect(page.locator(".ace_line").first).to_contain_text("apiVersion")
    manifest = page.input_value("textarea.manifest")
    page.get_by_role("textbox", name=re.compile("^Manifest")).focus()
    page.keyboard.press("Control+End")
    page.keyboard.type("\nbroken: [1\nnext: 2")
    expect(page.locator("[data-count]")).not_to_have_text("0")
    assert page.input_value("textarea.manifest").startswith(manifest.rstrip("\n")), "the form sends what was typed"
    page.keyboard.press("Tab")
    expect(page.locator("[data-yaml-changes] summary")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("textbox", name=re.compile("^Manifest"))).to_be_focused()
    page.locator("form#typed button[data-once]").last.click()
    expect(page.locator(".ace_gutter-cell.ace_error")).to_be_visible()
    page.fill("textarea.manifest", manifest.replace("timeoutSeconds: 120", "timeoutSeconds: 121"))
    expect(page.locator("[data-count]")).to_have_text("2")
    page.locator("form#typed button[data-once]").last.click()
    expect(page).to_have_url(re.compile("preview=1"))
    expect(page.locator("#content")).to_contain_text("121")


def test_long_lines_of_yaml_scroll_in_the_editor_on_a_narrow_screen_and_break_no_word(visitor: Visitor) -> None:
    visitor.sign_in("admin")
    page = visitor.page
    page.set_viewport_size({"width": 320, "height": 640})
    visitor.go(f"{CHECKOUT}yaml/")
    expect(page.locator(".ace_line").first).to_contain_text("apiVersion")
    lines = page.input_value("textarea.manifest").split("\n")
    drawn = page.locator(".ace_line").all_inner_texts()
    assert [one for one in drawn if one.strip() not in {line.strip() for line in lines}] == [], "lines are drawn whole"
    wide = page.locator(".ace_scrollbar-h")
    assert wide.evaluate("bar => bar.scrollWidth > bar.clientWidth")
    page.get_by_role("textbox", name=re.compile("^Manifest")).focus()
    page.keyboard.press("Control+Home")
    page.keyboard.type(f"# {'word ' * 30}")
    page.wait_for_function("() => document.querySelector('.ace_scrollbar-h').scrollLeft > 0")
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth"), "the page does not scroll sideways"
    # Without the script the field is the editor.
    page.locator("textarea.manifest").evaluate("field => field.classList.remove('visually-hidden')")
    assert page.locator("textarea.manifest").evaluate("field => getComputedStyle(field).whiteSpace") == "pre"


def test_yaml_offers_the_fields_that_fit_in_a_line_and_only_when_asked(visitor: Visitor) -> None:
    visitor.sign_in("admin")
    visitor.go(f"{CHECKOUT}yaml/")
    page = visitor.page
    editor = page.get_by_role("textbox", name=re.compile("^Manifest"))
    editor.focus()
    page.keyboard.press("Control+End")
    page.keyboard.type("\nspec:\n  template:\n  spec:\n  ti")
    expect(page.locator(".ace_autocomplete")).to_have_count(0)
    page.keyboard.press("Control+Space")
    popup = page.locator(".ace_autocomplete .ace_line")
    expect(popup.filter(has_text="timeoutSeconds").first).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("textarea.manifest")).to_have_value(re.compile("timeoutSeconds: $"))
    page.keyboard.type("30\n")
    page.keyboard.press("Control+Space")
    expect(popup.filter(has_text="serviceAccountName")).to_be_visible()
    expect(popup.filter(has_text="revisionName")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.locator(".ace_autocomplete")).not_to_be_visible()
    page.keyboard.press("Tab")
    expect(editor).not_to_be_focused()

"""The traffic editor: sliders and numbers are one, the bar follows, and a split takes four clicks."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visitor

GREETER = "/services/sandbox/default/greeter/"
IS_COVERED = """(element) => {
  const box = element.getBoundingClientRect();
  const top = document.elementFromPoint(box.x + box.width / 2, Math.min(box.bottom - 3, innerHeight - 1));
  return Boolean(top?.closest(".foot")) && !element.closest(".foot");
}"""


def test_a_split_is_made_with_sliders_or_numbers_and_in_four_clicks(visitor: Visitor) -> None:
    visitor.sign_in("deployer").go(f"{GREETER}traffic/")
    page = visitor.page
    number = page.get_by_label("Percent for greeter-00001", exact=True)
    slider = page.get_by_label("Slider for greeter-00001", exact=True)
    number.fill("30")
    expect(slider).to_have_value("30")
    expect(page.locator("[data-after] li", has_text="greeter-00001")).to_contain_text("30%")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(number).to_have_value("31")
    expect(page.locator("[data-sum-hint]")).to_have_text("Percentages add up to 81. They must total 100.")
    expect(page.locator(".problem:visible")).to_have_count(1)
    page.get_by_role("button", name="Assign remainder @latest").click()
    expect(page.get_by_label("Percent for @latest", exact=True)).to_have_value("69")
    expect(page.locator("[data-sum]")).to_have_text("100%")

    page.set_viewport_size({"width": 1280, "height": 420})
    page.get_by_label("Tag for another revision").focus()
    for _ in range(12):
        page.keyboard.press("Shift+Tab")
        assert not page.evaluate_handle("document.activeElement").evaluate(IS_COVERED), "the foot covers the focus"
    page.set_viewport_size({"width": 1280, "height": 900})

    visitor.go(GREETER)
    page.get_by_role("link", name="Traffic", exact=True).click()
    page.get_by_role("button", name=re.compile("^Canary 10%")).click()
    expect(page.locator("[data-after] li")).to_have_count(2)
    page.get_by_role("button", name=re.compile("^Review changes")).click()
    page.get_by_role("button", name="Route traffic").click()
    page.wait_for_url(re.compile("/operations/"))
    page.wait_for_selector("#operation[data-status^='succeeded']")
    visitor.go(GREETER)
    expect(page.locator("main")).to_contain_text("90%")

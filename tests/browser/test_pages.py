"""Every page: without JavaScript, by the rules of accessibility, narrow, dark, and in both languages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visitor
from tests.browser.test_script import ask
from tests.browser.test_settings import SERVICES
from tests.console_process import RunningConsole

CATALOG = "/services/sandbox/shop/catalog/"
PAGES = [
    "/",
    "/services/new/",
    "/services/sandbox/shop/storefront/",
    "/services/sandbox/shop/recommendations/",
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
LONGEST = "a-service-whose-name-is-as-long-as-kubernetes-lets-it-be-indeed"
LONG_PAGES = ["/", f"/services/sandbox/default/{LONGEST}/", f"/services/sandbox/default/{LONGEST}/traffic/"]
# Words of tables that continue on another line. Values may: they are any text, and longer ones than a column is wide.
CUT_WORDS = """() => {
  const cut = [];
  for (const cell of document.querySelectorAll("main :is(td, th):not(:has(pre))")) {
    const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      if (texts.currentNode.parentElement.closest(".was, .becomes")) continue;
      for (const word of texts.currentNode.data.matchAll(/\\b\\w{2,15}\\b/g)) {
        const range = document.createRange();
        range.setStart(texts.currentNode, word.index);
        range.setEnd(texts.currentNode, word.index + word[0].length);
        const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
        if (lines.size > 1) cut.push(word[0]);
      }
    }
  }
  return cut.slice(0, 5);
}"""


@pytest.fixture(params=[("en-GB", "light", 1280), ("zh-CN", "dark", 375)], ids=["wide", "narrow"])
def reader(request: pytest.FixtureRequest, browser: Browser, running: RunningConsole) -> Iterator[Visitor]:
    language, colours, width = request.param
    context = browser.new_context(viewport={"width": width, "height": 800}, locale=language, color_scheme=colours)
    yield Visitor(context, running.url).sign_in("admin")
    context.close()


def test_pages_break_no_rule_of_accessibility_and_fit_the_screen(reader: Visitor) -> None:
    found: list[str] = []
    for path in PAGES:
        page = reader.page
        answer = page.goto(reader.base + path)
        assert answer is not None
        assert answer.status == (404 if path == "/no-such-page/" else 200), path
        width = page.viewport_size["width"] if page.viewport_size else 0
        reader.keep(f"page{width}-{re.sub('[^a-z0-9]+', '-', path.strip('/')) or 'services'}")
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(f"{path}: wider than {width} px")
        if cut := page.evaluate(CUT_WORDS):
            found.append(f"{path}: words cut in two: {cut}")
        rules = (
            Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}).response["violations"]
        )
        found += [f"{path}: {rule['id']}: {rule['nodes'][0]['html'][:160]}" for rule in rules]
    assert not found, "\n".join(found)


def test_the_longest_name_fits_the_screen(reader: Visitor, running: RunningConsole) -> None:
    service = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": LONGEST, "namespace": "default"},
        "spec": {"template": {"spec": {"containers": [{"image": "gcr.io/knative-samples/helloworld-go"}]}}},
    }
    page = reader.page
    if reader.context.request.get(f"{reader.base}{LONG_PAGES[1]}").status == 404:
        ask(json.loads((running.state / "sandbox.json").read_text()), "POST", SERVICES, service)
        page.wait_for_function("async (path) => (await fetch(path)).ok", arg=LONG_PAGES[1])
    reader.go(LONG_PAGES[1])
    expect(page.locator(".share-text")).to_contain_text(f"{LONGEST}-00001")
    for path in LONG_PAGES:
        reader.go(path)
        expect(page.locator("main")).to_contain_text(f"{LONGEST}-00001")
        width = page.viewport_size["width"] if page.viewport_size else 0
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.evaluate(
            "[...document.querySelectorAll('.scroll')].every((box) => box.scrollWidth <= box.clientWidth)"
        )


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_fields_and_the_focus_are_seen(
    browser: Browser, running: RunningConsole, colours: Literal["light", "dark"]
) -> None:
    """Three to one against what is around (WCAG 1.4.11), and an outline on each button (2.4.7)."""
    context = browser.new_context(locale="en-GB", color_scheme=colours)
    page = Visitor(context, running.url).sign_in("admin").go("/").page
    for selector in ("input[type=search]", "select[name=namespace]", "[name=attention]"):
        border, ground = page.locator(selector).evaluate(
            "(field) => [getComputedStyle(field).borderTopColor, getComputedStyle(document.body).backgroundColor]"
        )
        assert contrast(border, ground) >= 3, (selector, border, ground)
    page.locator("[name=attention]").focus()
    page.keyboard.press("Tab")
    focused = page.get_by_role("button", name="Filter")
    expect(focused).to_be_focused()
    assert focused.evaluate("(button) => getComputedStyle(button).outlineStyle") == "solid"
    context.close()


def contrast(one: str, other: str) -> float:
    """The ratio of two colours that are given as rgb(r, g, b), as WCAG counts it: 1 to 21."""
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_main_job_works_without_javascript(browser: Browser, running: RunningConsole) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    visitor = Visitor(context, running.url).sign_in("deployer")
    page = visitor.go("/?q=catalog").page
    page.get_by_role("link", name="catalog", exact=True).click()
    expect(page.get_by_text("Tracks the latest revision")).to_be_visible()

    visitor.go(f"{CATALOG}env/")
    blank = page.locator("input[name^=name-]:not([type=hidden])").first
    index = (blank.get_attribute("name") or "").removeprefix("name-")
    blank.fill("PLAIN")
    page.fill(f"[name=value-{index}]", "yes")
    page.get_by_role("button", name=re.compile("^Review changes")).click()
    page.locator("button[form=apply]").click()
    page.wait_for_url(re.compile("/operations/"))
    page.get_by_text("Ready to serve.").wait_for()  # the page reloads by itself

    visitor.go(f"{CATALOG}traffic/")
    page.get_by_label("Percent for @latest", exact=True).fill("60")
    page.get_by_label("Percent for catalog-00001", exact=True).fill("50")
    page.get_by_role("button", name=re.compile("^Review changes")).click()
    expect(page.get_by_text("Percentages add up to 110. They must total 100.")).to_be_visible()
    page.get_by_label("Percent for catalog-00001", exact=True).fill("40")
    page.get_by_role("button", name=re.compile("^Review changes")).click()
    page.locator("button[form=apply]").click()
    page.wait_for_url(re.compile("/operations/"))
    page.get_by_text("(unchanged)").wait_for()
    context.close()

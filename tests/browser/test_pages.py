"""Every page: without JavaScript, by the rules of accessibility, narrow, dark, and in both languages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Visitor
from tests.browser.extremes import seed
from tests.browser.looks import CLIPPED, CUT_WORDS, FAINT_FIELDS
from tests.browser.pages import EXTREMES, PAGES
from tests.console_process import RunningConsole

CATALOG = "/services/sandbox/shop/catalog/"

READERS = {  # language, color scheme, width, height
    "wide": ("en-GB", "light", 1280, 800),
    "phone": ("zh-CN", "dark", 375, 800),
    "320px": ("en-GB", "light", 320, 640),  # as 1280 px at 400% (WCAG 1.4.10)
}
UNPIN = "() => { for (const foot of document.querySelectorAll('.foot')) foot.style.position = 'static'; }"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def extreme(running: RunningConsole) -> RunningConsole:
    seed(running)
    return running


@pytest.fixture(params=READERS.values(), ids=READERS)
def reader(request: pytest.FixtureRequest, browser: Browser, extreme: RunningConsole) -> Iterator[Visitor]:
    language, colours, width, height = request.param
    context = browser.new_context(
        viewport={"width": width, "height": height}, locale=language, color_scheme=colours, reduced_motion="reduce"
    )
    yield Visitor(context, extreme.url).sign_in("admin")
    context.close()


def faults(page: Page) -> list[str]:
    """What is wrong with the page that is open: axe's rules, sideways scroll, cut words, faint fields."""
    width = page.viewport_size["width"] if page.viewport_size else 0
    found = [f"fields hardly seen: {fields}"] if (fields := page.evaluate(FAINT_FIELDS)) else []
    if page.evaluate("document.documentElement.scrollWidth") > width:
        found.append(f"wider than {width} px")
    if cut := page.evaluate(CUT_WORDS):
        found.append(f"words cut in two: {cut}")
    if clipped := page.evaluate(CLIPPED):
        found.append(f"lines cut off without an ellipsis: {clipped}")
    page.evaluate(UNPIN)  # what lies under a foot is scrolled clear of it (test_keyboard.py)
    broken = Axe().run(page, options={"runOnly": RULES}).response["violations"]
    return found + [f"{rule['id']}: {rule['nodes'][0]['html'][:160]}" for rule in broken]


@pytest.mark.timeout(600)
def test_pages_break_no_rule_of_accessibility_and_fit_the_screen(reader: Visitor) -> None:
    found: list[str] = []
    for path in (*PAGES, *EXTREMES):
        answer = reader.page.goto(reader.base + path)
        assert answer is not None
        assert answer.status == (404 if path == "/no-such-page/" else 200), path
        found += [f"{path}: {fault}" for fault in faults(reader.page)]
    assert not found, "\n".join(found)


def test_tables_fit_their_panels_whatever_names_are_in_them(reader: Visitor) -> None:
    for path in EXTREMES:
        reader.go(path)
        assert reader.page.evaluate(
            "[...document.querySelectorAll('.scroll')].every((box) => box.scrollWidth <= box.clientWidth)"
        ), path

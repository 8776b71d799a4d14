"""Every page: without JavaScript, by the rules of accessibility, narrow, dark, and in both languages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.conftest import SANDBOX_SPEED, Visitor
from tests.browser.looks import CLIPPED, CUT_WORDS, FAINT_FIELDS, UNSEEN_FIELDS
from tests.browser.pages import EXTREMES, PAGES
from tests.browser.scenes import HISTORY, prepare, scenes
from tests.console_process import RunningConsole, console

READERS = {  # language, color scheme, width, height
    "wide": ("en-GB", "light", 1280, 800),  # and dark, for what depends on colors
    "phone": ("zh-CN", "dark", 375, 800),
    "320px": ("en-GB", "light", 320, 640),  # as 1280 px at 400% (WCAG 1.4.10)
}
UNPIN = "() => document.querySelectorAll('.foot, .bar, thead th').forEach((one) => { one.style.position = 'static'; })"
OF_COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def extreme(browser: Browser) -> Iterator[RunningConsole]:
    with console(sandbox_speed=SANDBOX_SPEED, environment=HISTORY) as running:
        prepare(running, browser)
        yield running


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
    if unseen := page.evaluate(UNSEEN_FIELDS):
        found.append(f"fields not painted: {unseen}")
    if clipped := page.evaluate(CLIPPED):
        found.append(f"lines cut off without an ellipsis: {clipped}")
    page.evaluate(UNPIN)  # what lies under a foot is scrolled clear of it (test_keyboard.py)
    return found + broken_rules(page, RULES)


def broken_rules(page: Page, rules: object) -> list[str]:
    broken = Axe().run(page, options={"runOnly": rules}).response["violations"]
    return [f"{rule['id']}: {rule['nodes'][0]['html'][:160]}" for rule in broken]


def faults_in_the_dark(page: Page) -> list[str]:
    """What another theme alone can break, on the page that is open in the light one."""
    page.emulate_media(color_scheme="dark")
    page.locator("html[data-bs-theme=dark]").wait_for(state="attached")
    found = [f"hardly seen in the dark: {fields}"] if (fields := page.evaluate(FAINT_FIELDS)) else []
    found += [f"in the dark {fault}" for fault in broken_rules(page, OF_COLOURS)]
    page.emulate_media(color_scheme="light")
    return found


@pytest.mark.timeout(900)
def test_pages_break_no_rule_of_accessibility_and_fit_the_screen(
    reader: Visitor, request: pytest.FixtureRequest
) -> None:
    found: list[str] = []
    for name, is_open in scenes(reader):
        is_open()
        found += [f"{name}: {fault}" for fault in faults(reader.page)]
        if "wide" in request.node.name:
            found += [f"{name}: {fault}" for fault in faults_in_the_dark(reader.page)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("reader", [READERS["wide"]], ids=["wide"], indirect=True)
def test_every_address_of_the_pages_answers(reader: Visitor) -> None:
    for path in (*PAGES, *EXTREMES):
        answer = reader.page.request.get(reader.base + path)
        assert answer.status == (404 if path == "/no-such-page/" else 200), path


def test_tables_fit_their_panels_whatever_names_are_in_them(reader: Visitor) -> None:
    for path in EXTREMES:
        reader.go(path)
        assert reader.page.evaluate(
            "[...document.querySelectorAll('.scroll')].every((box) => box.scrollWidth <= box.clientWidth)"
        ), path


@pytest.mark.parametrize("reader", [READERS["wide"]], ids=["wide"], indirect=True)
def test_a_row_of_an_operation_shows_its_kind_and_the_number_of_its_revision(reader: Visitor) -> None:
    """What is cut off is the middle: a long image's name. The column of the change is the widest."""
    reader.go("/operations/")
    hidden = reader.page.evaluate(
        """[...document.querySelectorAll(".grid.operations .what .soft")].filter((kind) => {
          const link = kind.closest("a").getBoundingClientRect();
          return kind.getBoundingClientRect().bottom > link.bottom + 1;
        }).map((kind) => kind.textContent)"""
    )
    assert not hidden
    widths = reader.page.eval_on_selector_all(
        ".grid.operations thead th", "heads => heads.map((one) => one.offsetWidth)"
    )
    assert widths[0] == max(widths)
    cut = reader.page.evaluate(
        """[...document.querySelectorAll(".grid.operations td.line")].filter((cell) => cell.querySelector(".swatch"))
          .filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.textContent.trim())"""
    )
    assert not cut

"""Every page by the Tab key alone: the focus is seen, in order, and nothing lies over it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Visitor
from tests.browser.looks import FOCUS
from tests.browser.pages import PAGES
from tests.console_process import RunningConsole

MAX_STOPS = 60  # of one page; lists are longer, and repeat themselves
MAX_TABS = 25
NAME = "() => (document.activeElement.ariaLabel || document.activeElement.innerText || '').trim()"
LOW = 560  # pixels: as much as fits above a keyboard, so that most pages have to be scrolled


@pytest.fixture(params=[("light", 1280), ("dark", 375)], ids=["wide", "phone"])
def reader(request: pytest.FixtureRequest, browser: Browser, running: RunningConsole) -> Iterator[Visitor]:
    colours: Literal["light", "dark"]
    colours, width = request.param
    context = browser.new_context(
        viewport={"width": width, "height": LOW}, locale="en-GB", color_scheme=colours, reduced_motion="reduce"
    )
    yield Visitor(context, running.url).sign_in("admin")
    context.close()


def stops(page: Page, key: str) -> Iterator[list[str]]:
    """Press the key until the focus leaves the page; yield what is wrong with each stop."""
    for _ in range(MAX_STOPS):
        page.keyboard.press(key)
        found = page.evaluate(FOCUS)
        if found is None:
            return
        yield [f"{key} {found['key']}: {problem}" for problem in found["problems"]]


@pytest.mark.timeout(600)
def test_the_focus_is_seen_at_every_stop_and_never_covered(reader: Visitor) -> None:
    faults: list[str] = []
    for path in PAGES:
        reader.go(path)
        forth = [fault for stop in stops(reader.page, "Tab") for fault in stop]
        back = [fault for stop in stops(reader.page, "Shift+Tab") for fault in stop]
        faults += [f"{path}: {fault}" for fault in (forth + back)[:4]]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("scripts", [True, False], ids=["with-scripts", "without"])
def test_enter_in_a_field_sends_the_form_and_not_the_switch_of_themes(
    browser: Browser, running: RunningConsole, scripts: bool
) -> None:
    """The first button of a form in the order of the page is what Enter presses, and the bar's come first."""
    context = browser.new_context(locale="en-GB", java_script_enabled=scripts)
    page = Visitor(context, running.url).sign_in("deployer").go("/services/sandbox/shop/cart/image/").page
    page.locator("[name$=image]").first.fill(f"gcr.io/knative-samples/helloworld-{'rust' if scripts else 'go'}")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Review changes")).to_be_visible()
    page.fill("[name=reason]", "It is Friday.")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/operations/"))
    context.close()


def test_the_main_job_takes_at_most_25_tabs(browser: Browser, running: RunningConsole) -> None:
    """From a service's page to a changed variable that is being deployed, beginning with the skip link of each page."""
    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 800})
    page = Visitor(context, running.url).sign_in("deployer").go("/services/sandbox/default/hello/").page
    tabs = skip(page)
    tabs += tab_to(page, "Edit and deploy")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/deploy/"))
    tabs += skip(page)
    tabs += tab_to(page, "Value TARGET")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("Keyboard")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Review changes")).to_be_visible()
    tabs += tab_to(page, "Deploy")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/operations/"))
    assert tabs <= MAX_TABS
    context.close()


def skip(page: Page) -> int:
    """Take the skip link; return how often Tab was pressed."""
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    return 1


def tab_to(page: Page, name: str) -> int:
    """Press Tab until a control of this name has the focus; return how often."""
    for count in range(1, MAX_TABS + 2):
        page.keyboard.press("Tab")
        if page.evaluate(NAME) == name:
            return count
    raise AssertionError(f"{name} is not reached with {MAX_TABS} Tabs")

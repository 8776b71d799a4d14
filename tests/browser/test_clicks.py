"""How many clicks the main jobs cost, counted in a browser. Typing is free; every press of the mouse counts."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.conftest import Visitor
from tests.console_process import RunningConsole

HELLO = "/services/sandbox/default/hello/"
STOREFRONT = "/services/sandbox/shop/storefront/"


class Counted:
    """Somebody at a page whose clicks are counted."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.page = visitor.page
        self.clicks = 0

    def click(self, target: Locator) -> None:
        self.clicks += 1
        target.click()

    def press(self, words: str) -> None:
        """Press the one button or link in the page whose name begins with these words."""
        name = re.compile("^" + re.escape(words).replace("/", r"\/"))
        main = self.page.locator("main")
        self.click(main.get_by_role("button", name=name).or_(main.get_by_role("link", name=name)).first)

    def open_section(self, key: str) -> None:
        self.click(self.page.locator(f"#section-{key} > summary"))

    def apply(self) -> None:
        """From the review to the operation, by its one primary button."""
        self.click(self.page.locator("main button[form=apply]"))
        self.page.wait_for_url(re.compile("/operations/"))

    def succeeds(self) -> None:
        self.page.wait_for_selector("#operation[data-status^='succeeded']")


@pytest.fixture
def deployer(browser: Browser, running: RunningConsole) -> Iterator[Counted]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    yield Counted(Visitor(context, running.url).sign_in("deployer"))
    context.close()


def revisions(counted: Counted, service: str) -> int:
    counted.visitor.go(f"{service}revisions/")
    return counted.page.locator("main tbody tr").count()


def test_one_variable_is_three_clicks_from_the_service_page(deployer: Counted) -> None:
    deployer.visitor.go(HELLO)
    deployer.press("Edit and deploy")
    deployer.page.get_by_label("Value TARGET").fill("Good morning")  # the only variable is open at once
    deployer.press("Review changes")
    deployer.apply()
    assert deployer.clicks <= 3
    deployer.succeeds()


def test_image_variable_and_memory_are_six_clicks_and_one_revision(deployer: Counted) -> None:
    before = revisions(deployer, HELLO)
    deployer.visitor.go(HELLO)
    page = deployer.page
    deployer.press("Edit and deploy")
    page.fill("#section-image [name$=image]", "gcr.io/knative-samples/helloworld-rust")
    page.get_by_label("Value TARGET").fill("Counted")
    deployer.open_section("resources")
    page.locator("#section-resources [name$=memory_limit]").fill("256Mi")
    deployer.press("Review changes")
    deployer.apply()
    assert deployer.clicks <= 6
    deployer.succeeds()
    assert revisions(deployer, HELLO) == before + 1


def test_half_and_half_is_four_clicks(deployer: Counted) -> None:
    deployer.visitor.go(STOREFRONT)
    deployer.press("Traffic")
    deployer.press("50/50")
    deployer.press("Review changes")
    deployer.apply()
    assert deployer.clicks <= 4
    deployer.succeeds()


def test_rolling_back_is_two_clicks(deployer: Counted) -> None:
    deployer.visitor.go("/services/sandbox/shop/catalog/")
    deployer.press("Roll back")
    deployer.apply()
    assert deployer.clicks <= 2
    deployer.succeeds()


def test_the_cause_of_the_broken_service_is_one_click_from_home(deployer: Counted) -> None:
    page = deployer.visitor.go("/").page
    deployer.click(page.get_by_role("link", name="recommendations", exact=True).first)
    expect(
        page.get_by_text("The image registry.invalid/shop/recommendations:0.9.2 cannot be pulled").first
    ).to_be_visible()
    assert deployer.clicks == 1

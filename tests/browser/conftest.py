"""A console started as `make run` does, and a Chromium that talks to nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from console.access.demo import DEMO_USERS
from tests.console_process import RunningConsole, console

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 60_000  # for what comes at once on a machine with nothing else to do
SANDBOX_SPEED = 4
METRICS_TOKEN = "only-for-this-test"
ARTIFACTS = Path(os.environ.get("SLUICE_ARTIFACTS", "test-artifacts")) / "screenshots"
PASSWORDS = {user.username: user.password for user in DEMO_USERS}


expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def running() -> Iterator[RunningConsole]:
    environment = {"CONSOLE_SANDBOX_IDLE_SECONDS": "20", "CONSOLE_METRICS_TOKEN": METRICS_TOKEN}
    with console(sandbox_speed=SANDBOX_SPEED, environment=environment) as started:
        yield started


class Visitor:
    """A person at a browser. What the page's own console reports as an error fails the test at the end."""

    def __init__(self, context: BrowserContext, base: str, page: Page | None = None) -> None:
        self.context = context
        self.base = base
        self.page: Page = page or context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def sign_in(self, username: str) -> Visitor:
        self.go("/accounts/login/")
        return self.fill_in(username)

    def fill_in(self, username: str) -> Visitor:
        """Send the sign-in form that is open."""
        self.page.fill("[name=login]", username)
        self.page.fill("[name=password]", PASSWORDS[username])
        self.page.click("main button[type=submit], main form button")
        self.page.wait_for_url(lambda address: "/accounts/" not in address)
        return self

    def sign_out(self) -> Visitor:
        self.page.locator("header details.menu summary").last.click()
        self.page.get_by_role("button", name="Sign out").click()
        self.page.wait_for_url(lambda address: "/accounts/login/" in address)
        return self

    def go(self, path: str) -> Visitor:
        self.page.goto(self.base + path)
        return self

    def keep(self, name: str) -> None:
        """Keep a screenshot of the whole page."""
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(ARTIFACTS / f"{name}.png"), full_page=True)

    def _hear(self, message: ConsoleMessage) -> None:
        expected = "Failed to load resource"  # a refused form answers 422, and Chromium notes it
        if message.type == "error" and expected not in message.text:
            self.complaints.append(message.text)


@pytest.fixture
def visitor(browser: Browser, running: RunningConsole) -> Iterator[Visitor]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB", color_scheme="light")
    context.set_default_timeout(PATIENCE_MS)
    one = Visitor(context, running.url)
    yield one
    complaints = one.complaints
    context.close()
    assert complaints == [], "the browser reported errors (Content-Security-Policy among them)"

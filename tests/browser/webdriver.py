"""Firefox and WebKitGTK, headless, as Debian packages them, driven by WebDriver (see docs/decisions/0002-libraries.md).

Chromium has Playwright; these two are there to find what only one engine does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.browser.conftest import ARTIFACTS, PASSWORDS, PATIENCE_MS

GECKODRIVER = os.environ.get("GECKODRIVER") or shutil.which("geckodriver") or ".cache/geckodriver/bin/geckodriver"
MINI_BROWSERS = list(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))


@contextmanager
def firefox() -> Iterator[WebDriver]:
    options = webdriver.FirefoxOptions()
    options.binary_location = "/usr/bin/firefox-esr"
    options.add_argument("-headless")
    options.set_preference("intl.accept_languages", "en-GB")
    driver = webdriver.Firefox(options=options, service=webdriver.FirefoxService(executable_path=GECKODRIVER))
    try:
        yield driver
    finally:
        driver.quit()


@contextmanager
def webkit() -> Iterator[WebDriver]:
    """WebKitGTK has no headless mode: it draws on a display that nobody sees."""
    options = webdriver.WebKitGTKOptions()
    options.binary_location = str(max(MINI_BROWSERS))
    options.add_argument("--automation")
    with invisible_display() as display:
        service = webdriver.WebKitGTKService("/usr/bin/WebKitWebDriver", env={**os.environ, "DISPLAY": display})
        driver = webdriver.WebKitGTK(options=options, service=service)
        try:
            yield driver
        finally:
            driver.quit()


@contextmanager
def invisible_display() -> Iterator[str]:
    """A display of Xvfb, which takes a free number and tells it when it is ready."""
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1400x1100x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        try:
            yield f":{server.stdout.readline().strip()}"
        finally:
            server.terminate()


ENGINES: dict[str, Callable[[], AbstractContextManager[WebDriver]]] = {"firefox": firefox, "webkit": webkit}


class Reader:
    """A person at one of these browsers."""

    def __init__(self, driver: WebDriver, base: str) -> None:
        self.driver = driver
        self.base = base
        driver.set_window_size(1280, 900)

    def sign_in(self, username: str) -> Reader:
        self.go("/accounts/login/")
        self.field("login").send_keys(username)
        self.field("password").send_keys(PASSWORDS[username])
        self.field("password").submit()
        return self.until(lambda: "/accounts/" not in self.driver.current_url)

    def go(self, path: str) -> Reader:
        self.driver.get(self.base + path)
        return self

    def until(self, condition: Callable[[], object]) -> Reader:
        """Wait for what the page is about to show; what is stale or missing meanwhile is asked for again."""
        waiting = WebDriverWait(self.driver, PATIENCE_MS / 1000, ignored_exceptions=[WebDriverException])
        waiting.until(lambda _driver: condition())
        return self

    def answered(self, press: Callable[[], object]) -> Reader:
        """Press what sends the form of the page, and wait until the answer has replaced it."""
        sent = self.one("#typed")
        press()
        WebDriverWait(self.driver, PATIENCE_MS / 1000).until(staleness_of(sent))
        return self

    def field(self, name: str) -> WebElement:
        return self.driver.find_element(By.NAME, name)

    def one(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def fill(self, field: WebElement, text: str) -> None:
        field.clear()
        field.send_keys(text)

    def pick(self, name: str, value: str) -> None:
        """Choose in a select, or write where the field is a text."""
        field = self.field(name)
        if field.tag_name == "select":
            Select(field).select_by_value(value)
        else:
            self.fill(field, value)

    def press(self, words: str) -> Reader:
        """Press the button or link of the content whose text begins with these words."""
        found = f"//main//*[self::button or self::a or self::summary][starts-with(normalize-space(.), '{words}')]"
        next(one for one in self.driver.find_elements(By.XPATH, found) if is_seen(one)).click()
        return self

    def shows(self, text: str) -> Reader:
        return self.until(lambda: text in self.driver.execute_script(TEXT))

    def settled(self, script: str) -> Any:
        """What a script returns once the browser has scrolled and drawn."""
        return self.driver.execute_async_script(
            f"const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done(({script})())))"
        )

    def keep(self, name: str) -> None:
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(ARTIFACTS / f"{name}.png"))


TEXT = "return document.querySelector('main').innerText.replace(/\\s+/g, ' ')"
SEEN = "return arguments[0].checkVisibility() && arguments[0].getBoundingClientRect().width > 1"


def is_seen(element: WebElement) -> bool:
    """A button that only Enter presses is displayed, but as one pixel."""
    return bool(element.parent.execute_script(SEEN, element))
